"""An adapter's file: read, and held against its schema and against what scenarios need of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from emulator.guess import guess
from emulator.messages import _
from harness.office.operations import ALL
from harness.scenarios.against import client, naming
from harness.scenarios.against.judging import RULES
from harness.scenarios.against.models import AdapterDocument, Answers, Ask, Found, asks
from harness.scenarios.against.remote import MORE
from harness.scenarios.model import Scenario
from harness.verdicts import documents, models
from harness.verdicts.documents import Document, DocumentError, Fault

OWN = "sscard"
"""The adapter of our own office, as `sscard scenarios serve` serves it, by its name."""
NAMES = {
    "request", "person", "in_reader", "tear", "reader", "pending", "pin", "items", "bank", "down", "why", "account",
    "state", "letter", "moment", "layout", "algorithm", "scenario", "clerk", "env", "login", "card", "document", "text",
    "with_account",
    naming.ONE,
}  # fmt: skip
"""How the names of templates begin."""
SECRET = ("{env.", "{login.")
Place = tuple[str | int, ...]
QUOTED = re.compile(r""""[^"]*"|'[^']*'|`[^`]*`""")
UNQUOTED = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Checked:
    """An adapter, None where its form is wrong; and what is wrong with it, by line."""

    adapter: AdapterDocument | None
    faults: tuple[Fault, ...]


@lru_cache(maxsize=1)
def _validator() -> Any:
    return documents.validator(__package__, "schema-1.json")


def path_of(name: str) -> Path:
    """A file, or the adapter of our own office by its name."""
    own = resources.files(__package__) / f"{name}.yaml"
    return Path(str(own)) if name == OWN else Path(name)


def template() -> str:
    """A commented adapter to begin with."""
    return (resources.files(__package__) / "template.yaml").read_text(encoding="utf-8")


def check(path: Path) -> Checked:
    """All that is wrong with an adapter, line by line."""
    judged = list(documents.judged(path, _validator(), _("the adapter")))
    faults = [fault for one in judged for fault in one.faults]
    if len(judged) > 1:
        faults.append(Fault(1, _("one adapter to a file, found {count} documents").format(count=len(judged))))
    if faults or not judged or judged[0].document is None:
        return Checked(None, tuple(faults) or (Fault(0, _("there is no adapter in it")),))
    document = judged[0].document
    adapter = models.build(AdapterDocument, document.table)
    wrong = sorted(_wrong(document, adapter), key=lambda one: one.line)
    return Checked(adapter, tuple(wrong))


def load(path: Path) -> AdapterDocument:
    """An adapter. DocumentError with the first thing that is wrong."""
    checked = check(path)
    if checked.adapter is None or checked.faults:
        first = checked.faults[0]
        raise DocumentError(f"{path}:{first.line}: {first.what}" if first.line else f"{path}: {first.what}")
    return checked.adapter


def gaps(adapter: AdapterDocument, scenarios: Sequence[Scenario]) -> list[str]:
    """What scenarios do and the adapter does not have, as ``not_applicable`` names it; the rest only a run shows."""
    wanted: dict[str, None] = {}
    for scenario in scenarios:
        for step in scenario.steps:
            name = _operation(step)
            if name and name not in adapter.operations:
                wanted[f"operation.{name}"] = None
            for look in step.looks:
                wanted |= {
                    query: None
                    for query in ("register", "person", "chip", "trail", "outlets", "unwritten")
                    if getattr(look, query) is not None and getattr(adapter.queries, query, None) is None
                }
    for name in ("reset", "clock"):
        if getattr(adapter, name) is None:
            wanted[name] = None
    return sorted(wanted)


def _operation(step: Any) -> str:
    if step.operation:
        return str(step.operation)
    if step.action == "bank":
        deed = type(step.does.deed).__name__
        return {"Down": MORE[6], "Refuses": MORE[7], "Accepts": MORE[8], "Sets": MORE[9]}[deed]
    named = step.action.replace("_", "-")
    return named if named in MORE else ""


# --- what the schema cannot say -------------------------------------------------------------------------------------


