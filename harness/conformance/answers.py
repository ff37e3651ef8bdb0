"""What a vector asks of an answer: which ones will do, and what a program takes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.apdu.command import ResponseAPDU

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


def will_do(one: str | Mapping[str, str], response: ResponseAPDU, fill: Fill) -> bool:
    """True if an answer is one of those that a program goes on with: ``any``, a status word, or a test of the whole."""
    if isinstance(one, str):
        return one == "any" or matches(one, response.sw)
    ((test, wanted),) = one.items()
    return TESTS[test](whole(response), fill(wanted))


def in_words(one: str | Mapping[str, str]) -> str:
    """What will do, for a report."""
    return one if isinstance(one, str) else " ".join(f"an answer that {test} {value}" for test, value in one.items())


def part(span: str) -> slice:
    """``2:10``, ``:4`` or ``2:`` as a slice."""
    start, _, end = span.partition(":")
    return slice(int(start or 0), int(end) if end else None)


def taken(rule: Mapping[str, Any], response: ResponseAPDU) -> str:
    """What a program takes out of an answer by a rule, as text: digits in capitals, or characters."""
    text = whole(response)
    for noise in rule.get("without", ()):
        text = text.replace(noise, "")
    if "bytes" in rule:
        text = response.data[part(rule["bytes"])].hex().upper()
    elif "after" in rule:
        text = _after(text, rule)
    elif "digits" in rule:
        text = text[part(rule["digits"])]
    if rule.get("odd"):
        text = text[1::2]
    if rule.get("as", "hex") != "hex":
        text = bytes.fromhex(text[: len(text) // 2 * 2]).decode(rule["as"], "replace").rstrip("\0 ")
    return text.rstrip(rule.get("unpadded", ""))


def _after(text: str, rule: Mapping[str, Any]) -> str:
    """What follows some digits where they first stand: a value after its length, or so many bytes."""
    _, found, rest = text.partition(rule["after"])
    if not found:
        return str(rule.get("default", ""))
    if "size" in rule:
        return rest[: 2 * rule["size"]]
    size = int(rest[:2] or "0", 16)
    return rest[2 : 2 + 2 * size]


def right(rule: Mapping[str, Any], value: str) -> str:
    """What a rule must give for a value on the card: the same, but for programs that drop every other digit."""
    if rule.get("odd"):
        return value.encode("gbk").hex().upper()[1::2]
    return value.upper() if rule.get("as", "hex") == "hex" else value
