"""The same terminal with one mistake, of those that real ones make: what `sscard prove --sweep` must find.

    transfer_bad.py blind-pin --to 510700 …        # the mistake's name first, then what transfer.py takes

Without a fault each of them does its work like the good one; only ``unverified`` breaks a rule even then.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from cardkeys import KEYS
from cardlink import DONE, Broken, Command, Link, Lost, Refused
from transfer import CARD_NUMBER, NUMBER, Item, Job, Terminal, main


class BlindPin(Terminal):
    """Sends a refused PIN again, as if the card would change its mind."""

    def verify(self, pin: bytes) -> None:
        """VERIFY up to three times."""
        for _try in range(2):
            try:
                super().verify(pin)
                return
            except Refused as refused:
                self.say(f"{refused}; once more")
        super().verify(pin)


class NoReselect(Terminal):
    """Opens a lost card again and goes on where it was, as if a reset left selection and rights alone."""

    def ask(self, command: Command, doing: str) -> bytes:
        """Sends a lost command once more."""
        try:
            return super().ask(command, doing)
        except Lost:
            self.link.close()
            self.link.open()
            return super().ask(command, doing)


class ReusedChallenge(Terminal):
    """Sends a failed authentication once more as it was: a challenge and a cryptogram that were used already."""

    def authenticate(self, key: str) -> None:
        """Sends the same proof again, unless the card says that the key was tried."""
        challenge, data = self.challenge(), bytes(8)
        proof = self.keys.cryptogram(self.known.target, key, challenge, data) + data
        command = Command(f"008200{KEYS[key].identifier:02X}", proof)
        try:
            self.quiet(command, f"authentication with {key}")
        except Refused as refused:
            if refused.sw >> 4 == 0x63C:
                raise
            self.quiet(command, f"authentication with {key}, again")


class Unverified(Terminal):
    """Takes 9000 for it and never reads back what it wrote."""

    def confirmed(self, to: str) -> dict[Item, str]:
        """What it hopes that the card has."""
        self.journal.end()
        return dict.fromkeys(self.found, to)

    def regions(self) -> dict[Item, str]:
        """As before, and remembered."""
        self.found = super().regions()
        return self.found


class PartsIgnored(Link):
    """Takes 61xx after READ RECORD for success: with more to fetch, and nothing fetched."""

    def send(self, command: Command, doing: str) -> tuple[bytes, int]:
        """Follows 61xx everywhere else."""
        if not command.header.startswith("00B2"):
            return super().send(command, doing)
        data, sw = self._transmit(command.octets, doing)
        return data, DONE if sw >> 8 == 0x61 else sw


class Ignores61(Terminal):
    """Shows an empty name where the card has a long one in parts."""

    link_kind = PartsIgnored

    def read(self, item: Item) -> bytes:
        """An empty record is as good as any."""
        record = self.ask(Command(f"00B2{item.tag:02X}{item.file << 3:02X}", asks=item.size + 2), "reading")
        if record and (record[:2] != bytes((item.tag, item.size)) or len(record) != item.size + 2):
            raise Broken("not that record")
        return record[2:]


class Ignores63(Terminal):
    """Goes on after 63Cx, as if the PIN or the key had been right."""

    def quiet(self, command: Command, doing: str) -> None:
        """Minds every status word but that."""
        try:
            super().quiet(command, doing)
        except Refused as refused:
            if refused.sw >> 4 != 0x63C:
                raise


class NoRecovery(Terminal):
    """Keeps no journal and begins nothing anew: a torn move stays torn."""

    def work(self, job: Job) -> list[str]:
        """One attempt."""
        try:
            self.link.open()
            return self.session(job, b"")
        finally:
            self.link.close()

    def move(self, to: str) -> dict[Item, str]:
        """Moves without a word in the journal."""
        found = self.regions()
        if len(set(found.values())) != 1:
            raise Broken("the insurances are not all at one region")
        self.write_regions([item for item in reversed(found) if found[item] != to], bytes.fromhex(to))
        return self.confirmed(to)


class ClaimsSuccess(Unverified):
    """Reports a refused write as done."""

    def write(self, item: Item, value: bytes) -> None:
        """Whatever the card says."""
        try:
            super().write(item, value)
        except Refused as refused:
            self.say(f"{refused}; never mind")


class StaleData(Terminal):
    """Shows what is left in its buffer where a reading fails: what was read before, under another name."""

    buffer = ""

    def text(self, item: Item) -> str:
        """What the card says, or said of something else."""
        try:
            self.buffer = super().text(item)
        except (Refused, Broken):
            if item not in (NUMBER, CARD_NUMBER) and not self.buffer:
                raise
        return self.buffer


class Crashes(Terminal):
    """Believes every answer to be as long as it should be."""

    def challenge(self) -> bytes:
        """Takes byte for byte, without a look at how many there are."""
        answer = self.ask(Command("00840000", asks=8), "a challenge")
        return bytes(answer[place] for place in range(8))


class Waits(Terminal):
    """Waits for ever for an answer that will not come."""

    def ask(self, command: Command, doing: str) -> bytes:
        """Hopes that somebody comes."""
        try:
            return super().ask(command, doing)
        except Lost:
            threading.Event().wait()
            raise


MISTAKES: dict[str, type[Terminal]] = {
    "blind-pin": BlindPin,
    "no-reselect": NoReselect,
    "reused-challenge": ReusedChallenge,
    "unverified": Unverified,
    "ignores-61": Ignores61,
    "ignores-63": Ignores63,
    "no-recovery": NoRecovery,
    "claims-success": ClaimsSuccess,
    "stale-data": StaleData,
    "crashes": Crashes,
    "waits": Waits,
}


def chosen(arguments: Sequence[str]) -> int:
    """The terminal with the mistake that is named first; the exit code."""
    if not arguments or arguments[0] not in MISTAKES:
        print(f"transfer_bad: name a mistake first: {', '.join(MISTAKES)}", file=sys.stderr)
        return 2
    return main(MISTAKES[arguments[0]], arguments[1:])


if __name__ == "__main__":
    sys.exit(chosen(sys.argv[1:]))
