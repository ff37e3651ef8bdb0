"""A simple, independent statement of what a user card may answer, held against any stream of commands.

It is exact about what it tells of: selecting, the PIN, keys and their tries, challenges, secure messaging's MAC, the
life cycle and some records. About everything else it says what must not be: success without a right, a wrong try on
nothing's account. It computes with the suites of algorithms, which published vectors check, and shares nothing else
with the chip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from emulator.crypto.suite import Suite
from emulator.messages import because
from harness.campaign import statement
from harness.campaign.statement import KEYS, LOCK_KEY, MESSAGING, NEVER_LOCK, SOCIAL, TRIES, Record

MAC = 4
PIN = "PIN"
REFUSALS = ("6[4579A-E][0-9A-F][0-9A-F]", "68[0-9A-F][0-9A-F]", "9[3-4][0-9A-F][0-9A-F]")
"""Status words of a command that was not carried out, and cost nothing."""
SUCCESSES = ("9000", "61[0-9A-F][0-9A-F]")
UPDATES = frozenset({0xD6, 0xDC, 0xE2})
EXACT = frozenset({0x20, 0x82, 0x5E, 0x24, 0x44, 0x1E, 0x16})
"""Instructions of which the exact forms are all that may succeed."""
SECURED = 0x04


@dataclass(frozen=True, slots=True)
class Expected:
    """``sws``: patterns of status words, any of which will do; ``data``: what must come with success, None for
    anything; ``words``: why. ``then``: told the answer's data and status word.
    """

    sws: tuple[str, ...]
    words: str
    data: bytes | None = None
    then: Callable[[bytes, str], None] | None = None

    def fits(self, sw: str) -> bool:
        """Returns whether a status word will do."""
        return any(fnmatchcase(sw, pattern) for pattern in self.sws)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer ought to have been: ``sws`` as patterns of status words, ``data`` where it is known."""

    words: str
    sws: tuple[str, ...]
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Command:
    """A short command whose lengths agree. ``le``: None where none came."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    le: int | None

    @property
    def header(self) -> bytes:
        return bytes((self.cla, self.ins, self.p1, self.p2))


def _understood(raw: bytes) -> _Command | None:
    """A command's fields; None where lengths and bytes disagree. P3 of five bytes is a length either way."""
    if len(raw) in (4, 5):
        return _Command(raw[0], raw[1], raw[2], raw[3], b"", raw[4] if len(raw) == 5 else 0)
    if len(raw) < 4 or not raw[4] or len(raw) - 5 - raw[4] not in (0, 1):
        return None
    end = 5 + raw[4]
    return _Command(raw[0], raw[1], raw[2], raw[3], raw[5:end], raw[end] if len(raw) > end else None)


