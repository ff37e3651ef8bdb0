"""SSCardDriver: the functions that need no encryption machine, each a session of its own with the card; and all others.

Names, arguments and outputs are the library's own. [S: reference:terminal Functions] What pOutInfo holds on an error is
the error's text.
"""

from __future__ import annotations

from emulator.security import PIN
from harness.driver import bank, basic, certificates, contents, debit
from harness.driver.calls import Answer
from harness.driver.codes import Code, DriverError
from harness.driver.failures import READ_KEY
from harness.driver.formats import Wanted, addresses, fields, values
from harness.driver.open_card import OpenCard
from harness.driver.steps import MachineFunctions
from harness.keys.psam import Psam
from harness.terminal import account

BY_PIN, BY_KEY = 1, 2
"""iAuthType. [S: reference:terminal Functions]"""


class SSCardDriver(MachineFunctions):
    """One client of the library, over any readers; see ``Calls``. Each function gives the return code and pOutInfo."""

    # --- reading and writing -------------------------------------------------------------------------------------

    def iReadCardBas(self, iType: int) -> Answer:
        """Returns the card's basic information, as ``basic.information`` has it."""

        def work(card: OpenCard) -> str:
            own: Psam | None = None
            if card.needs_read_key:
                own = card.with_psam(self._readers)
                self._prove_card(card, own)
            return basic.information(card, own.terminal_number if own else "", self._device)

        return self._call(iType, work)

    @staticmethod
    def _prove_card(card: OpenCard, own: Psam) -> None:
        """Proves the card by internal authentication, then wins RKSSSE's right. DriverError -21 for a card that is not
        genuine.
        """
        terminal = card.terminal
        data, factor = terminal.challenge(), terminal.challenge()
        if own.cryptogram(terminal.use("IRK", factor), data) != terminal.internal(factor, data):
            raise DriverError(Code.INTERNAL_FAILED)
        terminal.authenticate(READ_KEY)

    def iReadCard(self, iType: int, iAuthType: int, pCardInfo: str, pFileAddr: str) -> Answer:
        """Items, mirrored as pFileAddr names them. iAuthType 1: after the PIN; 2: after the keys, by the PSAM, and the
        PIN where a file asks for both. [D]
        """

        def work(card: OpenCard) -> str:
            if iAuthType not in (BY_PIN, BY_KEY):
                raise DriverError(Code.BAD_PARAMETER)
            wanted = addresses(pFileAddr)
            card.is_meant(fields(pCardInfo))
            if iAuthType == BY_PIN:
                card.verify_pin(self.pad)
            else:
                self._with_keys(card, wanted)
            return contents.mirrored(card, [(one, contents.read(card.terminal, one)) for one in wanted])

        return self._call(iType, work)

    def _with_keys(self, card: OpenCard, wanted: list[Wanted]) -> None:
        names = {name for one in wanted
                 for name in card.terminal.missing(contents.file(card.terminal, one).read)}  # fmt: skip
        if PIN in names:
            card.verify_pin(self.pad)
        if names - {PIN}:
            card.with_psam(self._readers)

    def iWriteCard(self, iType: int, pCardInfo: str, pFileAddr: str, pWriteData: str) -> Answer:
        """Writes items under their update keys, by the PSAM; pOutInfo is empty. -41, -42 before anything is sent."""

        def work(card: OpenCard) -> str:
            wanted = addresses(pFileAddr)
            told = values(pWriteData, wanted)
            card.is_meant(fields(pCardInfo))
            planned = [
                write for one, given in zip(wanted, told, strict=True) for write in contents.plan(card, one, given)
            ]
            card.look_at_expiry()
            card.with_psam(self._readers)
            for write in planned:
                contents.write(card.terminal, write)
            return ""

        return self._call(iType, work)

    def iReadICCardNum(self, iType: int) -> Answer:
        """The bank card's number, as vendors' local services give it; -27266 where the card has no bank application."""
        return self._call(iType, lambda card: bank.number(card.terminal))

    # --- the PIN -------------------------------------------------------------------------------------------------

    def iVerifyPIN(self, iType: int) -> Answer:
        """The PIN from the pad; 0 at once where none is set. The initial PIN is right, but may not transact: -35."""

        def work(card: OpenCard) -> str:
            card.verify_own_pin(self.pad)
            return ""

        return self._call(iType, work)

    def iChangePIN(self, iType: int) -> Answer:
        """Old PIN, then the new one twice, from the pad. -34, -36."""

        def work(card: OpenCard) -> str:
            card.look_at_expiry()
            if card.terminal.pin_state() == 0:
                raise DriverError(Code.PIN_BLOCKED)
            old = self.pad.enter()
            new = card.new_pin(self.pad)
            card.guarded(lambda: card.terminal.change_pin(old, new))
            return ""

        return self._call(iType, work)

    def iReloadPIN(self, iType: int, pCardInfo: str) -> Answer:
        """A new PIN, twice from the pad, under PUK and STK by the PSAM."""

        def work(card: OpenCard) -> str:
            card.is_meant(fields(pCardInfo))
            card.look_at_expiry()
            card.with_psam(self._readers)
            card.terminal.authenticate(card.terminal.layout.pin.unblock_key)
            card.terminal.reload_pin(card.new_pin(self.pad))
            return ""

        return self._call(iType, work)

    def iUnblockPIN(self, iType: int, pCardInfo: str) -> Answer:
        """The try counter set back, the PIN as it was, by the PSAM."""

        def work(card: OpenCard) -> str:
            card.is_meant(fields(pCardInfo))
            card.look_at_expiry()
            card.with_psam(self._readers)
            card.terminal.unblock_pin()
            return ""

        return self._call(iType, work)

    # --- the medical account -------------------------------------------------------------------------------------

    def iDoDebit(self, iType: int, pCardInfo: str, pPayInfo: str) -> Answer:
        """Records a settlement after the cardholder's PIN, by the PSAM; its proofs: see ``debit.settled``."""

        def work(card: OpenCard) -> str:
            paid = debit.payment(pPayInfo)
            card.is_meant(fields(pCardInfo))
            own = card.with_psam(self._readers)
            debit.ready(card, self.pad, paid)
            return debit.settled(account.settle(card.terminal, paid, own))

        return self._call(iType, work)

    def iReadDebitRecord(self, iType: int) -> Answer:
        """The account's log after the PIN, newest first; each record: see ``debit.logged``."""

        def work(card: OpenCard) -> str:
            card.verify_pin(self.pad)
            return "".join(map(debit.logged, account.log(card.terminal)))

        return self._call(iType, work)

    # --- certificates --------------------------------------------------------------------------------------------

    def PKI_SignData(self, pUserPin: str, pInData: str, iType: int) -> Answer:
        """A text signed by the card's certificate key, and the certificate: see ``certificates.sign``. An empty PIN is
        asked for at the pad.
        """
        return self._call(iType, lambda card: certificates.sign(card, self.pad, pUserPin, pInData))

    def PKI_VerifySign(self, pUserPin: str, pCert: str, pClearText: str, pSignature: str, iType: int) -> Answer:
        """A signature held against a certificate, the card's own where none is given: see ``certificates.verify``."""
        return self._call(iType, lambda card: certificates.verify(card, pUserPin, pCert, pClearText, pSignature))
