"""What a vector asks of an answer: which ones will do, and what a program takes out of it."""

from __future__ import annotations

from collections.abc import Callable

from emulator.apdu.command import ResponseAPDU
from emulator.messages import _, deferred
from harness.conformance.models import Encoding, Match, Parse, Whole

Fill = Callable[[str], str]
"""Hex with its ``${names}`` replaced."""
TESTS: dict[str, Callable[[str, str], bool]] = {
    "is": lambda answer, wanted: answer == wanted,
    "starts": str.startswith,
    "ends": str.endswith,
    "contains": lambda answer, wanted: wanted in answer,
    "lacks": lambda answer, wanted: wanted not in answer,
}


def matches(pattern: str, sw: int) -> bool:
    """True if a status word fits ``9000``, ``63Cx`` or ``61xx``."""
    return all(a in ("x", b) for a, b in zip(pattern, f"{sw:04X}", strict=True))


def whole(response: ResponseAPDU) -> str:
    """An answer as hex text, its status word included: what a program that compares texts has before it."""
    return f"{response.data.hex()}{response.sw:04x}".upper()


def will_do(one: Match, response: ResponseAPDU, fill: Fill) -> bool:
    """True if an answer is one of those that a program goes on with: ``any``, a status word, or a test of the whole."""
    if isinstance(one, str):
        return one == "any" or matches(one, response.sw)
    test, wanted = _test(one)
    return TESTS[test](whole(response), fill(wanted))


AN_ANSWER = {
    "is": deferred("an answer that is {wanted}"),
    "starts": deferred("an answer that starts {wanted}"),
    "ends": deferred("an answer that ends {wanted}"),
    "contains": deferred("an answer that contains {wanted}"),
    "lacks": deferred("an answer that lacks {wanted}"),
}


def in_words(one: Match) -> str:
    """What will do, for a report."""
    return one if isinstance(one, str) else _(AN_ANSWER[_test(one)[0]]).format(wanted=_test(one)[1])


def _test(one: Whole) -> tuple[str, str]:
    """The one test of a whole answer, and what it is held against."""
    told = {"is": one.is_, "starts": one.starts, "ends": one.ends, "contains": one.contains, "lacks": one.lacks}
    return next((test, wanted) for test, wanted in told.items() if wanted is not None)


def taken(rule: Parse, response: ResponseAPDU) -> str:
    """What a program takes out of an answer by a rule, as text: digits in capitals, or characters."""
    text = whole(response)
    for noise in rule.without:
        text = text.replace(noise, "")
    if rule.bytes_ is not None:
        text = response.data[rule.bytes_.part].hex().upper()
    elif rule.after is not None:
        text = _after(text, rule.after, rule)
    elif rule.digits is not None:
        text = text[rule.digits.part]
    if rule.odd:
        text = text[1::2]
    if rule.as_ is not Encoding.HEX:
        text = bytes.fromhex(text[: len(text) // 2 * 2]).decode(rule.as_, "replace").rstrip("\0 ")
    return text.rstrip(rule.unpadded)


def _after(text: str, digits: str, rule: Parse) -> str:
    """What follows some digits where they first stand: a value after its length, or so many bytes."""
    _, found, rest = text.partition(digits)
    if not found:
        return rule.default
    if rule.size is not None:
        return rest[: 2 * rule.size]
    size = int(rest[:2] or "0", 16)
    return rest[2 : 2 + 2 * size]


def right(rule: Parse, value: str) -> str:
    """What a rule must give for a value on the card: the same, but for programs that drop every other digit."""
    if rule.odd:
        return value.encode("gbk").hex().upper()[1::2]
    return value.upper() if rule.as_ is Encoding.HEX else value
