"""What a fault is: its kind, when it comes, and at which commands. From YAML, or as the command line has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from emulator.apdu.instructions import INSTRUCTIONS
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.specs import Layout
from emulator.textfiles import as_yaml
from emulator.textfiles.text import FormatError

LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
FORMAT = "1"


class FaultError(SscardError, ValueError):
    """A fault that cannot be used: where it stands, and what was expected."""

    kind = ErrorKind.INPUT


KINDS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "status": (("sw", "executed"), "another status word", "错误状态字"),
    "sw61": (("part",), "data held back behind 61xx, in parts", "数据分段，以61xx取回"),
    "sw6c": (("by",), "6Cxx, and nothing done", "返回6Cxx，不执行"),
    "truncated": (("by", "status_too"), "an answer that lacks its last bytes of data", "应答缺尾"),
    "oversized": (("by",), "an answer with more data than it has", "应答过长"),
    "garbled": (("by",), "an answer with changed bits in its data", "应答数据有误"),
    "delay": (("seconds",), "an answer that comes late", "延时应答"),
    "mute": (("seconds", "executed"), "no answer until the reader gives up", "无应答"),
    "removal": (("moment", "back"), "the card is taken out", "拔卡"),
    "power-cut": (("after",), "power goes after so many non-volatile writes", "写入中断电"),
    "reset": (("moment",), "the card resets by itself", "卡自行复位"),
    "repeat": ((), "the last answer once more, and nothing done", "重复上次应答"),
    "challenge": ((), "a challenge that is not the card's", "随机数被改"),
}
"""Every kind with what it takes, in English and in Chinese."""
TRIGGERS = ("nth", "every", "one_in")
FILTERS = ("instruction", "application", "file", "item")
BEFORE, WITHIN, AFTER = "before", "within", "after"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Where no trigger is given it comes always, where no filter is given at every command.

    Triggers count the commands that pass the filters and that the fault can spoil: ``nth`` that one alone, ``every``
    each n-th, ``one_in`` by chance, one of so many, the same ones under the same seed.

    ``sw`` is the status word told; ``executed``: the card does what it was asked all the same. ``by``: bytes that are
    missing, added or changed, or what is added to the right length. ``part``: bytes in each part. ``status_too``: the
    status word is missing too. ``seconds`` of waiting. ``moment``: ``before`` the command is done, ``within`` it (done,
    but no answer), ``after`` its answer. ``back``: the card is put in again. ``after``: writes that are still done.
    """

    kind: str
    sw: int = 0x6F00
    executed: bool = False
    by: int = 1
    part: int = 8
    status_too: bool = False
    seconds: float = 2.0
    moment: str = WITHIN
    back: bool = True
    after: int = 1
    nth: int = 0
    every: int = 0
    one_in: int = 0
    instruction: str = ""
    application: str = ""
    file: str = ""
    item: str = ""

    def __str__(self) -> str:
        told = [self.kind]
        for field in fields(self):
            value = getattr(self, field.name)
            relevant = field.name in (*KINDS[self.kind][0], *FILTERS, *TRIGGERS)
            if relevant and (value != field.default or field.name == "sw"):
                told.append(f"{field.name}={WRITE.get(field.name, str)(value)}")
        return ",".join(told)


@dataclass(frozen=True, slots=True)
class Plan:
    """Faults, and the seed that what they leave to chance is drawn from."""

    faults: tuple[Fault, ...]
    seed: int = 0