def _wrong(document: Document, adapter: AdapterDocument) -> Iterator[Fault]:
    def fault(place: Place, what: str) -> Fault:
        return Fault(document.line(place), f"{'.'.join(map(str, place))}: {what}", place)

    known = [*ALL, *MORE]
    for name in adapter.operations:
        if name not in known:
            what = _("unknown operation {name!r}{guess}").format(name=name, guess=guess(name, known))
            yield Fault(document.line_of_key(("operations",), name), what, ("operations", name))
    words = {naming.DIGITS: {}, **(adapter.words or {})}
    every: list[tuple[Place, Ask | None]] = [((), None), *asks(adapter)]
    for place, ask in every:
        for at, expression, table in _expressions(adapter.answers if ask is None else ask.answers, ask):
            where = (*place, *at)
            try:
                jmespath.compile(expression)
            except JMESPathError as error:
                yield fault(where, _no_expression(expression, error))
            if table and table not in words:
                yield fault(where, _no_table(table, words))
        if ask is None:
            continue
        if sum(getattr(ask, kind) is not None for kind in client.KINDS) > 1:
            yield fault(place, _("one body: json, form, xml or text"))
        for one in naming.places(client.parts(ask)):
            root = one.name.partition(".")[0]
            if root not in NAMES:
                yield fault(
                    place,
                    _("{{{name}}}: there is no such value{guess}").format(name=one.name, guess=guess(root, NAMES)),
                )
            if one.words and one.words not in words:
                yield fault(place, _no_table(one.words, words))
        for text in naming.not_places(client.parts(ask)):
            yield fault(
                place, _("{text} is no place: expected {{name}}, {{name?}} or {{name|table}}").format(text=text)
            )
    yield from _secrets(fault, adapter)
    for code, found in (adapter.codes or {}).items():
        for rule in (found,) if isinstance(found, str) else found:
            if rule not in RULES:
                yield fault(
                    ("codes", code), _("there is no rule {rule}{guess}").format(rule=rule, guess=guess(rule, RULES))
                )
        if len(code) > 1 and code[0] == code[-1] == "/":
            try:
                re.compile(code[1:-1])
            except re.error as error:
                yield fault(("codes", code), _("not a regular expression: {error}").format(error=error))


def _no_expression(expression: str, error: JMESPathError) -> str:
    what = _("not an expression of JMESPath: {error}").format(error=f"{error}".partition("\n")[0])
    if UNQUOTED.search(QUOTED.sub("", expression)):
        return _('{what}; names that are not ASCII stand in double quotes: body."数据"').format(what=what)
    return what


def _no_table(name: str, words: Mapping[str, Any]) -> str:
    return _("there is no table words.{name}{guess}").format(name=name, guess=guess(name, words))


def _expressions(answers: Answers | None, ask: Ask | None) -> Iterator[tuple[Place, str, str]]:
    """Where expressions stand, what they are, and the table that what they give is translated by."""
    base: Place = () if ask is None else ("answers",)
    for name, value in models.said(answers).items() if answers is not None else ():
        if name != "form":
            at = (*base, name) if ask is not None else ("answers", name)
            yield (at, value.at, value.words) if isinstance(value, Found) else (at, value, "")
    for name, value in ((ask.gives or {}) if ask is not None else {}).items():
        yield (("gives", name), value.at, value.words) if isinstance(value, Found) else (("gives", name), value, "")


def _secrets(fault: Any, adapter: AdapterDocument) -> Iterator[Fault]:
    """Nothing that lets one in stands in a file."""
    auth = adapter.auth
    if auth is None:
        return
    told: list[tuple[Place, str | None]] = [(("auth", "bearer"), auth.bearer)]
    told += [(("auth", "headers", name), text) for name, text in (auth.headers or {}).items()]
    if auth.basic is not None:
        told.append((("auth", "basic", "password"), auth.basic.password))
    for place, text in told:
        if text is not None and not any(one in text for one in SECRET):
            yield fault(place, _("a secret does not stand in the file: name a variable, as {{env.OFFICE_TOKEN}}"))
