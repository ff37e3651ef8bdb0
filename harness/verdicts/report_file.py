"""A report read back: is it one, is it whole, who signed it, and does it say what its results come to."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from emulator.errors import ErrorKind
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_json
from emulator.textfiles.text import FormatError
from harness.verdicts import conclusion, manifest
from harness.verdicts.conclusion import Asked, Conclusion
from harness.verdicts.manifest import ReportError, Seal, Sealed
from harness.verdicts.verdict import Verdict

REPORT = "report.json"
NEEDED = frozenset({REPORT, "junit.xml", "report.html"})
"""Files that a report has at least."""
FORMAT = 1
LARGEST = 256 << 20
"""Bytes of a report.json that is read. [D]"""
TEXTS = ("program", "date", "target", "profile", "basis")
ROW = ("id", "profile", "verdict", "reason", "title", "title_zh", "source", "cause", "standard", "origin")

LATER: dict[str, Any] = {"cause": "", "steps": [], "trace": [], "known": False}
"""What results had not in earlier versions, as they would have it."""


class NoReport(ReportError):
    """There is no report, or it is something else."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One report. ``path``: of its report.json; ``table``: all that it says; ``sha256``: of its bytes.

    ``conclusion`` is what its results come to, found anew: it is never taken from the file.
    """

    path: Path
    table: dict[str, Any]
    sealed: Sealed
    sha256: str
    conclusion: Conclusion

    @property
    def results(self) -> list[dict[str, Any]]:
        """Its results, as report.json has them."""
        found: list[dict[str, Any]] = self.table["results"]
        return found

    @property
    def name(self) -> str:
        """What it is called beside others: its folder's name, or the file's own where that is not ``report.json``."""
        return self.path.resolve().parent.name if self.path.name == REPORT else self.path.name


def load(place: Path) -> ReportFile:
    """The report in a folder, or of a report.json. NoReport for what is none; ReportError for one that was altered: a
    file is not as the manifest says, the signature is not right or another's than the report says, or it says
    something else than its results come to.
    """
    path = place / REPORT if place.is_dir() else place
    sealed = manifest.sealed(path.parent, NEEDED) if path.name == REPORT and path.is_file() else Sealed(Seal.BARE)
    data, table = _read(path)
    found = _concluded(path, table)
    _agrees(path, table, found)
    _signer(path, table, sealed)
    return ReportFile(path, table, sealed, sha256(data).hexdigest(), found)


def _read(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise NoReport(
            _("{path}: there is no report: {strerror}").format(path=path, strerror=strerror(error))
        ) from None
    if len(data) > LARGEST:
        raise NoReport(_("{path}: is too large: expected up to {most} bytes").format(path=path, most=LARGEST))
    try:
        table = as_json.loads(data.decode("utf-8"), path)
    except (FormatError, UnicodeDecodeError):
        raise NoReport(_("{path}: not a report: expected JSON").format(path=path)) from None
    if not isinstance(table, dict) or "results" not in table or "format" not in table:
        raise NoReport(_("{path}: not a report: expected a report.json of sscard").format(path=path))
    if table["format"] != FORMAT:
        raise NoReport(
            _(
                "{path}: expected a report of format {format}, found {found!r}: another version of sscard wrote it"
            ).format(path=path, format=FORMAT, found=table["format"])
        )
    _form(path, table)
    return data, table


def _form(path: Path, table: dict[str, Any]) -> None:
    """NoReport naming the first place that is not as a report has it."""
    for name in TEXTS:
        if not isinstance(table.get(name), str):
            raise NoReport(_("{path}: not a report: {place} is missing, or no text").format(path=path, place=name))
    for name, kind in (("results", list), ("counts", dict), ("session", dict), ("known_failures", list)):
        if not isinstance(table.get(name), kind):
            raise NoReport(
                _("{path}: not a report: {place} is missing, or of another form").format(path=path, place=name)
            )
    verdicts = {one.value for one in Verdict}
    for at, row in enumerate(table["results"]):
        if isinstance(row, dict):
            for name, value in LATER.items():
                row.setdefault(name, copy(value))
        wrong = [name for name in ROW if not isinstance(row, dict) or not isinstance(row.get(name), str)]
        if not wrong and row["verdict"] not in verdicts:
            wrong = ["verdict"]
        if wrong:
            raise NoReport(
                _("{path}: not a report: {place} is missing, or of another form").format(
                    path=path, place=f"results.{at}.{wrong[0]}"
                )
            )


def _concluded(path: Path, table: dict[str, Any]) -> Conclusion:
    """What its results come to, by what it says had to be judged; of a report that does not say so, all of them."""
    stated = table.get("conclusion")
    try:
        asked = Asked.of(stated) if stated is not None else Asked()
        return conclusion.of_rows(table["results"], asked)
    except (KeyError, TypeError, ValueError) as error:
        raise NoReport(_("{path}: not a report: {error!r}").format(path=path, error=error)) from None


def _agrees(path: Path, table: dict[str, Any], found: Conclusion) -> None:
    """ReportError where it says something else than its results come to: somebody changed the one or the other."""
    stated = table.get("conclusion")
    if stated is not None and stated.get("verdict") != found.verdict:
        raise ReportError(
            _("{path}: was altered: it says {stated!r}, and its results come to {found!r}").format(
                path=path, stated=stated.get("verdict"), found=str(found.verdict)
            )
        )
    counts = Counter(row["verdict"] for row in table["results"])
    for name, count in table["counts"].items():
        if counts[name] != count:
            raise ReportError(
                _("{path}: was altered: it counts {stated} {verdict}, and has {count}").format(
                    path=path, stated=count, verdict=name, count=counts[name]
                )
            )


def _signer(path: Path, table: dict[str, Any], sealed: Sealed) -> None:
    """ReportError where the signer that it names is not the one whose signature lies beside it."""
    stated = table.get("signer")
    named = stated.get("fingerprint") if isinstance(stated, dict) else None
    if named is None or sealed.seal is Seal.BARE:
        return
    if sealed.seal is Seal.UNSIGNED:
        raise ReportError(
            _("{folder}: {name} is missing: the report says that it was signed, by {fingerprint}").format(
                folder=path.parent, name=manifest.SIGNATURE, fingerprint=named
            )
        )
    if named != sealed.fingerprint:
        raise ReportError(
            _("{folder}: signed by {found}, and the report says by {fingerprint}: it was signed anew").format(
                folder=path.parent, found=sealed.fingerprint, fingerprint=named
            )
        )
