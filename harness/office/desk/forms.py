"""Requests as forms: the JSON schema of each, with what fields and choices are called in both languages."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from emulator import catalogue
from emulator.filesystem.layouts import codes
from emulator.filesystem.layouts.codes import Words
from emulator.filesystem.layouts.paths import ItemPath
from emulator.filesystem.layouts.terms import CardKind
from harness.office import vocabulary
from harness.office.cards import content
from harness.office.requests.labels import label
from harness.office.requests.models import ALL as EVERY
from harness.office.vocabulary import Word
from harness.terminal.region import SICHUAN

Schema = dict[str, Any]
CODES = {"sex": "T13", "ethnic_group": "T14"}
"""Fields whose choices stand in a code table."""
ENVIRONMENT, LAYOUT = "SSSE", "3.00"
REGIONS = ("region", "to")
INSURANCES = ("insured", "insurance")


def form(request: type[BaseModel]) -> Schema:
    """A request's JSON schema. Beside what is usual each property has ``x-zh`` and ``x-en``, what it is called, and
    ``x-hint-zh``, ``x-hint-en`` where that needs a word; a choice has ``x-words``: its values in order, each with
    ``zh`` and ``en``. A property whose values are not all in ``x-words`` takes others too, as its schema says.
    """
    schema = request.model_json_schema()
    for name, defined in schema.get("$defs", {}).items():
        _named(name, defined)
    _named(request.__name__, schema)
    return schema


def _named(model: str, schema: Schema) -> None:
    kind = getattr(vocabulary, model, None)
    if isinstance(kind, type) and issubclass(kind, Word):
        schema["x-words"] = [_word(str(one), Words(one.zh, one.en)) for one in kind]
    for name, spec in schema.get("properties", {}).items():
        called = label(model, name)
        spec["x-zh"], spec["x-en"] = called.name.zh, called.name.en
        if called.hint.zh:
            spec["x-hint-zh"], spec["x-hint-en"] = called.hint.zh, called.hint.en
        words = _choices(name)
        if words:
            spec["x-words"] = words


def _word(value: str, words: Words) -> dict[str, str]:
    return {"value": value, "zh": words.zh, "en": words.en}


def _choices(field: str) -> list[dict[str, str]]:
    if field in CODES:
        return [_word(code, words) for code, words in codes.table(CODES[field]).codes.items()]
    if field in REGIONS:
        return [_word(code, words) for code, words in SICHUAN.items()]
    if field in INSURANCES:
        every = {EVERY: Words("卡内全部险种", "all that the card holds")} if field == "insurance" else {}
        return _word_list(every | _insurances())
    if field == "layout":
        return _word_list(_layouts())
    if field == "algorithm":
        return [_word("3des", Words("3DES", "3DES")), _word("sm4", Words("SM4", "SM4"))]
    return _word_list(ENTITLED) if field == "entitlement" else []


ENTITLED = {
    "insured": Words("参加社会保险", "insured"),
    "employed": Words("在川就业", "employed here"),
    "other-rights": Words("依法享受其他权益", "other rights by law"),
    "none": Words("无", "none"),
}


def _word_list(words: dict[str, Words]) -> list[dict[str, str]]:
    return [_word(value, one) for value, one in words.items()]


@cache
def _layouts() -> dict[str, Words]:
    """Layouts of social security cards for people."""
    found = {name: catalogue.layout(name) for name in catalogue.layouts()}
    return {
        name: Words(one.title_zh, one.title)
        for name, one in found.items()
        if one.card is CardKind.USER and ENVIRONMENT in one.applications
    }


@cache
def _insurances() -> dict[str, Words]:
    """Items that hold an insurance's region."""
    layout = catalogue.layout(LAYOUT)
    found = [(path, layout.item(ItemPath.parse(path))) for path in content.insurances()]
    return {path: Words(one[1].name, one[1].name_en) for path, one in found if one is not None}
