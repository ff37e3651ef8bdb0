"""SSCardDriver's functions for terminals with a PSAM, each a session of its own with the card.

Names, arguments and outputs are the library's own. [S] What pOutInfo holds on an error is the error's text.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from emulator.security import PIN
from harness.driver.codes import Code, DriverError
from harness.driver.formats import addresses, fields, joined, mirrored, values
from harness.driver.pad import Pad
from harness.driver.session import READ_KEY, Readers, Session, failure
from harness.terminal.keeper import Psam
from harness.terminal.terminal import Refused

DEVICE = "SSCARD000001"
"""The device number that a virtual reader has. [D]"""
BY_PIN, BY_KEY = 1, 2
"""iAuthType. [S]"""
NAMES = ("SSSE/EF06/09", "SSSE/EF06/4E")
LONG_NAME_MISSING = 0x6A83
Answer = tuple[int, str]


class SSCardDriver:
    """The library over any readers. One call at a time; every call opens the card and lets it go.

    Each function gives the return code and pOutInfo.
    """

    def __init__(self, readers: Readers, pad: Pad | None = None, *, device: str = DEVICE) -> None:
        self.pad = pad or Pad()
        self._readers = readers
        self._device = device
        self._lock = threading.Lock()

    def _call(self, kind: int, work: Callable[[Session], str]) -> Answer:
        with self._lock:
            session: Session | None = None
            try:
                session = Session.open(self._readers, kind)
                return Code.DONE, work(session)
            except Exception as error:
                told = failure(error)
                return told.code, told.text
            finally:
                if session is not None:
                    session.close()

    # --- reading and writing -------------------------------------------------------------------------------------

    def iReadCardBas(self, iType: int) -> Answer:
        """Basic information: region | social security number | card number | identification code | name | historical
        bytes | version | issue date | expiry | terminal number | device number |
        """

        def work(session: Session) -> str:
            own: Psam | None = None
            if session.needs_read_key:
                own = session.with_psam(self._readers)
                self._prove_card(session, own)
            read = session.terminal.read
            issued, until = (str(read(f"SSSE/EF05/{tag}")) for tag in ("05", "06"))
            holder = str(read("SSSE/EF06/08"))
            return joined(
                session.region,
                holder,
                session.number,
                session.identification,
                _name(session),
                session.history,
                session.version,
                issued,
                until,
                own.terminal_number if own else "",
                self._device,
            )

        return self._call(iType, work)

    @staticmethod
    def _prove_card(session: Session, own: Psam) -> None:
        """Internal authentication, then RKSSSE; -21."""
        terminal = session.terminal
        data, factor = terminal.challenge(), terminal.challenge()
        if own.cryptogram(terminal.use("IRK", factor), data) != terminal.internal(factor, data):
            raise DriverError(Code.INTERNAL_FAILED)
        terminal.authenticate(READ_KEY)

    def iReadCard(
        self,
        iType: int,
        iAuthType: int,
        pCardInfo: str,
        pFileAddr: str,
    ) -> Answer:
        """Items, mirrored as pFileAddr names them. iAuthType 1: after the PIN; 2: after the keys, by the PSAM."""

        def work(session: Session) -> str:
            if iAuthType not in (BY_PIN, BY_KEY):
                raise DriverError(Code.BAD_PARAMETER)
            wanted = addresses(pFileAddr)
            session.is_meant(fields(pCardInfo))
            if iAuthType == BY_PIN:
                session.verify_pin(self.pad)
            elif any(not session.spec(one).read.satisfied({PIN}) for one in wanted):
                session.with_psam(self._readers)
            return mirrored([(one, session.read(one)) for one in wanted])

        return self._call(iType, work)

    def iWriteCard(
        self,
        iType: int,
        pCardInfo: str,
        pFileAddr: str,
        pWriteData: str,
    ) -> Answer:
        """Writes items under their update keys, by the PSAM; pOutInfo is empty. -41, -42 before anything is sent."""

        def work(session: Session) -> str:
            wanted = addresses(pFileAddr)
            if any(one.record for one in wanted):
                raise DriverError(Code.BAD_PARAMETER)
            told = values(pWriteData, wanted)
            session.is_meant(fields(pCardInfo))
            planned = [session.plan(one, given) for one, given in zip(wanted, told, strict=True)]
            session.with_psam(self._readers)
            for one in planned:
                session.write(one)
            return ""

        return self._call(iType, work)

    # --- the PIN -------------------------------------------------------------------------------------------------

    def iVerifyPIN(self, iType: int) -> Answer:
        """The PIN from the pad; 0 at once where none is set. The initial PIN is right, but may not transact: -35."""

        def work(session: Session) -> str:
            if session.verify_pin(self.pad) == session.terminal.layout.pin.initial:
                raise DriverError(Code.PIN_INITIAL)
            return ""

        return self._call(iType, work)

    def iChangePIN(self, iType: int) -> Answer:
        """Old PIN, then the new one twice, from the pad. -34, -36."""

        def work(session: Session) -> str:
            if session.terminal.pin_state() == 0:
                raise DriverError(Code.PIN_BLOCKED)
            old = self.pad.enter()
            new = self._new_pin(session)
            session.guarded(lambda: session.terminal.change_pin(old, new))
            return ""

        return self._call(iType, work)

    def iReloadPIN(self, iType: int, pCardInfo: str) -> Answer:
        """A new PIN, twice from the pad, under PUK and STK by the PSAM."""

        def work(session: Session) -> str:
            session.is_meant(fields(pCardInfo))
            session.with_psam(self._readers)
            session.terminal.authenticate(session.terminal.layout.pin.unblock_key)
            session.terminal.reload_pin(self._new_pin(session))
            return ""

        return self._call(iType, work)

    def iUnblockPIN(self, iType: int, pCardInfo: str) -> Answer:
        """The try counter set back, the PIN as it was, by the PSAM."""

        def work(session: Session) -> str:
            session.is_meant(fields(pCardInfo))
            session.with_psam(self._readers)
            session.terminal.unblock_pin()
            return ""

        return self._call(iType, work)

    def _new_pin(self, session: Session) -> str:
        new = self.pad.enter_new()
        if new == session.terminal.layout.pin.initial:
            raise DriverError(Code.PIN_SET_INITIAL)
        return new


def _name(session: Session) -> str:
    """Items 09 and 4E joined; a card without 4E is no error. [S]"""
    first, more = NAMES
    name = str(session.terminal.read(first))
    if session.terminal.layout.files["SSSE/EF06"].item(0x4E) is None:
        return name
    try:
        return name + str(session.terminal.read(more))
    except Refused as refused:
        if refused.sw != LONG_NAME_MISSING:
            raise
        return name
