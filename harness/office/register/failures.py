"""What goes wrong with a register, in words of ours: a database's own quote what was asked of it."""

from __future__ import annotations

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, deferred


class RegisterError(SscardError, RuntimeError):
    """A register that cannot be used: which one, and why."""

    kind = ErrorKind.BROKEN


class NoRegister(RegisterError):
    """There is no register: where, and how one is made."""

    kind = ErrorKind.MISSING


class Conflict(RegisterError):
    """The register holds the like already, or lacks what is named; nothing was written."""

    kind = ErrorKind.REFUSED
    word = "conflict"


class Unusable(RegisterError):
    """The register cannot be used now; nothing was written."""

    word = "busy"


class Uncertain(RegisterError):
    """The connection was lost while a transaction ended: nobody here can say whether it was written."""

    word = "uncertain"


Words = tuple[str, str]
"""Why a database does not do what it is asked, in Chinese and English."""
BUSY_NOW: Words = ("登记库忙，请稍后再试", "the register is busy: try again")
UNCERTAIN = deferred(
    "提交时与登记库服务器的连接中断，结果未知，请先查询再决定是否重做 "
    "the connection to the register's server was lost while this was being written: look what the register says before "
    "doing it again"
)


def no_register(address: object, kind: type[NoRegister] = NoRegister) -> NoRegister:
    """There is none at this address: nobody's mistyped name makes a new one."""
    return kind(
        _("there is no register {path}: make one with `sscard office --register {path} init`").format(path=address)
    )