def _number(lowest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = lowest - 1
        if value < lowest:
            raise ValueError(f"expected a number from {lowest}, found {text!r}")
        return value

    return read


def _offset(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected a number, found {text!r}") from None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= LONGEST:
        raise ValueError(f"expected seconds from 0 to {LONGEST}, found {text!r}")
    return value


def _status(text: str) -> int:
    try:
        value = int(text, 16)
    except ValueError:
        value = 0
    if len(text) != 4 or not 0x6000 <= value <= 0x9FFF:
        raise ValueError(f"expected a status word from 6000 to 9FFF in four hex digits, found {text!r}")
    return value


def _choice(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"expected one of {', '.join(known)}, found {text!r}")
        return text

    return read


def _yes(text: str) -> bool:
    return _choice("yes", "no", "true", "false")(text.lower()) in ("yes", "true")


def _back(text: str) -> bool:
    """As ``_yes``; a card that is not put in again comes back never."""
    return text.lower() != "never" and _choice("yes", "no", "never", "true", "false")(text.lower()) in ("yes", "true")


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The instructions that faults can be put in at."""
    return tuple(sorted({kind.name for kind in INSTRUCTIONS}))


def _instruction(text: str) -> str:
    return _choice(*names())(text.strip().upper().replace("_", " "))


def _path(text: str) -> str:
    return text.strip().upper()


def _item(text: str) -> str:
    path = _path(text)
    if not re.fullmatch(r"(.+/)?[0-9A-F]{2}", path):
        raise ValueError(f"expected a tag in two hex digits, or SSSE/EF06/09, found {text!r}")
    return path


LONGEST = 600
READ: dict[str, Callable[[str], Any]] = {
    "kind": _choice(*KINDS),
    "sw": _status,
    "executed": _yes,
    "by": _offset,
    "part": _number(1),
    "status_too": _yes,
    "seconds": _seconds,
    "moment": _choice(BEFORE, WITHIN, AFTER),
    "back": _back,
    "after": _number(0),
    "nth": _number(1),
    "every": _number(1),
    "one_in": _number(1),
    "instruction": _instruction,
    "application": _path,
    "file": _path,
    "item": _item,
}
WRITE: dict[str, Callable[[Any], str]] = {
    "sw": lambda value: f"{value:04X}",
    "executed": lambda value: "yes" if value else "no",
    "back": lambda value: "yes" if value else "no",
    "status_too": lambda value: "yes" if value else "no",
    "seconds": lambda value: f"{value:g}",
    "instruction": lambda value: str(value).replace(" ", "_"),
}


def fault(table: Mapping[str, str], where: str) -> Fault:
    """A fault from its fields, all text; FaultError."""
    values: dict[str, Any] = {}
    for name, text in table.items():
        if name == "once" and text in ("", "yes", "true"):
            name, text = "nth", "1"
        if name == "always" and text in ("", "yes", "true"):
            continue
        if name not in READ:
            raise FaultError(f"{where}: no field {name!r}: expected some of {', '.join(READ)}, once, always")
        if not isinstance(text, str):
            raise FaultError(f"{where}: {name}: expected one value")
        try:
            values[name] = READ[name](text)
        except ValueError as error:
            raise FaultError(f"{where}: {name}: {error}") from None
    if "kind" not in values:
        raise FaultError(f"{where}: kind is missing: expected one of {', '.join(KINDS)}")
    taken = KINDS[values["kind"]][0]
    for name in values:
        if name not in ("kind", *TRIGGERS, *FILTERS, *taken):
            raise FaultError(f"{where}: {name}: {values['kind']} takes {', '.join(taken) or 'nothing'}, not this")
    if len([name for name in TRIGGERS if name in values]) > 1:
        raise FaultError(f"{where}: expected one trigger of {', '.join(TRIGGERS)}, once, always")
    if values["kind"] == "reset" and values.get("moment") == WITHIN:
        raise FaultError(f"{where}: moment: a card resets {BEFORE} a command or {AFTER} it")
    if values["kind"] == "reset":
        values.setdefault("moment", BEFORE)
    if "item" in values and "/" in values["item"]:
        values["file"], _, values["item"] = values["item"].rpartition("/")
    return Fault(**values)


def check(plan: Plan, layouts: Sequence[Layout]) -> None:
    """FaultError for a fault at a place that no card of these layouts has: it would never come."""
    for one in plan.faults:
        place = "/".join(filter(None, (one.application, one.file)))
        if place and not any(_has(layout, one) for layout in layouts):
            names = ", ".join(layout.name for layout in layouts)
            raise FaultError(f"fault '{one}': no card here (layout {names}) has {place}, so that it would never come")


def _has(layout: Layout, one: Fault) -> bool:
    application = not one.application or one.application in layout.applications
    return application and (not one.file or one.file in layout.files)


def from_text(text: str) -> Fault:
    """``status,sw=6A82,instruction=READ_RECORD,nth=3``: the kind, then fields; FaultError."""
    kind, *parts = [part.strip() for part in text.split(",")]
    table = {"kind": kind.removeprefix("kind=")}
    for part in parts:
        name, _, value = part.partition("=")
        if name in table:
            raise FaultError(f"fault {text!r}: {name} stands twice")
        table[name] = value
    return fault(table, f"fault {text!r}")


def load(path: Path) -> Plan:
    """A plan from YAML: ``format: 1``, ``seed``, and ``faults``, a list of fields each; FaultError."""
    try:
        table = as_yaml.load(path, LOADER)
    except FormatError as error:
        raise FaultError(str(error)) from None
    except OSError as error:
        raise FaultError(f"{path}: {error.strerror}") from None
    if not isinstance(table, dict) or table.get("format") != FORMAT or not isinstance(table.get("faults"), list):
        raise FaultError(f"{path}: expected 'format: {FORMAT}' and a list 'faults'")
    if unknown := set(table) - {"format", "seed", "faults"}:
        raise FaultError(f"{path}: no field {sorted(unknown)[0]!r}: expected format, seed, faults")
    found = []
    for number, one in enumerate(table["faults"], 1):
        where = f"{path}: fault {number}"
        if not isinstance(one, dict):
            raise FaultError(f"{where}: expected fields, a kind first")
        found.append(fault(one, where))
    try:
        return Plan(tuple(found), _number(0)(str(table.get("seed", "0"))))
    except ValueError as error:
        raise FaultError(f"{path}: seed: {error}") from None
