"""What makers' libraries have besides SSCardDriver's functions, and this one has not: by name, why, and what there is.

Known from headers and programs that are public; what they declare disagrees from maker to maker, or what they return is
told nowhere. Named, so that whoever misses one is told at once, and nothing is made up in its place. [D]
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.messages import _, deferred
from harness.driver.codes import Code, DriverError, words

UNTOLD = deferred("what it returns is public nowhere")
DISAGREE = deferred("makers declare it in ways that exclude each other")
OLDER = deferred("it is of the older libraries, which work on a handle of a port")
OTHERS = deferred("it is about something else than the card")


@dataclass(frozen=True, slots=True)
class Absent:
    """A function by its name. ``declared``: as public headers have it; ``why`` it is not there; ``instead``."""

    name: str
    declared: tuple[str, ...]
    why: str
    instead: str


BASIC = "iReadCardBas"
ABSENT = {
    one.name: one
    for one in (
        Absent("iGetCardType", ("unsigned char *pCardType, char *pOutInfo",), UNTOLD, BASIC),
        Absent("iGetReaderInfo", ("char *pReaderSN, char *pPsamTermNo",), UNTOLD, ""),
        Absent(
            "iReadCardNo",
            (
                "const char *pInputPin, char *pCardNo, char *pErrMsg",
                "int pReaderHandle, const char *pInputPin, char *pCardNo, char *pErrMsg",
                "int iType, char *pOutInfo",
            ),
            DISAGREE,
            BASIC,
        ),
        Absent("iReadCardNoX", ("const char *pInputPin, char *pCardNo, char *pErrMsg",), OLDER, BASIC),
        Absent("iOpenPort", ("char *pErrMsg", "int pReaderPort, int *pReaderHandle, char *pErrMsg"), OLDER, ""),
        Absent("iClosePort", ("char *pErrMsg", "int pReaderHandle, char *pErrMsg"), OLDER, ""),
        Absent("iReadCardX", ("const char *, const char *pFileAddr, char *, char *pErrMsg",), OLDER, "iReadCard"),
        Absent("iWriteCardX", ("const char *, const char *pFileAddr, char *, char *pErrMsg",), OLDER, "iWriteCard"),
        Absent("iDOpenPort", ("int iReaderPort, int *iReaderHandle, char *iERRInfo",), OLDER, ""),
        Absent("iDCloseReader", ("int iReaderHandle, char *iERRInfo",), OLDER, ""),
        Absent("iRCardInfo", ("int iReaderHandle, …, char *iFileData, char *iERRInfo",), OLDER, "iReadCard"),
        Absent("iWCardInfo", ("int iReaderHandle, …, const char *iFileData, char *iERRInfo",), OLDER, "iWriteCard"),
        Absent("iRCardType", ("int iReaderHandle, char *cardtype, char *iERRInfo",), OLDER, BASIC),
        Absent("iPChangePIN", ("int iReaderHandle, const char *, const char *, char *iERRInfo",), OLDER, "iChangePIN"),
        Absent("iPReloadPIN", ("int iReaderHandle, const char *, char *iERRInfo",), OLDER, "iReloadPIN"),
        Absent("iCardReadAtr", ("int pReaderHandle, char *pCardAtr, char *pErrMsg",), OLDER, ""),
        Absent("iSendCpuApdu", ("int iType, byte[] apdu, long[] length, byte[] resp",), OTHERS, ""),
        Absent("iReadIDMsg", ("int pReaderPort, const char *pBmpFile, …, char *pErrMsg",), OTHERS, ""),
        Absent("iCommReadCardBas", ("char *wsdlAddress, …, int iType, char *pOutInfo",), OTHERS, BASIC),
        Absent("iCommReadCard", ("char *wsdlAddress, …, char *pFileAddr, char *pOutInfo",), OTHERS, "iReadCard"),
        Absent("iCommWriteCard", ("char *wsdlAddress, …, char *pWriteData, char *pOutInfo",), OTHERS, "iWriteCard"),
    )
}
"""By name."""


def unsupported(name: str) -> DriverError:
    """What whoever calls a function that is not there is told: -13, and of a known one why, and what there is."""
    found = ABSENT.get(name)
    if found is None:
        return DriverError(Code.UNSUPPORTED)
    said = _("{name} is not there: {why}").format(name=name, why=_(found.why))
    if found.instead:
        said = _("{said}; {instead} is").format(said=said, instead=found.instead)
    return DriverError(Code.UNSUPPORTED, f"{words(Code.UNSUPPORTED)}: {said}")
