from __future__ import annotations

from pathlib import Path

import pytest

from emulator.apdu.instructions.pin import Verify
from emulator.apdu.state import CardState
from harness.conformance import vector as vectors
from harness.conformance.steps import StepFailed, Steps
from harness.conformance.vector import Vector, VectorError
from harness.connection import InProcess
from harness.terminal.terminal import Terminal
from tests.support import new_card

FOLDER = Path(__file__).parents[2] / "vectors"
ALL = vectors.find([FOLDER])
KINDS = [("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4")]


def run(vector: Vector, version: str, algorithm: str) -> None:
    card = new_card(version, algorithm, vector.holder)
    terminal = Terminal(InProcess(card.chip))
    terminal.begin()
    Steps(terminal, "123456").run(vector)


@pytest.mark.parametrize(
    ("vector", "version", "algorithm"),
    [
        pytest.param(vector, *kind, id=f"{vector.id}-{'-'.join(kind)}")
        for vector in ALL
        for kind in KINDS
        if vector.applies(*kind)
    ],
)
def test_vector(vector: Vector, version: str, algorithm: str) -> None:
    run(vector, version, algorithm)


def test_there_are_ten_and_their_ids_differ() -> None:
    assert len(ALL) == 10
    assert len({vector.id for vector in ALL}) == 10


def test_a_broken_chip_fails_its_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    def lenient(self: Verify, card: CardState) -> bytes:
        del self
        card.session.rights.add("PIN")
        return b""

    monkeypatch.setattr(Verify, "execute", lenient)
    (vector,) = [one for one in ALL if one.id == "VERIFY-LOCK_SURVIVES_RESET"]
    with pytest.raises(StepFailed, match=r"step 1 \(verify_pin: wrong\): expected 63C2 .*, got 9000"):
        run(vector, "3.00", "3des")


@pytest.mark.parametrize(
    ("change", "to", "expected"),
    [
        ("schema: 1", "schema: 2", ":1: schema"),
        ("verify_pin: right", "verify_pin: maybe", r":\d+: steps"),
        ("grade: inferred", "grade: sure", ":5: grade"),
        ("steps:", "stepps:", ":1: the file"),
        ("steps:", "steps: [", "not YAML"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, change: str, to: str, expected: str) -> None:
    text = (FOLDER / "verify-state-costs-nothing.yaml").read_text().replace(change, to)
    path = tmp_path / "v.yaml"
    path.write_text(text)
    with pytest.raises(VectorError, match=f"v.yaml.*{expected}"):
        vectors.load(path)
