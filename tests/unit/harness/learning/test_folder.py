"""What a learning writes: a layout that reads back as it was drawn, and a trace without a value of the card's."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from emulator import catalogue
from emulator.filesystem.layouts import load
from harness.learning import folder, layout_text
from harness.learning.draw import Drawing
from harness.learning.folder import Discreet, FolderTaken
from harness.learning.learn import Wanted, learn
from harness.learning.observation import load as load_learning
from harness.readers.connection import InProcess
from harness.readers.observed import Observed
from harness.serving.reader_profiles import Shaped
from harness.serving.timing import Timing
from harness.trace.record import TraceFile
from tests.unit.harness.learning.cards import EVERYTHING, chip, learned


def drawing(own: dict[str, object]) -> Drawing:
    base = catalogue.layout("3.00")
    return Drawing(base, own, load.extending(own, "test"))


OWN = {
    "extends": "3.00",
    "schema": 1,
    "name": "learned",
    "title": 'with "quotes" and \\',
    "algorithms": ["sm4"],
    "remove": {"file": ["DF01/EF1A"]},
    "pin": {"tries": 6},
    "file": {
        "SSSE/EF06": {"item": {"09": {"length": 50, "grade": "1", "sources": ["card-reading"]}}},
        "DF01/EF1B": {
            "structure": "records", "fid": "EF1B", "read": "free", "update": "never",
            "items": [
                {"tag": "E0", "format": "B-TLV", "elements": [{"tag": "01", "format": "b", "length": 3}]},
                {"tag": "E1", "format": "an", "length": 3},
            ],
        },
    },
    "habits": {"challenge": [8], "status": {"B2:6A83": "6A82"}},
}  # fmt: skip


def test_a_layout_is_written_as_it_was_drawn_with_what_stood_there_before() -> None:
    text = layout_text.text(drawing(OWN))
    assert tomllib.loads(text) == OWN
    assert "length = 50   # 30" in text
    assert "tries = 6   # 3" in text


def test_what_was_written_can_be_used_at_once(tmp_path: Path) -> None:
    found = learned(chip("regional", "sm4"), EVERYTHING)
    folder.prepare(tmp_path / "new" / "folder")
    files = folder.write(tmp_path / "new" / "folder", found)
    assert {one.name for one in files} == set(folder.FILES) - {folder.TRACE}
    assert load_learning(files[0]) == found.learning
    assert catalogue.layout(files[1]) == found.layout
    assert {one.name for one in files[0].parent.iterdir()} == {one.name for one in files}


def test_an_earlier_learning_is_kept_unless_it_is_to_go(tmp_path: Path) -> None:
    (tmp_path / "layout.toml").write_text("another card's")
    (tmp_path / "notes.txt").write_text("the user's")
    with pytest.raises(FolderTaken, match=r"layout\.toml"):
        folder.prepare(tmp_path)
    assert (tmp_path / "layout.toml").read_text() == "another card's"
    folder.prepare(tmp_path, force=True)
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]


def test_the_trace_has_lengths_and_tags_and_no_value(tmp_path: Path) -> None:
    from harness.learning.learn import learn

    one = chip("3.00")
    with TraceFile(tmp_path / "trace.jsonl") as trace:
        found = learn(Observed(InProcess(one), Discreet(trace.slot(0))), EVERYTHING)
    text = (tmp_path / "trace.jsonl").read_text(encoding="utf-8")
    assert len(text.splitlines()) > 1000
    values = [record[2:] for records in found.reading.records.values() for record in records]
    values += [
        content[at : at + 16] for content in found.reading.contents.values() for at in range(0, len(content), 16)
    ]
    told = [one for one in values if len(one) > 3 and len(set(one)) > 2 and one.hex().upper() in text]
    assert told == [b"3.00"]
    assert json.loads(text.splitlines()[1])["instruction"] == "SELECT"


def test_how_long_the_card_takes_is_written_as_a_profile_that_run_plays_back(tmp_path: Path) -> None:
    slow = Timing(reset=0.0, byte=0.0001, command=0.002)
    card = Shaped(chip("3.00", "3des"), timing=slow)
    found = learn(InProcess(card.chip, through=card), Wanted())
    folder.write(tmp_path, found)
    profile = Timing.load(tmp_path)
    assert {0xA4, 0xB2, 0xB0, 0x84, 0xC0} <= set(profile.commands)
    assert min(profile.commands.values()) > 0.001, "what the card took, and a little of this machine's"
