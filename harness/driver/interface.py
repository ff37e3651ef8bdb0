"""Every function of SSCardDriver, declared once: name and arguments in C order. [S: reference:terminal Functions]

The C library, its header, the socket, the local services and SSCardDriver's methods are derived from this or
held against it. Of the certificate functions two declarations are public [1: reference:corrections B12]; of those for
the digital envelope not even these, so they are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from emulator.messages import _
from harness.driver.codes import Code, DriverError

OUT_MOST = 4096
"""Bytes of pOutInfo over C, terminator included: SSCARD_OUT_MAX. An error's are fewer: ``codes.ERROR_MOST``. [D]"""
WHOLE_MOST = 65536
"""The same of an answer with a transparent file whole, which the caller asked for by name: SSCARD_WHOLE_MAX. [D]"""
IN_MOST = 65536
"""Bytes of one string that goes in, terminator included: SSCARD_IN_MAX. [D]"""
INT = range(-(2**31), 2**31)
"""What a C int holds."""


class Kind(Enum):
    """What an argument is in C."""

    INT = "int"
    IN = "char *, in"
    OUT = "char *, out"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument, by its C name."""

    name: str
    kind: Kind

    @property
    def declared(self) -> str:
        """Returns the argument as the C header declares it."""
        return f"int {self.name}" if self.kind is Kind.INT else f"char *{self.name}"

    def taken(self, value: object) -> int | str:
        """The value, if it is one for this argument; -14."""
        if self.kind is Kind.INT and type(value) is int and value in INT:
            return value
        if self.kind is Kind.IN and isinstance(value, str) and len(value) < IN_MOST and "\0" not in value:
            return value
        raise DriverError(Code.BAD_PARAMETER, _("参数错误 bad parameter: {name}").format(name=self.name))


@dataclass(frozen=True, slots=True)
class Function:
    """``long name(arguments)``."""

    name: str
    arguments: tuple[Argument, ...]

    @property
    def given(self) -> tuple[Argument, ...]:
        """What the caller gives: all but pOutInfo."""
        return tuple(one for one in self.arguments if one.kind is not Kind.OUT)

    @property
    def declared(self) -> str:
        """Its C declaration without calling convention."""
        return f"long {self.name}({', '.join(one.declared for one in self.arguments)})"

    @property
    def step(self) -> int:
        """Which step with an encryption machine it is; 0: a whole operation."""
        _, found, number = self.name.partition("_HSM_Step")
        return int(number) if found else 0

    def ordered(self, values: Mapping[str, object]) -> list[int | str]:
        """Arguments given by name, in C order; -14 for missing, wrong and unknown ones."""
        unknown = [name for name in values if name not in {one.name for one in self.arguments}]
        if unknown:
            raise DriverError(
                Code.BAD_PARAMETER,
                _("参数错误 bad parameter: {name} has no {argument!r}").format(
                    name=self.name, argument=unknown[0][:32]
                ),
            )
        return [one.taken(values.get(one.name)) for one in self.given]

    def read(self, texts: Sequence[str]) -> list[int | str]:
        """Arguments as texts in C order; -14."""
        if len(texts) != len(self.given):
            raise DriverError(
                Code.BAD_PARAMETER,
                _("参数错误 bad parameter: {name} takes {count}").format(name=self.name, count=len(self.given)),
            )
        return [
            one.taken(number(text) if one.kind is Kind.INT else text)
            for one, text in zip(self.given, texts, strict=True)
        ]


def number(text: str) -> int | None:
    """Returns the int that a text states, None for a text that is not one."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None


def _function(name: str, *arguments: str, out: bool = True) -> Function:
    given = (Argument(one, Kind.INT if one.startswith("i") else Kind.IN) for one in arguments)
    return Function(name, (*given, *((Argument("pOutInfo", Kind.OUT),) if out else ())))


FUNCTIONS = {
    one.name: one
    for one in (
        _function("iReadCardBas", "iType"),
        _function("iReadCardBas_HSM_Step1", "iType"),
        _function("iReadCardBas_HSM_Step2", "pKey"),
        _function("iReadCard", "iType", "iAuthType", "pCardInfo", "pFileAddr"),
        _function("iReadCard_HSM_Step1", "iType", "pCardInfo", "pFileAddr"),
        _function("iReadCard_HSM_Step2", "pKey"),
        _function("iWriteCard", "iType", "pCardInfo", "pFileAddr", "pWriteData"),
        _function("iWriteCard_HSM_Step1", "iType", "pCardInfo", "pFileAddr"),
        _function("iWriteCard_HSM_Step2", "pKey", "pWriteData"),
        _function("iVerifyPIN", "iType"),
        _function("iChangePIN", "iType"),
        _function("iReloadPIN", "iType", "pCardInfo"),
        _function("iReloadPIN_HSM_Step1", "iType", "pCardInfo"),
        _function("iReloadPIN_HSM_Step2", "pKey"),
        _function("iReloadPIN_HSM_Step3", "pKey"),
        _function("iUnblockPIN", "iType", "pCardInfo"),
        _function("iUnblockPIN_HSM_Step1", "iType", "pCardInfo"),
        _function("iUnblockPIN_HSM_Step2", "pKey"),
        _function("iUnblockPIN_HSM_Step3", "pKey"),
        _function("iDoDebit", "iType", "pCardInfo", "pPayInfo"),
        _function("iDoDebit_HSM_Step1", "iType", "pCardInfo", "pPayInfo"),
        _function("iDoDebit_HSM_Step2", "pKey"),
        _function("iReadDebitRecord", "iType"),
        _function("PKI_SignData", "pUserPin", "pInData", "iType"),
        _function("PKI_VerifySign", "pUserPin", "pCert", "pClearText", "pSignature", "iType"),
    )
}
VENDORS = {one.name: one for one in (_function("iReadICCardNum", "iType"),)}
"""What vendors' local services have besides, under names of their own; a dialect says whether its service has them, the
C library has none. [1: reference:corrections H12] the name, [D] that iType is its argument.
"""
SCRIPT_PAD = _function("iScriptPad", "pEntries", out=False)
"""Ours, not the standard's: what the PIN pad is given from now on, ``123456,cancel,timeout``."""
EXPORTED = {**FUNCTIONS, SCRIPT_PAD.name: SCRIPT_PAD}
"""What the C library exports."""