@dataclass(slots=True)
class Model:
    """What a card remembers. ``keys``: the card's own, by name; ``contents``: of the records that are told of, None
    where it is not known any more. ``unsure``: something was done that is not told of here; until the next card nothing
    more is said.
    """

    suite: Suite
    keys: Mapping[str, bytes]
    records: tuple[Record, ...]
    pin: str
    active: bool = True
    pin_tries: int = TRIES
    unblockings: int = TRIES
    tries: dict[str, int] = field(default_factory=dict)
    rights: set[str] = field(default_factory=set)
    here: str = "MF"
    challenge: bytes = b""
    blocked: set[str] = field(default_factory=set)
    dead: bool = False
    contents: dict[Record, bytes | None] = field(default_factory=dict)
    unsure: bool = False

    def judge(self, command: bytes, answer: bytes) -> Wanted | None:
        """Holds one answer against the statement, and remembers what it means. None if nothing is wrong with it."""
        if self.unsure:
            return None
        if len(answer) < 2:
            return Wanted(because("an answer has a status word"), ("9000", *REFUSALS))
        data, sw = answer[:-2], answer[-2:].hex().upper()
        expected = self._expected(command)
        if not expected.fits(sw):
            return Wanted(expected.words, expected.sws, expected.data)
        succeeded = sw == "9000" or sw.startswith("61")
        if succeeded and expected.data is not None and data != expected.data:
            return Wanted(expected.words, expected.sws, expected.data)
        if expected.then is not None:
            expected.then(data, sw)
        return None

    def exactly(self, raw: bytes) -> tuple[str, ...]:
        """The status words that a command must have now, none where any refusal or any success will do."""
        expected = self._expected(raw)
        return () if set(REFUSALS) & set(expected.sws) or expected.sws == SUCCESSES else expected.sws

    def reset(self) -> None:
        """Power off or a reset: what no card keeps is gone."""
        self.rights, self.here, self.challenge = set(), "MF", b""

    def left(self, key: str) -> int:
        """The tries left of a key that locks."""
        return self.tries.get(key, TRIES)

    # --- what is asked first ---------------------------------------------------------------------------------------

    def _expected(self, raw: bytes) -> Expected:
        command = _understood(raw)
        if command is None:
            return Expected(("6700", "6A81", "6E00", "6D00"), because("lengths and bytes disagree"))
        exact = self._exactly(raw, command)
        if exact is None:
            return self._anything_else(command)
        if raw[4:5] and command.data and command.le is not None:
            return self._or_refused(exact)  # Le beside data where no data come back: nobody says which
        return exact

    def _exactly(self, raw: bytes, command: _Command) -> Expected | None:
        """What is told of a command exactly; None where nothing is."""
        match command.cla, command.ins:
            case 0x00, 0xA4:
                return self._select(raw)
            case 0x00, 0x84 if not (command.p1 or command.p2 or command.data) and command.le in (4, 8, 16):
                return self._get_challenge(command.le)
            case 0x00, 0x82 if not command.p1 and len(command.data) == 16:
                return self._authenticate(command)
            case 0x00, 0x20 if not (command.p1 or command.p2):
                return self._verify(command)
            case 0x80, 0x5E if (command.p1, command.p2) == (1, 0):
                return self._change_pin(command)
            case 0x84, 0x24 if not command.p1 and len(command.data) in ((4,), (12, 20))[command.p2 & 1]:
                return self._reload(command) if command.p2 in (0, 1) else None
            case 0x00, 0xB2:
                return self._read(raw)
            case ((0x00 | 0x04 | 0x84), 0xDC):
                return self._update(command)
            case 0x80, 0x44 if not (command.p1 or command.p2 or command.data or command.le):
                return self._activate()
            case 0x84, 0x1E if (command.p1, command.p2, len(command.data)) == (0, 1, MAC):
                return self._block_application(command)
            case 0x84, 0x16 if (command.p1, command.p2, len(command.data)) == (0, 0, MAC):
                return self._block_card(command)
        return None

    def _refusal(self, *, pin: bool = False) -> str:
        """The status word that comes before anything else, or nothing. ``pin``: for a command about the PIN."""
        if self.dead:
            return "6A81"
        if self._lies_blocked(self.here):
            return "9303"
        if not self.active and (self.here in SOCIAL[1:] or (pin and self.here == "SSSE")):
            return "6985"
        return ("" if self.here in SOCIAL else "6A88") if pin else ""

    def _lies_blocked(self, application: str) -> bool:
        return application in self.blocked or (application in SOCIAL and "SSSE" in self.blocked)

    def _or_refused(self, exact: Expected) -> Expected:
        def then(data: bytes, sw: str) -> None:
            if exact.fits(sw) and exact.then is not None:
                exact.then(data, sw)

        return Expected((*exact.sws, *REFUSALS), exact.words, exact.data, then)

    # --- commands --------------------------------------------------------------------------------------------------

    def _select(self, raw: bytes) -> Expected | None:
        application = BY_SELECT.get(raw)
        if application is None:
            return None
        if self.dead:
            return Expected(("6A81",), because("the card is blocked for good"))

        def then(_data: bytes, _sw: str) -> None:
            if application != self.here:  # a blocked one is current too
                self._drop_keys()
            self.here = application

        if self._lies_blocked(application):
            return Expected(("9303",), because("the application is blocked"), then=then)
        return Expected(SUCCESSES, because("the application is there"), then=then)

    def _drop_keys(self) -> None:
        self.rights &= {PIN}
        self.challenge = b""

    def _get_challenge(self, size: int) -> Expected:
        if refusal := self._refusal():
            return Expected(
                (refusal,), because("no challenge where the card or application is blocked or not activated")
            )

        def then(data: bytes, _sw: str) -> None:
            self.challenge = data
            self.unsure = len(data) != size

        return Expected(("9000",), because("a challenge of so many bytes"), then=then)

    def _authenticate(self, command: _Command) -> Expected:
        number = command.p2
        name = KEYS.get(self.here, {}).get(number)
        if name is None and number < 0x80 and self.here in SOCIAL:
            name = KEYS["SSSE"].get(number)
        if refusal := self._refusal():
            return Expected(
                (refusal,), because("no key is proved where the card or application is blocked or not activated")
            )
        if name is None or name not in self.keys:
            return Expected(("6A88",), because("the application has no such key"))
        if (name not in NEVER_LOCK and self.left(name) == 0) or (name == "PUK" and not self.unblockings):
            return Expected(("6983",), because("the key is locked"))
        if not self.challenge:
            return Expected(("6984",), because("a proof needs a challenge"))
        proof = self.suite.cryptogram(self._process_key(name), command.data[8:])
        right = proof == command.data[:8]
        left = "F" if name in NEVER_LOCK else f"{self.left(name) - 1:X}"

        def then(_data: bytes, _sw: str) -> None:
            self.challenge = b""
            if right:
                self.tries[name] = TRIES
                self.rights.add(name)
            elif name not in NEVER_LOCK:
                self.tries[name] = self.left(name) - 1

        if right:
            return Expected(("9000",), because("the key was proved"), then=then)
        return Expected((f"63C{left}",), because("a wrong proof costs a try"), then=then)

    def _process_key(self, name: str) -> bytes:
        return self.suite.process_key(self.keys[name], self.challenge)

    def _compared(self, presented: str, then: Callable[[], None]) -> Expected:
        """Digits held against the PIN; ``then``: what a right one brings."""
        if self.pin_tries == 0:
            return Expected(("6983",), because("the PIN is locked"), then=lambda _data, _sw: self.rights.discard(PIN))
        if presented == self.pin:

            def right(_data: bytes, _sw: str) -> None:
                self.pin_tries = TRIES
                then()

            return Expected(("9000",), because("the PIN is right"), then=right)

        def wrong(_data: bytes, _sw: str) -> None:
            self.pin_tries -= 1
            self.rights.discard(PIN)

        return Expected((f"63C{self.pin_tries - 1:X}",), because("a wrong PIN costs a try"), then=wrong)

    def _verify(self, command: _Command) -> Expected | None:
        size = len(command.data)
        if not size and not command.le:
            return self._ask_pin()
        if not 2 <= size <= 8:
            return None
        if refusal := self._refusal(pin=True):
            return Expected((refusal,), because("no PIN is compared here"))
        return self._compared(_digits(command.data), lambda: self.rights.add(PIN))

    def _ask_pin(self) -> Expected:
        if refusal := self._refusal(pin=True):
            return Expected((refusal,), because("no PIN is asked for here"))
        if not self.pin:
            return Expected(("9000",), because("no PIN is set"), then=lambda _data, _sw: self.rights.add(PIN))
        return Expected((f"63C{self.pin_tries}" if self.pin_tries else "6983",), because("asked, not tried"))

    def _change_pin(self, command: _Command) -> Expected | None:
        if not 3 <= len(command.data) <= 17:
            return None
        if refusal := self._refusal(pin=True):
            return Expected((refusal,), because("no PIN is changed here"))
        old, separator, new = command.data.partition(b"\xff")
        digits = _digits(new)
        if not separator or (new and not (digits.isdecimal() and len(digits) in statement.PIN_DIGITS)):
            return Expected(("6A80",), because("no new PIN that may be"))

        def then() -> None:
            self.pin = digits

        return self._compared(_digits(old), then)

    def _sealed(
        self, command: _Command, key: str, then: Callable[[bytes], None], wrong: Callable[[], None]
    ) -> Expected:
        """A MAC: whether it is looked at; ``then``: what a right one brings, told the data that it covers."""
        if not self.challenge:
            return Expected(("6984",), because("secure messaging needs a challenge"))
        body, mac = command.data[:-MAC], command.data[-MAC:]
        covered = command.header + bytes((len(command.data),)) + body
        right = self.suite.mac(self._process_key(key), covered) == mac
        process_key = self._process_key(key)

        def done(_data: bytes, _sw: str) -> None:
            self.challenge = b""
            if right:
                then(self.suite.decipher(process_key, body) if command.ins == 0x24 and body else body)
            else:
                self._drop_keys()
                wrong()

        if right:
            return Expected(("9000",), because("the MAC is right"), then=done)
        return Expected(("6988",), because("the MAC is wrong"), then=done)

    def _reload(self, command: _Command) -> Expected:
        if refusal := self._refusal(pin=True):
            return Expected((refusal,), because("no PIN is unblocked here"))
        if "PUK" not in self.rights:
            return Expected(("6982",), because("PUK was not proved"))
        if (len(command.data) - MAC) % self.suite.block:
            return Expected(("6700", "6983"), because("no whole blocks"))
        if not self.unblockings:
            return Expected(("6983",), because("unblocking is locked"))

        def then(plain: bytes) -> None:
            self.pin_tries, self.unblockings, self.pin = TRIES, TRIES, _digits(plain) or self.pin

        def wrong() -> None:
            self.unblockings -= 1

        return self._sealed(command, "STK", then, wrong)

    def _read(self, raw: bytes) -> Expected | None:
        for record in self.records:
            if record.home != self.here or raw[3] != record.sfi << 3 | 4:
                continue
            if refusal := self._refusal():
                return Expected(
                    (refusal, "67??", "6A86"), because("nothing is read where the card or application is blocked")
                )
            if not any(readers <= self.rights for readers in record.readers):
                return Expected(REFUSALS, because("the right to read it was not won"))
            if raw == record.read():
                return Expected(("9000",), because("the record as it is"), self.contents.get(record, record.value))
        return None

    def _update(self, command: _Command) -> Expected:
        secured = bool(command.cla & SECURED)
        data = command.data[:-MAC] if secured else command.data
        meant = [one for one in self.records if one.home == self.here and command.p2 == one.sfi << 3 | 4]
        exact = [one for one in meant if one.number == command.p1 and data in (one.value, one.other)]
        if exact and (not secured or len(command.data) > MAC):
            return self._update_told_of(exact[0], command, data, secured=secured)

        def then(_data: bytes, sw: str) -> None:
            if sw == "6988":
                self._drop_keys()
            if sw == "9000":  # by another way, or another of its records
                home = [one for one in self.records if one.home == self.here]
                self.contents |= dict.fromkeys(home, None)
                self.challenge = b"" if secured else self.challenge

        if not self.rights - {PIN}:
            return Expected(REFUSALS, because("nothing is written without a key's right"), then=then)
        return Expected((*SUCCESSES, *REFUSALS), because("a key's right was won"), then=then)

    def _update_told_of(self, record: Record, command: _Command, data: bytes, *, secured: bool) -> Expected:
        if refusal := self._refusal():
            return Expected((refusal,), because("nothing is written where the card or application is blocked"))
        if record.updater not in self.rights:
            return Expected(("6982",), because(f"{record.updater} was not proved"))

        def then(_data: bytes = b"", _sw: str = "") -> None:
            self.contents[record] = data

        if secured:
            return self._sealed(command, MESSAGING[self.here], then, lambda: None)
        return Expected(("9000",), because("its key was proved"), then=then)

    def _activate(self) -> Expected:
        if refusal := self._refusal():
            return Expected((refusal,), because("nothing is activated where the card or application is blocked"))
        if self.here != "SSSE":
            return Expected(("6985",), because("it is activated in SSSE"))
        if "UKSSSE" not in self.rights:
            return Expected(("6982",), because("UKSSSE was not proved"))
        if self.active:
            return Expected(("6985",), because("it is active already"))

        def then(_data: bytes, _sw: str) -> None:
            self.active = True

        return Expected(("9000",), because("UKSSSE was proved"), then=then)

    def _block_application(self, command: _Command) -> Expected:
        if not self.dead and self._lies_blocked(self.here):
            return Expected(("9000",), because("it is blocked already"))
        if refusal := self._refusal():
            return Expected((refusal,), because("nothing is blocked where the card is"))
        if self.here not in SOCIAL:
            return Expected(("6A88", "6985", "6A81"), because("an application of its own cannot be blocked so"))
        key = LOCK_KEY.get(self.here, "")
        if key and key not in self.rights:
            return Expected(("6982",), because(f"{key} was not proved"))
        here = self.here
        return self._sealed(command, MESSAGING[here], lambda _body: self.blocked.add(here), lambda: None)

    def _block_card(self, command: _Command) -> Expected:
        if refusal := self._refusal():
            return Expected((refusal,), because("the card cannot be blocked here"))
        if "BK" not in self.rights:
            return Expected(REFUSALS, because("BK was not proved"))

        def then(_body: bytes) -> None:
            self.dead = True

        return self._sealed(command, MESSAGING.get(self.here, "STK"), then, lambda: None)

    # --- all else --------------------------------------------------------------------------------------------------

    def _anything_else(self, command: _Command) -> Expected:
        """What is not told of exactly: nothing is changed without a right, and what an answer leaves open is not said
        any more.
        """
        ins = command.ins

        def then(_data: bytes, sw: str) -> None:
            succeeded = sw == "9000" or sw.startswith("61")
            if sw == "6988":
                self._drop_keys()
            moved = ins == 0xA4 and sw == "9303"  # a blocked application is current too
            self.unsure = moved or sw.startswith("63C") or (succeeded and ins not in READING)

        if ins == 0xC0:
            return Expected((*SUCCESSES, *REFUSALS, "6F00"), because("what waits, or that nothing does"))
        if self.dead and command.ins in (0xB0, 0xB2, *UPDATES, *EXACT):
            return Expected(("6A81", "6[79A-E][0-9A-F][0-9A-F]"), because("the card is blocked for good"), then=then)
        if (
            ins in EXACT
            and not (ins in (0x20, 0x82) and (command.p1 or len(command.data) > 16))
            and not self._blocks(ins)
        ):
            return Expected(REFUSALS, because("it is no form of this command"), then=then)
        if ins in UPDATES and not self.rights - {PIN}:
            return Expected(REFUSALS, because("nothing is written without a key's right"), then=then)
        return Expected((*SUCCESSES, *REFUSALS, "6[23][0-9A-F][0-9A-F]"), because("a status word"), then=then)

    def _blocks(self, ins: int) -> bool:
        """Whether it is about blocking what is blocked, which is done already."""
        return ins in (0x1E, 0x16) and self._lies_blocked(self.here)


READING = frozenset({0xB0, 0xB2, 0xC0, 0x88, 0xCA})
"""Instructions after whose success a card is what it was, and is where it was."""
BY_SELECT = {bytes.fromhex(raw): name for name, raw in statement.SELECT.items()}


def _digits(data: bytes) -> str:
    """BCD with its filling taken off; data that are no digits stay what they are, and match no PIN."""
    text = data.hex().upper()
    return text.rstrip("F") or text
