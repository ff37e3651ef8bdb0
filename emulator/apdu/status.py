"""Status words, and the exception that carries one with its reason."""

from __future__ import annotations

from enum import IntEnum

from emulator.errors import ErrorKind, SscardError


class SW(IntEnum):
    """Status words of the standard's family (SW1 SW2 as one 16-bit number). [S: part5:table 5, reference:card §7]"""

    OK = 0x9000
    DATA_MAY_BE_CORRUPT = 0x6281
    END_OF_FILE = 0x6282
    APPLICATION_BLOCKED_TEMPORARILY = 0x6283
    FCI_FORMAT = 0x6284
    AUTHENTICATION_FAILED = 0x6300
    MEMORY_FAILURE = 0x6581
    WRONG_LENGTH = 0x6700
    INVALID_STATE = 0x6901
    COMMAND_INCOMPATIBLE = 0x6981
    SECURITY_NOT_SATISFIED = 0x6982
    BLOCKED = 0x6983
    DATA_INVALIDATED = 0x6984
    CONDITIONS_NOT_SATISFIED = 0x6985
    NO_CURRENT_EF = 0x6986
    MESSAGING_OBJECT_MISSING = 0x6987
    MESSAGING_OBJECT_WRONG = 0x6988
    WRONG_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    RECORD_NOT_FOUND = 0x6A83
    NO_SPACE = 0x6A84
    TLV_INCONSISTENT = 0x6A85
    WRONG_P1P2 = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    WRONG_OFFSET = 0x6B00
    INS_NOT_SUPPORTED = 0x6D00
    CLA_NOT_SUPPORTED = 0x6E00
    UNKNOWN = 0x6F00
    MAC_INVALID = 0x9302
    APPLICATION_BLOCKED = 0x9303
    INSUFFICIENT_FUNDS = 0x9401
    COUNTER_EXHAUSTED = 0x9402
    KEY_INDEX_UNKNOWN = 0x9403
    PROOF_NOT_AVAILABLE = 0x9406


_MEANINGS: dict[int, tuple[str, str]] = {
    SW.OK: ("done", "执行成功"),
    SW.DATA_MAY_BE_CORRUPT: ("part of the data may be corrupt", "回送数据可能出错"),
    SW.END_OF_FILE: ("end of file before Le bytes", "文件长度小于Le"),
    SW.APPLICATION_BLOCKED_TEMPORARILY: ("selected file is blocked", "选择的文件无效"),
    SW.FCI_FORMAT: ("FCI not in the expected format", "FCI格式不正确"),
    SW.AUTHENTICATION_FAILED: ("authentication failed", "认证失败"),
    SW.MEMORY_FAILURE: ("memory failure", "存储器故障"),
    SW.WRONG_LENGTH: ("wrong length", "长度错误"),
    # ISO/IEC 7816-4's, which this card never answers and others may.
    0x6881: ("logical channel not supported", "不支持逻辑信道"),
    0x6882: ("this form of secure messaging not supported", "不支持该安全报文格式"),
    0x6884: ("command chaining not supported", "不支持命令链"),
    SW.INVALID_STATE: ("command not accepted in this state", "命令不接受（无效状态）"),
    SW.COMMAND_INCOMPATIBLE: ("command incompatible with the file's structure", "命令与文件结构不相容"),
    SW.SECURITY_NOT_SATISFIED: ("security status not satisfied", "不满足安全状态"),
    SW.BLOCKED: ("authentication method blocked", "认证方法锁定"),
    SW.DATA_INVALIDATED: ("no valid challenge or reference data", "引用数据无效（未申请随机数）"),
    SW.CONDITIONS_NOT_SATISFIED: ("conditions of use not satisfied", "使用条件不满足"),
    SW.NO_CURRENT_EF: ("no current EF", "没有选择当前文件"),
    SW.MESSAGING_OBJECT_MISSING: ("MAC missing", "安全报文数据项丢失"),
    SW.MESSAGING_OBJECT_WRONG: ("MAC wrong", "安全报文数据项不正确"),
    SW.WRONG_DATA: ("wrong data", "数据域参数错误"),
    SW.FUNCTION_NOT_SUPPORTED: ("function not supported, or card blocked", "功能不支持或卡已锁定"),
    SW.FILE_NOT_FOUND: ("file not found", "未找到文件"),
    SW.RECORD_NOT_FOUND: ("record not found", "未找到记录"),
    SW.NO_SPACE: ("not enough space in the file", "文件存储空间不足"),
    SW.TLV_INCONSISTENT: ("Lc inconsistent with the TLV structure", "Lc与TLV结构不符"),
    SW.WRONG_P1P2: ("wrong P1 P2", "P1、P2参数错误"),
    SW.REFERENCE_NOT_FOUND: ("key or PIN not found", "未找到密钥或密码"),
    SW.WRONG_OFFSET: ("offset outside the file", "偏移量错误"),
    SW.INS_NOT_SUPPORTED: ("unknown instruction", "INS不支持"),
    SW.CLA_NOT_SUPPORTED: ("unknown class", "CLA不支持"),
    SW.UNKNOWN: ("no precise diagnosis", "无精确诊断"),
    SW.MAC_INVALID: ("MAC invalid", "MAC无效"),
    SW.APPLICATION_BLOCKED: ("application blocked for ever", "应用已被永久锁定"),
    SW.INSUFFICIENT_FUNDS: ("insufficient funds", "金额不足"),
    SW.COUNTER_EXHAUSTED: ("transaction counter at its limit", "交易计数器达到最大值"),
    SW.KEY_INDEX_UNKNOWN: ("key index not supported", "密钥索引不支持"),
    SW.PROOF_NOT_AVAILABLE: ("MAC and TAC asked for are not available", "所需MAC不可用"),
}


class CardError(SscardError):
    """The card refuses: a status word, and why, in a sentence for the person debugging."""

    kind = ErrorKind.REFUSED

    def __init__(self, sw: int, reason: str) -> None:
        super().__init__(f"{sw:04X}: {reason}")
        self.sw = sw
        self.reason = reason


def tries_left(count: int) -> int:
    """The status word ``63Cx`` for ``count`` tries left (0 to 15)."""
    return 0x63C0 | count


def is_retry(sw: int) -> bool:
    """True for ``63Cx``: a proof was wrong, or asked for, and so many tries are left."""
    return sw & 0xFFF0 == tries_left(0)


def tries_told(sw: int) -> int | None:
    """How many tries a status word says are left, 0 for 6983 (locked); None for one that says nothing of them."""
    return sw & 0xF if is_retry(sw) else 0 if sw == SW.BLOCKED else None


def describe(sw: int) -> tuple[str, str]:
    """The meaning of a status word in English and Chinese; never empty."""
    known = _MEANINGS.get(sw)
    if known:
        return known
    sw1, sw2 = sw >> 8, sw & 0xFF
    if sw1 == 0x61:
        return f"{sw2 or 256} bytes ready for GET RESPONSE", f"还有{sw2 or 256}字节待取"
    if sw1 == 0x6C:
        return f"wrong Le, {sw2 or 256} is right", f"Le错误，应为{sw2 or 256}"
    if is_retry(sw):
        return f"failed, {sw & 0xF} tries left", f"验证失败，还剩{sw & 0xF}次"
    return "status word not in the standard's list", "标准未列出的状态字"
