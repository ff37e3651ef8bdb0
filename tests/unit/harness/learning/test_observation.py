"""The form of learning.json: published, complete, and strict about what comes from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.learning import observation
from harness.learning.observation import (
    Asked,
    Atr,
    Differs,
    Learning,
    LearningError,
    NotSeen,
    ReaderSeen,
    SeenApplication,
    SeenElement,
    SeenFile,
    SeenRecord,
    Unexpressed,
)

ROOT = Path(__file__).parents[4]
LEARNING = Learning(
    sscard="0.2.0",
    date="2026-11-26",
    complete=False,
    version="3.00",
    algorithm="sm4",
    nearest="3.00",
    atr=Atr(header="3B6D0000", historical="00815448908684AA0000000000", protocols=("T=0",), meaning=("direct",)),
    reader=ReaderSeen(shape="apdu", protocol="T=0"),
    counters={"PIN": "3"},
    applications=(SeenApplication(name="MF", sw="6A82"), SeenApplication(name="X01", dfname="D156", known=False)),
    files=(
        SeenFile(
            path="SSSE/EF05",
            sfi=5,
            structure="records",
            records=(SeenRecord(number=1, tag="40", length=5, elements=(SeenElement(tag="57", length=3),)),),
            read="free",
        ),
        SeenFile(path="SSSE/EF07", sfi=7, size=0, structure="transparent"),
        SeenFile(path="SSSE/EF08", sfi=8, records=()),
    ),
    habits={"status": {"B2:6A83": "6A82"}},
    differences=(Differs(where="pin.tries", before=3, after=6), Differs(where="file.x", after={"size": 1})),
    unexpressed=(Unexpressed(probe="class/20", seen="9000", twin=""),),
    not_seen=(NotSeen(what="update conditions", why="nothing is written"),),
    asked=(Asked(probe="select/MF", command="00A40000", sw="", seconds=0.25),),
)  # fmt: skip


def test_the_published_schema_is_that_of_the_models() -> None:
    path = ROOT / "harness" / "learning" / "schema-1.json"
    told = "write harness.learning.observation.schema_text() there"
    assert path.read_text(encoding="utf-8") == observation.schema_text(), told
    jsonschema.Draft202012Validator.check_schema(observation.schema())


def test_what_is_written_is_read_back_as_it_was(tmp_path: Path) -> None:
    (tmp_path / observation.FILE).write_text(LEARNING.text(), encoding="utf-8")
    assert observation.load(tmp_path) == LEARNING
    assert observation.load(tmp_path / observation.FILE) == LEARNING


def test_an_answer_that_never_came_is_not_one_of_9000() -> None:
    assert json.loads(LEARNING.text())["asked"][0]["sw"] == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one.update(learning=2), "schema 1"),
        (lambda one: one.pop("learning"), "sscard learn"),
        (lambda one: one.pop("atr"), "atr"),
        (lambda one: one.update(holder="somebody"), "holder"),
        (lambda one: one["files"][0].update(sfi=31), "files.0.sfi"),
        (lambda one: one["asked"][0].update(sw="90"), "asked.0.sw"),
        (lambda one: one["files"][0].update(structure="tree"), "files.0.structure"),
    ],
)
def test_a_learning_from_elsewhere_that_is_wrong_is_told_where(tmp_path: Path, change: Any, told: str) -> None:
    table = json.loads(LEARNING.text())
    change(table)
    path = tmp_path / "some.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(LearningError, match=told) as error:
        observation.load(path)
    assert error.value.exit_code == 2


def test_a_likeness_knows_no_time_and_no_date() -> None:
    likeness = json.dumps(LEARNING.likeness())
    assert "2026-11-26" not in likeness
    assert "seconds" not in likeness
    assert "B2:6A83" in likeness
