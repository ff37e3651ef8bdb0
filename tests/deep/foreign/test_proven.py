"""Debian's own programs, proven as anybody's terminal is: what they do is judged, what they do not is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.kit.served import ended

SSSE = "00 A4 04 00 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF"
GUESSED = f"{SSSE}\n00 C0 00 00 1E\n00 20 00 00 03 88 88 88\n00 20 00 00 03 00 00 00\n00 B2 07 2C 0B\n"
"""Two apps try PINs that are usual elsewhere and read on, whatever the card says: three such readings lock a card."""


def proven(folder: Path, plan: str, *program: str, expect: int) -> dict[str, Any]:
    path = folder / "plan.yaml"
    path.write_text(f"proving: 1\n{plan}", encoding="utf-8")
    table: dict[str, Any] = json.loads(ended("prove", str(path), "--json", "--", *program, expect=expect))
    return table


def test_a_reader_that_guesses_pins_is_found_out_and_the_tries_that_it_cost(tmp_path: Path) -> None:
    (tmp_path / "commands").write_text(GUESSED)
    table = proven(
        tmp_path,
        "situations:\n  - {name: good, expect: {changes: []}}\n  - {name: locked, persona: pin-locked}\n",
        "scriptor", "-p", "T=0", str(tmp_path / "commands"),
        expect=1,
    )  # fmt: skip
    good, locked = table["runs"]
    failed = {one["id"] for one in table["results"] if one["verdict"] == "failed" and one["profile"] == "good"}
    assert failed == {"PIN-UNCONFIRMED", "PIN-REFUSAL-IGNORED", "PIN-LAST-TRY"}
    assert good["changes"] == [{"name": "tries/PIN", "what": "changed", "by": -2}]
    assert "PIN-LOCKED" in json.dumps(locked["checks"])
    assert "888888" not in json.dumps(table)


def test_a_tool_that_only_selects_has_proven_nothing(tmp_path: Path) -> None:
    table = proven(
        tmp_path,
        "require: RIGHTS-READ\nsituations: [{name: good, expect: {exit: 0}}]\n",
        "opensc-tool", "-r", "0", "-c", "default", "-s", SSSE.replace(" ", ""),
        expect=4,
    )  # fmt: skip
    assert [one["verdict"] for one in table["results"]] == ["passed", "requirement missing"]


@pytest.mark.parametrize("options", [["-n"], []])
def test_a_tool_that_waits_for_ever_is_ended(options: list[str], tmp_path: Path) -> None:
    table = proven(tmp_path, "timeout: 2\nsituations: [{name: good}]\n", "pcsc_scan", *options, expect=1)
    assert [(one["ending"], one["commands"], one["left"]) for one in table["runs"]] == [("hung", 0, 0)]
