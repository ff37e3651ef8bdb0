from __future__ import annotations

from pathlib import Path

import pytest

from emulator.filesystem import layout
from emulator.filesystem.specs import Layout, LayoutError
from emulator.security import parse_condition

OWN = 'extends = "2.00"\nschema = 1\nname = "own"\n'


def load(tmp_path: Path, text: str) -> Layout:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return layout.load(path)


@pytest.mark.parametrize(
    ("name", "version", "files", "items", "regions"),
    [
        ("1.00", "1.00", 21, 105, 0),
        ("2.00", "2.00", 45, 197, 5),
        ("3.00", "3.00", 49, 197, 5),
        ("regional", "3.00", 51, 199, 5),
        ("psam", "psam", 7, 1, 0),
    ],
)
def test_the_layouts_that_come_with_it(name: str, version: str, files: int, items: int, regions: int) -> None:
    loaded = layout.load(name)
    assert loaded.version == version
    assert len(loaded.files) == files
    assert sum(len(spec.items) for spec in loaded.files.values()) == items
    assert len(loaded.insurance_region) == regions
    assert layout.from_table(loaded.table, "again").fingerprint == loaded.fingerprint


def test_what_300_changes() -> None:
    old, new = layout.load("2.00"), layout.load("3.00")
    assert str(old.files["SSSE/EF06"].read) == "free"
    assert str(new.files["SSSE/EF06"].read) == "RKSSSE"
    assert new.algorithms == ("3des", "sm4")
    changed = [path for path in old.files if old.files[path] != new.files[path]]
    assert changed == ["SSSE/EF06"]
    assert [name for name in new.applications if name not in old.applications] == ["PKI", "CERT"]


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
        ("", "schema: missing"),
    ],
)
def test_files_that_are_no_layouts(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(LayoutError, match=expected):
        load(tmp_path, text)


def test_unknown_names_and_files() -> None:
    with pytest.raises(LayoutError, match=r"one of 1\.00, 2\.00, 3\.00"):
        layout.load("4.00")
    with pytest.raises(LayoutError, match="no such file"):
        layout.load("/nowhere/own.toml")


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


KEPT = Path(__file__).parents[1] / "data" / "layouts"


@pytest.mark.parametrize("path", sorted(KEPT.rglob("*.toml")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_layouts_of_every_release_load_for_ever(path: Path) -> None:
    """A vendor's layout that extends one of ours was written against it as it was."""
    kept = layout.load(path)
    assert kept.name == path.stem
    assert kept.fingerprint == layout.from_table(kept.table, "again").fingerprint
