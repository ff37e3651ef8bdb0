from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import catalogue
from emulator.filesystem.layouts import load as layout
from emulator.filesystem.layouts.specs import Layout, LayoutError
from emulator.security import parse_condition
from harness.cli import main

OWN = 'extends = "2.00"\nschema = 1\nname = "own"\n'


def load(tmp_path: Path, text: str) -> Layout:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return catalogue.layout(path)


@pytest.mark.parametrize(
    ("name", "version", "files", "items", "regions"),
    [
        ("1.00", "1.00", 21, 102, 0),
        ("1.00-whole", "1.00", 21, 93, 0),
        ("2.00", "2.00", 46, 206, 5),
        ("3.00", "3.00", 52, 206, 5),
        ("regional", "3.00", 54, 208, 5),
        ("psam", "psam", 7, 1, 0),
    ],
)
def test_the_layouts_that_come_with_it(name: str, version: str, files: int, items: int, regions: int) -> None:
    loaded = catalogue.layout(name)
    assert loaded.version == version
    assert len(loaded.files) == files
    assert sum(len(spec.items) for spec in loaded.files.values()) == items
    assert len(loaded.insurance_region) == regions
    assert layout.from_table(loaded.table, "again").fingerprint == loaded.fingerprint


def test_what_300_changes() -> None:
    old, new = catalogue.layout("2.00"), catalogue.layout("3.00")
    assert str(old.files["SSSE/EF06"].read) == "free"
    assert str(new.files["SSSE/EF06"].read) == "RKSSSE"
    assert new.algorithms == ("3des", "sm4")
    changed = [path for path in old.files if old.files[path] != new.files[path]]
    assert changed == ["SSSE/EF06"]
    assert [name for name in new.applications if name not in old.applications] == ["PPSE", "PKI", "CERT"]


