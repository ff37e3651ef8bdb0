"""What makers' libraries have besides SSCardDriver's functions, and this one has not: by name, why, and what there is.

Known from headers and programs that are public; what they declare disagrees from maker to maker, or what they return is
told nowhere. Named, so that whoever misses one is told at once, and nothing is made up in its place. [D]
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.messages import _, deferred
from harness.driver.codes import Code, DriverError, words
from harness.driver.interface import FUNCTIONS

UNTOLD = deferred("what it returns is public nowhere")
DISAGREE = deferred("makers disagree on its declaration")
OLDER = deferred("of older libraries, which work on a port's handle")
OTHERS = deferred("it is not about the card")
COMMANDS = deferred("commands as such go over PC/SC")
BETWEEN = deferred("it asks a maker's host")
OPENING = deferred("there is nothing to open or to prepare before a call")
ISSUING = deferred("it issues cards, which SSCardDriver does not")
REGIONAL = deferred("of one region's system alone")


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
        Absent("iSendCpuApdu", COMMANDS),
        Absent("iReadIDMsg", OTHERS),
        Absent("iCommReadCardBas", BETWEEN, BASIC),
        Absent("iCommReadCard", BETWEEN, "iReadCard"),
        Absent("iCommWriteCard", BETWEEN, "iWriteCard"),
        Absent("iCommReloadPIN", BETWEEN, "iReloadPIN"),
        Absent("iCommUnblockPIN", BETWEEN, "iUnblockPIN"),
        Absent("iCommDoDebit", BETWEEN, "iDoDebit"),
        Absent("iPInputPIN", OLDER),
        Absent("iPOutputPIN", OLDER),
        Absent("iBAppBlock", OLDER),
        Absent("iRMFFingerPrintInfo", OLDER),
        Absent("iWMFFingerPrintInfo", OLDER),
        Absent("iGetPSAMcode", OLDER),
        Absent("iRPSAMCardInfo", OLDER),
        Absent("getCardATR", OLDER),
        Absent("getCardNO", OLDER, BASIC),
        Absent("iVerifyPin", DISAGREE, "iVerifyPIN"),
        Absent("iChangePin", DISAGREE, "iChangePIN"),
        Absent("iReadCardBasExt", DISAGREE, BASIC),
        Absent("iReadBankNumber", UNTOLD),
        Absent("iReadSignatureKey", UNTOLD),
        Absent("iRPbocAccount", UNTOLD),
        Absent("DriverInit", OPENING),
        Absent("iInitParms", OPENING),
        Absent("iOpenUsbDevice", OPENING),
        Absent("iOpenSerialDevice", OPENING),
        Absent("iCloseDevice", OPENING),
        Absent("iWriteCardBas", ISSUING),
        Absent("iWriteCardBas_HSM_Step1", ISSUING),
        Absent("iWriteCA", ISSUING),
        Absent("iWriteCaStep1", ISSUING),
        Absent("iWriteCaStep2", ISSUING),
        Absent("ReadCardBase", REGIONAL, BASIC),
        Absent("DoDebit", REGIONAL, "iDoDebit"),
        Absent("iReadICCardGZ", REGIONAL, BASIC),
        Absent("iReadIDCardGZ", OTHERS),
        Absent("iReadIDCard", OTHERS),
        Absent("iReadIdentityCard", OTHERS),
        Absent("iReadSFZ", OTHERS),
        Absent("iOpenIDReader", OTHERS),
    )
}
"""By name."""
STEP_BETWEEN = re.compile(r"(i[A-Za-z]+_HSM_Step)[12]_?to_?(?:step)?([23])", re.IGNORECASE)
"""What fetches the next step's key, as each maker spells it: Step1To2, Step1_to_2, Step1tostep2."""
OF_READERS = re.compile(r"P?ICC_\w+")
"""Readers' own libraries, SSSE32 among them: ICC_Reader_Application, ICC_verify."""


def known(name: str) -> Absent | None:
    """What is known of a function that is not there, by its name or its kind."""
    step = STEP_BETWEEN.fullmatch(name)
    if step and (following := "".join(step.groups())) in FUNCTIONS:
        return Absent(name, BETWEEN, following)
    if OF_READERS.fullmatch(name):
        return Absent(name, COMMANDS)
    return ABSENT.get(name)


def unsupported(name: str) -> DriverError:
    """What whoever calls a function that is not there is told: -13, and of a known one why, and what there is."""
    found = known(name)
    if found is None:
        return DriverError(Code.UNSUPPORTED)
    said = _("{name} is not there: {why}").format(name=name, why=_(found.why))
    if found.instead:
        said = _("{name} is not there, {instead} is: {why}").format(name=name, instead=found.instead, why=_(found.why))
    return DriverError(Code.UNSUPPORTED, f"{words(Code.UNSUPPORTED)}: {said}")
