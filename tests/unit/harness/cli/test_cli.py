from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emulator.crypto.keys import test_root as root_of
from harness.cli import main
from harness.readers import pcsc
from tests.kit.cards import SSSE


def run(*arguments: str, expect: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(main, list(arguments), input=stdin)
    assert result.exit_code == expect, result.output
    return result


def test_personas() -> None:
    assert "adult-chengdu" in run("personas").stdout
    rows = json.loads(run("personas", "--json").stdout)
    assert len(rows) >= 8
    assert {"name", "title", "title_zh", "region"} <= set(rows[0])
    assert {row["card"] for row in rows} == {"user", "psam"}, "a terminal's own cards are listed too"


def test_show() -> None:
    text = run("show", "--persona", "long-name").stdout
    assert "阿卜杜热西提" in text
    assert "DF04/EF08 医疗交易明细文件" in text
    shown = json.loads(run("show", "--persona", "adult-mianyang", "--json", "--layout", "2.00").stdout)
    values = {one["tag"]: one["value"] for one in shown["files"]["SSSE/EF06"]["items"]}
    assert values["09"] == "样例乙"
    assert len(shown["files"]) == 46


def test_apdu() -> None:
    lines = run("apdu", SSSE, "00C000001E", "0020000003123456", "reset", "00", expect=1).stdout.splitlines()
    assert lines[1].startswith("← 611E")
    assert "VERIFY" in lines[4]
    assert "123456" not in lines[4]
    assert lines[6].startswith("reset: 3B6D")
    assert lines[-1].startswith("← 6700")
    asked = ("apdu", "--json", "--show-secrets", "0020000003123456")
    rows = [json.loads(line) for line in run(*asked, expect=1).stdout.splitlines()]
    assert rows[0]["command"] == "0020000003123456"
    assert rows[0]["sw"] == "6A88"
    for wrong in ("XYZ", "", "0"):
        run("apdu", wrong, expect=2)


def test_apdu_ends_with_what_the_card_said_and_why() -> None:
    run("apdu", SSSE)
    said = run("apdu", SSSE, "00B2010C00", expect=1).stdout.splitlines()
    assert said[-1].startswith("← 6A82 ")
    assert said[-1].count(": ") == 1, "the card's own reason comes after the word's meaning"
    run("apdu", "00B2010C00", SSSE, expect=1)
    row = json.loads(run("apdu", "--json", "0020000003123456", expect=1).stdout)
    assert row["reason"]


@pytest.mark.parametrize(
    "spelt",
    [
        ["00 A4 04 00 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF"],
        [":".join(bytes.fromhex(SSSE).hex(" ").split())],
        bytes.fromhex(SSSE).hex(" ").split(),
    ],
    ids=["spaces", "colons", "words"],
)
def test_apdu_takes_bytes_as_they_are_pasted(spelt: list[str]) -> None:
    rows = [json.loads(line) for line in run("apdu", "--json", *spelt, "reset", SSSE).stdout.splitlines()]
    assert rows[0] == rows[2]
    assert (len(rows), rows[0]["command"]) == (3, SSSE)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["pin", "verify"], "--pin"),
        (["pin", "change", "--pin", "123456"], "--new-pin"),
        (["pin", "reload"], "--new-pin"),
        (["terminal", "verify-pin"], "--pin"),
        (["terminal", "reload-pin"], "--new-pin"),
    ],
)
def test_a_pin_that_cannot_be_asked_for_names_its_option(command: list[str], option: str) -> None:
    said = run(*command, expect=1 if command[0] == "terminal" else 2, stdin="").stderr
    assert f"give {option}, or set $SSCARD_" in said


def test_a_pin_is_one_option_everywhere_and_never_empty(tmp_path: Path) -> None:
    image = ["--image", str(tmp_path / "card.json")]
    run("pin", "change", "--pin", "123456", "--new-pin", "246810", *image)
    run("terminal", "change-pin", "--pin", "246810", "--new-pin", "135791", *image)
    run("pin", "change", "--old", "135791", "--new", "246810", *image)
    for command in (
        ["pin", "verify", "--pin", ""],
        ["pin", "reload", "--new-pin", " "],
        ["terminal", "read", "SSSEEF05|07|$", "--pin", ""],
    ):
        assert "it is empty" in run(*command, *image, expect=2).stderr
    assert json.loads(run("pin", "state", "--json", *image).stdout)["tries_left"] == 3


def test_pin(tmp_path: Path) -> None:
    image = ["--image", str(tmp_path / "card.json")]
    run("pin", "verify", "--pin", "123456", *image)
    wrong = run("pin", "verify", "--pin", "999999", *image, expect=1)
    assert "2 tries left" in wrong.stderr
    assert "999999" not in wrong.output
    run("pin", "change", *image, stdin="123456\n246810\n246810\n")
    assert json.loads(run("pin", "state", "--json", *image).stdout) == {"set": True, "tries_left": 3}
    for _ in range(3):
        run("pin", "verify", "--pin", "000000", *image, expect=1)
    assert run("pin", "state", *image).stdout == "the PIN is locked\n"
    run("pin", "unblock", *image)
    run("pin", "reload", "--new", "1357", *image)
    run("pin", "verify", "--pin", "1357", *image)


