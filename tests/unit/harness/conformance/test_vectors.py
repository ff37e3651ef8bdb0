"""Vectors as files: what is wrong with one is said with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.conformance import vector as vectors
from harness.conformance.vector import VectorError

FOLDER = Path(__file__).parents[4] / "vectors"
FIRST = (FOLDER / "pin.yaml").read_text(encoding="utf-8").partition("---")[0]


def test_there_are_hundreds_and_their_ids_differ() -> None:
    found = vectors.find([FOLDER])
    assert len(found) > 1500
    assert len({vector.id for vector in found}) == len(found)
    assert all(vector.grade != "normative" for vector in found), "the 2023 print was not available"


@pytest.mark.parametrize(
    ("change", "to", "expected"),
    [
        ("schema: 1", "schema: 2", ":2: schema"),
        ("verify_pin: right", "verify_pin: maybe", r":\d+: steps"),
        ("grade: inferred", "grade: sure", ":7: grade"),
        ("steps:", "stepps:", ":2: the vector"),
        ("steps:", "steps: [", "not YAML"),
        ("ask_pin: true", "ask_pin: true\n    select: SSSE", "a step does one thing"),
        ("{tries_left: PIN}", "{sw: 90}", r":\d+: steps.*expect"),
        ("select: SSSE", 'apdu: "00 XX"', r":\d+: steps"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, change: str, to: str, expected: str) -> None:
    path = tmp_path / "v.yaml"
    path.write_text(FIRST.replace(change, to), encoding="utf-8")
    with pytest.raises(VectorError, match=f"v.yaml.*{expected}"):
        vectors.load(path)


def test_the_second_vector_of_a_file_has_its_own_lines(tmp_path: Path) -> None:
    path = tmp_path / "v.yaml"
    path.write_text(FIRST + "---\n" + FIRST.replace("grade: inferred", "grade: sure"), encoding="utf-8")
    lines = (FIRST + "---\n").count("\n")
    with pytest.raises(VectorError, match=rf"v\.yaml:{lines + 7}: grade"):
        vectors.load(path)


def test_keys_that_steps_need_are_found() -> None:
    by_id = {one.id: one for one in vectors.find([FOLDER])}
    assert by_id["PIN_CHANGE_UNBLOCK-UNBLOCK"].keys == {"STK", "PUK"}
    assert by_id["INITIALIZE_FOR_LOAD-CREDITS"].keys == {"DLK", "DTK"}
