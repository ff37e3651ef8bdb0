"""What went wrong on the way, as a return code and a text."""

from __future__ import annotations

import logging

from emulator import internal_fault
from emulator.apdu.status import SW
from emulator.errors import SscardError
from emulator.messages import _
from harness.driver.codes import Code, DriverError, negated, words
from harness.keys.psam import LevelTooLow, PsamError
from harness.readers import pcsc
from harness.readers.pcsc import PcscError
from harness.terminal.terminal import Refused, Unauthorised

READ_KEY = "RKSSSE"
SCARD = {
    pcsc.UNKNOWN_READER: Code.READER_LINK,
    pcsc.NO_SMARTCARD: Code.NO_CARD,
    pcsc.REMOVED_CARD: Code.NO_CARD,
    pcsc.NOT_TRANSACTED: Code.MUTE,
    pcsc.UNPOWERED_CARD: Code.NOT_POWERED,
    pcsc.UNRESPONSIVE_CARD: Code.NOT_POWERED,
}
_log = logging.getLogger(__name__)


def failure(error: Exception) -> DriverError:
    """The code and text of an error; -13 with its kind's name for one that nobody foresaw, which is logged."""
    if isinstance(error, DriverError):
        return error
    if isinstance(error, LevelTooLow):
        return _told(Code.LEVEL_TOO_LOW, error)
    if isinstance(error, PsamError):
        return _psam(error)
    if isinstance(error, Refused):
        return DriverError(negated(error.sw), str(error))
    if isinstance(error, Unauthorised):
        return DriverError(negated(SW.SECURITY_NOT_SATISFIED), _("安全状态不满足 {error}").format(error=error))
    if isinstance(error, PcscError):
        return _told(SCARD.get(error.result, Code.READER_LINK), error)
    if isinstance(error, SscardError | ValueError | LookupError):
        # A card whose answers do not hold what they should.
        return _told(Code.CHECKSUM, error)
    internal_fault.log(error, _log)
    return DriverError(Code.UNSUPPORTED, f"{words(Code.UNSUPPORTED)}: {type(error).__name__}")


def _psam(error: PsamError) -> DriverError:
    if error.sw == SW.FUNCTION_NOT_SUPPORTED:
        return DriverError(Code.PSAM_LACKS_ALGORITHM)
    if error.sw == SW.REFERENCE_NOT_FOUND and error.key == READ_KEY:
        return DriverError(Code.PSAM_LACKS_KEY)
    return DriverError(negated(error.sw), str(error))


def _told(code: Code, error: Exception) -> DriverError:
    return DriverError(code, f"{words(code)}: {error}")