def test_region(tmp_path: Path) -> None:
    image = ["--image", str(tmp_path / "card.json")]
    assert len(json.loads(run("region", "show", "--json", *image).stdout)) == 5
    assert "绵阳市" in run("region", "set", "510700", "--from", "510100", *image).stdout
    assert "510700 绵阳市" in run("region", "show", *image).stdout
    run("region", "set", "510700", expect=2)
    assert "within its province" in run("region", "set", "110000", "--from", "510700", *image, expect=1).stderr


def test_a_key_in_a_file_is_shown_only_where_secrets_are_asked_for() -> None:
    def private(*options: str) -> str:
        told = json.loads(run("show", "--layout", "3.00", "--json", *options).stdout)
        return str(told["files"]["CERT/EF13"]["hex"])

    assert private() == "*" * 64
    assert private("--show-secrets").startswith("FED5438E"), "the published test key"


def test_keys() -> None:
    text = run("keys").stdout
    assert "UKSSSE" in text
    rows = json.loads(run("keys", "--json").stdout)
    assert len(rows) == 66
    assert not any("key" in row for row in rows)
    assert all(len(row["key"]) == 32 for row in json.loads(run("keys", "--json", "--show-secrets").stdout))


def test_layouts(tmp_path: Path) -> None:
    for name in ("1.00", "2.00", "3.00", "regional", "psam"):
        assert "good" in run("layout", "check", name).stdout
        tree = run("layout", "show", name).stdout
        assert "[read " in tree
        assert all(line.endswith(")") for line in tree.splitlines() if " key " in line), "every key has its grade"
    tree = run("layout", "show", "3.00").stdout
    assert "EF06 EF06  持卡人的基本信息文件 cardholder's basic data  records  [read RKSSSE; update UKSSSE]  (S)" in tree
    assert "key 82 STKDF04" in tree
    assert "SSSE/EF0D" in json.loads(run("layout", "show", "regional", "--json").stdout)["layout"]["file"]
    own = tmp_path / "own.toml"
    own.write_text('extends = "3.00"\nschema = 1\nname = "own"\n[application.SSSE]\nfid = "DDF9"\n', encoding="utf-8")
    assert json.loads(run("layout", "check", str(own), "--json").stdout)["files"] == 52
    assert "DDF9" in run("layout", "show", str(own)).stdout
    own.write_text('extends = "3.00"\nschema = 1\nname = "own"\n[key.STK]\nlevels = 7\n', encoding="utf-8")
    assert "key.STK.levels: expected a number from 1 to 3" in run("layout", "check", str(own), expect=1).stderr


def test_commands() -> None:
    assert "B0       2C  DEBIT FOR PURCHASE 消费" in run("commands").stdout
    assert len(json.loads(run("commands", "--json").stdout)) > 30
    assert run("commands", "--markdown").stdout.startswith("# The cards' commands")


def test_from_blank_to_blocked(tmp_path: Path) -> None:
    image = ["--image", str(tmp_path / "card.json")]
    assert "personalised" in run("personalise", "adult-chengdu", "--persona", "blank", *image).stdout
    assert "6985" in run("pin", "state", *image, expect=1).stderr
    assert "activation: not active" in run("image", "show", image[1]).stdout
    run("lifecycle", "activate", *image)
    run("pin", "verify", "--pin", "123456", *image)
    run("lifecycle", "activate", *image, expect=1)
    run("lifecycle", "block", "DF04", *image)
    assert "DF04: blocked for ever" in run("image", "show", image[1]).stdout
    assert "no application" in run("lifecycle", "block", "DF09", *image, expect=1).stderr
    run("lifecycle", "block-card", *image, expect=1, stdin="n\n")
    run("lifecycle", "block-card", "--yes", *image)
    assert "6A81" in run("pin", "state", *image, expect=1).stderr
    run("personalise", "nobody", "--persona", "blank", expect=2)


def test_a_temporary_block(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "3.00"\nschema = 1\nname = "own"\n[blocking]\ntemporary = true\n', encoding="utf-8")
    image = ["--image", str(tmp_path / "card.json"), "--layout", str(own)]
    run("lifecycle", "block", "DF03", "--temporary", *image)
    assert "6283" in run("region", "show", *image, expect=1).stderr
    run("lifecycle", "unblock", "DF03", *image)
    run("region", "show", *image)


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["show", "--persona", "nobody"], 2, "no persona 'nobody'"),
        (["show", "--layout", "9.99"], 2, "no such layout"),
        (["show", "--algorithm", "ssf33"], 2, "SSF33 is not public"),
        (["show", "--layout", "2.00", "--algorithm", "sm4"], 2, "has no sm4"),
        (["pin", "state", "--reader", "X", "--persona", "expired"], 2, "leave --persona"),
        (["run", "--persona", "expired", "--persona", "expired", "--slots", "1"], 2, "2 cards"),
        (["run", "--persona", "expired", "--persona", "expired", "--image", "x"], 2, "one card"),
        (["run", "--slots", "17"], 2, "1<=x<=16"),
        (["run", "--psam", "nobody"], 2, "no PSAM 'nobody'"),
        (["show", "--persona", "psam", "--layout", "2.00"], 2, "is for a psam card"),
        (["card", "insert", "0", "--port", "1"], 1, "no `sscard run`"),
    ],
)
def test_wrong_usage_says_what_and_where(arguments: list[str], code: int, expected: str) -> None:
    assert expected in run(*arguments, expect=code).stderr


