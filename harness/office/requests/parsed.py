"""What people write for the office: documents as TYPE:NUMBER, persons and whole requests in YAML, persons in CSV."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from emulator.errors import ErrorKind, SscardError
from emulator.guess import guess
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.override import override
from emulator.textfiles import as_csv, as_yaml
from emulator.textfiles.text import FormatError
from harness.messages import forms
from harness.office.cards import content as maker
from harness.office.requests.models import PHOTO_LIMIT, Document, Guardian, Personal, is_jpeg
from harness.office.vocabulary import DocumentType

M = TypeVar("M", bound=BaseModel)
ROW = "(row)"
"""Under which a person from a spreadsheet bears the number of the row."""
LISTS = ("helps", "insured")
COLUMNS = (*Personal.model_fields, "photo_file", *(f"guardian_{name}" for name in Guardian.model_fields))
"""What the first line of a spreadsheet of people may name."""
NOT_TEXT = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")


class _Loader(as_yaml.Loader):
    """Numbers and dates stay text: a telephone number that begins with zeros is no octal number."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag in NOT_TEXT]
        for first, known in as_yaml.Loader.yaml_implicit_resolvers.items()
    }


class RequestTextError(SscardError, ValueError):
    """Something written that cannot be understood: where, and what was expected. Values are never quoted."""

    kind = ErrorKind.INPUT

    def __init__(self, *said: str) -> None:
        super().__init__("\n".join(said))
        self._said = said

    @property
    @override
    def lines(self) -> tuple[str, ...]:
        return self._said


def document(text: str) -> Document:
    """``TYPE:NUMBER``; a number alone is an identity card's, a type alone a paper without number. RequestTextError."""
    kind, colon, number = text.partition(":")
    if not colon:
        alone = text in set(DocumentType)
        kind, number = (text, "-") if alone else (DocumentType.ID_CARD, text)
    return model(Document, {"type": kind, "number": number}, "document")


def model(of: type[M], fields: object, where: str) -> M:
    """A model from what was written; RequestTextError, naming each place."""
    try:
        return of.model_validate(fields)
    except ValidationError as error:
        raise RequestTextError(f"{where}: {problems(error)}") from None


def problems(error: ValidationError) -> str:
    """What is wrong at which place, without what stands there."""
    wrong_places = error.errors(include_input=False, include_url=False)
    return "; ".join(
        _("{where}: {what}").format(where=".".join(map(str, one["loc"])) or "all", what=forms.said(one))
        for one in wrong_places
    )


def mapping(path: Path) -> dict[str, Any]:
    """One YAML mapping, its documents and photographs brought into shape. RequestTextError, OSError."""
    found = _yaml(path)
    if not isinstance(found, dict):
        raise RequestTextError(_("{path}: expected a mapping of fields").format(path=path))
    return shaped(found, path.parent)


def people(path: Path) -> list[Personal]:
    """Persons from CSV, or from YAML: one mapping, or a list of them. RequestTextError, OSError."""
    if path.suffix.lower() == ".csv":
        entries: list[Any] = _rows(path)
    else:
        found = _yaml(path)
        entries = found if isinstance(found, list) else [found]
    if not entries:
        raise RequestTextError(_("{path}: nobody is in it").format(path=path))
    understood: list[Personal] = []
    wrong: list[str] = []
    for at, entry in enumerate(entries, 1):
        try:
            understood.append(
                _person(entry, path, _("{place}: person {number}").format(place=f"{path}{_row_of(entry)}", number=at))
            )
        except RequestTextError as error:
            wrong.append(str(error))
        except OSError as error:
            wrong.append(
                _("{place}: person {number}: photo_file: {strerror}").format(
                    place=f"{path}{_row_of(entry)}", number=at, strerror=strerror(error)
                )
            )
    if wrong:
        raise RequestTextError(*wrong)
    return understood


def _row_of(entry: object) -> str:
    """Where in a spreadsheet somebody stands; the first line names the fields."""
    return _(", row {row}").format(row=entry[ROW]) if isinstance(entry, dict) and ROW in entry else ""


def _person(entry: object, path: Path, where: str) -> Personal:
    if not isinstance(entry, dict):
        raise RequestTextError(_("{where}: expected a mapping of fields").format(where=where))
    try:
        fields = shaped({name: value for name, value in entry.items() if name != ROW}, path.parent)
    except RequestTextError as error:
        raise RequestTextError(f"{where}: {error}") from None
    return model(Personal, fields, where)


def _yaml(path: Path) -> object:
    try:
        return as_yaml.load(path, _Loader)
    except FormatError as error:
        raise RequestTextError(str(error)) from None


def shaped(fields: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Short forms made long: documents written as text, ``photo_file`` beside the file, ``insured: all``."""
    result = {str(name): _shaped(str(name), value, folder) for name, value in fields.items()}
    photo = result.pop("photo_file", None)
    if photo is not None:
        result["photo"] = base64.b64encode(_photo(folder, str(photo))).decode()
    return result


def _photo(folder: Path, name: str) -> bytes:
    """A JPEG of the folder that the request lies in, or below it: a request may come from anybody, and must not bring
    another file of this machine onto a card. RequestTextError, OSError.
    """
    inside, path = folder.resolve(), (folder / name).resolve()
    if not path.is_relative_to(inside):
        raise RequestTextError(_("photo_file: expected a file in the request's own folder"))
    if path.stat().st_size > PHOTO_LIMIT:
        raise RequestTextError(_("photo_file: expected up to {photo_limit} bytes").format(photo_limit=PHOTO_LIMIT))
    content = path.read_bytes()
    if not is_jpeg(content):
        raise RequestTextError(_("photo_file: expected a JPEG file"))
    return content


def _shaped(name: str, value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return shaped(value, folder)
    if name in ("document", "holder", "clerk_document") and isinstance(value, str):
        return document(value)
    if name == "shown" and isinstance(value, list):
        return [document(one) if isinstance(one, str) else _shaped("", one, folder) for one in value]
    if name == "insured" and value == "all":
        return maker.insurances()
    if isinstance(value, list):
        return [_shaped("", one, folder) for one in value]
    return value


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = list(as_csv.load(path))
    except FormatError as error:
        raise RequestTextError(str(error)) from None
    # The first line names the fields: one that is wrong there is said once, and not again for each person.
    strange = [name for name in rows[0][1] if name not in COLUMNS] if rows else []
    if strange:
        raise RequestTextError(
            _("{path}, row 1: no field is named {strange!r}{guess}").format(
                path=path, strange=strange[0], guess=guess(strange[0], COLUMNS)
            )
        )
    return [_row(row) | {ROW: at} for at, row in rows]


def _row(row: dict[str, str]) -> dict[str, Any]:
    """A row as a mapping: empty cells are left out, lists are parted by semicolons, ``guardian_…`` is the guardian."""
    fields: dict[str, Any] = {}
    for name, cell in row.items():
        column, text = name, cell.strip()
        if not text:
            continue
        into, key = fields, column
        if column.startswith("guardian_"):
            into, key = fields.setdefault("guardian", {}), column.removeprefix("guardian_")
        into[key] = [one.strip() for one in text.split(";")] if key in LISTS and text != "all" else text
    return fields
