"""A step in words, English and Chinese, for those who read a report; what may be secret stands in none of them."""

from __future__ import annotations

import re

from emulator.filesystem.layouts.terms import CardKind
from harness.conformance import answers
from harness.conformance.models import (
    Action,
    Apdu,
    AskPin,
    Authenticate,
    By,
    Challenge,
    ChangePin,
    Driver,
    Given,
    Read,
    Reset,
    Secured,
    Select,
    Step,
    Tear,
    Tpdu,
    Update,
    VerifyPin,
)
from harness.conformance.references import Tries
from harness.trace.decode import instruction_name

HEADER = re.compile(r"(?:[0-9A-Fa-f]{2}){2,4}")
Words = tuple[str, str]
"""English and Chinese."""


def words(step: Step) -> Words:
    """What a step does and what it must come to."""
    around = step.around
    en, zh = of(step.does)
    if around.card is CardKind.PSAM:
        en, zh = f"{en} (PSAM)", f"{zh}（PSAM）"
    times = around.times
    if isinstance(times, Tries):
        less = f"−{times.less}" if times.less else ""
        en, zh = f"{en}, as often as {times.key} has tries{less}", f"{zh}，次数为 {times.key} 剩余次数{less}"
    elif times != 1:
        en, zh = f"{en} ×{times}", f"{zh} ×{times}"
    expected = _expected(step)
    return (f"{en} → {expected}", f"{zh} → {expected}") if expected else (en, zh)


def _expected(step: Step) -> str:
    """The status words, or what a program goes on with; empty where it is the usual 9000."""
    around = step.around
    if around.accept is not None:
        told = around.accept if isinstance(around.accept, tuple) else (around.accept,)
        return " / ".join(map(answers.in_words, told))
    if around.expect is None or around.expect.sw is None:
        return ""
    sw = around.expect.sw
    return sw if isinstance(sw, str) else " / ".join(sw)


def of(does: Action) -> Words:
    """What a step does."""
    match does:
        case Reset(how):
            return ("Cold reset", "冷复位") if how == "cold" else ("Reset", "复位")
        case Apdu(text) | Tpdu(text):
            return (f"Send {_command(text)}", f"发送 {_command(text)}")
        case Select(application):
            return (f"Select {application}", f"选择应用 {application}")
        case Challenge(size):
            return (f"Get {size} random bytes", f"取 {size} 字节随机数")
        case VerifyPin(which):
            return ("Verify the PIN", "验证密码") if which is Given.RIGHT else ("Verify a wrong PIN", "验证错误密码")
        case AskPin():
            return ("Ask how many tries the PIN has", "查询密码剩余次数")
        case ChangePin(old=old):
            return (
                ("Change the PIN", "修改密码") if old is Given.RIGHT else ("Change a wrong PIN", "以错误密码修改密码")
            )
        case Authenticate(key, cryptogram=cryptogram):
            if cryptogram is Given.RIGHT:
                return (f"Prove {key}", f"以 {key} 外部认证")
            return (f"Prove {key} wrongly", f"以 {key} 错误外部认证")
        case Read(item, by):
            by_number = by is By.NUMBER
            return (f"Read {item}{' by number' * by_number}", f"读 {item}{'（按记录号）' * by_number}")
        case Update(item=item, same=same):
            return (f"Write {item} as it is", f"原样写 {item}") if same else (f"Write {item}", f"写 {item}")
        case Secured(header=header, key=key):
            named = _command(header)
            return (f"Send {named} under secure messaging, {key}", f"以 {key} 安全报文发送 {named}")
        case Tear(inner):
            en, zh = of(inner)
            return (f"Cut power after each write of: {en}", f"每次写入后断电：{zh}")
        case Driver(function=function):
            return (f"Call {function}", f"调用 {function}")


def _command(text: str) -> str:
    """A command's name and header; what is computed as it stands. Its data may be a PIN or a key."""
    digits = text.replace(" ", "").upper()
    found = HEADER.match(digits)
    if found is None:
        return digits.partition("}")[0] + "}" if digits.startswith("$") else digits[:8]
    header = found.group()
    name = instruction_name(bytes.fromhex(header.ljust(8, "0")) + b"\x00") if len(header) >= 4 else ""
    return f"{name} {header}".strip()
