"""What instructions act upon: one card's tree, memory, algorithms and session, and the questions they all ask of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.apdu.status import SW, CardError
from emulator.crypto import Suite
from emulator.filesystem.layouts.specs import FileSpec, KeySpec, Layout, MessagingSpec
from emulator.filesystem.layouts.terms import KeyUse, Messaging
from emulator.filesystem.memory.cells import UNBLOCKINGS_CELL, VERSIONS, ApplicationLife, CardLife, key_cell, tries_cell
from emulator.filesystem.memory.files import Directory
from emulator.filesystem.memory.memory import Memory
from emulator.filesystem.memory.tries import TryCounter
from emulator.messages import because
from emulator.security import PIN, Condition
from emulator.session import Session


@dataclass(slots=True)
class CardState:
    """One card, powered. ``random(n)`` gives n unpredictable bytes."""

    layout: Layout
    root: Directory
    memory: Memory
    suite: Suite
    session: Session
    random: Callable[[int], bytes]
    directories: list[Directory] = field(init=False)
    """All there are, in the layout's order."""

    def __post_init__(self) -> None:
        self.directories = list(self.root.walk())

    def file(self, sfi: int) -> FileSpec:
        """The file of this short id in the current DF, or the current EF for 0; 6A82, 6986."""
        session = self.session
        if sfi:
            spec = session.directory.files.get(sfi)
            if spec is None:
                raise CardError(SW.FILE_NOT_FOUND, f"no file with SFI {sfi:02X} in {session.directory.spec.id}")
            return spec
        if session.file is None:
            raise CardError(SW.NO_CURRENT_EF, "no EF is current: select one, or name it by its SFI")
        return session.file

    def may_read(self, spec: FileSpec, messaging: Messaging) -> None:
        """6982 unless the session's rights allow reading, 6987 where it must come under other secure messaging."""
        if not spec.read.satisfied(self.session.rights):
            self._refuse(because("reading"), spec.path, spec.read)
        if spec.read_messaging:
            self._secured(because("reading"), spec.path, spec.read_messaging, messaging)

    def may_update(self, spec: FileSpec, messaging: Messaging) -> None:
        """6982 unless the session's rights allow updating, 6987 where it must come under other secure messaging."""
        self.right_to_update(spec)
        if spec.update_messaging:
            self._secured(because("updating"), spec.path, spec.update_messaging, messaging)

    def right_to_read(self, spec: FileSpec) -> None:
        """6982 unless the session's rights allow reading."""
        if not spec.read.satisfied(self.session.rights):
            self._refuse(because("reading"), spec.path, spec.read)

    def right_to_update(self, spec: FileSpec) -> None:
        """6982 unless the session's rights allow updating."""
        if not spec.update.satisfied(self.session.rights):
            self._refuse(because("updating"), spec.path, spec.update)

    def need(self, condition: Condition, what: str) -> None:
        """6982 unless the session's rights satisfy a condition."""
        if not condition.satisfied(self.session.rights):
            won = self._won()
            raise CardError(SW.SECURITY_NOT_SATISFIED, f"{what} needs {condition}; {won}")

    def _refuse(self, deed: str, path: str, condition: Condition) -> None:
        """The transport key of a blank card opens all its files; else 6982."""
        if self.filling():
            return
        won = self._won()
        raise CardError(SW.SECURITY_NOT_SATISFIED, f"{deed} {path} needs {condition}; {won}")

    def _secured(self, deed: str, path: str, demand: Messaging, messaging: Messaging) -> None:
        if messaging is not demand and not self.filling():
            wanted = because("a MAC" if demand is Messaging.MAC else "MAC and cipher")
            raise CardError(SW.MESSAGING_OBJECT_MISSING, f"{deed} {path} needs {wanted}")

    def blocked(self, directory: Directory) -> ApplicationLife:
        """The worst of a DF's own life cycle and those above it. [D]"""
        if self.memory.normal:
            return ApplicationLife.IN_USE
        return ApplicationLife(max(map(self.memory.counter, directory.life), default=0))

    def filling(self) -> bool:
        """True on a blank card whose transport key was authenticated."""
        plan = self.layout.personalisation
        return plan is not None and self.memory.card_life is CardLife.BLANK and plan.key in self.session.rights

    def _won(self) -> str:
        if not self.session.rights:
            return because("rights won: none")
        won = ", ".join(sorted(self.session.rights))
        return because(f"rights won: {won}")

    def messaging_key(self) -> KeySpec:
        """The key of MAC and cipher in the current DF; 6A88."""
        key = self.session.directory.messaging_key
        if key is None:
            where = self.session.directory.spec.id
            raise CardError(SW.REFERENCE_NOT_FOUND, f"no key for secure messaging within reach of {where}")
        return key

    def scheme(self, spec: KeySpec) -> MessagingSpec:
        """How a key proves and seals: as the application that it lies in says."""
        home: Directory | None = self.session.directory
        while home is not None and home.spec.id != spec.application:
            home = home.parent
        assert home is not None, f"key {spec.name} is not within reach"
        return home.messaging

    def find_key(self, identifier: int, use: KeyUse) -> KeySpec:
        """The key under a P2, from the current DF; 6A88."""
        key = self.session.directory.key(identifier, use)
        if key is None:
            where = self.session.directory.spec.id
            raise CardError(SW.REFERENCE_NOT_FOUND, f"no key {identifier:02X} for {use} within reach of {where}")
        return key

    def key(self, spec: KeySpec, version: int | None = None) -> bytes:
        """The 16 bytes of a key, of its lowest version where none is named [D]; 6A88 if it is not loaded."""
        for number in VERSIONS if version is None else (version,):
            value = self.memory.get(key_cell(spec.name, number))
            if isinstance(value, bytes):
                return value
        if version is None:
            raise CardError(SW.REFERENCE_NOT_FOUND, f"key {spec.name} is not loaded")
        raise CardError(SW.REFERENCE_NOT_FOUND, f"key {spec.name} has no version {version:02X}")

    def key_tries(self, spec: KeySpec) -> TryCounter:
        """Returns the counter of the tries that a key has left."""
        return TryCounter(self.memory, tries_cell(spec.name), spec.tries)

    def usable(self, spec: KeySpec) -> TryCounter:
        """A key's try counter; 6983 if the key is locked, the unblock key by failed unblockings too."""
        tries = self.key_tries(spec)
        if tries.left == 0:
            raise CardError(SW.BLOCKED, f"key {spec.name} is locked")
        if spec.name == self.layout.pin.unblock_key:
            self.unblockings()
        return tries

    def unblockings(self) -> TryCounter:
        """The counter of failed unblockings of the PIN; 6983 once it has run out. [T: part7:13.3]"""
        tries = TryCounter(self.memory, UNBLOCKINGS_CELL, self.layout.unblockings)
        if tries.left == 0:
            raise CardError(SW.BLOCKED, f"key {self.layout.pin.unblock_key} is locked by failed unblockings")
        return tries

    def pin_tries(self) -> TryCounter:
        """The PIN's try counter; 6A88 where no PIN is found from the current DF."""
        pin = self.layout.pin
        directory: Directory | None = self.session.directory
        while directory is not None:
            if directory.spec.id == pin.application:
                return TryCounter(self.memory, tries_cell(PIN), pin.tries)
            directory = directory.parent
        raise CardError(SW.REFERENCE_NOT_FOUND, f"no PIN within reach of {self.session.directory.spec.id}")

    def take_challenge(self) -> bytes:
        """The last challenge, which this use ends; 6984 if there is none."""
        challenge = self.session.challenge
        if challenge is None:
            raise CardError(SW.DATA_INVALIDATED, "no challenge: GET CHALLENGE comes first, and serves one use")
        self.session.challenge = None
        return challenge

    def drop_pin(self) -> None:
        """Takes back the right that the PIN gave."""
        self.session.rights.discard(PIN)
