"""What `make test` leaves to `make deep`: cases like others, a few long passes, and nothing that is asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.kit import sampled

DEAR = sampled.TESTS / "unit/harness/learning/test_strange.py"
CHEAP = sampled.TESTS / "unit/harness/test_clock.py"


def cases(path: Any, count: int) -> list[Any]:
    named = [SimpleNamespace(path=path, nodeid=f"{path.name}::test_a[{number}]") for number in range(count)]
    return [*named, SimpleNamespace(path=path, nodeid=f"{path.name}::test_alone")]


def left(items: list[Any]) -> list[str]:
    return [one.nodeid.partition("::")[2] for one in sampled.spared(items)]


def test_long_passes_are_of_make_deep_which_runs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "DEEP", False)
    monkeypatch.setenv(sampled.WHOLE, "1")
    for name in sampled.DEEP_ALONE:
        assert left(cases(sampled.TESTS / name, 1)) == ["test_a[0]", "test_alone"]
    deep = (sampled.TESTS.parent / "Makefile").read_text(encoding="utf-8").partition("SSCARD_FUZZ=deep")[2]
    assert " tests/e2e/studio " in deep.splitlines()[0]


def test_every_test_keeps_some_of_its_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "DEEP", False)
    monkeypatch.setenv(sampled.WHOLE, "1")
    monkeypatch.setitem(sampled.EVERY, "unit/harness/learning", 4)
    assert left(cases(DEAR, 6)) == ["test_a[1]", "test_a[2]", "test_a[3]", "test_a[5]"]
    assert left(cases(CHEAP, 6)) == []
    assert left(cases(DEAR, 1)) == []


def test_what_is_asked_for_by_name_and_what_is_deep_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "DEEP", False)
    monkeypatch.delenv(sampled.WHOLE, raising=False)
    assert left(cases(DEAR, 6)) == []
    monkeypatch.setenv(sampled.WHOLE, "1")
    monkeypatch.setattr(sampled, "DEEP", True)
    assert left(cases(DEAR, 6)) == []


def test_what_is_sampled_is_there() -> None:
    assert [name for name in (*sampled.EVERY, *sampled.DEEP_ALONE) if not (sampled.TESTS / name).exists()] == []
