"""Personas that can be put in: those that come with sscard, and those of one's own, in this user's folder of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emulator import catalogue
from emulator.errors import NotFound
from emulator.filesystem.layouts.terms import CardKind
from emulator.messages import _
from emulator.personas import Persona, PersonaError
from harness.keys.spent import state_folder
from harness.studio.readers import kept_files
from harness.web.refusals import Problem

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
"""How a persona of one's own may be called: a file's name on every system."""
ENDING = ".toml"
FORM = "SSSE/EF06"
NUMBER, NAME, MORE, SEX = "08", "09", "4E", "0A"


class UnknownCard(NotFound):
    """No persona of this name is on the shelf."""

    word = "missing"


def folder() -> Path:
    """Where this user's own personas are, beside what else sscard keeps for them."""
    return state_folder() / "personas"


def path(key: str) -> Path:
    """The file that a persona of one's own of this name has, there or not. Problem."""
    if not KEY.fullmatch(key):
        raise Problem(422, "input", _("expected a name of small letters, digits and -, at most 48"))
    return folder() / f"{key}{ENDING}"


def named(name: str) -> str:
    """What a run takes for a name that the shelf gave: a name of ours, or the path of one's own file. UnknownCard."""
    key = name.removesuffix(ENDING)
    if name != key and KEY.fullmatch(key) and path(key).is_file():
        return str(path(key))
    if name in (*catalogue.personas(), *catalogue.personas(CardKind.PSAM)):
        return name
    raise UnknownCard(_("no such persona: it was renamed or removed meanwhile"))


def everyone() -> Iterator[dict[str, Any]]:
    """A row for each persona: ours, then one's own. One's own that is not good says why (``wrong``)."""
    for name in (*catalogue.personas(), *catalogue.personas(CardKind.PSAM)):
        yield _row(name, catalogue.persona(name)) | {"own": False, "path": ""}
    for one in sorted(folder().glob(f"*{ENDING}")):
        if not KEY.fullmatch(one.stem):
            continue
        about = {"own": True, "path": str(one)}
        try:
            yield _row(one.name, catalogue.persona(str(one))) | about
        except PersonaError as error:
            yield {"name": one.name, "title": one.stem, "title_zh": one.stem, "wrong": str(error)} | about


def _row(name: str, one: Persona) -> dict[str, Any]:
    return {
        "name": name,
        "title": one.title,
        "title_zh": one.title_zh,
        "region": one.region,
        "card": str(one.card),
        "holder": _holder(one.values.get(FORM, {})),
        "state": str(one.state),
        "wrong": "",
    }


def _holder(values: Mapping[str, Any]) -> str:
    return "".join(str(values.get(tag, "")) for tag in (NAME, MORE))


def save(key: str, text: str, *, replace: bool) -> Path:
    """Writes a persona of one's own; its file. Problem where there is one of that name and it is not to be replaced."""
    file = path(key)
    try:
        kept_files.keep(file, text.encode(), replace=replace)
    except FileExistsError:
        raise Problem(409, "there", _("a persona of this name is there already: choose another name")) from None
    return file
