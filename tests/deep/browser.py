"""Headless Chromium, driven by its own protocol."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import select
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.kit.served import DEADLINE

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0", "about:blank",
)  # fmt: skip
LISTENING = "DevTools listening on "


class Page:
    """One tab."""

    def __init__(self, link: ClientConnection) -> None:
        self._link = link
        self._numbers = itertools.count(1)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        number = next(self._numbers)
        self._link.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._link.recv(DEADLINE))
            if told.get("id") == number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression, of what it promises if it does."""
        told = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def until(self, script: str) -> None:
        """Waits until an expression is true, looked at whenever the page is about to draw."""
        deadline = int(DEADLINE * 1000)
        assert self.run(
            f"new Promise((found) => {{ const end = performance.now() + {deadline}; const look = () => ({script})"
            " ? found(true) : performance.now() > end ? found(false) : requestAnimationFrame(look); look(); })"
        ), script

    def open(self, url: str) -> None:
        """Goes there."""
        self.send("Page.navigate", url=url)
        self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def screenshot(self, path: Path) -> None:
        """As a PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"]))


@contextlib.contextmanager
def chromium() -> Iterator[Page]:
    """A browser with an empty profile; ended afterwards."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        subprocess.Popen(
            ["chromium", f"--user-data-dir={profile}", *FLAGS], stderr=subprocess.PIPE, bufsize=0
        ) as process,
    ):
        try:
            address = _address(process)
            with urllib.request.urlopen(f"http://{address}/json/list", timeout=DEADLINE) as answer:
                (tab,) = [one for one in json.load(answer) if one["type"] == "page"]
            with connect(tab["webSocketDebuggerUrl"], max_size=None) as link:
                yield Page(link)
        finally:
            process.terminate()
            process.communicate(timeout=DEADLINE)


def _address(process: subprocess.Popen[bytes]) -> str:
    """Where it listens, as one of its first lines says."""
    assert process.stderr
    deadline = time.monotonic() + DEADLINE
    while select.select([process.stderr], [], [], max(0.0, deadline - time.monotonic()))[0]:
        line = process.stderr.readline().decode(errors="replace")
        if line.startswith(LISTENING):
            return line.removeprefix(LISTENING).split("/")[2]
        assert line, "it ended"
    raise AssertionError(f"it does not listen within {DEADLINE} s")
