"""Folders of runs: each its own, also while others are swept away."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harness.proving import run_folder


def test_a_folder_in_use_is_never_swept_away_however_many_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = threading.Event()

    def sweeping() -> None:
        while not ended.is_set():
            run_folder.sweep()

    others = [threading.Thread(target=sweeping) for _ in range(2)]
    for one in others:
        one.start()
    try:
        for number in range(200):
            with run_folder.run_folder() as folder:
                (folder / "kept").write_text(str(number))
                assert (folder / "kept").read_text() == str(number)
    finally:
        ended.set()
        for one in others:
            one.join()
    assert list(tmp_path.iterdir()) == []
