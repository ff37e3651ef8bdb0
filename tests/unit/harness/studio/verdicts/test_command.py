"""What a run of the page is started as."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.serving.control import Running
from harness.studio.verdicts.command import SlotError, made
from harness.studio.verdicts.requests import VectorsRequest


def test_a_card_in_another_machine_s_reader_is_judged_over_there(tmp_path: Path) -> None:
    slots = [{"slot": 0, "reader": "desk:35963", "atr": "3B00", "inserted": True}]
    asked = VectorsRequest(slot=0)
    near = made(asked, tmp_path, {}, tmp_path, Running("a", 35963, {"slots": slots}))
    assert "--reader=desk:35963" in near.argv
    with pytest.raises(SlotError, match="another machine's reader"):
        made(asked, tmp_path, {}, tmp_path, Running("a", 35963, {"slots": slots, "far": "connect desk:35963"}))
