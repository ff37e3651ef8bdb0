"""A counter's terminal through PC/SC: moves the insurance region (参保地) of a card, and its holder's telephone.

    transfer.py --to 510700 --telephone 00000000003 --keys test-keys.toml

It knows nothing of virtual cards: it is a program as others write it. What it is careful about stands where it is done.
It prints what it did once all of it was read back, and ends with 0; else it says why on stderr, and ends with 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from cardkeys import KEYS, SM4_SUITE, TRIPLE_DES, Cryptograms, Psam, RootKeys, Target
from cardlink import DONE, Broken, Command, Failed, Link, Lost, Refused

ENVIRONMENT = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
"""The name of the social security environment: sx1.sh.社会保障."""
ATTEMPTS = 3
INITIAL_PIN = "123456"
"""What every card leaves the factory with: its holder sets another before any business."""
FINAL = frozenset({0x6983, 0x6985, 0x6A81, 0x9303})
"""Locked, not activated, card blocked, application blocked: nothing is to be tried again."""
ABSENT = 0x6A83


@dataclass(frozen=True)
class Item:
    """A record of a card: application, short id of its file, tag, bytes of its value, and the key that writes it."""

    application: str
    file: int
    tag: int
    size: int
    key: str = ""
    name: str = ""


IDENTIFICATION, VERSION, VALID_UNTIL, CARD_NUMBER = (
    Item("SSSE", 0x05, 0x01, 16),
    Item("SSSE", 0x05, 0x03, 4),
    Item("SSSE", 0x05, 0x06, 4),
    Item("SSSE", 0x05, 0x07, 9),
)
NUMBER, NAME = Item("SSSE", 0x06, 0x08, 18), Item("SSSE", 0x06, 0x09, 30)
TELEPHONE = Item("DF01", 0x06, 0x28, 15, "UK4DF01")
REGIONS = (
    Item("DF03", 0x05, 0x61, 3, "UK1DF03", "unemployment 失业"),
    Item("DF03", 0x07, 0x71, 3, "UK3DF03", "pension 养老"),
    Item("DF03", 0x15, 0x7A, 3, "UK4DF03", "work injury 工伤"),
    Item("DF03", 0x16, 0x51, 3, "UK5DF03", "maternity 生育"),
    Item("DF04", 0x05, 0x84, 3, "UK1DF04", "medical 医疗"),
)


@dataclass(frozen=True)
class Job:
    """What is asked for. ``telephone``: empty where it stays."""

    to: str
    telephone: str


@dataclass
class Known:
    """What was learned of the card in one attempt."""

    identification: bytes = b""
    target: Target = field(default_factory=lambda: Target(TRIPLE_DES, "", b""))


class Journal:
    """What is being done to which card, on the disk before the first byte of it is written to the card.

    After a power cut some insurances are at the new region and some at the old: only this says that it is no mistake.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def pending(self, card: bytes) -> str:
        """The region that this card was on its way to; empty if to none. Failed where the file cannot be understood."""
        try:
            region = json.loads(self._path.read_text("utf-8")).get(_digest(card), "")
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, AttributeError) as error:
            raise Failed(f"{self._path}: {error}") from None
        return str(region)

    def begin(self, card: bytes, to: str) -> None:
        """Written and on the disk when this returns. Failed."""
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                json.dump({_digest(card): to}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise Failed(f"{fresh}: {error.strerror}") from None

    def end(self) -> None:
        """The card has all of it."""
        self._path.unlink(missing_ok=True)


def _digest(card: bytes) -> str:
    """The card as the journal has it: told again, but not told."""
    return hashlib.sha256(card).hexdigest()[:32]


class Terminal:
    """One counter with one card in its reader."""

    link_kind = Link

    def __init__(self, link: Link, keys: Cryptograms, pin: str, journal: Journal) -> None:
        self.link, self.keys, self.pin, self.journal = link, keys, pin, journal
        self.known = Known()
        self.tries: int | None = None
        """PIN tries that were left before the PIN was sent; None before that."""

    def work(self, job: Job) -> list[str]:
        """Does the job, from the beginning again where the card was lost or said what it cannot have meant.

        Gives what is to be shown: nothing of it comes from an attempt that did not end well. Failed.
        """
        card = b""
        for left in reversed(range(ATTEMPTS)):
            self.link.open()  # a card that does not come back is not waited for again
            try:
                self.known = Known()
                shown = self.session(job, card)
                # Only now is it over: with the power the rights go too.
                self.link.close()
                return shown
            except (Lost, Broken) as failure:
                if not left:
                    raise
                self.say(f"{failure}; once more")
            except Refused as refused:
                # A card that reset by itself refuses what it would have done: a new beginning tells.
                if not left or refused.sw in FINAL or refused.sw >> 4 == 0x63C:
                    raise
                self.say(f"{refused}; once more")
            finally:
                card = card or self.known.identification
                self.link.close()
        raise AssertionError("the last attempt returns or raises")

    @staticmethod
    def say(text: str) -> None:
        """One line to the clerk."""
        print(f"transfer: {text}", file=sys.stderr, flush=True)

    # --- one attempt -------------------------------------------------------------------------------------------

    def session(self, job: Job, card: bytes) -> list[str]:
        """One attempt, on a card that was just powered. ``card``: which one it must be, empty for any."""
        version = self.identify()
        if card and self.known.identification != card:
            raise Failed("this is another card than before")
        self.prove_card()
        if version >= "3.00":
            self.authenticate("RKSSSE")
        number, holder = (self.text(item) for item in (NUMBER, NAME))
        card_number = self.text(CARD_NUMBER)
        self.enter_pin()
        telephone = self.change_telephone(job.telephone)
        regions = self.move(job.to)
        return [
            f"card 卡号: {card_number}",
            f"number 社会保障号码: {number}",
            f"name 姓名: {holder}",
            f"telephone 联系电话: {telephone}",
            *(f"region 参保地 {item.name}: {region}" for item, region in regions.items()),
            f"moved 已转移: {job.to}",
        ]

    def identify(self) -> str:
        """Selects the environment and reads which card it is; gives its version. Failed for one that may not serve."""
        fci = self.select(Command("00A40400", ENVIRONMENT), "selecting the environment")
        self.known.identification = self.read(IDENTIFICATION)
        region = self.known.identification[:3].hex()
        self.known.target = Target(_algorithm(fci), region, self.link.atr[-8:])
        self.keys.begin(self.known.identification)
        version = self.sure(VERSION).decode("ascii", "replace")
        if version not in ("2.00", "3.00"):
            raise Broken(f"a card of version {version!r}")
        until = self.sure(VALID_UNTIL).hex()
        if until < date.today().strftime("%Y%m%d"):
            raise Failed(f"the card was valid until {until}")
        return version

    def prove_card(self) -> None:
        """INTERNAL AUTHENTICATION before a key is tried: a garbled algorithm or region shows here, and costs no try."""
        factor, data = os.urandom(8), os.urandom(8)
        made = self.ask(Command("00880000", factor + data), "the card proves itself")
        if made != self.keys.cryptogram(self.known.target, "IRK", factor, data):
            raise Broken("the card does not prove itself")

    def authenticate(self, key: str) -> None:
        """EXTERNAL AUTHENTICATION with a fresh challenge. A refused one is not repeated: each costs the key a try."""
        challenge = self.challenge()
        data = os.urandom(8)
        proof = self.keys.cryptogram(self.known.target, key, challenge, data) + data
        self.quiet(Command(f"008200{KEYS[key].identifier:02X}", proof), f"authentication with {key}")

    def challenge(self) -> bytes:
        """Eight random bytes of the card's."""
        challenge = self.ask(Command("00840000", asks=8), "a challenge")
        if len(challenge) != 8:
            raise Broken(f"a challenge of {len(challenge)} bytes")
        return challenge

    def enter_pin(self) -> None:
        """Asks how many tries are left, which costs none, and sends the PIN once."""
        data, sw = self.link.send(Command("00200000"), "asking for the PIN's state")
        if data:
            raise Broken("asking for the PIN's state: data where there are none")
        if sw == DONE:
            return  # none is set, so that none is asked for
        if sw >> 4 != 0x63C:
            raise Refused("asking for the PIN's state", sw)
        if self.pin == INITIAL_PIN:
            raise Failed("this is the PIN of a new card: have the cardholder set another first")
        left = sw & 0x0F
        if self.tries is not None and left < self.tries:
            raise Failed(f"{left} PIN tries are left, there were {self.tries}: ask the cardholder before another")
        if left < 2:
            raise Failed("one PIN try is left: it is the cardholder's to use")
        self.tries = left
        self.verify(bytes.fromhex(self.pin + "F" * (len(self.pin) % 2)))

    def verify(self, pin: bytes) -> None:
        """VERIFY, once. Refused with 63Cx where the PIN is wrong."""
        self.quiet(Command("00200000", pin), "the PIN")

    def change_telephone(self, telephone: str) -> str:
        """Writes the holder's telephone where it is another; gives what the card has then."""
        self.enter("DF01")
        value = telephone.encode("ascii").ljust(TELEPHONE.size, b"\0")
        if telephone and self.read(TELEPHONE) != value:
            self.authenticate(TELEPHONE.key)
            self.write(TELEPHONE, value)
        there = self.text(TELEPHONE)
        if telephone and there != telephone:
            raise Broken("the card does not have the telephone that was written")
        return there

    def move(self, to: str) -> dict[Item, str]:
        """Moves every insurance that the card holds: all are read before one is written, each is read back.

        Insurances at different regions are moved only where the journal says that a move was interrupted. Failed.
        """
        card = self.known.identification
        pending = self.journal.pending(card)
        if pending and pending != to:
            raise Failed(f"a move of this card to {pending} was interrupted: finish it first (--to {pending})")
        found = self.regions()
        origins = {region for region in found.values() if region != to}
        if len(origins) > 1 or (origins and to in found.values() and not pending):
            places = ", ".join(f"{item.name} {region}" for item, region in found.items())
            raise Broken(f"the insurances are not all at one region ({places}), and no move was interrupted")
        if origins:
            self.journal.begin(card, to)
            # Backwards: the application that was read last is the current one.
            self.write_regions([item for item in reversed(found) if found[item] != to], bytes.fromhex(to))
        return self.confirmed(to)

    def confirmed(self, to: str) -> dict[Item, str]:
        """What the card has now, read anew; only then the journal forgets. Broken where that is not what was asked."""
        found = self.regions()
        if set(found.values()) != {to}:
            raise Broken("the card does not have all that was written")
        self.journal.end()
        return found

    def regions(self) -> dict[Item, str]:
        """The region of every insurance that the card holds, by its item. Failed where it holds none."""
        found = {}
        for item in REGIONS:
            self.enter(item.application)
            if (value := self.if_there(item)) is not None:
                found[item] = value.hex()
        if not found:
            raise Failed("the card holds no insurance")
        return found

    def write_regions(self, items: Sequence[Item], value: bytes) -> None:
        """Writes these regions, each under its own key."""
        for item in items:
            self.enter(item.application)
            self.authenticate(item.key)
            self.write(item, value)

    # --- single commands ---------------------------------------------------------------------------------------

    _inside = ""

    def ask(self, command: Command, doing: str) -> bytes:
        """An answer's data; Refused for anything but 9000."""
        data, sw = self.link.send(command, doing)
        if sw != DONE:
            raise Refused(doing, sw)
        return data

    def quiet(self, command: Command, doing: str) -> None:
        """A command that gives no data: an answer with some belongs to another one."""
        if self.ask(command, doing):
            raise Broken(f"{doing}: data where there are none")

    def select(self, command: Command, doing: str) -> bytes:
        """Selects; gives the FCI."""
        fci = self.ask(command, doing)
        if len(fci) < 2 or fci[0] != 0x6F or fci[1] != len(fci) - 2:
            raise Broken(f"{doing}: no FCI")
        self._inside = "SSSE"
        return fci

    def enter(self, application: str) -> None:
        """Selects an application, unless it is the current one."""
        if self._inside != application:
            self.select(Command("00A40000", bytes.fromhex(application)), f"selecting {application}")
            self._inside = application

    def read(self, item: Item) -> bytes:
        """A record's value. Broken where the answer is not this very record, whole."""
        doing = f"reading {item.application} {item.tag:02X}"
        record = self.ask(Command(f"00B2{item.tag:02X}{item.file << 3:02X}", asks=item.size + 2), doing)
        if record[:2] != bytes((item.tag, item.size)) or len(record) != item.size + 2:
            raise Broken(f"{doing}: not that record")
        return record[2:]

    def sure(self, item: Item) -> bytes:
        """As ``read``, twice: plain answers carry no checksum, so that what is shown or decided upon is compared."""
        first, second = self.read(item), self.read(item)
        if first != second:
            raise Broken(f"reading {item.application} {item.tag:02X}: two answers differ")
        return second

    def if_there(self, item: Item) -> bytes | None:
        """As ``read``; None where the card says twice that it has no such record."""
        for _time in range(2):
            try:
                return self.read(item)
            except Refused as refused:
                if refused.sw != ABSENT:
                    raise
        return None

    def text(self, item: Item) -> str:
        """A record's text, without what fills it."""
        return self.sure(item).rstrip(b"\0").decode("gb18030", "replace")

    def write(self, item: Item, value: bytes) -> None:
        """UPDATE RECORD."""
        record = bytes((item.tag, item.size)) + value
        self.quiet(
            Command(f"00DC{item.tag:02X}{item.file << 3:02X}", record), f"writing {item.application} {item.tag:02X}"
        )


def _algorithm(fci: bytes) -> int:
    """What the FCI says behind 9F0C; 3DES where it says nothing. Broken."""
    __, found, rest = fci.partition(b"\x9f\x0c")
    if not found:
        return TRIPLE_DES
    if len(rest) < 4 or rest[3] not in (TRIPLE_DES, SM4_SUITE):
        raise Broken("an algorithm that these cards do not have")
    return rest[3]


# --- the program -----------------------------------------------------------------------------------------------


def options() -> argparse.ArgumentParser:
    """What the program takes."""
    parser = argparse.ArgumentParser(description="Moves the insurance region of a social security card.")
    parser.add_argument("--to", required=True, metavar="REGION", help="six digits (GB/T 2260)")
    parser.add_argument("--telephone", default="", help="the holder's; left out: it stays")
    parser.add_argument("--pin", default=os.environ.get("TERMINAL_PIN", ""), help="else $TERMINAL_PIN")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="test root keys")
    parser.add_argument("--psam", action="store_true", help="keys of the PSAM in the next reader with a card")
    parser.add_argument("--reader", default="", help="the card's; else the first that has a card")
    parser.add_argument("--psam-reader", default="", help="the PSAM's; else the second that has a card")
    parser.add_argument(
        "--journal", type=Path, default=Path("transfer.journal"), metavar="FILE", help="kept between runs"
    )
    return parser