def test_images_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text("{}")
    assert "no card image" in run("show", "--image", str(path), expect=1).stderr
    assert path.read_text() == "{}"
    run("show", "--image", str(tmp_path / "none.json"), expect=1)
    assert not (tmp_path / "none.json").exists()


def test_without_pcsc_the_session_runs_here_and_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "driver_path", lambda: None)
    result = run("run", "--demo", "--once", expect=3)
    assert "vsmartcard-vpcd" in result.stderr
    assert "No virtual reader" in result.stderr
    assert "绵阳市 Mianyang 510700" in result.stdout
    assert not any(line.startswith("ready ") for line in result.stdout.splitlines())
    assert run("run", expect=3).stdout == ""


def test_doctor_names_a_remedy_for_each_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "driver_path", lambda: None)
    monkeypatch.setattr(pcsc, "pcscd_path", lambda: None)
    findings = json.loads(run("doctor", "--json", expect=1).stdout)
    faults = [one for one in findings if one["level"] == "fault"]
    assert {one["check"] for one in faults} >= {"pcscd", "vpcd driver"}
    assert all(one["remedy"] for one in faults)


def test_image_show_diff_and_copy(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one.json"), str(tmp_path / "two.json")
    run("pin", "state", "--image", one)
    run("image", "copy", one, two)
    run("image", "copy", one, two, expect=1)
    assert run("image", "diff", one, two).stdout == ""
    run("region", "set", "510700", "--from", "510100", "--image", two)
    run("pin", "verify", "--pin", "999999", "--image", two, expect=1)
    said = run("image", "diff", one, two, expect=1).stdout.splitlines()
    moved = "510100 成都市 Chengdu → 510700 绵阳市 Mianyang"
    assert f"DF03/EF07/71 养老保险参保地所属行政区划代码 insurance region, pension: {moved}" in said
    assert "tries left of PIN: 3 → 2" in said
    assert len(said) == 6
    run("pin", "change", "--old", "123456", "--new", "246810", "--image", two)
    changed = json.loads(run("image", "diff", one, two, "--json", expect=1).stdout)
    assert "the PIN was changed" in changed
    assert "246810" not in str(changed)
    run("image", "copy", two, str(tmp_path / "three.json"))
    run("image", "rewind", str(tmp_path / "three.json"), one)
    assert run("image", "diff", one, str(tmp_path / "three.json")).stdout == ""
    other = str(tmp_path / "other.json")
    run("pin", "state", "--image", other, "--persona", "expired")
    assert "another card" in run("image", "rewind", one, other, expect=1).stderr
    assert run("image", "diff", one, other, expect=1).stdout.startswith("ATR: ")
    shown = json.loads(run("image", "show", two, "--json").stdout)
    assert (shown["layout"], shown["pin_tries_left"], shown["spent"]) == ("3.00", 3, {})
    assert "123456" not in run("image", "show", one).stdout
    (tmp_path / "bad.json").write_text(Path(one).read_text()[:-100])
    assert "damaged" in run("image", "show", str(tmp_path / "bad.json"), expect=1).stderr


def test_tear() -> None:
    steps = [SSSE, "auth:UKSSSE", "00DC05280605" + "0420260101"]
    rows = [json.loads(line) for line in run("tear", "--json", *steps).stdout.splitlines()]
    assert {row["outcome"] for row in rows if row["step"] == 2} == {"old", "new"}
    text = run("tear", "0020000003999999", *steps).stdout
    assert "999999" not in text
    assert "20200915 2020-09-15 → 20260101 2026-01-01" in text
    run("tear", "auth:NOKEY", expect=2)
    run("tear", "xyz", expect=2)


def test_machine_keys(tmp_path: Path) -> None:
    lines = run("machine", "keys").stdout.splitlines()
    assert any(line.startswith("0193  RK1DF03  levels 3  ") for line in lines)
    assert not any(root_of("RK1DF03").hex() in line.lower() for line in lines)
    assert "0193  RK1DF03  levels 2" in run("machine", "keys", "--region", "5101").stdout
    assert "two, four or six digits" in run("machine", "keys", "--region", "x", expect=2).stderr
    path = tmp_path / "roots.toml"
    path.write_text('[roots]\nSTK = "ABCDEF"\n', encoding="utf-8")
    wrong = run("machine", "keys", "--roots", str(path), expect=1).stderr
    assert "a root has 16 bytes, STK has not" in wrong
    assert "ABCDEF" not in wrong
