"""Functions of the driver as steps of a vector: called in this process, over the cards that the vector is run on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from emulator.filesystem.layouts import paths
from emulator.messages import _
from harness.conformance.person import Person
from harness.conformance.play import Missing, Play
from harness.driver.backend import BackEnd
from harness.driver.calls import Answer
from harness.driver.library import SSCardDriver
from harness.driver.pad import Pad
from harness.driver.readers import Given
from harness.hsm.machine import EncryptionMachine
from harness.readers.connection import Connection

NAME = re.compile(r"\$\{[a-z0-9_:]+\}")
ITEM = re.compile(r"\$\{item:([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a function gave: its return code and pOutInfo."""

    code: int
    out: str


class Lent:
    """A connection that the driver may let go without losing it for the vector."""

    def __init__(self, inner: Connection) -> None:
        self._inner = inner

    @property
    def atr(self) -> bytes:
        """Returns the answer to the last reset."""
        return self._inner.atr

    def reset(self) -> bytes:
        """Resets the card; returns the ATR."""
        return self._inner.reset()

    def send(self, command: bytes) -> bytes:
        """Sends one command; returns the answer."""
        return self._inner.send(command)

    def close(self) -> None:
        """The card stays with the vector, and loses what rights it gave."""
        self._inner.reset()


IN_STEPS: dict[str, tuple[Callable[..., Answer], tuple[str, ...]]] = {
    "iReadCardBas": (BackEnd.basic, ("iType",)),
    "iReadCard": (BackEnd.read, ("iType", "pCardInfo", "pFileAddr")),
    "iWriteCard": (BackEnd.write, ("iType", "pCardInfo", "pFileAddr", "pWriteData")),
    "iReloadPIN": (BackEnd.reload_pin, ("iType", "pCardInfo")),
    "iUnblockPIN": (BackEnd.unblock_pin, ("iType", "pCardInfo")),
    "iDoDebit": (BackEnd.debit, ("iType", "pCardInfo", "pPayInfo")),
}
"""The functions that have steps with an encryption machine: who goes through the steps, and what it takes."""
WITHOUT_PSAM = frozenset({"iVerifyPIN", "iChangePIN", "PKI_SignData", "PKI_VerifySign"})
"""Functions that need no terminal's own card."""


def call(
    play: Play, function: str, arguments: Mapping[str, str | int], pad: Sequence[str], *, machine: bool
) -> Outcome:
    """Calls a function by its name and arguments. Missing where it needs a PSAM and none is there."""
    own = None if machine or play.psam is None else Lent(play.psam)
    driver = SSCardDriver(Given(lambda __: Lent(play.terminal.connection), lambda: own), Pad(pad))
    if machine:
        perform, names = IN_STEPS[function]
        return Outcome(*perform(BackEnd(driver, EncryptionMachine()), *(arguments[name] for name in names)))
    if own is None and function not in WITHOUT_PSAM:
        raise Missing(_("a PSAM"))
    return Outcome(*getattr(driver, function)(**arguments))


def filled(text: str, person: Person | None, fill: Callable[[str], str]) -> str:
    """A text with ``${item:PATH}`` as the persona has it, and other names as hex."""
    parts = ITEM.split(text)
    return "".join(
        _item(person, part) if at % 2 else NAME.sub(lambda one: fill(one[0]), part) for at, part in enumerate(parts)
    )


def _item(person: Person | None, path: str) -> str:
    if person is None:
        raise Missing(_("whose card it is"))
    return person.item(paths.path(path))


def alike(wanted: str, out: str) -> bool:
    """True if an output is the wanted one, in which ``*`` stands for anything."""
    return fnmatchcase(out, wanted.replace("[", "[[]").replace("?", "[?]"))
