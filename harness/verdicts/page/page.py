"""The page of a report, made from templates beside this file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from harness.messages import printed
from harness.messages.pages import speak
from harness.messages.visible import visible_in
from harness.verdicts.conclusion import Conformity
from harness.verdicts.page.view import WIDTH, View, span
from harness.verdicts.subject import PROOF_WORDS

LATIN = (Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),)
SIGNS = {Conformity.CONFORMS: "✓", Conformity.FAILS: "✗", Conformity.NOT_JUDGED: "?"}
"""Of what a run comes to: colour is never alone."""


def html(table: Mapping[str, Any]) -> str:
    """The page for a screen, which prints well too. ``table``: report.json, and its ``sha256``."""
    return _rendered(table, paper=False)


def paper(table: Mapping[str, Any]) -> str:
    """The page for a PDF: without a filter, and without the steps and exchanges of what passed."""
    return _rendered(table, paper=True)


def pdf(table: Mapping[str, Any]) -> bytes:
    """The page on paper, as PDF; what no font has is escaped. CannotPrint where this machine cannot set it."""
    printed.check()
    shown = paper(table)
    fonts = [*printed.SONG, *(one for one in LATIN if one.exists())]
    for letter in printed.missing(shown, fonts):
        shown = shown.replace(letter, f"\\u{ord(letter):04x}")
    return printed.pdf(shown, before=("DejaVu Sans",))


def _rendered(table: Mapping[str, Any], *, paper: bool) -> str:
    import jinja2  # of [conformance]; what a trace says needs it not

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    speak(environment)
    environment.tests["of_trail"] = lambda path: path.startswith("audit/")
    shown = _with_places(visible_in(table))
    script, style = _text("filter.js"), _text("report.css")
    return environment.get_template("report.html.jinja").render(
        table=shown,
        view=View(shown),
        paper=paper,
        width=WIDTH,
        span=span,
        proof_words=PROOF_WORDS,
        sign=SIGNS[Conformity(shown["conclusion"]["verdict"])],
        script=script,
        style=style,
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
    )


def _text(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a page's policy names what may run in it."""
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()


def _with_places(table: dict[str, Any]) -> dict[str, Any]:
    """The same; the map of a sweep with its cells by their places, those that were not played as True."""
    if not (sweep := table.get("sweep")):
        return table
    places: dict[str, Any] = {f"{number}:{fault}": True for number, fault in sweep["possible"]}
    places |= {f"{cell['number']}:{cell['fault']}": cell for cell in sweep["map"]}
    return {**table, "sweep": {**sweep, "by_place": places}}