def test_a_vendor_changes_a_fact_without_code(tmp_path: Path) -> None:
    own = load(tmp_path, OWN + "[key.UKSSSE]\ntries = 6\n[pin]\ntries = 6\n[application.SSSE]\nfid = 'DDF2'\n")
    assert (own.keys["UKSSSE"].tries, own.pin.tries, own.applications["SSSE"].fid) == (6, 6, 0xDDF2)


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ('[file."SSSE/EF05"]\nread = "UKNOWN"\n', 'file."SSSE/EF05".read', "not declared"),
        ('[file."SSSE/EF05"]\nread = "PIN or"\n', 'file."SSSE/EF05".read', "names joined"),
        ('[file."SSSE/EF05"]\nread = "UK1DF01"\n', 'file."SSSE/EF05".read', "out of reach"),
        ('[file."SSSE/EF05"]\ncolour = "red"\n', 'file."SSSE/EF05".colour', "not a key"),
        ('[file."SSSE/EF07"]\nsize = "big"\n', 'file."SSSE/EF07".size', "a number from 1"),
        ('[file."SSSE/EF99"]\nstructure = "records"\n', 'file."SSSE/EF99"', "EFnn"),
        ('[file."SSSE/EF05"]\nitems = [{ tag = "0", format = "an", length = 1 }]\n', ".items[0].tag", "bytes in hex"),
        ('[file."SSSE/EF05"]\nitems = [{ tag = "01", format = "xx", length = 1 }]\n', ".items[0].format", "one of"),
        ('[file."SSSE/EF05"]\nitems = [{ tag = "01", format = "an" }]\n', ".items[0].length", "missing"),
        ('[messaging.ssse]\nkey = "x"\n', "messaging.ssse.key", "one of"),
        ("[messaging.ssse]\ncryptogram = 12\n", "messaging.ssse.cryptogram", "expected 8 or 16"),
        ('[application.SSSE]\nmessaging = "none"\n', "application.SSSE.messaging", "one of"),
        ('[application.SSSE]\nmessaging_key = "NOPE"\n', "application.SSSE", "not declared"),
        ('[application.DF03]\nblock = "NOPE"\n', "application.DF03", "not declared"),
        ('[activation]\ncla = "81"\n', "activation.cla", "low bits 0"),
        ('[purse]\nlog = "DF02/EF07"\n', "purse.log", "28 bytes"),
        ('[purse]\nswitch = "x"\n', "purse.switch", "like DF04/EF05/8F"),
        ('[blocking]\ncard = "NOPE"\n', "blocking.card", "not declared"),
        ('[personalisation]\nkey = "NOPE"\n', "personalisation.key", "one of"),
        ('[remove]\nfile = ["DF09/EF05"]\n', "remove.file", "is not there"),
        ("remove = 3\n", "remove", "lists by section"),
        ('card = "bus"\n', "card", "one of"),
        ('[file."SSSE/EF05"]\nread_messaging = "aes"\n', 'file."SSSE/EF05".read_messaging', "one of"),
        ('[file."BANK/EF02"]\nread = "PIN"\n', 'file."BANK/EF02".read', "out of reach of BANK"),
        ("[key.UKSSSE]\nlevels = 4\n", "key.UKSSSE.levels", "from 1 to 3"),
        ("[key.UKSSSE]\ntries = true\n", "key.UKSSSE.tries", "a number"),
        ('[key.UKSSSE]\napplication = "DF09"\n', "key.UKSSSE.application", "one of"),
        ('[pin]\ninitial = "12"\n', "pin.initial", "4 to 16 digits"),
        ('[atr]\nheader = "3B 65 00 00"\n', "atr.header", "13 historical"),
        (
            '[roles]\ninsurance_region = [{ item = "DF03/EF05/FF", insurance = "x" }]\n',
            "insurance_region[0].item",
            "an item",
        ),
        ("[application.DF09]\nparent = 'XX'\nfid = 'DF09'\n", "application.DF09.parent", "declared above"),
        ("[colour]\n", "colour", "not a key"),
    ],
)
def test_errors_name_file_key_and_expectation(tmp_path: Path, text: str, key: str, expected: str) -> None:
    with pytest.raises(LayoutError) as error:
        load(tmp_path, OWN + text)
    message = str(error.value)
    assert "own.toml" in message
    assert key in message
    assert expected in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("= 1", "not TOML"),
        ('extends = "own.toml"', "circle"),
        ('extends = "9.99"', "no such layout"),
        ("extends = 3", "name or path"),
        ("schema = 1\nextends = '2.00'\nalgorithms = ['ssf33']", "SSF33 is not public"),
        ("schema = 2\nextends = '2.00'", "reads schema 1"),
        ("", "is empty"),
        ("# nothing", "schema: missing"),
    ],
)
def test_files_that_are_no_layouts(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(LayoutError, match=expected):
        load(tmp_path, text)


def test_unknown_names_and_files() -> None:
    with pytest.raises(LayoutError, match=r"one of 1\.00, 1\.00-whole, 2\.00, 3\.00"):
        catalogue.layout("4.00")
    with pytest.raises(LayoutError, match="no such file"):
        catalogue.layout("/nowhere/own.toml")


@pytest.mark.parametrize("text", ["", "PIN PIN", "PIN or UK and RK", "free or PIN", "or"])
def test_conditions_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|alone"):
        parse_condition(text)


@pytest.mark.parametrize(
    ("text", "rights", "satisfied"),
    [
        ("free", "", True),
        ("never", "PIN UK", False),
        ("PIN", "UK", False),
        ("PIN or UK", "UK", True),
        ("PIN and UK", "UK", False),
        ("PIN and UK", "UK PIN", True),
    ],
)
def test_conditions(text: str, rights: str, satisfied: bool) -> None:
    condition = parse_condition(text)
    assert condition.satisfied(set(rights.split())) is satisfied
    assert str(condition) == text


KEPT = Path(__file__).parents[4] / "data" / "layouts"


@pytest.mark.parametrize("path", sorted(KEPT.rglob("*.toml")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_layouts_of_every_release_load_for_ever(path: Path) -> None:
    """A vendor's layout that extends one of ours was written against it as it was."""
    kept = catalogue.layout(path)
    assert kept.name == path.stem
    assert kept.fingerprint == layout.from_table(kept.table, "again").fingerprint


# --- what an extending layout may change, and how it is told -----------------------------------------------------


def test_a_layout_without_file_ids_still_loads_and_gets_the_usual_ones() -> None:
    table = dict(catalogue.layout("regional").table)
    table["file"] = {
        path: {key: value for key, value in file.items() if key != "fid"} for path, file in table["file"].items()
    }
    old = layout.from_table(table, "old")
    assert {path: spec.fid for path, spec in old.files.items()} == {
        path: spec.fid for path, spec in catalogue.layout("regional").files.items()
    }
    assert old.files["SSSE/EF0D"].fid == 0xEF0D
    psam = dict(catalogue.layout("psam").table)
    psam["file"] = {path: {k: v for k, v in file.items() if k != "fid"} for path, file in psam["file"].items()}
    assert layout.from_table(psam, "old psam").files["MF/EF16"].fid == 0x0016


def test_an_item_is_overridden_alone(tmp_path: Path) -> None:
    own = load(
        tmp_path,
        OWN
        + '[file."SSSE/EF06".item.09]\nlength = 50\n'
        + '[file."DF02/EF05".item.43.element.5C]\nlength = 60\n'
        + '[file."DF02/EF07".field.4]\nlength = 60\n',
    )
    base = catalogue.layout("2.00")
    name = own.files["SSSE/EF06"].item(0x09)
    assert name is not None
    assert name.length == 50
    assert [item.tag for item in own.files["SSSE/EF06"].items] == [item.tag for item in base.files["SSSE/EF06"].items]
    part = own.files["DF02/EF05"].item(0x43)
    assert part is not None
    assert [one.length for one in part.elements if one.tag == 0x5C] == [60]
    assert own.files["DF02/EF07"].items[3].length == 60
    assert catalogue.layout("2.00").files["SSSE/EF06"].item(0x09) != name, "the base stays as it is"


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ('[file."SSSE/EF06".item.99]\nlength = 5\n', 'file."SSSE/EF06".item.99', "one of the inherited items: 08, 09"),
        ('[file."SSSE/EF06".item.09]\nlenght = 5\n', 'file."SSSE/EF06".items', "not a key"),
        ('[file."SSSE/EF07".item.09]\nlength = 5\n', 'file."SSSE/EF07".item', "inherited items"),
        ('[file."SSSE/EF06"]\nfid = "EF05"\n', 'file."SSSE/EF06".fid', "EF05 is SSSE/EF05's already"),
        ('[file."SSSE/EF06"]\nfid = "DF01"\n', 'file."SSSE/EF06".fid', "DF01 is DF01's already"),
        ('[key.BK]\nid = "04"\n', "key.BK.id", "UKSSSE under id 04"),
        ('[key.BK]\npsam = "four"\n', "key.BK.psam", "usage and id like 48/12"),
        ('[key.BK]\npsam = "68/11"\n', "key.BK.psam", "3 levels, the key 2"),
        ('[atr]\nheader = "3B 8D 01 01"\n', "atr.header", "ends with TCK"),
        ('[atr]\nheader = "3B 8D 80 01"\n', "atr.header", "ends with TCK"),
        ('[atr]\nheader = "3B 6D 00"\n', "atr.header", "1 interface bytes more"),
        ('[atr]\nheader = "3B 6D 00 00 00"\n', "atr.header", "announce 2 interface bytes, 3 stand"),
        ('[application.SSSE]\ndirectory = "MF/EF1D"\n', "application.SSSE.directory", "a directory file of SSSE"),
        ('[application.DF05]\nlabel = "一二三四五六七八九"\n', "application.DF05.label", "at most 16 bytes"),
        ("[key_levels]\nUKSSE = 1\n", "key_levels.UKSSE", "not a key"),
        ("[key_levels]\nall = 4\n", "key_levels.all", "from 1 to 3"),
    ],
)
def test_what_no_card_can_have_is_refused(tmp_path: Path, text: str, key: str, expected: str) -> None:
    with pytest.raises(LayoutError) as caught:
        load(tmp_path, OWN + text)
    assert key in caught.value.key
    assert expected in str(caught.value)


def test_an_atr_of_another_maker_may_have_other_interface_bytes(tmp_path: Path) -> None:
    assert load(tmp_path, OWN + '[atr]\nheader = "3B 9D 95 80 00"\n').atr_header.hex() == "3b9d958000"


def test_key_levels_are_a_regions_choice(tmp_path: Path) -> None:
    own = load(tmp_path, OWN + "[key_levels]\nall = 1\nRKSSSE = 3\n")
    levels = {
        name: (own.keys[name].levels, str(own.keys[name].psam)[:2]) for name in ("UKSSSE", "RK1DF01", "RKSSSE", "IRK")
    }
    assert levels == {"UKSSSE": (1, "28"), "RK1DF01": (1, "27"), "RKSSSE": (3, "67"), "IRK": (3, "67")}


def test_check_ends_with_what_differs_and_tells_dropped_items(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        OWN + '[pin]\ntries = 6\n[file."DF01/EF08"]\nitems = [{ tag = "2D", format = "an", length = 1 }]\n',
        encoding="utf-8",
    )
    result = CliRunner().invoke(main, ["layout", "check", str(path)])
    assert result.exit_code == 0, result.output
    assert "differences from 与其差异 2.00" in result.output
    assert "  pin.tries: 3 → 6" in result.output
    assert 'file."DF01/EF08".items.2B: gone 删除' in result.output
    told = json.loads(CliRunner().invoke(main, ["layout", "check", str(path), "--json"]).output)
    assert told["extends"] == "2.00"
    assert {"where": "pin.tries", "before": 3, "after": 6} in told["differences"]


def test_diff_of_two_layouts_tells_what_differs_by_its_exit_code() -> None:
    same = CliRunner().invoke(main, ["layout", "diff", "2.00", "2.00"])
    assert (same.exit_code, same.output) == (0, "0 differences from 与其差异 2.00\n")
    other = CliRunner().invoke(main, ["layout", "diff", "2.00", "3.00"])
    assert other.exit_code == 1
    assert '  file."SSSE/EF06".read: "free" → "RKSSSE"' in other.output
