"""SSCardDriver's functions for terminals with an encryption machine (加密机), in steps.

Between two steps the caller hands what the last one gave to the machine, and its answer to the next one. Names and
arguments are the library's own. [S: reference:terminal Functions] What pOutInfo holds on an error is the error's text.
"""

from __future__ import annotations

from harness.driver import flows
from harness.driver.calls import Answer, Calls


class MachineFunctions(Calls):
    """The functions in steps. Step 1 opens the card, the last step lets it go."""

    def iReadCardBas_HSM_Step1(self, iType: int) -> Answer:
        """The request for basic information: see ``flows.read_basic``."""
        return self._first("iReadCardBas", iType, lambda card: flows.read_basic(card, self._device))

    def iReadCardBas_HSM_Step2(self, pKey: str) -> Answer:
        """Basic information, as iReadCardBas gives it; -25."""
        return self._step("iReadCardBas", 2, pKey)

    def iReadCard_HSM_Step1(self, iType: int, pCardInfo: str, pFileAddr: str) -> Answer:
        """The request for the first key that these items need; -2204."""
        return self._first(
            "iReadCard",
            iType,
            lambda card: flows.read_items(card, pCardInfo, pFileAddr, self.pad, self._device),
        )

    def iReadCard_HSM_Step2(self, pKey: str) -> Answer:
        """The items, mirrored; where another key is needed its request, and step 2 comes again. [D]"""
        return self._step("iReadCard", 2, pKey, again=True)

    def iWriteCard_HSM_Step1(self, iType: int, pCardInfo: str, pFileAddr: str) -> Answer:
        """The request for the first key that writing these items needs."""
        return self._first(
            "iWriteCard",
            iType,
            lambda card: flows.write_items(card, pCardInfo, pFileAddr, self.pad, self._device),
        )

    def iWriteCard_HSM_Step2(self, pKey: str, pWriteData: str) -> Answer:
        """Writes; where another key is needed its request, and step 2 comes again with the same data. [D]"""
        return self._step("iWriteCard", 2, pKey, pWriteData, again=True)

    def iReloadPIN_HSM_Step1(self, iType: int, pCardInfo: str) -> Answer:
        """Returns the request to the machine for PUK."""
        return self._first("iReloadPIN", iType, lambda card: flows.reload_pin(card, pCardInfo, self.pad, self._device))

    def iReloadPIN_HSM_Step2(self, pKey: str) -> Answer:
        """A new PIN, twice from the pad, and the request for STK, which holds it."""
        return self._step("iReloadPIN", 2, pKey)

    def iReloadPIN_HSM_Step3(self, pKey: str) -> Answer:
        """Sets the new PIN: pKey is its data and MAC, or the whole command."""
        return self._step("iReloadPIN", 3, pKey)

    def iUnblockPIN_HSM_Step1(self, iType: int, pCardInfo: str) -> Answer:
        """Returns the request to the machine for PUK."""
        return self._first(
            "iUnblockPIN", iType, lambda card: flows.unblock_pin(card, pCardInfo, self.pad, self._device)
        )

    def iUnblockPIN_HSM_Step2(self, pKey: str) -> Answer:
        """Takes the machine's answer for PUK; returns the request for STK."""
        return self._step("iUnblockPIN", 2, pKey)

    def iUnblockPIN_HSM_Step3(self, pKey: str) -> Answer:
        """Sets the try counter back: pKey is the MAC, or the whole command."""
        return self._step("iUnblockPIN", 3, pKey)

    def iDoDebit_HSM_Step1(self, iType: int, pCardInfo: str, pPayInfo: str) -> Answer:
        """The PIN from the pad, the settlement begun, and the request for MAC1."""
        return self._first(
            "iDoDebit",
            iType,
            lambda card: flows.do_debit(card, pCardInfo, pPayInfo, self.pad, self._terminal, self._device),
        )

    def iDoDebit_HSM_Step2(self, pKey: str) -> Answer:
        """Records the settlement: pKey is ``terminal's sequence|time|MAC1|``. The proofs, as iDoDebit gives them."""
        return self._step("iDoDebit", 2, pKey)
