"""Which keys and PINs a card has refused: a note on this machine, so that no try is spent on them again.

A card tells how many tries a key has left only when one is lost. Whoever proves keys to a card that is not made here
asks this note first, and writes into it what was refused. A card stands in it under a hash of its identification code,
made with a salt of this machine's own: neither the code nor anything else of the card's is in it. Of the values that
were refused stand hashes too, where the one who tried them gave them, so that a mended value is told from them.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import scrypt, sha256
from pathlib import Path
from typing import Any

from emulator import filelock
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.security import PIN
from emulator.textfiles import as_json, writing
from emulator.textfiles.text import FormatError

FILE = "refused-keys.json"
SCHEMA = 1
FOLDER_VARIABLE = "SSCARD_STATE"
SALT = 16
"""Bytes."""
ENOUGH_TRIES = 2
"""What is not known to be right is tried only where a failure leaves one more try. [D]"""
OF_A_KEY, OF_A_PIN = 16, 1
"""Bytes kept of a refused value's hash. A whole one of a PIN could be found by trying; about 3,900 of a million PINs
share one byte. [D]"""
WORK = 1 << 14
"""What scrypt takes for a PIN: some hundredths of a second."""


class SpentError(SscardError, RuntimeError):
    """The note cannot be read or written, so that no key may be tried: where it is, and what to do."""

    kind = ErrorKind.BROKEN
    exit_code = 3


class SpentKey(SscardError, RuntimeError):
    """A key or PIN that this card has refused before, so that it is not tried: which, when, and where that is noted."""

    kind = ErrorKind.REFUSED

    def __init__(self, name: str, refusal: Refusal, path: Path) -> None:
        left = "" if refusal.left is None else _(", {left} tries were left").format(left=refusal.left)
        told = _(
            "{name} is not tried: this card refused it on {date}{left}. With another key that is surely right, take"
            " it out of {path}"
        )
        if refusal.lost:
            told = _(
                "{name} is not tried: on {date} this card gave no answer to it, and may have counted a failure. If it"
                " is surely right, take it out of {path}"
            )
        super().__init__(told.format(name=name, date=refusal.date, left=left, path=path))
        self.name = name
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a card refused a key. ``left``: tries that it said were left, None where it did not or where another value
    was right since; ``date``: ISO 8601; ``values``: hashes of what was refused, empty where no value was given;
    ``lost``: no answer came, so that it may have been refused.
    """

    left: int | None
    date: str
    values: tuple[str, ...] = ()
    lost: bool = False


def state_folder() -> Path:
    """Where this user's programs keep what they must not forget: ``SSCARD_STATE``, or a folder of sscard's in the place
    that the system has for it.
    """
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "sscard"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "sscard"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "sscard"


