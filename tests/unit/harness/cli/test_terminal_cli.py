"""``sscard terminal``: each operation from the shell, its exit code, and what is told on which stream."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.harness.cli.test_cli import run

PIN, NEW = ("--pin", "123456"), ("--new-pin", "246802")
BY = pytest.mark.parametrize("by", [(), ("--machine",)], ids=["psam", "machine"])


@BY
def test_reading_and_writing(by: tuple[str, ...], tmp_path: Path) -> None:
    image = ("--image", str(tmp_path / "card.json"), *by)
    assert "姓名 name: 测试甲\n" in run("terminal", "basic", *image).stdout
    told = json.loads(run("terminal", "basic", "--json", *image).stdout)
    assert (told["code"], told["fields"]["card number"]) == (0, "A00000011")
    address, data = "SSSEEF06|0A|$DF01EF05|20|$", "SSSEEF06|2|$DF01EF05|20|$"
    assert run("terminal", "write", address, data, *image).stdout == "执行成功 done\n"
    assert run("terminal", "read", address, *image).stdout == (
        "SSSEEF06|2|$\n  0A 性别 sex: 2 女性 female\n"
        "DF01EF05|20|$\n  20 户口类别 kind of household registration: 20 农业户口(农村) agricultural (rural)\n"
    )
    by_pin = run("terminal", "read", "DF01EF05|20|$", "--auth", "pin", *PIN, *image).stdout
    assert by_pin.splitlines()[0] == "DF01EF05|20|$"
    (sex, _) = json.loads(run("terminal", "read", address, "--json", *image).stdout)["items"]
    assert (sex["path"], sex["value"], sex["meaning"]) == ("SSSE/EF06/0A", "2", "女性 female")
    wrong = run("terminal", "read", address, "--card-info", "|B00000011|", *image, expect=1)
    assert wrong.stderr == "sscard: -22 输入与卡内信息不符 the input differs from the card\n"
    assert not wrong.stdout


@BY
def test_the_pin(by: tuple[str, ...], tmp_path: Path) -> None:
    image = ("--image", str(tmp_path / "card.json"), *by)
    initial = run("terminal", "verify-pin", *PIN, *image, expect=1)
    assert initial.stderr.startswith("sscard: -35 ")
    run("terminal", "change-pin", *PIN, *NEW, *image)
    assert run("terminal", "verify-pin", *image, stdin="246802\n").stdout == "执行成功 done\n"
    wrong = json.loads(run("terminal", "verify-pin", "--pin", "999999", "--json", *image, expect=1).stdout)
    assert wrong["code"] == -51
    run("terminal", "unblock-pin", *image)
    run("terminal", "reload-pin", *image, stdin="135791\n135791\n")
    assert "135791" not in run("terminal", "verify-pin", "--pin", "135791", *image).output
    cancelled = run("terminal", "verify-pin", *image, stdin="", expect=1)
    assert "sscard: -31 取消输入密码" in cancelled.stderr


@BY
def test_a_debit_and_the_log(by: tuple[str, ...], tmp_path: Path) -> None:
    image = ("--image", str(tmp_path / "card.json"), *by)
    run("terminal", "change-pin", *PIN, *NEW, *image)
    own = ("--pin", "246802", *image)
    told = json.loads(run("terminal", "debit", "700", "1500", "--time", "20261125093000", "--json", *own).stdout)
    assert told["fields"]["self_paid"] == "700"
    assert "20261125093000  0  700  1500\n" in run("terminal", "log", *own).stdout
    rows = json.loads(run("terminal", "log", "--json", *own).stdout)["fields"]
    assert rows[0]["sequence"] == told["fields"]["sequence"]
    assert "tac: " in run("terminal", "debit", "1", "2", *own).stdout, "now, if no time is named"
    assert "-41" in run("terminal", "debit", "1.50", "2", *own, expect=1).stderr


def test_what_goes_not_together() -> None:
    assert "--machine" in run("terminal", "basic", "--psam", "psam", "--machine", expect=2).stderr
    assert "choose one of psam" in run("terminal", "basic", "--psam", "adult-chengdu", expect=2).stderr
    assert "--persona" in run("terminal", "basic", "--reader", "x", "--persona", "expired", expect=2).stderr
    assert run("terminal", "basic", "--psam", "psam-no-rksssse", expect=1).stderr.startswith("sscard: -2203 ")


def test_codes() -> None:
    rows = {row["code"]: row for row in json.loads(run("terminal", "codes", "--json").stdout)}
    assert rows[-25]["meaning_zh"] == "与加密机内部认证结果不符"
    assert "-27010" in run("terminal", "codes").stdout


@BY
def test_a_layouts_own_key_ids_are_followed(by: tuple[str, ...], tmp_path: Path) -> None:
    """A card that says 3.00, as all do, and has its keys elsewhere: by the version alone every proof is 6A88."""
    own = tmp_path / "own.toml"
    own.write_text(
        'extends = "3.00"\nschema = 1\nname = "own"\n[key.RKSSSE]\nid = "7A"\n[key.UKSSSE]\nid = "7B"\n',
        encoding="utf-8",
    )
    image = ("--image", str(tmp_path / "card.json"), "--layout", str(own), *by)
    assert "姓名 name: 测试甲\n" in run("terminal", "basic", *image).stdout
    assert run("terminal", "write", "SSSEEF06|0A|$", "SSSEEF06|2|$", *image).stdout == "执行成功 done\n"


def test_a_whole_file_is_told_by_its_size_and_a_record_field_by_field_however_it_is_joined() -> None:
    address = "DF01EF16|$DF02EF07:01$DF02EF07:01$SSSEEF05|07|$"
    for way, field in (("named", "2021302|20120716|"), ("^", "2021302^20120716^")):
        done = run("terminal", "read", address, "--pin", "123456", "--elements", way)
        assert done.exit_code == 0, done.output
        assert "# 预留信息文件 1 reserved file 1: 296 bytes" in done.stdout
        assert done.stdout.count(f"DF02EF07:01|{field}") == 2
        assert done.stdout.count("# 就业工作单位名称 employer: 成都样例网络有限公司") == 2
        assert done.stdout.endswith("  07 卡号 card number: A00000011\n"), "what follows a record is told in its place"
