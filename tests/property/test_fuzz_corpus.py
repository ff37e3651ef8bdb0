"""Every input that fuzzing begins with, and every one that once broke something, is taken as it should be."""

from __future__ import annotations

import pytest

from tests.fuzz import targets
from tests.fuzz.seeds import inputs
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_is_taken(target: str) -> None:
    found = inputs(target)
    assert found, f"tests/fuzz/corpus/{target} is empty: python -m tests.fuzz.seeds"
    for path in found:
        try:
            TARGETS[target](path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{path}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_reaches_what_it_is_for(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that took nothing would be passed by all: each input is looked at, and a fault of its oracle is told."""
    told: list[str] = []
    monkeypatch.setattr(targets, "called", lambda *_: (1, ""))
    monkeypatch.setattr(targets.effects, "wrong", lambda *_: "planted")
    monkeypatch.setattr(targets, "frames", lambda _: ([b"planted"], False))
    monkeypatch.setattr(targets.Chip, "transmit", lambda *_: b"")
    monkeypatch.setattr(targets.show, "Reader", lambda _: 1 / 0)
    for path in inputs(target):
        try:
            TARGETS[target](path.read_bytes())
        except (targets.Wrong, ZeroDivisionError) as error:
            told.append(str(error))
    assert told


def test_frames_are_read_simply() -> None:
    assert targets.frames(b"") == ([], False)
    assert targets.frames(b"\0\1\4\0\2ab") == ([b"\4", b"ab"], False)
    assert targets.frames(b"\0\1\4\0\2a") == ([b"\4"], True)
    assert targets.frames(b"\0\0") == ([], True)
    assert targets.frames(b"\0") == ([], True)
