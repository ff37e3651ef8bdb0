"""A command's header bytes stand in its instruction and nowhere else: builders and decoders go through that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.apdu.table import EVERYTHING
from tests.kit.sources import tree

ROOT = Path(__file__).parents[4]
HOME = "emulator/apdu/instructions/"
ALLOWED = {
    "emulator/apdu/command.py": "takes headers of any command apart and puts them together, and knows none",
    "emulator/apdu/table.py": "finds an instruction by any header, and knows none",
    "emulator/apdu/messaging.py": "hands an instruction the header that it came with",
    "emulator/chip.py": "finds the instruction of what came",
    "harness/campaign/model.py": "says independently of the chip what it may answer, so it reads commands by itself",
    "harness/campaign/statement.py": "typed from the card's description, as nothing it shares with the chip",
    "harness/learning/harmless.py": "the list of what cards are learned by, told by its bytes",
    "harness/learning/manners.py": "commands that are wrong on purpose, and in classes that nothing has",
    "harness/monitor/other_programs.py": "commands for other kinds of card, which no instruction of ours has",
}
"""Where else header bytes may be looked at, and why."""
HEX = re.compile("[0-9A-Fa-f ]{4,}")
PARTS = ("cla", "ins", "p1", "p2")


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("emulator", "harness", "sscard"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(HOME) and name not in ALLOWED:
                yield name, tree(path)


def is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool)


def is_header(data: bytes) -> bool:
    """Class and instruction of a command that a card of ours knows, and more."""
    return len(data) >= 2 and EVERYTHING.get(data[:2]) is not None


def of_text(text: str) -> bytes:
    digits = re.sub(" ", "", HEX.match(text)[0]) if HEX.match(text) else ""  # type: ignore[index]
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def documentation(tree: ast.Module) -> set[int]:
    """The strings that stand alone: they tell people, and build nothing."""
    return {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def built_by_hand(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Lines on which a header is written out."""
    told = documentation(tree)
    for node in ast.walk(tree):
        if id(node) in told:
            continue
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith("CommandAPDU")
            and any(map(is_number, node.args))
        ):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Tuple | ast.List) and len(node.elts) > 3 and all(map(is_number, node.elts[:2])):
            first = [one.value for one in node.elts[:2] if isinstance(one, ast.Constant)]
            if all(isinstance(one, int) and 0 <= one < 256 for one in first) and is_header(bytes(first)):  # type: ignore[arg-type]
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            if is_header(of_text(str(node.values[0].value))):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            whole = isinstance(node.value, str) and HEX.fullmatch(node.value) is not None
            data = node.value if isinstance(node.value, bytes) else of_text(node.value) if whole else b""
            if len(data) > 3 and is_header(data):
                yield node.lineno, ast.unparse(node)


def understood_by_hand(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Lines on which a part of a header is held against a number, or taken apart."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.BinOp):
            sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else [node.left, node.right]
            numbers = [one for side in sides for one in ast.walk(side) if is_number(one)]  # type: ignore[arg-type]
            if numbers and any(is_part(one) for side in sides for one in ast.walk(side)):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Attribute) and node.attr in ("p1", "p2"):
            yield node.lineno, ast.unparse(node)


def is_part(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in PARTS
    return isinstance(node, ast.Name) and node.id in PARTS


def found(look: str) -> list[str]:
    finder = {"built": built_by_hand, "understood": understood_by_hand}[look]
    return [f"{name}:{line}: {text}" for name, tree in sources() for line, text in finder(tree)]


OF_THE_LAYOUT = "emulator/filesystem/layouts/features.py"
"""Checks which codes a layout may give ACTIVATE."""


@pytest.mark.parametrize("look", ["built", "understood"])
def test_no_header_stands_outside_its_instruction(look: str) -> None:
    assert [one for one in found(look) if not one.startswith(OF_THE_LAYOUT)] == []


def test_each_exception_is_still_one() -> None:
    for name in (*ALLOWED, OF_THE_LAYOUT):
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        text = ast.unparse(tree)
        looked_at = [*understood_by_hand(tree), *built_by_hand(tree)]
        assert looked_at or re.search(r"\.(cla|ins)\b|raw\[[0-3]\]", text), name


@pytest.mark.parametrize(
    "code",
    [
        "CommandAPDU(0x00, 0xB2, 1, 4, le=0)",
        "CommandAPDU(0x84, ins, p1, p2)",
        "send(bytes((0x00, 0xA4, 0x04, 0x00, 2)))",
        "bytes.fromhex('00A4040000')",
        "bytes.fromhex('84 24 00 01')",
        "RELOAD = '84240001'",
        "step = f'00D6{sfi:02X}00'",
        "probe = b'\\x00\\xb2\\x01\\x04\\x00'",
    ],
)
def test_a_header_written_by_hand_is_found(code: str) -> None:
    assert list(built_by_hand(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["command.ins == 0xB2", "command.ins in (0x20, 0x24)", "ins == 0x20", "command.cla & 4", "command.p2 >> 3"]
)
def test_a_header_understood_by_hand_is_found(code: str) -> None:
    assert list(understood_by_hand(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    ['"""Like 00A4040000."""', "AID = bytes.fromhex('D15600000590')", "phone = '00000000013'", "SW = (0x6A, 0x82)"],
)
def test_what_is_no_header_is_let_be(code: str) -> None:
    assert not list(built_by_hand(ast.parse(code)))
