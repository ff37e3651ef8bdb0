"""A language of our own making, for tests: its catalogue is where the program looks for catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from emulator import messages
from emulator.messages import po as catalogue
from harness.cli import table_maker

LANGUAGE = "zh"
HEADER = '"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n'


def put(folder: Path, po: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a .po's translations into this folder, for a program that is told in no language yet."""
    place = folder / LANGUAGE / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / f"{messages.DOMAIN}.mo").write_bytes(catalogue.compiled(po))
    monkeypatch.setattr(messages, "FOLDER", folder)
    for name in messages.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    messages.forget()


def po_of(translations: Mapping[str | tuple[str, str], str]) -> str:
    """A .po of these: English, or English of one and of many, and what it is called in the language."""
    entries = []
    for english, told in translations.items():
        one, many = english if isinstance(english, tuple) else (english, "")
        plural = f"msgid_plural {catalogue.quoted(many)}\nmsgstr[0]" if many else "msgstr"
        entries.append(f"msgid {catalogue.quoted(one)}\n{plural} {catalogue.quoted(told)}\n")
    return "\n".join([f'msgid ""\nmsgstr ""\n{HEADER}', *entries])


def forget_help() -> None:
    """What each command says of ``--help`` is told anew: click keeps it, in the language in which it was told first."""
    for _path, command in table_maker.walk():
        command._help_option = None
