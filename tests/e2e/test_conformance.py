"""Vectors and recordings through a real pcscd."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from emulator import catalogue
from harness.conformance import runner
from harness.conformance import vector as vectors
from harness.conformance.targets.reader import in_reader
from harness.keys import roots
from harness.readers import pcsc
from harness.readers.connection import Pcsc
from tests.kit.cards import SSSE
from tests.kit.served import DEADLINE, SSCARD, serving, sscard

pytestmark = pytest.mark.pcsc
FOLDER = Path(__file__).parents[2] / "vectors" / "generated"
ATR = "3B6D00000081544C908684510151010001"


def test_a_card_in_a_reader_is_tested_and_spared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    image = str(tmp_path / "card.json")
    with serving("--image", image, "--algorithm", "sm4", "--relaxed"):
        before = Path(image).read_text(encoding="utf-8")
        asked = ["vectors", "run", "--reader", "Virtual PCD", "--keys", "test", "--json", "--only", "SSSE_*",
                 "--only", "VERIFY-*", "--only", "FIREWALL-SSSE*", "--only", "READ_RECORD-*"]  # fmt: skip
        refused = sscard(*asked, "--card", "3B00", expect=1)
        assert refused == ""
        known = {"SSCARD_PIN": "123456"}
        table = json.loads(sscard(*asked, "--card", ATR, environment=known, expect=4))
        assert table["counts"]["passed"] > 50
        (open_one,) = table["not_judged"]
        assert (open_one["cause"], open_one["remedy"]) == (
            "it would spend tries or change the card", "a card that you can spare, and --allow-destructive"
        )  # fmt: skip
        sscard(*asked, "--card", ATR, "--require", "SSSE_RECORD*", environment=known)
        assert table["counts"]["failed"] == table["counts"]["undefined"] == 0
        assert "Virtual PCD 00 00" in table["target"]
        assert Path(image).read_text(encoding="utf-8") == before, "nothing about the card has changed"


def tries(image: str, name: str) -> int:
    cells = json.loads(Path(image).read_text(encoding="utf-8"))["cells"]
    return int(cells[f"tries/{name}"])


def test_a_wrong_file_of_keys_costs_one_try_once_and_the_plan_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSCARD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SSCARD_PIN", "123456")
    image, keys = str(tmp_path / "card.json"), tmp_path / "keys.toml"
    keys.write_text(f'[roots]\nUKSSSE = "{"11" * 16}"\n', encoding="utf-8")
    asked = [
        "vectors", "run", "--reader", "Virtual PCD", "--card", ATR, "--keys", str(keys), "--allow-destructive",
        "--only", "KEY_VER*-UKSSSE", "--only", "EXTERNAL_AUTHENTICATION-*_UKSSSE", "--only", "SSSE_SAFETY-EF05*",
    ]  # fmt: skip
    with serving("--image", image, "--algorithm", "sm4", "--relaxed"):
        planned = sscard(*asked, "--dry-run")
        assert "run EXTERNAL_AUTHENTICATION-LOCK_UKSSSE: lowers UKSSSE to 0; locks UKSSSE" in planned
        assert tries(image, "UKSSSE") == 3
        for __ in range(3):
            told = sscard(*asked, expect=4)
            assert "the card refused a key" in told
            assert tries(image, "UKSSSE") == 2
        code = catalogue.card("adult-chengdu", "3.00", "sm4").memory.records("SSSE/EF05")[0][2:].hex()
        noted = json.loads(sscard("vectors", "refused", "--card", code, "--json"))
        assert noted["UKSSSE"]["left"] == 2
        table = json.loads(sscard(*asked, "--keys", "test", "--json"))
        assert table["counts"]["failed"] == table["counts"]["requirement missing"] == 0
        assert tries(image, "UKSSSE") == 0, "locked last, by the vector that is to lock it"


def test_a_card_that_is_used_up_is_changed_by_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSCARD_STATE", str(tmp_path / "state"))
    both = ["--only", "EXTERNAL_AUTHENTICATION-LOCK_PUK", "--only", "PIN_CHANGE_UNBLOCK-FAILURES_LOCK_PUK"]
    asked = ["vectors", "run", "--reader", "Virtual PCD", "--card", ATR, "--keys", "test", *both, "--allow-destructive"]
    swap = f"{SSCARD} card swap 0 --persona adult-mianyang"
    with serving("--relaxed"):
        told = sscard(*asked, "--swap-command", swap)
        assert "2 passed" in told
    with serving("--relaxed"):
        alone = sscard(*asked, expect=4)
        assert "an earlier vector used it up" in alone
        assert "was locked by" in alone


def test_a_card_that_leaves_in_the_middle_and_another_that_comes(tmp_path: Path) -> None:
    found = [one for one in vectors.find([FOLDER]) if one.id.startswith("SSSE_SAFETY-EF0")]
    chosen = [one for one in found if one.applies("3.00", "3des") and not one.features]
    other = str(tmp_path / "other.json")
    with serving("--relaxed") as served:
        with in_reader(served.readers[0], roots.load("test"), "123456", None) as card:
            results = runner.run(chosen, card, allow_destructive=True)
            assert next(results).verdict == "passed"
            sscard("card", "remove", "0")
            assert pcsc.wait_card(served.readers[0], present=False)
            gone = [next(results), next(results)]
            assert {one.verdict for one in gone} <= {"requirement missing", "undefined"}
            assert gone[1].reason == "the card left the reader"
            sscard("card", "insert", "0", "--persona", "adult-mianyang", "--image", other)
            assert pcsc.wait_card(served.readers[0])
            rest = list(results)
        assert len(rest) > 5
        assert {one.verdict for one in rest} <= {"requirement missing", "undefined", "not applicable"}
        assert "another card is in the reader: nothing is sent to it" in {one.reason for one in rest}
    assert tries(other, "UKSSSE") == tries(other, "PIN") == 3


def test_recording_a_session(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    with serving("--slots", "2") as served:
        other = "Virtual PCD 00 01"
        process = subprocess.Popen(
            [SSCARD, "record", "--reader", served.readers[0], "-o", str(path)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ,
        )  # fmt: skip
        try:
            assert process.stdout
            assert process.stderr
            told = process.stdout.readline()
            assert process.stderr.readline().startswith("waiting for your software's first command")
            assert told.startswith(f"recording {served.readers[0]}: let your software use reader {other!r}"), told
            assert pcsc.wait_card(other)
            with Pcsc(other) as connection:
                assert connection.atr.hex().upper() == ATR
                connection.reset()
                answer = connection.send(bytes.fromhex(SSSE))
                assert answer[:2] in (b"\x6f\x1c", b"\x61\x1e")
                connection.send(bytes.fromhex("00B2072C0B"))
                connection.send(bytes.fromhex("0020000003123456"))
                assert process.stderr.readline().startswith("the first command has come")
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(DEADLINE) == 0
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert any(one.get("answer", "").startswith("0709" + "00" * 9) for one in lines), "masked"
    assert {one["event"] for one in lines} >= {"reset", "apdu"}
    assert ["initial"] in [one.get("pins") for one in lines], "the layout's published PIN is told as such"
    assert {one["layout"] for one in lines if one["event"] == "reset"} == {"3.00"}
