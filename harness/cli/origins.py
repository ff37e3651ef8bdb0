"""--origin, as all three services take it."""

from __future__ import annotations

from typing import Any

import click

from emulator.messages import _
from harness.cli import usage
from harness.web.origins import normalised


class _Origin(click.ParamType[str]):
    """An origin, as a browser would send it; what was written otherwise is told once."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Returns the origin as browsers send it. BadParameter for what is not an origin."""
        del param, ctx
        with usage.of():
            known = normalised(str(value))
        if known != value:
            click.echo(
                _("sscard: --origin {value} is taken as {known}, as browsers send it").format(value=value, known=known),
                err=True,
            )
        return known


option = click.option(
    "--origin", "origins", multiple=True, metavar="URL", type=_Origin(),
    help="A page's origin that may call besides our own, as https://counter.example; repeat.",
)  # fmt: skip
