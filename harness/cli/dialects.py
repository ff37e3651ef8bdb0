"""--web, --dialect and --dialect-file: the local service of `driver serve`, and how it talks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from emulator.messages import _
from harness.cli import usage

if TYPE_CHECKING:
    from harness.driver.dialects.dialect import Dialect

F = TypeVar("F", bound=Callable[..., Any])
USUAL = "usual"
"""--web without a port."""


class _Port(click.ParamType[int | str]):
    """A port, 0 for a free one, or the usual one."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """Returns the port, or ``USUAL``. BadParameter beyond 0 to 65535."""
        return USUAL if value == USUAL else click.IntRange(0, 65535).convert(value, param, ctx)


def options(function: F) -> F:
    """All three, handed on as ``service``: the dialect and the port, None where none is given. A dialect means that
    there is a service.
    """

    @click.option(
        "--web", "web_port", type=_Port(), is_flag=False, flag_value=USUAL, metavar="[PORT]",
        help="WebSocket and HTTP on loopback, with a test page. [the dialect's port, 35992 of our own]",
    )  # fmt: skip
    @click.option(
        "--dialect", "dialect_name", metavar="NAME",
        help="As a vendor's local service talks: own, vendor-12342, params-38088. Serves it at its port. [own]",
    )  # fmt: skip
    @click.option(
        "--dialect-file", "dialect_file", type=click.Path(dir_okay=False, path_type=Path),
        help="A dialect of one's own, in TOML: see docs/driver-library.md.",
    )  # fmt: skip
    @functools.wraps(function)
    def wrapped(
        *args: Any, web_port: int | str | None, dialect_name: str | None, dialect_file: Path | None, **kwargs: Any
    ) -> Any:
        return function(*args, service=_service(web_port, dialect_name, dialect_file), **kwargs)

    return wrapped  # type: ignore[return-value]


def _service(port: int | str | None, name: str | None, path: Path | None) -> tuple[Dialect, int] | None:
    from harness.driver.dialects import dialect

    if name is not None and path is not None:
        raise click.UsageError(_("--dialect and --dialect-file both say how to talk: name one"))
    if (port, name, path) == (None, None, None):
        return None
    with usage.of("--dialect-file" if path else "--dialect"):
        chosen = dialect.from_file(path) if path else dialect.load(name or dialect.OWN)
    return chosen, port if isinstance(port, int) else chosen.port
