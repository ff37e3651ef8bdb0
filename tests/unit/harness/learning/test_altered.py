"""Cards altered in one thing: it comes out as its own difference, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.filesystem.layouts import load
from harness.learning.learn import Wanted
from tests.kit.sampled import sampled
from tests.unit.harness.learning.cards import EVERYTHING, chip, differences, learned

Own = dict[str, Any]


def file(path: str, **values: Any) -> Own:
    return {"file": {path: values}}


def item(path: str, tag: str, **values: Any) -> Own:
    return file(path, item={tag: values})


def application(name: str, **values: Any) -> Own:
    return {"application": {name: values}}


def habits(**values: Any) -> Own:
    return {"habits": values}


KEYS_OF_DF07 = [
    "RK1DF07", "RK2DF07", "RK3DF07", "UK1DF07", "UK2DF07", "UK3DF07", "STKDF07",
]  # fmt: skip
STORED: dict[str, tuple[Own, str, Any]] = {
    "a longer item": (item("SSSE/EF06", "09", length=50), 'file."SSSE/EF06".items.09.length', 50),
    "a shorter item": (item("SSSE/EF06", "09", length=20), 'file."SSSE/EF06".items.09.length', 20),
    "an item that only the PIN opens": (item("DF01/EF05", "21", length=60), 'file."DF01/EF05".items.21.length', 60),
    "a field of a cyclic record": (
        file("DF02/EF07", field={"4": {"length": 60}}), 'file."DF02/EF07".fields.4.length', 60,
    ),
    "a larger file": (file("SSSE/EF07", size=1024), 'file."SSSE/EF07".size', 1024),
    "a smaller file": (file("DF01/EF16", size=300), 'file."DF01/EF16".size', 300),
    "a missing file": ({"remove": {"file": ["DF01/EF1A"]}}, 'file."DF01/EF1A"', None),
    "a missing log": ({"remove": {"file": ["DF04/EF08"], "table": ["purse"]}}, 'file."DF04/EF08"', None),
    "a missing application": (
        {"remove": {"application": ["DF07"], "file": ["DF07/EF05", "DF07/EF06", "DF07/EF07"], "key": KEYS_OF_DF07}},
        "application.DF07", None,
    ),
    "no directory": (
        {"remove": {"file": ["MF/EF1E"]}} | application("SSSE", directory=""), 'file."MF/EF1E"', None,
    ),
    "a file to be read freely": (file("SSSE/EF06", read="free"), 'file."SSSE/EF06".read', "free"),
    "a file behind the PIN": (file("SSSE/EF05", read="PIN"), 'file."SSSE/EF05".read', "PIN"),
    "a file behind a key alone": (file("DF01/EF05", read="RK1DF01"), 'file."DF01/EF05".read', "RK1DF01"),
    "a file behind both": (file("DF01/EF05", read="PIN and RK1DF01"), 'file."DF01/EF05".read', "PIN and RK1DF01"),
    "a file id on another page": (file("SSSE/EF06", fid="2F06"), 'file."SSSE/EF06".fid', "2F06"),
    "a file id without EF": (file("SSSE/EF06", fid="0006"), 'file."SSSE/EF06".fid', "0006"),
    "an application's id": (application("DF03", fid="DF33"), "application.DF03.fid", "DF33"),
    "an application's name": (
        application("DF03", dfname="D1 56 00 00 05 12"), "application.DF03.dfname", "D1 56 00 00 05 12",
    ),
    "an application without its label": (application("DF05", by_label=False), "application.DF05.by_label", False),
    "an FCI that names no algorithm": (
        application("SSSE", tells_algorithm=False), "application.SSSE.tells_algorithm", False,
    ),
    "what is in an FCI": (
        application("PSE", proprietary="88 01 02 5F 2D 02 7A 68"), "application.PSE.proprietary",
        "88 01 02 5F 2D 02 7A 68",
    ),
    "six tries of the PIN": ({"pin": {"tries": 6}}, "pin.tries", 6),
    "GET RESPONSE in any class": ({"get_response_class": "any"}, "get_response_class", "any"),
    "a maker's bytes in the ATR": (
        {"atr": {"maker": "00 11 22 33 44 55 66"}}, "atr.maker", "00 11 22 33 44 55 66",
    ),
    "interface bytes in the ATR": ({"atr": {"header": "3B 7D 11 00 00"}}, "atr.header", "3B 7D 11 00 00"),
}  # fmt: skip
NEW: dict[str, tuple[Own, set[str]]] = {
    "a new transparent file": (
        file("DF01/EF1B", structure="transparent", fid="EF1B", read="free", update="never", size=40),
        {'file."DF01/EF1B"'},
    ),
    "a new file of records behind the PIN": (
        file(
            "SSSE/EF0C", structure="records", fid="EF0C", read="PIN", update="UKSSSE",
            items=[{"tag": "E1", "format": "an", "length": 9}, {"tag": "E2", "format": "cn", "length": 3, "count": 2}],
        ),
        {'file."SSSE/EF0C"'},
    ),
    "a new application": (
        application("DF0A", parent="SSSE", fid="DF0A", dfname="D1 56 00 00 05 0A", fci="adf")
        | file(
            "DF0A/EF05", structure="records", fid="EF05", read="free", update="never",
            items=[{"tag": "01", "format": "cn", "length": 4}],
        ),
        {"application.DF0A", 'file."DF0A/EF05"'},
    ),
    "a file of another structure": (
        {"remove": {"file": ["DF01/EF16"]}}
        | file(
            "DF01/EF16", structure="records", fid="EF16", read="free", update="UK7DF01",
            items=[{"tag": "01", "format": "b", "length": 4}],
        ),
        {'file."DF01/EF16".structure', 'file."DF01/EF16".size', 'file."DF01/EF16".items'},
    ),
}  # fmt: skip
ANSWERED: dict[str, tuple[Own, str, Any]] = {
    "another word for no record": (habits(status={"B2:6A83": "6A82"}), 'habits.status."B2:6A83"', "6A82"),
    "another word for no file": (habits(status={"A4:6A82": "6A88"}), 'habits.status."A4:6A82"', "6A88"),
    "absent files told as absent records": (habits(status={"B2:6A82": "6A83"}), 'habits.status."B2:6A82"', "6A83"),
    "another word for a class": (habits(status={"*:6E00": "6D00"}), 'habits.status."*:6E00"', "6D00"),
    "another word for an instruction": (habits(status={"*:6D00": "6E00"}), 'habits.status."*:6D00"', "6E00"),
    "another word for rights": (habits(status={"B2:6982": "6985"}), 'habits.status."B2:6982"', "6985"),
    "another word for rights in one file": (
        habits(status={"SSSE/EF06 B2:6982": "6985"}), 'habits.status."SSSE/EF06 B2:6982"', "6985",
    ),
    "another word for rights in one application": (
        habits(status={"DF01 B2:6982": "6985"}), 'habits.status."DF01 B2:6982"', "6985",
    ),
    "records looked for before rights": (
        habits(before={"B2 record": "security"}), 'habits.before."B2 record"', "security",
    ),
    "Le 00 gives all": (habits(le={"B2": {"zero": "whole"}}), "habits.le.B2.zero", "whole"),
    "a Le that is too long gives all, with a warning": (
        habits(le={"B2": {"long": "6282"}}), "habits.le.B2.long", "6282",
    ),
    "a Le that is too short gives a part": (habits(le={"B2": {"short": "part"}}), "habits.le.B2.short", "part"),
    "Le 00 of bytes is told": (habits(le={"B0": {"zero": "6Cxx"}}), "habits.le.B0.zero", "6Cxx"),
    "Le 00 is refused": (habits(le={"B2": {"zero": "6700"}}), "habits.le.B2.zero", "6700"),
    "SELECT answers at once": (habits(waiting={"A4": "at once"}), "habits.waiting.A4", "at once"),
    "records wait": (habits(waiting={"B2": "61xx"}), "habits.waiting.B2", "61xx"),
    "challenges of eight bytes alone": (habits(challenge=[8]), "habits.challenge", [8]),
    "a challenge unasked": (habits(le={"84": {"zero": "whole"}}), "habits.le.84.zero", "whole"),
    "no tag with an SFI": (habits(addressing={"tag-sfi": "6A86"}), "habits.addressing.tag-sfi", "6A86"),
    "no number with an SFI": (habits(addressing={"number-sfi": "6A86"}), "habits.addressing.number-sfi", "6A86"),
    "no number in the current EF": (
        habits(addressing={"number-current": "6A81"}), "habits.addressing.number-current", "6A81",
    ),
    "one way in one file": (
        habits(addressing={"SSSE/EF05 previous": "6A81"}), 'habits.addressing."SSSE/EF05 previous"', "6A81",
    ),
    "no beginnings of names": (habits(selection={"part-of-name": "6A82"}), "habits.selection.part-of-name", "6A82"),
    "no EF by P1 02": (habits(selection={"ef-02": "6A86"}), "habits.selection.ef-02", "6A86"),
    "no READ BINARY": (habits(commands={"00B0": "absent"}), "habits.commands.00B0", "absent"),
    "a class taken as another": (habits(classes={"20": "00"}), "habits.classes.20", "00"),
    "an FCI for a file": (habits(fci={"SSSE/EF05": "6F 04 80 02 01 00"}), 'habits.fci."SSSE/EF05"', "6F0480020000"),
}  # fmt: skip


def altered(base: str, own: Own, shape: str = "t0") -> Any:
    layout = load.extending({"extends": base, "schema": 1, "name": "altered", **own}, "altered")
    return chip(layout, "", shape)


@pytest.mark.parametrize("name", sampled(STORED, 5))
def test_what_is_stored_otherwise_is_its_own_difference(name: str) -> None:
    own, where, after = STORED[name]
    found = learned(altered("3.00", own), EVERYTHING)
    assert {one: two[1] for one, two in differences(found).items()} == {where: after}
    assert found.learning.unexpressed == ()


def test_a_card_that_imports_no_key_pair_is_drawn_without_its_files() -> None:
    pair = ["CERT/EF14", "CERT/EF15"]
    plan = {"encryption_public": "", "encryption_private": "", "imports": "never"}
    found = learned(altered("3.00", {"remove": {"file": pair}, "certificate": plan}))
    assert {f'file."{path}"' for path in pair} <= set(differences(found))
    drawn = found.layout.certificate if found.layout is not None else None
    assert drawn is not None
    assert (drawn.encryption_private, drawn.signature) == ("", "CERT/EF18")
    assert found.learning.unexpressed == ()


@pytest.mark.parametrize("name", NEW)
def test_what_is_new_is_its_own_difference(name: str) -> None:
    own, expected = NEW[name]
    found = learned(altered("3.00", own), EVERYTHING)
    assert set(differences(found)) == expected
    assert found.learning.unexpressed == ()


@pytest.mark.parametrize("name", sampled(ANSWERED, 5))
def test_what_is_answered_otherwise_is_its_own_difference(name: str) -> None:
    own, where, after = ANSWERED[name]
    found = learned(altered("3.00", own), Wanted())
    assert {one: two[1] for one, two in differences(found).items()} == {where: after}
    assert found.learning.unexpressed == ()


@pytest.mark.parametrize("base", ["1.00", "2.00"])
@pytest.mark.parametrize("shape", ["t0", "apdu"])
def test_older_versions_in_any_reader_are_told_as_well(base: str, shape: str) -> None:
    own = item("SSSE/EF06", "09", length=50) | habits(status={"B2:6A83": "6A82"})
    found = learned(altered(base, own, shape))
    assert set(differences(found)) == {'file."SSSE/EF06".items.09.length', 'habits.status."B2:6A83"'}
    assert found.learning.nearest == base
    assert found.learning.unexpressed == ()
