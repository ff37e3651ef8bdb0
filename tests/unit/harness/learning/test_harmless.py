"""No learning sends anything that could change a card: every command is held against the published list."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.apdu.instructions import INSTRUCTIONS
from harness.learning import harmless
from harness.learning.harmless import Harmful, Proof

NOTHING = frozenset[Proof]()


@pytest.mark.parametrize("kind", [one for one in INSTRUCTIONS if one.writes or one.protected], ids=lambda one: one.name)
def test_no_instruction_that_writes_is_on_the_list(kind: type) -> None:
    raw = bytes((kind.cla, kind.ins, 0, 0, 2, 1, 2))  # type: ignore[attr-defined]
    with pytest.raises(Harmful):
        harmless.check(raw, NOTHING)


@pytest.mark.parametrize("cla", [*range(0x80, 0xA0), 0xB0])
def test_makers_classes_are_tried_with_nothing_but_what_is_on_the_list(cla: int) -> None:
    allowed = {ins for ins in range(256) if harmless.kind_of(bytes((cla, ins, 0x9F, 0x36, 0)))}
    assert allowed <= {0xC0, 0xCA}


@pytest.mark.parametrize(
    ("command", "proof"),
    [("0020000002123F", Proof.PIN), ("0082000010" + "00" * 16, Proof.KEY)],
)
def test_what_proves_goes_only_with_what_the_user_gave(command: str, proof: Proof) -> None:
    raw = bytes.fromhex(command)
    with pytest.raises(Harmful):
        harmless.check(raw, NOTHING)
    with pytest.raises(Harmful):
        harmless.check(raw, frozenset(Proof) - {proof})
    harmless.check(raw, frozenset((proof,)))


@pytest.mark.parametrize(
    "command",
    ["0020000001", "00DC012C0401020304", "80500000", "20B2012C00", "00A5", "", "00CA9F7F00", "84240000", "0A0A0000"],
)
def test_what_is_not_on_the_list_is_not_sent(command: str) -> None:
    with pytest.raises(Harmful):
        harmless.check(bytes.fromhex(command), NOTHING)


@pytest.mark.parametrize(
    "command",
    ["00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "00B2012C00", "0020000000", "00200081", "80CA9F3600", "000A0000"],
)
def test_what_reads_and_asks_is_sent(command: str) -> None:
    harmless.check(bytes.fromhex(command), NOTHING)


@pytest.mark.parametrize(("page", "why"), [("learn.md", "why"), ("learn.zh-CN.md", "why_zh")])
def test_the_list_is_published_as_it_is(page: str, why: str) -> None:
    text = (Path(__file__).parents[4] / "docs" / page).read_text(encoding="utf-8")
    rows = [f"| {one.name} | `{one.code}` | {getattr(one, why)} |" for one in harmless.ALLOWED]
    assert "\n".join(rows) in text
