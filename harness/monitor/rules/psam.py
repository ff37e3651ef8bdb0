"""The terminal's own card: it works for the card that is there, and its results go on unaltered."""

from __future__ import annotations

from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge
from emulator.apdu.instructions.psam import CipherData, DeliveryKey
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.crypto.keys import factors
from emulator.filesystem.layouts.terms import CardKind
from emulator.interface import chip_factor
from emulator.messages import _
from harness.monitor.rule import Across
from harness.monitor.view import Step

FACTOR = 8
IDENTIFICATION = 0x01
CRYPTOGRAM = 8


class Factors(Across):
    """A key is made for one card."""

    id = "PSAM-FACTOR"
    title = "The factors given to the PSAM are those of the card in the reader"
    title_zh = "送入PSAM的分散因子与读卡器中的卡一致"
    source = "card factor from the ATR, city factor from the identification code [S: part9:7.3, prog-huada-usb]"

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._cards: dict[int, tuple[bytes, str]] = {}
        """ATR and region of the user's card in each slot."""

    def across(self, slot: int, atr: bytes, step: Step) -> str | None:
        if step.kind is DeliveryKey:
            return self._delivered(step)
        if step.view.layout.card is not CardKind.PSAM:
            before, region = self._cards.get(slot, (atr, ""))
            self._cards[slot] = (atr, region if before == atr else "")
            self._region_told(slot, step)
        return None

    def _region_told(self, slot: int, step: Step) -> None:
        if step.kind is ReadRecord and step.path.startswith("SSSE/EF05") and not step.event.masked:
            for record in step.records():
                if record[0] == IDENTIFICATION:
                    self._cards[slot] = (self._cards[slot][0], record[2:5].hex())

    def _delivered(self, step: Step) -> str | None:
        self.seen = True
        if step.event.masked or not step.data:
            self.blind = _("the trace hides factors and serial numbers: record it with --personal-data")
            return None
        levels = DeliveryKey.parse(step.command).levels if step.command else 0
        if not levels:
            return None  # the root's key itself is used: there are no factors, for this card or any other
        meant = [region for atr, region in self._cards.values() if chip_factor(atr) == step.data[:FACTOR]]
        if not meant:
            return _("the card factor is not that of the card whose session it is") if self._cards else None
        city = step.data[FACTOR : 2 * FACTOR]
        if levels > 1 and meant[0] and city != factors(meant[0], b"", 2)[0]:
            return _("the city factor is not that of region {region}").format(region=meant[0])
        return None


class Passed(Across):
    """The PSAM's word is passed on."""

    id = "PSAM-CRYPTOGRAM"
    title = "The cryptogram that the PSAM computed is the one that the card gets"
    title_zh = "送给卡的密文即PSAM计算的密文"
    source = "cryptogram ‖ data [S: prog-yx, reference:terminal flow 2]"
    _computed = b""
    _pending = False

    def across(self, slot: int, atr: bytes, step: Step) -> str | None:  # noqa: ARG002
        if step.kind is CipherData:
            self._pending = step.sw >> 8 == 0x61
            self._computed = step.answer if step.sw == 0x9000 else b""
        elif step.kind is GetResponse and self._pending and step.view.layout.card is CardKind.PSAM:
            self._computed, self._pending = step.answer, False
        elif step.kind is GetChallenge and step.view.layout.card is not CardKind.PSAM:
            self._computed = b""
        elif step.kind is ExternalAuthentication and self._computed:
            self.seen = True
            computed, self._computed = self._computed, b""
            left, right = computed[:CRYPTOGRAM], computed[CRYPTOGRAM : 2 * CRYPTOGRAM]
            folded = bytes(a ^ b for a, b in zip(left, right, strict=False))
            if step.data[:CRYPTOGRAM] not in (left, right, folded):
                return _("the card got another cryptogram than the PSAM computed")
        return None


RULES = (Factors, Passed)
