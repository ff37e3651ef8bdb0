"""Chips with a fault planted on purpose, for campaigns to find: made anew for each card, importable elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.chip import Inside, Interposer

OK, WRONG_PIN, MUCH = b"\x90\x00", 0x63, b"\x10"


@dataclass
class Planted:
    """Answers as the chip does, but for what a subclass says."""

    seen: list[bytes] = field(default_factory=list)

    def was_reset(self) -> None:
        pass

    def answer(self, command: bytes, card: Inside) -> bytes:
        self.seen.append(command)
        return self.twisted(command, card.execute(command, None).answer)

    def twisted(self, _command: bytes, answer: bytes) -> bytes:
        return answer


class TakesTheSecondWrongPin(Planted):
    """Says that all is well to the second wrong PIN in a row, and lets nobody in."""

    wrong = 0

    def twisted(self, command: bytes, answer: bytes) -> bytes:
        if command[1:2] == b"\x20" and len(command) > 5:
            self.wrong = self.wrong + 1 if answer[0] == WRONG_PIN else 0
            if self.wrong == 2:
                return OK
        return answer


class ForgetsItself(Planted):
    """A fault of its own at every READ RECORD of much."""

    def twisted(self, command: bytes, answer: bytes) -> bytes:
        return b"\x6f\x00" if command[1:2] == b"\xb2" and command[4:] > MUCH else answer


class SpendsAKeysTry(Planted):
    """A right unblocking is followed by a wrong proof of a key that nobody sent."""

    def answer(self, command: bytes, card: Inside) -> bytes:
        answer = super().answer(command, card)
        if command[1:2] == b"\x24" and answer == OK:
            card.execute(bytes.fromhex("0084000008"), None)
            card.execute(bytes.fromhex("0082000410") + bytes(16), None)
        return answer


def second_wrong_pin() -> Interposer:
    return TakesTheSecondWrongPin()


def forgets_itself() -> Interposer:
    return ForgetsItself()


def spends_a_keys_try() -> Interposer:
    return SpendsAKeysTry()
