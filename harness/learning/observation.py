"""What was learned of a card, as ``learning.json`` holds it: the form of that document, which ``schema-1.json`` is
generated from.

Nothing in it is a value of the card's: of data that came, tags and lengths stay, of an FCI the names. What was read
lives in ``Reading`` beside it, in memory alone.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.textfiles import as_json
from harness.verdicts import models
from harness.verdicts.models import Schema, says

VERSION: Literal[1] = 1
FILE = "learning.json"

Hex: TypeAlias = Annotated[str, says(pattern="^([0-9A-F]{2})*$")]
Sw: TypeAlias = Annotated[str, says(pattern="^([0-9A-F]{4})?$")]
Count: TypeAlias = Annotated[int, says(minimum=0)]
Words: TypeAlias = tuple[str, ...]
Way: TypeAlias = Literal["name", "label", "id"]
"""What SELECT finds an application by."""
Built: TypeAlias = Literal["records", "cyclic", "transparent", ""]
"""How a file is; empty where the card did not show it."""


class LearningError(SscardError, ValueError):
    """A file that is no learning of this program's: where, and what was expected."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question and its answer, behind whatever 61xx and 6Cxx the terminal followed by itself for it."""

    probe: Annotated[str, says(description="what was asked, the same for every card: read/SSSE/EF05/number/01")]
    command: Annotated[str, says(description="in hex; what proves a PIN or a key as asterisks")]
    sw: Annotated[Sw, says(description="empty where no answer came")]
    length: Annotated[Count, says(description="bytes of data")] = 0
    shape: Annotated[
        str, says(description="the data: tags and lengths in hex, names of an FCI, *N for N bytes that stay out")
    ] = ""
    seconds: Annotated[
        float, says(minimum=0, description="from the command to its answer, the reader's time in it")
    ] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenElement:
    """A part of a record: a data object within its value."""

    tag: Hex
    length: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRecord:
    """One record. ``tag`` is empty where it is no tag, length and value; ``length`` is then the whole record's."""

    number: Annotated[int, says(minimum=1)]
    tag: Hex
    length: Count
    elements: tuple[SeenElement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """An EF."""

    path: Annotated[str, says(description="application and SFI: SSSE/EF05")]
    sfi: Annotated[int, says(minimum=1, maximum=30)]
    fid: Annotated[Hex, says(description="empty where none was found")] = ""
    structure: Annotated[Built, says(description="empty where the card did not show it")] = ""
    size: Annotated[int, says(minimum=0, description="bytes of a transparent file; absent where not seen")] | None = (
        None
    )
    records: Annotated[tuple[SeenRecord, ...], says(description="absent where they could not be read")] | None = None
    read: Annotated[
        str, says(description="free, PIN, a key's name, names joined by or / and; refused where nothing opened it")
    ] = "refused"
    refusal: Annotated[Sw, says(description="what reading without rights answers, empty where it is free")] = ""
    addressings: Annotated[
        dict[str, str],
        says(description="status words of number, tag, current-number, current-tag: the four ways to read a record"),
    ] = field(default_factory=dict)
    how: Annotated[Words, says(description="what was learned how: select, read record, read binary, directory")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenApplication:
    """A DF. ``name``: what the nearest layout calls it, or one that was made here from its place (``X01``)."""

    name: str
    parent: str = ""
    fid: Annotated[Hex, says(description="empty where none selects it")] = ""
    dfname: Hex = ""
    fci: Annotated[str, says(description="masked as a shape; empty for an answer without data")] = ""
    selected: Annotated[tuple[Way, ...], says(description="what SELECT found it by")] = ()
    sw: Annotated[Sw, says(description="of the SELECT")] = "9000"
    known: Annotated[bool, says(description="the nearest layout has it")] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSeen:
    """Something that could not be asked, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """Where the card differs from the nearest layout, and ``layout.toml`` says so. ``None`` stands for nothing."""

    where: Annotated[str, says(description="dotted key of the layout, as `sscard layout diff` has it")]
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexpressed:
    """An answer that no layout of ours can give: the twin answers otherwise."""

    probe: str
    seen: Annotated[str, says(description="status word and shape of the card's answer")]
    twin: Annotated[str, says(description="of the twin's; empty where it is not asked that")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Atr:
    """The answer to reset, its last four bytes (the chip's serial number) replaced by zeros."""

    header: Annotated[Hex, says(description="TS, T0 and interface bytes")]
    historical: Hex
    protocols: Annotated[Words, says(description="T=0, T=1: what its TDs offer")] = ()
    meaning: Words = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSeen:
    """How answers came. ``shape``: t0 where 61xx and 6Cxx are seen, apdu where the reader follows them itself, or the
    card is contactless and has none.
    """

    shape: Literal["t0", "apdu"]
    protocol: Annotated[str, says(description="T=0, T=1, or empty where nobody says")] = ""
    interface: Annotated[Literal["contact", "contactless"], says(description="by its answer to reset")] = "contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """All that was learned of one card."""

    SCHEMA: ClassVar[Schema] = {"title": "what sscard learn found of a card"}

    learning: Annotated[Literal[1], says(description="of this document's form")] = VERSION
    sscard: Annotated[str, says(description="the release that asked")]
    date: Annotated[str, says(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    complete: Annotated[bool, says(description="false where the card left or was let go in the middle")] = True
    version: Annotated[str, says(description="of the specification, as the card says; empty where it does not")] = ""
    algorithm: Literal["3des", "sm4", ""] = ""
    nearest: Annotated[str, says(description="the layout that it differs least from")] = ""
    atr: Atr
    reader: ReaderSeen
    counters: Annotated[dict[str, str], says(description="tries left of what was asked without a try: PIN")] = field(
        default_factory=dict
    )
    applications: tuple[SeenApplication, ...] = ()
    files: tuple[SeenFile, ...] = ()
    habits: Annotated[
        dict[str, Any], says(description="as [habits] of layouts has them; only where they are not the usual")
    ] = field(default_factory=dict)
    differences: tuple[Differs, ...] = ()
    unexpressed: tuple[Unexpressed, ...] = ()
    not_seen: tuple[NotSeen, ...] = ()
    asked: tuple[Asked, ...] = ()

    def file(self, path: str) -> SeenFile | None:
        """The file of this path; None where the card has none."""
        return next((one for one in self.files if one.path == path), None)

    def application(self, name: str) -> SeenApplication | None:
        """The application of this name; None where the card has none."""
        return next((one for one in self.applications if one.name == name), None)

    def answer(self, probe: str) -> Asked | None:
        """What a probe brought; None where it was not asked."""
        return next((one for one in self.asked if one.probe == probe), None)

    def likeness(self) -> dict[str, Any]:
        """What a twin's learning has too: all but times, dates, and what differs from the layout."""
        table: dict[str, Any] = as_table(self)
        for name in ("sscard", "date", "differences", "unexpressed", "reader"):
            table.pop(name, None)
        for one in table.get("asked", ()):
            one.pop("seconds", None)
        return table

    def text(self) -> str:
        """The content of ``learning.json``."""
        return json.dumps(as_table(self), ensure_ascii=False, indent=1) + "\n"


@dataclass(slots=True)
class Reading:
    """What was read of the card, in memory alone: no file ever holds it.

    ``records`` and ``contents`` by file path; ``exchanges``: every command and answer in order, as they passed.
    """

    atr: bytes = b""
    records: dict[str, list[bytes]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    exchanges: list[tuple[bytes, bytes]] = field(default_factory=list)

    def identification(self) -> bytes:
        """The card identification code, 16 bytes; empty where it was not read."""
        heads = (one for one in self.records.get("SSSE/EF05", ()) if one[:1] == b"\x01")
        return next(heads, b"")[2:]


def as_table(value: Any) -> Any:
    """A model as JSON takes it; what is left out has its default."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((one, getattr(value, one.name)) for one in fields(value))
        return {models.name_of(one): as_table(content) for one, content in pairs if not _usual(one, content)}
    if isinstance(value, tuple | list):
        return [as_table(one) for one in value]
    return {name: as_table(one) for name, one in value.items()} if isinstance(value, dict) else value


def _usual(one: Field[Any], content: Any) -> bool:
    """True for what a field has where nothing is said. What a document calls its own form is always said."""
    made = one.default_factory() if one.default_factory is not MISSING else one.default
    return one.name != "learning" and type(content) is type(made) and bool(content == made)


def schema() -> Schema:
    """The published schema of ``learning.json``."""
    return models.published(Learning)


def schema_text() -> str:
    """The content of ``schema-1.json``."""
    return models.as_text(schema())


def load(path: Path) -> Learning:
    """A learning from its file, or from the folder that it lies in. LearningError, FormatError, OSError."""
    path = path / FILE if path.is_dir() else path
    table = as_json.load(path)
    if not isinstance(table, dict) or "learning" not in table:
        raise LearningError(_("{path}: expected what `sscard learn` wrote (learning.json)").format(path=path))
    if table["learning"] != VERSION:
        raise LearningError(
            _("{path}: this program reads learnings of schema {version}, found {found!r}").format(
                path=path, version=VERSION, found=table["learning"]
            )
        )
    for where, wrong in models.faults(table, schema()):
        raise LearningError(_("{path}: {where}: {wrong}").format(path=path, where=where or FILE, wrong=wrong))
    return models.build(Learning, table)