class SpentKeys:
    """The note in a folder; by default in this user's. It is read anew for each question: other runs write it too."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or state_folder()) / FILE

    def refused(self, identification: bytes) -> dict[str, Refusal]:
        """What the card of this identification code has refused, by the key's name, the PIN as ``PIN``. SpentError."""
        table = self._read()
        found = table["cards"].get(_mark(table, identification), {}) if table else {}
        return {
            name: Refusal(one["left"], one["date"], tuple(one.get("values", ())), bool(one.get("lost")))
            for name, one in found.items()
        }

    def ready(self) -> None:
        """Makes sure that the note can be read and written, before anything is tried that may have to go into it.
        SpentError.
        """
        with self._changing():
            pass

    def check(self, identification: bytes, name: str, value: bytes = b"") -> None:
        """SpentKey where the card has refused this key before; SpentError. ``value``: the key or PIN itself: one that
        was not refused may be tried as long as enough tries are left.
        """
        refusal = self.refused(identification).get(name)
        if refusal is None:
            return
        mended = value and refusal.values and self._hash(identification, name, value) not in refusal.values
        if not mended or (refusal.left is not None and refusal.left < ENOUGH_TRIES):
            raise SpentKey(name, refusal, self.path)

    def note(
        self, identification: bytes, name: str, left: int | None, value: bytes = b"", *, lost: bool = False
    ) -> None:  # fmt: skip
        """Writes down that the card refused a key, and which value of it, or (``lost``) gave no answer to it. On the
        disk when this returns. SpentError.
        """
        with self._changing() as table:
            of_card = table["cards"].setdefault(_mark(table, identification), {})
            values = set(of_card.get(name, {}).get("values", ()))
            values |= {_hash_of(table, identification, name, value)} if value else set()
            told = {"left": left, "date": datetime.now(UTC).date().isoformat()}
            of_card[name] = told | ({"values": sorted(values)} if values else {}) | ({"lost": True} if lost else {})

    def accepted(self, identification: bytes, name: str) -> None:
        """Takes down that another value of this key was right, which set the card's counter back: what was refused
        stays refused. SpentError.
        """
        refusal = self.refused(identification).get(name)
        if refusal is None or refusal.left is None or not refusal.values:
            return
        with self._changing() as table:
            table["cards"][_mark(table, identification)][name]["left"] = None

    def _hash(self, identification: bytes, name: str, value: bytes) -> str:
        table = self._read()
        return _hash_of(table, identification, name, value) if table else ""

    def forget(self, identification: bytes, name: str) -> None:
        """Takes a refusal out, because the key was set back or is another now. SpentError."""
        with self._changing() as table:
            mark = _mark(table, identification)
            of_card = table["cards"].get(mark, {})
            of_card.pop(name, None)
            if not of_card:
                table["cards"].pop(mark, None)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = self.path.with_suffix(".lock")
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                filelock.take(handle, wait=True)
                table = self._read() or {"schema": SCHEMA, "salt": os.urandom(SALT).hex(), "cards": {}}
                yield table
                self._write(table)
            finally:
                os.close(handle)
        except OSError as error:
            raise SpentError(
                _("{path}: cannot be written: {strerror}; set SSCARD_STATE to a folder of yours").format(
                    path=self.path, strerror=strerror(error)
                )
            ) from None

    def _write(self, table: Mapping[str, Any]) -> None:
        beside = self.path.with_suffix(".new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with writing.named(beside), os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(table, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def _read(self) -> dict[str, Any] | None:
        """The note; None where there is none yet. SpentError."""
        try:
            table = as_json.load(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SpentError(
                _("{path}: cannot be read: {strerror}").format(path=self.path, strerror=strerror(error))
            ) from None
        except FormatError as error:
            raise SpentError(self._unusable(error.what)) from None
        if not _good(table):
            raise SpentError(self._unusable(_("not a note of refused keys, schema 1")))
        return dict(table)

    def _unusable(self, what: str) -> str:
        return _("{path}: {what}. No key is tried until it is mended or taken away").format(path=self.path, what=what)


def _mark(table: Mapping[str, Any], identification: bytes) -> str:
    return hmac.new(bytes.fromhex(table["salt"]), identification, sha256).hexdigest()


def _hash_of(table: Mapping[str, Any], identification: bytes, name: str, value: bytes) -> str:
    """The hash of a value, which means nothing on another card or under another name."""
    salt = bytes.fromhex(table["salt"]) + identification + name.encode()
    if name == PIN:
        return scrypt(value, salt=salt, n=WORK, r=8, p=1, dklen=OF_A_PIN).hex()
    return hmac.new(salt, value, sha256).digest()[:OF_A_KEY].hex()


def _good(table: Any) -> bool:
    if not isinstance(table, dict) or table.get("schema") != SCHEMA or not isinstance(table.get("cards"), dict):
        return False
    try:
        salted = len(bytes.fromhex(table["salt"])) == SALT
    except (KeyError, TypeError, ValueError):
        return False
    refusals = (one for card in table["cards"].values() for one in (card.values() if isinstance(card, dict) else [0]))
    return salted and all(
        isinstance(one, dict)
        and isinstance(one.get("date"), str)
        and isinstance(one.get("left"), int | None)
        and isinstance(one.get("values", []), list)
        for one in refusals
    )
