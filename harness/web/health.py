"""Whether a service is alive, whether it is ready, and what it has counted."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from emulator.errors import SscardError
from emulator.messages import _, deferred
from harness.web import refusals
from harness.web.metrics import Metrics
from harness.web.observed import address
from harness.web.origins import is_loopback

Ready = Callable[[], object]
"""Returns where something is ready; any error where it is not."""
TOKEN = "SSCARD_METRICS_TOKEN"
"""The environment variable with the token by which others than this machine may read the metrics."""
WAIT = 5.0
"""Seconds that one part has to say that it is ready. [D]"""
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers that a proxy on this machine adds: who asks it is not this machine."""
NOT_IN_TIME = deferred("no answer in time")


def add(app: FastAPI, metrics: Metrics, ready: Mapping[str, Ready]) -> None:
    """Adds /healthz, /readyz and /metrics. ``ready``: what must be so, by its name."""

    @app.get("/healthz", tags=["health"], summary="存活 alive: the process answers")
    async def healthz() -> dict[str, bool]:
        """进程应答，不查其他。The process answers; nothing else is looked at."""
        return {"alive": True}

    @app.get(
        "/readyz",
        tags=["health"],
        summary="就绪 ready: what is needed is there",
        response_model=None,
        responses={503: {"description": "未就绪：`parts`中的名称 not ready: the `parts` that are not `ready`"}},
    )
    async def readyz() -> JSONResponse:
        """逐项检查所需条件，只给出名称和一个词。Each part that is needed, and a word on it: `ready`, or why not."""
        told = await asyncio.gather(*(_state(one) for one in ready.values()))
        parts = dict(zip(ready, told, strict=True))
        whole = all(one == "ready" for one in told)
        return JSONResponse({"ready": whole, "parts": parts}, 200 if whole else 503)

    @app.get(
        "/metrics",
        tags=["health"],
        summary="指标 what was counted, as Prometheus and OpenMetrics have it",
        response_class=Response,
        responses={403: {"description": f"`metrics`: 仅限本机或持令牌者 this machine, or the token of ${TOKEN}"}},
    )
    async def counted(request: Request) -> Response:
        """不含任何人、卡、令牌的信息。Nothing of a person, a card or a token is in it."""
        if not _may_read(request):
            why = _("metrics are for this machine alone, or for the token of ${name}").format(name=TOKEN)
            return refusals.refusal(request, 403, "metrics", why)
        body, kind = metrics.text(request.headers.get("accept", ""))
        return Response(body, media_type=kind)


async def _state(ready: Ready) -> str:
    """``ready``, or why not, in a word for programs: no text, which might name places of this machine."""
    try:
        async with asyncio.timeout(WAIT):
            await run_in_threadpool(ready)
    except TimeoutError:
        return _(NOT_IN_TIME)
    except SscardError as error:
        return error.word or str(error.kind)
    except Exception as error:
        return type(error).__name__
    return "ready"


def _may_read(request: Request) -> bool:
    token = os.environ.get(TOKEN, "")
    kind, __, given = request.headers.get("authorization", "").partition(" ")
    if token and kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
        return True
    forwarded = any(name in request.headers for name in FORWARDED)
    return not forwarded and is_loopback(address(request.scope))