def main(kind: type[Terminal] = Terminal, arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks for; the exit code."""
    parser = options()
    chosen = parser.parse_args(arguments)
    if not (len(chosen.to) == 6 and chosen.to.isascii() and chosen.to.isdigit()):
        parser.error("--to: six digits")
    if not (4 <= len(chosen.pin) <= 12 and chosen.pin.isascii() and chosen.pin.isdigit()):
        parser.error("--pin: 4 to 12 digits")
    if not (len(chosen.telephone) <= TELEPHONE.size and chosen.telephone.isascii()):
        parser.error(f"--telephone: {TELEPHONE.size} characters at most")
    if chosen.psam == bool(chosen.keys):
        parser.error("one of --keys FILE and --psam")
    try:
        shown = served(kind, chosen)
    except Failed as failure:
        Terminal.say(str(failure))
        return 1
    print("\n".join(shown))
    return 0


def served(kind: type[Terminal], chosen: argparse.Namespace) -> list[str]:
    """One job with the cards in the readers; what is to be shown. Failed."""
    link = kind.link_kind(chosen.reader)
    job, journal = Job(chosen.to, chosen.telephone), Journal(chosen.journal)
    if chosen.keys:
        return kind(link, RootKeys(chosen.keys), chosen.pin, journal).work(job)
    own = Link(chosen.psam_reader, 1)
    own.open()
    try:

        def ask(command: Command, doing: str) -> bytes:
            data, sw = own.send(command, doing)
            if sw != DONE:
                raise Failed(f"{doing}: the PSAM answered {sw:04X}")
            return data

        psam = Psam(ask)
        return kind(link, psam, chosen.pin, journal).work(job)
    finally:
        with suppress(Failed):
            own.close()


if __name__ == "__main__":
    sys.exit(main())
