"""A session as one file: the session view with its rows in it, which opens from a folder, without any network."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Any

from emulator.version import VERSION
from harness.studio import files
from harness.studio.session.bundle import bundle
from harness.studio.session.packed import as_text, packed
from harness.studio.session.rows import Row

ENTRY = "views/session/standalone.js"
STYLES = ("style.css", "views/session/session.css")
PARTS = ("shell.", "session.")
"""Whose texts the page needs."""
NEEDS = (
    "此页面需要 JavaScript；内容全部在此文件中，不需要网络。 "
    "This page needs JavaScript; all of it is in this file, no network is needed."
)


def page(rows: Iterable[Row], about: dict[str, Any]) -> str:
    """The page's text, as masked as the rows are. ``about``: what it says of the whole, from ``Session.summary``.

    BundleError.
    """
    script, style = _script(), _style()
    texts = {key: both for key, both in files.texts().items() if key.startswith(PARTS)}
    data = packed(rows) | {"about": about | {"version": VERSION}, "texts": texts}
    rules = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{rules}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f'<meta name="generator" content="sscard {html.escape(VERSION)}">\n'
        f"<title>{html.escape(str(about.get('name', '')))} · sscard</title>\n"
        f"<style>{style}</style>\n</head>\n<body>\n"
        f'<div id="app"></div>\n<div id="printed"></div>\n<noscript>{NEEDS}</noscript>\n'
        f'<script type="application/json" id="session">{as_text(data)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


@cache
def _script() -> str:
    return bundle(ENTRY, _file)


@cache
def _style() -> str:
    return "\n".join(map(_file, STYLES))


def _file(path: str) -> str:
    return files.static().joinpath(*path.split("/")).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names what may stand in the page."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
