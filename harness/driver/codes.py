"""What SSCardDriver's functions return: 0, or why not. [S: reference:terminal Return codes] the numbers; [D] which of
ours stands for which cause."""

from __future__ import annotations

from enum import IntEnum

from emulator.apdu.status import SW
from emulator.errors import ErrorKind, SscardError
from emulator.messages import chinese_first


class Code(IntEnum):
    """Return codes other than negated status words."""

    DONE = 0
    WRONG_TYPE = -1
    NO_CARD = -2
    NOT_POWERED = -3
    MUTE = -4
    NOT_LOADED = -5
    READER_LINK = -11
    NOT_CONNECTED = -12
    UNSUPPORTED = -13
    BAD_PARAMETER = -14
    CHECKSUM = -15
    BAD_IDENTIFICATION = -20
    INTERNAL_FAILED = -21
    DIFFERS_FROM_CARD = -22
    BAD_INPUT = -23
    LEVEL_TOO_LOW = -24
    DIFFERS_FROM_MACHINE = -25
    PIN_CANCELLED = -31
    PIN_TIMED_OUT = -32
    PIN_LENGTH = -33
    PIN_ENTRIES_DIFFER = -34
    PIN_INITIAL = -35
    PIN_SET_INITIAL = -36
    ILLEGAL_CHARACTER = -41
    BAD_LENGTH = -42
    PIN_WRONG = -51
    PIN_BLOCKED = -52
    NO_PSAM = -2201
    PSAM_LACKS_ALGORITHM = -2202
    PSAM_LACKS_KEY = -2203
    NO_MACHINE_NEEDED = -2204


WORDS: dict[Code, tuple[str, str]] = {
    Code.DONE: ("done", "执行成功"),
    Code.WRONG_TYPE: ("wrong card type", "卡类型错误"),
    Code.NO_CARD: ("no card", "无卡"),
    Code.NOT_POWERED: ("the card was not powered", "卡未上电"),
    Code.MUTE: ("the card is mute", "卡无应答"),
    Code.NOT_LOADED: ("the library behind is not there", "动态库未加载"),
    Code.READER_LINK: ("the reader cannot be reached", "读卡器连接错误"),
    Code.NOT_CONNECTED: ("no session is open: step 1 comes first", "未建立连接"),
    Code.UNSUPPORTED: ("not supported", "不支持的命令"),
    Code.BAD_PARAMETER: ("bad parameter", "参数错误"),
    Code.CHECKSUM: ("the card's data are broken", "数据校验错误"),
    Code.BAD_IDENTIFICATION: ("bad identification code", "卡识别码错误"),
    Code.INTERNAL_FAILED: ("internal authentication failed", "内部认证失败"),
    Code.DIFFERS_FROM_CARD: ("the input differs from the card", "输入与卡内信息不符"),
    Code.BAD_INPUT: ("bad input", "输入数据错误"),
    Code.LEVEL_TOO_LOW: ("the PSAM's key level is too low", "PSAM密钥级别过低"),
    Code.DIFFERS_FROM_MACHINE: ("the card and the encryption machine differ", "与加密机内部认证结果不符"),
    Code.PIN_CANCELLED: ("PIN entry cancelled", "取消输入密码"),
    Code.PIN_TIMED_OUT: ("PIN entry timed out", "输入密码超时"),
    Code.PIN_LENGTH: ("PIN length", "密码长度错误"),
    Code.PIN_ENTRIES_DIFFER: ("the two entries differ", "两次输入的密码不一致"),
    Code.PIN_INITIAL: ("the initial PIN may not transact", "初始密码不能办理业务"),
    Code.PIN_SET_INITIAL: ("the initial PIN may not be set", "不能设置为初始密码"),
    Code.ILLEGAL_CHARACTER: ("illegal character", "非法字符"),
    Code.BAD_LENGTH: ("bad length", "长度错误"),
    Code.PIN_WRONG: ("PIN wrong, {} tries left", "密码错误，剩余{}次"),
    Code.PIN_BLOCKED: ("PIN blocked", "密码已锁定"),
    Code.NO_PSAM: ("no PSAM", "无PSAM卡"),
    Code.PSAM_LACKS_ALGORITHM: ("the PSAM lacks the algorithm", "PSAM卡不支持该算法"),
    Code.PSAM_LACKS_KEY: ("the PSAM lacks RKSSSE, which 3.00 cards need", "PSAM卡无3.0卡所需的RKSSSE"),
    Code.NO_MACHINE_NEEDED: ("no encryption machine is needed", "不需要加密机"),
}  # fmt: skip


STATUS_WORDS = (
    *range(0x63C0, 0x63C3),
    SW.WRONG_LENGTH, SW.INVALID_STATE, SW.COMMAND_INCOMPATIBLE, SW.SECURITY_NOT_SATISFIED, SW.BLOCKED,
    SW.DATA_INVALIDATED, SW.CONDITIONS_NOT_SATISFIED, SW.MESSAGING_OBJECT_WRONG, SW.WRONG_DATA,
    SW.FUNCTION_NOT_SUPPORTED, SW.FILE_NOT_FOUND, SW.RECORD_NOT_FOUND, SW.REFERENCE_NOT_FOUND,
    SW.MAC_INVALID, SW.APPLICATION_BLOCKED, SW.KEY_INDEX_UNKNOWN, SW.PROOF_NOT_AVAILABLE,
)  # fmt: skip
"""Status words that counter software knows as codes, negated. [S: reference:terminal Return codes] Others come the same
way. [D]"""


ERROR_MOST = 127
"""Bytes of an error's text, terminator not counted, in GB 18030 and in UTF-8: callers with 256 bytes exist.
[1: reference:corrections H2] the callers, [D] the number: SSCARD_ERROR_MAX less one."""


def error_text(text: str) -> str:
    """As much of a text as every caller has room for, whatever its encoding: cut at a whole character."""
    sizes = {"gb18030": 0, "utf-8": 0}
    for at, character in enumerate(text):
        for encoding in sizes:
            sizes[encoding] += len(character.encode(encoding, "replace"))
        if max(sizes.values()) > ERROR_MOST:
            return text[:at]
    return text


class DriverError(SscardError):
    """A function ends with this code; ``text``, of up to ERROR_MOST bytes, is what pOutInfo then holds."""

    kind = ErrorKind.BROKEN

    def __init__(self, code: int, text: str = "") -> None:
        self.code = int(code)
        if not text and code in Code.__members__.values():
            text = words(Code(code))
        self.text = error_text(text)
        super().__init__(f"{self.code} {self.text}")


def words(code: Code, *details: object) -> str:
    """A code's text, Chinese first, as counter software shows it."""
    return chinese_first(*(one.format(*details) for one in WORDS[code]))


def negated(sw: int) -> int:
    """The code of a status word: -25536 - x for 63Cx, else the negated word. [S: reference:terminal Return codes]"""
    return -sw
