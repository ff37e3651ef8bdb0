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
OLDER = deferred("of older libraries, which work on a port's handle")
OTHERS = deferred("it is not about the card")


@dataclass(frozen=True, slots=True)
class Absent:
    """A function by its name; ``why`` it is not there; what there is ``instead``, empty where there is nothing."""

    name: str
    why: str
    instead: str = ""


BASIC = "iReadCardBas"
ABSENT = {
    one.name: one
    for one in (
        Absent("iGetCardType", UNTOLD, BASIC),
        Absent("iGetReaderInfo", UNTOLD),
        Absent("iReadCardNo", DISAGREE, BASIC),
        Absent("iReadCardNoX", OLDER, BASIC),
        Absent("iOpenPort", OLDER),
        Absent("iClosePort", OLDER),
        Absent("iReadCardX", OLDER, "iReadCard"),
        Absent("iWriteCardX", OLDER, "iWriteCard"),
        Absent("iCardReadAtr", OLDER),
        Absent("iDOpenPort", OLDER),
        Absent("iDCloseReader", OLDER),
        Absent("iRCardInfo", OLDER, "iReadCard"),
        Absent("iWCardInfo", OLDER, "iWriteCard"),
        Absent("iRCardType", OLDER, BASIC),
        Absent("iPChangePIN", OLDER, "iChangePIN"),
        Absent("iPReloadPIN", OLDER, "iReloadPIN"),
        Absent("iSendCpuApdu", OTHERS),
        Absent("iReadIDMsg", OTHERS),
        Absent("iCommReadCardBas", OTHERS, BASIC),
        Absent("iCommReadCard", OTHERS, "iReadCard"),
        Absent("iCommWriteCard", OTHERS, "iWriteCard"),
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
        said = _("{name} is not there, {instead} is: {why}").format(name=name, instead=found.instead, why=_(found.why))
    return DriverError(Code.UNSUPPORTED, f"{words(Code.UNSUPPORTED)}: {said}")
