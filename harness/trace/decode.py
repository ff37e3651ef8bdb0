"""Commands and answers in words, read from the same instruction classes that the chip runs."""

from __future__ import annotations

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.instructions import SECRET_INS
from emulator.apdu.status import CardError, describe
from emulator.apdu.table import EVERY_NAME
from emulator.messages import CHINESE, _, asked, both
from emulator.messages.reasons import why

READERS = b"\xff\xca"
"""GET DATA of a contactless reader. [P: pcsc-part3]"""


def instruction_name(raw: bytes) -> str:
    """The instruction's standard name, empty if there is none."""
    kind = EVERY_NAME.get(raw)
    return kind.name if kind else ""


def command_words(raw: bytes) -> str:
    """``READ RECORD 读记录: SFI 05, first with tag 07``; says so where the bytes are no such command."""
    if raw[:2] == READERS:
        return _("GET DATA of a contactless reader 非接触读卡器取数据")
    told = instruction_told(raw)
    if told is None:
        return _("unknown command")
    name, name_zh, parameters = told
    return both(name, name_zh) + (f": {parameters}" if parameters else "")


def instruction_told(raw: bytes) -> tuple[str, str, str] | None:
    """A command's standard name, its name in Chinese, and its parameters in words; None for an unknown command."""
    if raw[:2] == READERS:
        return "GET DATA", "非接触读卡器取数据", ""
    kind = EVERY_NAME.get(raw)
    if kind is None:
        return None
    try:
        return kind.name, kind.name_zh, kind.parameters(CommandAPDU.parse(raw))
    except CardError:
        return kind.name, kind.name_zh, _("malformed")


def command_hex(raw: bytes, *, show_secrets: bool = False) -> str:
    """The command in hex; the data of commands that carry PINs or keys as asterisks."""
    if show_secrets or len(raw) < 6 or raw[1] not in SECRET_INS:
        return raw.hex().upper()
    return starred(raw)


def starred(raw: bytes) -> str:
    """A command's header in hex, the rest as asterisks."""
    return raw[:5].hex().upper() + "*" * (2 * len(raw[5:]))


def answer_words(raw: bytes) -> str:
    """The status word's meaning."""
    return both(*describe(ResponseAPDU.parse(raw).sw))


def status_apart(text: str) -> str:
    """An answer's hex digits, masked ones too, with its status word apart; as they are if that is all."""
    return f"{text[:-4]} {text[-4:]}" if len(text) > 4 else text


def meaning(raw: bytes, reason: str = "") -> str:
    """The status word's meaning, and why the card gave it, where that is known and says more."""
    english, chinese = describe(ResponseAPDU.parse(raw).sw)
    words = both(english, chinese)
    return words if not reason or english.startswith(reason) else f"{words}: {why(reason)}"


def cause(raw: bytes, reason: str) -> str:
    """Why a card gave an answer, in one language; the status word's meaning where that is all that is known."""
    english, chinese = describe(ResponseAPDU.parse(raw).sw) if len(raw) > 1 else ("", "")
    if reason and reason == english:
        return chinese if asked() == CHINESE else english
    return why(reason)
