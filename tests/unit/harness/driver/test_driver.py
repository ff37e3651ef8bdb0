"""SSCardDriver's functions with a PSAM: what they give on virtual cards."""

from __future__ import annotations

import pytest

from emulator.filesystem.layouts.specs import ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat
from emulator.filesystem.layouts.text import decode, encode
from emulator.filesystem.memory.cells import PIN_CELL
from harness.driver import contents, formats, wire
from harness.driver.codes import Code, DriverError, words
from harness.driver.formats import Wanted
from tests.kit.counter import ANY, KINDS, MEANT, NUMBER, SHAPES, Counter

# --- what the functions give ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_basic_information(kind: tuple[str, str], shape: str) -> None:
    version, algorithm = kind
    code, out = Counter(version, algorithm, shape=shape).basic()
    assert code == 0, out
    told = out.split("|")
    assert len(told) == 12
    assert told[0] == "510100"
    assert told[2] == NUMBER
    assert told[3] == told[3].upper()
    assert (len(told[3]), told[4], told[6]) == (32, "测试甲", version)
    assert told[5] == "0081544C908684510151010001"
    assert told[9] == ("510100000001" if version == "3.00" else "")
    assert told[10:] == ["SSCARD000001", ""]


def test_what_is_expired_is_told_and_left_to_the_counter_software() -> None:
    counter = Counter(persona="expired")
    code, out = counter.basic()
    assert (code, out.split("|")[8]) == (0, "20200914")
    assert counter.read("SSSEEF05|02|04|$", meant=ANY) == (0, "SSSEEF05|3|915600000251010051010001|$")
    assert counter.write("SSSEEF05|06|$", "SSSEEF05|20330101|$", ANY) == (0, ""), "or it could never be renewed"


def test_a_long_name_is_whole() -> None:
    code, out = Counter(persona="long-name").basic()
    assert code == 0
    assert len(out.split("|")[4].encode("gbk")) > 30


def test_items_are_mirrored() -> None:
    counter = Counter()
    assert counter.read("SSSEEF05|06|07|$SSSEEF06|09|$") == (0, f"SSSEEF05|20300914|{NUMBER}|$SSSEEF06|测试甲|$")
    assert counter.read("SSSEEF05|07|$", meant="||") == (0, f"SSSEEF05|{NUMBER}|$")


def test_written_items_read_back() -> None:
    counter = Counter()
    assert counter.write("SSSEEF05|06|$SSSEEF06|0A|$", "SSSEEF05|20330101|$SSSEEF06|2|$") == (0, "")
    assert counter.read("SSSEEF05|06|$SSSEEF06|0A|$") == (0, "SSSEEF05|20330101|$SSSEEF06|2|$")


def test_keys_where_pin_or_key_will_do_and_both_where_both_are_asked_for() -> None:
    counter = Counter()
    assert counter.read("DF01EF05|20|$DF03EF07|71|$") == (0, "DF01EF05|51|$DF03EF07|510100|$"), "no PIN is asked"
    assert counter.read("DF04EF06|92|$")[0] == -32, "PIN and key"
    assert counter.enters("123456").read("DF04EF06|92|$") == (0, "DF04EF06|00000000|$")
    assert Counter(psam=None).read("SSSEEF05|07|$") == (0, f"SSSEEF05|{NUMBER}|$"), "free: no PSAM is needed"
    assert Counter(psam=None).enters("123456").read("DF01EF05|20|$", auth=1) == (0, "DF01EF05|51|$")


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_one_of_several_items_with_a_tag_one_element_and_records(algorithm: str) -> None:
    counter = Counter(algorithm=algorithm)
    first = "33=480;34=虚构专业技术评审委员会;35=20180920;36=0000000000000002"
    assert counter.read("DF02EF05|44|44:02|44:33|$", meant=ANY) == (0, f"DF02EF05|{first}|33=;34=;35=;36=|480|$")
    assert counter.write("DF02EF05|44:02|44:33|$", "DF02EF05|33=123;34=会计|077|$", ANY) == (0, "")
    changed = first.replace("480", "077")
    assert counter.read("DF02EF05|44|44:02|$", meant=ANY) == (0, f"DF02EF05|{changed}|33=123;34=会计;35=;36=|$")
    newest, before = "2020100|20200101|20210101|某公司|", counter.read("DF02EF07:01$", meant=ANY)[1]
    assert counter.write("DF02EF07:01$", f"DF02EF07:01|{newest}$", ANY) == (0, "")
    both = counter.read("DF02EF07:01$DF02EF07:02$", meant=ANY)
    assert both == (0, f"DF02EF07:01|{newest}${before.replace(':01', ':02')}")


def test_binary_numbers_fill_their_bytes() -> None:
    """Items of format dec, which a layout may have: what fits their bytes may be written, and no more."""
    four = ItemSpec(0x61, ItemFormat.DEC, 4, "", "", "D")
    for value in ("0", "4294967295"):
        contents.check(four, value)
    for value, code in (("4294967296", -42), ("99999999999", -42), ("", -41), ("-1", -41), ("١", -41)):
        with pytest.raises(DriverError) as error:
            contents.check(four, value)
        assert error.value.code == code


