"""Commands on a card in a field: what they send, what they show, and what they say where there is no such card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit.judged import keeping
from tests.unit.harness.cli.test_cli import run

IN_A_FIELD = ("--interface", "contactless")
VECTORS = Path(__file__).parents[4] / "vectors" / "contactless.yaml"
FIELD_ATR = "3B8D80010081544C90868451015101000106"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_apdu_answers_whole_and_words_work_as_ever() -> None:
    told = run("apdu", *IN_A_FIELD, "reset", "select:SSSE", "00B2072C00", "read:SSSE/EF05/07", "--json").stdout
    first, *rest = map(json.loads, told.splitlines())
    assert first["atr"] == FIELD_ATR
    assert len(rest) == 3, "one for each command: nothing had to be fetched or asked for again"
    assert {one["sw"] for one in rest} == {"9000"}


def test_show_leaves_out_what_is_kept_to_the_contacts_and_tells_the_conditions_there() -> None:
    def shown(*more: str) -> dict[str, dict[str, str]]:
        told = run("show", "--layout", keeping(), "--json", *more).stdout
        files: dict[str, dict[str, str]] = json.loads(told)["files"]
        return files

    by_contacts, in_a_field = shown(), shown(*IN_A_FIELD)
    gone = set(by_contacts) - set(in_a_field)
    assert {one.partition("/")[0] for one in gone} == {"DF04", "CERT"}, "and what lies in what is kept back"
    assert (by_contacts["SSSE/EF08"]["read"], in_a_field["SSSE/EF08"]["read"]) == ("RKSSSE", "never")


def test_layout_show_and_diff_tell_what_differs_there() -> None:
    told = run("layout", "show", keeping()).stdout
    assert "kept to the contacts: PKI, DF04, PIN" in told
    assert "SSSE/EF08  [read never; update " in told
    assert "contactless.unreachable" in run("layout", "diff", "3.00", keeping(), expect=1).stdout
    assert "contactless" not in run("layout", "show", "2.00").stdout


def test_vectors_run_in_a_field_on_the_layouts_that_have_one() -> None:
    told = run("vectors", "run", str(VECTORS), *IN_A_FIELD, "-v").stdout
    assert {line.partition("[")[2].partition("]")[0] for line in told.splitlines() if ": passed" in line} == {
        "3.00-3des-contactless",
        "3.00-sm4-contactless",
    }
    assert told.count(": passed") == 20
    by_contacts = run("vectors", "run", str(VECTORS), expect=4)
    assert "nothing was run" in by_contacts.output


def test_what_is_about_t0_is_told_as_that_and_alone_it_is_not_green() -> None:
    told = run("vectors", "run", str(VECTORS.parent / "field" / "yx-scripts.yaml"), *IN_A_FIELD, "-v", expect=4)
    assert "not applicable" in told.output


@pytest.mark.parametrize(
    "command",
    [
        ("apdu", "reset"),
        ("show",),
        ("vectors", "run", str(VECTORS)),
        ("learn", "-o", "learned"),
    ],
    ids=lambda one: " ".join(one[:2]),
)
def test_a_layout_without_the_side_is_wrong_usage_and_those_that_have_it_are_named(command: tuple[str, ...]) -> None:
    told = run(*command, *IN_A_FIELD, "--layout", "2.00", expect=2).output
    assert "layout 2.00 has no contactless interface: choose 3.00" in told


@pytest.mark.parametrize("command", [("apdu", "reset"), ("show",), ("learn", "-o", "x", "--card", "3B")])
def test_a_card_in_a_reader_has_the_readers_interface(command: tuple[str, ...]) -> None:
    told = run(*command, *IN_A_FIELD, "--reader", "ACS", expect=2).output
    assert "--interface is of a card in this process" in told


def test_a_card_that_is_learned_in_a_field_has_its_twin_there(tmp_path: Path) -> None:
    run("learn", *IN_A_FIELD, "-o", "learned")
    learned = json.loads((tmp_path / "learned" / "learning.json").read_text(encoding="utf-8"))
    assert learned["reader"] == {"shape": "apdu", "interface": "contactless"}
    assert (learned["nearest"], learned.get("differences", []), learned.get("unexpressed", [])) == ("3.00", [], [])
    assert learned["atr"]["header"] == "3B8D8001"
    first = (tmp_path / "learned" / "trace.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(first)["interface"] == "contactless"
    assert FIELD_ATR[26:] not in first, "neither the chip's number nor the checksum over it"
    assert "contactless" in run("trace", "show", "learned/trace.jsonl").stdout
