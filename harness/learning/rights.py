"""What the PIN and keys open: asked only with what the user gave, each once, and never where a try is short.

The PIN's tries are asked first. A key's are not known before it fails, so that one that failed once is never tried
again, in this run or another (``SpentKeys``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from emulator.apdu.instructions.pin import Verify
from emulator.apdu.status import SW, tries_told
from emulator.crypto import SUITES
from emulator.filesystem.layouts.specs import KeySpec, Layout
from emulator.filesystem.layouts.terms import KeyUse
from emulator.messages import _
from emulator.security import PIN, names_in
from harness.keys.access import TerminalError
from harness.keys.root_keys import RootKeys
from harness.keys.roots import UnknownKey
from harness.keys.spent import SpentKey, SpentKeys
from harness.learning.explore import Explorer, tells_of_rights
from harness.learning.known import HOME
from harness.terminal.pin import bcd
from harness.terminal.refused import Refused
from harness.terminal.session import TerminalSession

FEWEST = 3
"""Tries that must be left before the PIN is tried: after a wrong one two are."""
NO_PIN_SET, NO_PIN = "not set", "none"


@dataclass(slots=True)
class Rights:
    """Asks an explored card with what the user gave. ``refused``: what the card did not take, in sentences."""

    explorer: Explorer
    keys: RootKeys | None = None
    pin: str | None = None
    spent: SpentKeys | None = None
    deep: bool = False
    refused: list[str] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)
    """Names of what the card refused now: not tried again in another application."""

    def ask_tries(self) -> None:
        """How many tries the PIN has left, which costs none: where three or more are, that is seen by asking again."""
        explorer = self.explorer
        explorer.prober.reset()
        explorer.enter(explorer.found.applications[HOME])
        answer = explorer.prober.ask("verify/SSSE", Verify.command())
        left = tries_told(answer.sw)
        if left is not None and left >= FEWEST:
            answer = explorer.prober.ask("verify/SSSE/again", Verify.command())
            again = tries_told(answer.sw)
            explorer.found.asking_is_free = again == left
            left = left if again is None else min(left, again)
        elif left is not None:
            explorer.found.asking_is_free = False
        told = {int(SW.OK): NO_PIN_SET, int(SW.REFERENCE_NOT_FOUND): NO_PIN}.get(answer.sw, f"answers {answer.word}")
        explorer.found.counters[PIN] = told if left is None else str(left)

    def ask(self, layout: Layout) -> None:
        """Reads on with the PIN, then with each key. ``layout``: the nearest, which says what keys there are."""
        proved = self._verify() if self.pin else False
        if self.pin is None and self._closed():
            self._not_seen(_("what the PIN opens"), _("no PIN was given: --pin"))
        if self.keys is None:
            if self._closed():
                self._not_seen(_("what keys open"), _("no keys were given: --keys"))
            return
        for key in self._keys(layout):
            self._prove(key, layout, with_pin=proved)

    def _not_seen(self, what: str, why: str) -> None:
        self.explorer.found.not_seen.append((what, why))

    def _closed(self, application: str = "") -> list[str]:
        """Files that could not be read without rights."""
        return [
            one.path
            for one in self.explorer.found.files.values()
            if not one.opened.get(frozenset(), False) and (not application or one.application == application)
        ]

    # --- the PIN -------------------------------------------------------------------------------------------------

    def _verify(self) -> bool:
        """VERIFY, once, and all that it opens; True if it was right."""
        explorer, told = self.explorer, self.explorer.found.counters.get(PIN, "")
        if not told.isdecimal() or int(told) < FEWEST:
            why = _("the PIN is tried only while {fewest} tries or more are left; the card says: {told}").format(
                fewest=FEWEST, told=told
            )
            self._not_seen(_("what the PIN opens"), why)
            return False
        if not explorer.found.asking_is_free:
            self._not_seen(_("what the PIN opens"), _("asking for the PIN's tries cost this card one"))
            return False
        if not self._may_try(PIN, bcd(self.pin or "")):
            return False
        explorer.prober.reset()
        explorer.enter(explorer.found.applications[HOME])
        if not self._present("verify/SSSE/PIN"):
            return False
        for application in explorer.found.applications.values():
            if application.open and self._closed(application.name):
                explorer.enter(application)
                self._read_with(application.name, frozenset((PIN,)))
        return True

    def _present(self, probe: str) -> bool:
        """VERIFY with the PIN in the current application; True if it is right."""
        pin = bcd(self.pin or "")
        with self._noting_loss(PIN, pin), self.explorer.prober.proving(probe, PIN):
            answer = self.explorer.prober.send(bytes(Verify.command(pin)))
        sw = int.from_bytes(answer[-2:], "big")
        if sw == SW.OK:
            self._accepted(PIN)
            return True
        self._was_refused(PIN, sw, pin)
        return False

    def _present_beside(self, key: KeySpec) -> bool:
        """The PIN beside a key, whose application may have a PIN of its own: that one's tries are asked first."""
        if PIN in self._refused:
            return False
        told = tries_told(self.explorer.prober.ask(f"key/{key.name}/tries", Verify.command()).sw)
        if told is None or told < FEWEST:
            self._not_seen(
                _("what {key} opens").format(key=f"{key.name}+{PIN}"),
                _("the PIN is tried only while {fewest} tries or more are left; the card says: {told}").format(
                    fewest=FEWEST, told="-" if told is None else told
                ),
            )
            return False
        return self._present(f"key/{key.name}/PIN")

    # --- keys ----------------------------------------------------------------------------------------------------

    def _keys(self, layout: Layout) -> Iterator[KeySpec]:
        """Keys that may open what is closed: those that the layout names for reading, all with ``deep``."""
        named = {name for path in self._closed() if path in layout.files for name in names_in(layout.files[path].read)}
        for key in layout.keys.values():
            application = self.explorer.found.applications.get(key.application)
            if key.use is not KeyUse.EXTERNAL or application is None or not application.open:
                continue
            if key.name in named or (self.deep and self._closed(key.application)):
                yield key

    def _prove(self, key: KeySpec, layout: Layout, *, with_pin: bool) -> None:
        session = self._session(layout)
        if session is None or self.keys is None:
            return
        try:
            value = self.keys.card_key(session.use(key.name))
        except UnknownKey:
            self._not_seen(_("what {key} opens").format(key=key.name), _("the key is not among those given"))
            return
        if not self._may_try(key.name, value):
            return
        prober = self.explorer.prober
        try:
            session.reset()
            session.enter(key.application)
            with self._noting_loss(key.name, value), prober.proving(f"key/{key.name}", key.name):
                session.authenticate(key.name)
        except Refused as refused:
            self._was_refused(key.name, refused.sw, value)
            return
        except (TerminalError, ValueError) as error:
            self._not_seen(_("what {key} opens").format(key=key.name), str(error))
            return
        self._accepted(key.name)
        self._read_with(key.application, frozenset((key.name,)))
        closed = any(not self.explorer.found.files[path].read for path in self._closed(key.application))
        if with_pin and closed and self._present_beside(key):
            self._read_with(key.application, frozenset((key.name, PIN)))

    def _session(self, layout: Layout) -> TerminalSession | None:
        found = self.explorer.found
        if not found.algorithm or len(found.identification) < 3:
            self._not_seen(_("what keys open"), _("the card does not say its algorithm or its identification code"))
            return None
        session = TerminalSession(self.explorer.prober, self.keys)
        session.layout, session.suite = layout, SUITES[found.algorithm]
        session.region = found.identification[:3].hex()
        return session

    # --- reading -------------------------------------------------------------------------------------------------

    def _read_with(self, application: str, rights: frozenset[str]) -> None:
        """Reads what these rights open, and asks of what was read before whether they open it too."""
        explorer = self.explorer
        again = [explorer.found.files[path] for path in self._closed(application)]
        explorer.read_files(application, rights)
        for file in again:
            if rights in file.opened:
                continue
            probe = f"open/{'+'.join(sorted(rights))}/{file.path}"
            if file.structure == "transparent":
                answer = explorer.ask_binary(probe, file)
            else:
                answer = explorer.ask_record(probe, file, 1)
            granted = answer.gave or answer.sw == SW.RECORD_NOT_FOUND
            if granted or tells_of_rights(answer.sw):
                file.opened[rights] = granted

    # --- what a try costs ----------------------------------------------------------------------------------------

    def _may_try(self, name: str, value: bytes) -> bool:
        """False for what this card refused before. SpentError."""
        identification = self.explorer.found.identification
        if self.spent is None or not identification:
            return True
        try:
            self.spent.check(identification, name, value)
        except SpentKey as refused:
            self._not_seen(_("what {key} opens").format(key=name), str(refused))
            self.refused.append(str(refused))
            return False
        return True

    @contextmanager
    def _noting_loss(self, name: str, value: bytes) -> Iterator[None]:
        """Notes a proof to which no answer came: the card may have counted a failure all the same."""
        try:
            yield
        finally:
            if self.explorer.prober.unanswered:
                self._note(name, None, value, lost=True)

    def _note(self, name: str, left: int | None, value: bytes, *, lost: bool = False) -> None:
        identification = self.explorer.found.identification
        if self.spent is not None and identification:
            self.spent.note(identification, name, left, value, lost=lost)

    def _was_refused(self, name: str, sw: int, value: bytes) -> None:
        left = tries_told(sw)
        self._refused.add(name)
        self._note(name, left, value)
        tries = "" if left is None else _(", {left} tries left").format(left=left)
        told = _("{name}: the card refused it with {sw:04X}{tries}; it is not tried again").format(
            name=name, sw=sw, tries=tries
        )
        self.refused.append(told)
        self._not_seen(_("what {key} opens").format(key=name), told)

    def _accepted(self, name: str) -> None:
        identification = self.explorer.found.identification
        if self.spent is not None and identification:
            self.spent.accepted(identification, name)
