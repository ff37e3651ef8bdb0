"""A persona in the making: what its form says, as TOML, and what is wrong with it, by field and by line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emulator import catalogue
from emulator.filesystem.layouts.terms import CardKind
from emulator.messages import _
from emulator.own_personas import check, new
from emulator.personas import PersonaError, document, numbers
from emulator.personas.finding import Finding
from harness.clock import Clock
from harness.studio.readers import shelf

LONGEST_TEXT = 512 * 1024
"""Characters of a persona's TOML: a photograph in hex has room. [D]"""
SOURCE = "persona.toml"
"""What the text is called in messages."""
FIELDS = {
    "chip/region": "region",
    "pin/digits": "pin",
    "pin/tries_left": "tries_left",
    "state/activated": "activated",
    "SSSE/EF06/08": "number",
    "SSSE/EF06/0A": "number",
    "SSSE/EF06/0D": "number",
    "SSSE/EF06/09": "holder",
    "SSSE/EF06/4E": "holder",
    "SSSE/EF06/0C": "region",
    "extends": "parent",
}
"""Where on the form the value of a key or an item is entered."""
OF_PROBLEM = {"name": "holder", "number": "number", "region": "region"}


class Form(BaseModel):
    """自建人物表单 A new persona's form. ``number`` empty: one is made up; ``parent`` empty: a whole persona."""

    model_config = ConfigDict(extra="forbid", title="PersonaForm")
    key: str = Field(default="", max_length=100)
    holder: str = Field(default="", max_length=200)
    number: str = Field(default="", max_length=100)
    region: str = Field(default="", max_length=100)
    parent: str = Field(default="", max_length=100)
    pin: str = Field(default="", max_length=100)
    tries_left: int | None = Field(default=None, ge=0, le=15)
    activated: bool = True


class Draft(BaseModel):
    """自建人物草稿 A form, or the TOML itself, which then is what counts."""

    model_config = ConfigDict(extra="forbid", title="PersonaDraft")
    form: Form = Form()
    text: str = Field(default="", max_length=LONGEST_TEXT)


class Kept(Draft):
    """保存 A draft to be kept; ``replace``: in place of the one of that name."""

    model_config = ConfigDict(extra="forbid", title="PersonaKept")
    replace: bool = False


class Asked(BaseModel):
    """虚构号码 What a made-up number is to say: a date of birth, and a sex."""

    model_config = ConfigDict(extra="forbid", title="NumberAsked")
    birth: str = Field(pattern=r"^\d{8}$")
    sex: Literal["male", "female"]
    order: int = Field(default=1, ge=0, le=499)


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft as TOML (empty where its form does not come to that), and what is wrong, each with its field if any."""

    text: str = ""
    wrong: list[dict[str, Any]] = field(default_factory=list)


def judged(draft: Draft) -> Judged:
    """What a draft comes to."""
    if draft.text:
        return Judged(draft.text, _of_text(draft.text))
    form = draft.form
    wrong = _of_form(form)
    if wrong:
        return Judged("", wrong)
    person = new.wanted(form.key, form.holder, form.number, form.region, Clock().today())
    pin: dict[str, Any] = {"digits": form.pin}
    if form.tries_left is not None:
        pin["tries_left"] = form.tries_left
    own = {"pin": pin, **({} if form.activated else {"state": {"activated": False}})}
    text = new.extending(person, form.parent, own) if form.parent else new.complete(person, own)
    return Judged(text, _of_text(text))


def _of_form(form: Form) -> list[dict[str, Any]]:
    """What must be mended before the form is a persona."""
    wrong = [
        _row(OF_PROBLEM[one.about], str(one))
        for one in new.problems(form.holder, form.number, form.region, Clock().today())
    ]
    if not shelf.KEY.fullmatch(form.key):
        wrong.append(_row("key", _("expected a name of small letters, digits and -, at most 48")))
    if form.parent and form.parent not in catalogue.personas(CardKind.USER):
        wrong.append(_row("parent", _("expected a persona that comes with sscard")))
    if not (form.pin.isascii() and form.pin.isdigit() and 4 <= len(form.pin) <= 16):
        wrong.append(_row("pin", _("expected 4 to 16 digits")))
    return wrong


def _of_text(text: str) -> list[dict[str, Any]]:
    """What is wrong with a persona's TOML."""
    try:
        found = check.judge(SOURCE, document.read_text(text, SOURCE)).findings
    except PersonaError as error:
        found = [error.finding]
    return [_of_finding(one) for one in found]


def _of_finding(one: Finding) -> dict[str, Any]:
    key = one.key.replace(".", "/")
    return _row(FIELDS.get(key, ""), one.problem) | {
        "key": one.key,
        "line": one.line if one.source == SOURCE else 0,
        "name": one.name,
        "name_en": one.name_en,
    }


def _row(about: str, problem: str) -> dict[str, Any]:
    return {"field": about, "problem": problem, "key": "", "line": 0, "name": "", "name_en": ""}


def number(asked: Asked) -> str:
    """A made-up number of this birth and sex, with its check character. ValueError for a date that there is not."""
    date.fromisoformat(asked.birth)
    return numbers.citizen_id(asked.birth, 2 * asked.order + (asked.sex == "male"))