def test_the_pin_from_first_to_last() -> None:
    counter = Counter().enters("123456", "246802", "246802")
    assert counter.driver.iChangePIN(1) == (0, "")
    assert counter.enters("246802").driver.iVerifyPIN(1) == (0, "")
    for left in (2, 1):
        assert counter.enters("111111").driver.iVerifyPIN(1) == (-51, words(Code.PIN_WRONG, left))
    assert counter.enters("111111").driver.iVerifyPIN(1)[0] == -52
    assert counter.driver.iUnblockPIN(1, MEANT) == (0, "")
    assert counter.enters("246802").driver.iVerifyPIN(1) == (0, "")
    assert counter.enters("864200", "864200").driver.iReloadPIN(1, MEANT) == (0, "")
    assert counter.enters("864200").driver.iVerifyPIN(1) == (0, "")
    assert counter.read("SSSEEF05|07|$", auth=1)[0] == -32, "the pad is asked for the PIN again"


def test_no_pin_is_asked_where_none_is_set() -> None:
    assert Counter().put(PIN_CELL, "").driver.iVerifyPIN(1) == (0, "")


def test_a_refused_write_changes_nothing() -> None:
    """The second value is wrong: the first is not written either."""
    counter = Counter()
    before = counter.image.memory.snapshot()
    assert counter.write("SSSEEF05|06|05|$", "SSSEEF05|20330101|x|$")[0] == -41
    assert counter.image.memory.snapshot() == before


def test_what_reads_back_otherwise_is_told() -> None:
    counter = Counter(faults=("garbled,instruction=READ_RECORD,item=SSSE/EF05/06,nth=2",))
    code, text = counter.write("SSSEEF05|06|$", "SSSEEF05|20330101|$")
    assert (code, "SSSE/EF05/06" in text) == (-15, True)
    assert counter.read("SSSEEF05|06|$") == (0, "SSSEEF05|20330101|$"), "it was written, but nobody could know"


def test_cards_are_let_go_whatever_happens() -> None:
    counter = Counter()
    counter.basic()
    counter.read("SSSEEF05|7F|$")
    for chip in (counter.card, counter.own):
        assert chip is not None
        with pytest.raises(RuntimeError, match="no power"):
            chip.transmit(b"\x00\x84\x00\x00\x08")


# --- formats -------------------------------------------------------------------------------------------------------


def test_addresses() -> None:
    assert formats.addresses("SSSEEF05|06|44:02|$DF02EF07:01$") == [
        Wanted("SSSE/EF05", (("06", ""), ("44", "02"))),
        Wanted("DF02/EF07", (), 1),
    ]
    wrong_ones = (
        "",
        "SSSEEF05|06|",
        "SSSEEF05:1|06|$",
        "DF02EF07:00$",
        "XXEF05|06|$",
        "SSSEEF05|6|$",
        "$",
        "|$",
    )
    for wrong in wrong_ones:
        with pytest.raises(DriverError):
            formats.addresses(wrong)


def test_an_old_card_brought_up_to_date_is_read_in_the_later_meaning_and_stays_so() -> None:
    counter = Counter("1.00", persona="centenarian").enters("123456", "123456")
    assert counter.read("DF01EF0A|37|38|39|$", meant=ANY) == (0, "DF01EF0A||13||$"), (
        "38 in 2.00's terms, the rest empty"
    )
    assert [one.spec.name for one in counter.driver.told] == ["缴费基数", "政治面貌", "工资信息更新日期"]
    assert counter.write("DF01EF0A|37|38|$", "DF01EF0A|DEU|01|$", ANY) == (0, "")
    assert counter.image.memory.records("DF01/EF0A")[0].hex() == "3704444555ee"
    assert counter.read("DF01EF0A|37|38|$", meant=ANY) == (0, "DF01EF0A|DEU|01|$")
    assert counter.driver.told[0].spec.name == "国籍"
    assert counter.write("DF01EF0A|37|$", "DF01EF0A|DNK|$", ANY) == (0, "")
    assert counter.image.memory.records("DF01/EF0A")[0].hex() == "3704444e4bee"


def test_an_old_item_takes_a_value_that_fits_its_later_meaning_alone() -> None:
    counter = Counter("1.00").enters("123456")
    assert counter.write("DF03EF05|61|$", "DF03EF05|00130000|$", ANY) == (0, "")
    assert counter.image.memory.records("DF03/EF05")[2].hex() == "610400130000"
    assert counter.write("DF04EF05|81|$", "DF04EF05|虚构医院|$", ANY) == (0, "")
    assert counter.read("DF04EF05|81|$", meant=ANY) == (0, "DF04EF05|虚构医院|$")


@pytest.mark.parametrize("name", ["B2E2FE9F", "B2E2CA", "AAA1B2E2", "B2E295329031", "B2E2FE51A1A4"])
def test_a_name_passes_as_the_bytes_that_the_card_holds(name: str) -> None:
    """A rare character, a cut one, a user-defined one, one of four bytes: read, and written back, nothing changes."""
    counter = Counter()
    held = bytes.fromhex(name)
    assert counter.write("SSSEEF06|09|$", f"SSSEEF06|{decode(held)}|$", ANY) == (0, "")
    assert counter.image.memory.records("SSSE/EF06")[1] == b"\x09\x1e" + held.ljust(30, b"\0")
    code, out = counter.read("SSSEEF06|09|$", meant=ANY)
    assert (code, encode(out)) == (0, b"SSSEEF06|" + held + b"|$")
    assert wire.answer(code, out)[4:] == b"0\0SSSEEF06|" + held + b"|$\0"
