"""Transparent files whole, elements in the file's order, and the last ``|``, in the library's strings."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from emulator.filesystem.layouts.terms import Structure
from harness.driver import formats
from harness.driver.backend import BackEnd
from harness.driver.library import SSCardDriver
from harness.driver.readers import Given
from harness.readers.connection import InProcess
from harness.terminal.terminal import Terminal
from tests.kit.counter import ANY, INITIAL, Counter

KINDS = [("3.00", "3des", "t0"), ("3.00", "sm4", "apdu"), ("2.00", "3des", "t0")]
PHOTO, RESERVED = "SSSEEF08|$", "DF01EF16|$"
SIZE, RESERVED_SIZE = 4096, 296
PICTURE = bytes(range(256)) * 16
ELEMENTS = "DF02EF05|44|$"
RECORD = "DF02EF07:01$"


@pytest.fixture(params=KINDS, ids="-".join)
def counter(request: pytest.FixtureRequest) -> Counter:
    layout, algorithm, shape = request.param
    return Counter(layout, algorithm, shape=shape).enters(INITIAL, INITIAL, INITIAL)


# --- transparent files -----------------------------------------------------------------------------------------------


def test_a_photograph_is_written_and_read_whole_as_hex(counter: Counter) -> None:
    hexed = PICTURE.hex().upper()
    assert counter.write(PHOTO, f"SSSEEF08|{hexed}|$", ANY) == (0, "")
    assert counter.image.memory.records("SSSE/EF08") == (PICTURE,)
    assert counter.read(PHOTO, meant=ANY) == (0, f"SSSEEF08|{hexed}|$")


def test_a_file_may_be_named_without_the_bar(counter: Counter) -> None:
    assert counter.read("SSSEEF08$", meant=ANY) == counter.read(PHOTO, meant=ANY)


def test_whole_files_stand_inside_a_longer_address_both_ways(counter: Counter) -> None:
    address = f"SSSEEF05|06|07|${PHOTO}DF01EF05|20|${RESERVED}"
    photo, reserved = "FFD8" + "5A" * (SIZE - 2), "0102" * (RESERVED_SIZE // 2)
    data = f"SSSEEF05|20330101|A00000099|$SSSEEF08|{photo}|$DF01EF05|9|$DF01EF16|{reserved}|$"
    assert counter.write(address, data, ANY) == (0, "")
    assert counter.read(address, meant=ANY) == (0, data)
    counter.enters(INITIAL, INITIAL)
    back = BackEnd(SSCardDriver(Given(counter.open, lambda: None), counter.pad), counter.machine)
    assert back.read(1, ANY, address) == (0, data), "in steps too"
    changed = data.replace("5A", "A5").replace("|9|", "|8|")
    counter.enters(INITIAL)
    assert back.write(1, ANY, address, changed) == (0, "")
    counter.enters(INITIAL)
    assert back.read(1, ANY, address) == (0, changed)


def test_what_is_shorter_leaves_nothing_of_the_old_picture(counter: Counter) -> None:
    assert counter.write(PHOTO, f"SSSEEF08|{PICTURE.hex()}|$", ANY) == (0, "")
    assert counter.write(PHOTO, "SSSEEF08|ffd8|$", ANY) == (0, "")
    assert counter.image.memory.records("SSSE/EF08") == (b"\xff\xd8" + bytes(SIZE - 2),)


@pytest.mark.parametrize(
    ("value", "code"),
    [("F", -42), ("00" * (SIZE + 1), -42), ("XX", -41), ("0 0 ", -41), ("é", -41), ("00|00", -23)],
)
def test_what_is_no_content_of_the_file_is_refused_before_anything_is_sent(value: str, code: int) -> None:
    counter = Counter()
    before = counter.image.memory.records("SSSE/EF08")
    assert counter.write(PHOTO, f"SSSEEF08|{value}|$")[0] == code
    assert counter.image.memory.records("SSSE/EF08") == before


def test_only_a_transparent_file_is_meant_as_a_whole() -> None:
    counter = Counter()
    for wrong in ("SSSEEF05|$", "DF02EF07|$", "SSSEEF05$"):
        assert counter.read(wrong, meant=ANY)[0] == -14, wrong
        assert counter.write(wrong, f"{wrong[:8]}|00|$", ANY)[0] == -14, wrong
    assert counter.read("SSSEEF99|$", meant=ANY)[0] == -27266
    assert counter.read("SSSEEF08|01|$", meant=ANY)[0] == -27009


def test_a_picture_without_its_right_is_refused_as_the_card_refuses() -> None:
    assert Counter().enters(INITIAL).read(PHOTO, auth=1)[0] == -27010


def test_a_card_that_gives_nothing_is_not_asked_for_ever() -> None:
    terminal = Terminal(Counter().open())
    terminal.begin()
    asked = []

    def nothing(*_: object) -> bytes:
        asked.append(1)
        return b""

    terminal.exchange = nothing  # type: ignore[assignment,method-assign]
    with pytest.raises(RuntimeError, match="gave nothing"):
        terminal.read_binary("DF01/EF16")
    assert len(asked) < 4


# --- elements and fields in the file's order -------------------------------------------------------------------------


def ordered(counter: Counter) -> SSCardDriver:
    """The same card, for a program that joins by ^."""
    return SSCardDriver(Given(counter.open, counter.its_psam), counter.pad, elements="^")


def test_elements_are_joined_in_the_files_order_both_ways() -> None:
    counter = Counter().enters(INITIAL)
    code, named = counter.read(ELEMENTS, meant=ANY)
    assert code == 0
    values = [one.partition("=")[2] for one in named.removesuffix("|$").partition("|")[2].split(";")]
    driver = ordered(counter)
    counter.enters(INITIAL)
    assert driver.iReadCard(1, 2, ANY, ELEMENTS) == (0, f"DF02EF05|{'^'.join(values)}|$")
    changed = ["084", "", *values[2:]]
    assert driver.iWriteCard(1, ANY, ELEMENTS, f"DF02EF05|{'^'.join(changed)}|$") == (0, "")
    counter.enters(INITIAL, INITIAL)
    assert driver.iReadCard(1, 2, ANY, ELEMENTS) == (0, f"DF02EF05|{'^'.join(changed)}|$")
    assert counter.read(ELEMENTS, meant=ANY)[1].startswith("DF02EF05|33=084;34=;35=")


def test_fields_of_a_record_are_joined_in_the_files_order_both_ways() -> None:
    counter = Counter().enters(INITIAL, INITIAL, INITIAL)
    code, barred = counter.read(RECORD, meant=ANY)
    assert code == 0
    driver = ordered(counter)
    fields = barred.removesuffix("|$").split("|")[1:]
    assert driver.iReadCard(1, 2, ANY, RECORD) == (0, f"DF02EF07:01|{'^'.join(fields)}|$")
    newest = "2020100^20200101^20210101^某公司"
    assert driver.iWriteCard(1, ANY, RECORD, f"DF02EF07:01|{newest}|$") == (0, "")
    assert counter.read(RECORD, meant=ANY) == (0, f"DF02EF07:01|{newest.replace('^', '|')}|$")


@pytest.mark.parametrize("value", ["084", "084^x", "084^x^20200101^1^2", "33=084;34=x;35=;36="])
def test_more_or_fewer_elements_than_the_file_has_are_bad_input(value: str) -> None:
    assert ordered(Counter()).iWriteCard(1, ANY, ELEMENTS, f"DF02EF05|{value}|$")[0] == -23
    assert ordered(Counter()).iWriteCard(1, ANY, RECORD, "DF02EF07:01|a^b|$")[0] == -23


def test_an_element_alone_is_the_same_in_both_ways() -> None:
    counter = Counter().enters(INITIAL, INITIAL)
    assert ordered(counter).iReadCard(1, 2, ANY, "DF02EF05|44:33|$") == counter.read("DF02EF05|44:33|$", meant=ANY)


# --- the last bar ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a|b", "a|b|"])
def test_the_bar_after_the_last_field_may_be_missing(text: str) -> None:
    assert formats.fields(text) == ["a", "b"]


def test_only_one_bar_ends_a_field() -> None:
    assert formats.fields("a|b||") == ["a", "b", ""]
    assert formats.fields("||") == ["", ""]
    assert formats.fields("") == []


@pytest.mark.parametrize("end", ["|", ""])
@pytest.mark.parametrize("kind", [("3.00", "3des"), ("3.00", "sm4")], ids="-".join)
def test_a_machines_answer_ends_with_a_bar_or_not_in_every_step(kind: tuple[str, str], end: str) -> None:
    """Every operation in steps, with pKey as machines give it: the library takes both, whichever the algorithm is."""
    counter = Counter(*kind, psam=None)

    class Ended:
        """The driver, with the end of each pKey made so."""

        def __getattr__(self, name: str) -> object:
            function = getattr(counter.driver, name)
            if "_Step1" in name or "_Step" not in name:
                return function
            return lambda key, *more: function(key.rstrip("|") + end, *more)

    back = BackEnd(Ended(), counter.machine)  # type: ignore[arg-type]
    assert back.basic(1)[0] == 0
    assert back.read(1, ANY, "SSSEEF06|09|$")[0] == 0
    assert back.write(1, ANY, "SSSEEF05|06|$", "SSSEEF05|20330101|$") == (0, "")
    counter.enters(INITIAL, "246802", "246802", "246802")
    counter.driver.iChangePIN(1)
    counter.enters("246802")
    code, told = back.debit(1, ANY, "700|1500|20261125093000")
    assert code == 0, told
    counter.enters("135791", "135791")
    assert back.reload_pin(1, ANY) == (0, "")
    assert back.unblock_pin(1, ANY) == (0, "")


def test_the_card_that_is_meant_is_named_with_a_last_bar_or_without() -> None:
    counter = Counter()
    for meant in ("510100D15600000551010001C4A06E3C|A00000011", "510100D15600000551010001C4A06E3C|A00000011|"):
        assert counter.read("SSSEEF05|07|$", meant=meant)[0] == 0
    assert counter.read("SSSEEF05|07|$", meant="|A00000012")[0] == -22


# --- every file, and under secure messaging ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["1.00", "2.00", "3.00"])
def test_every_transparent_file_that_an_address_can_name_is_read_and_written(name: str) -> None:
    files = [spec for spec in catalogue.layout(name).files.values() if spec.structure is Structure.TRANSPARENT]
    named = [spec for spec in files if not spec.path.startswith("CERT/")]
    assert named
    for spec in named:
        counter = Counter(name).enters(INITIAL, INITIAL)
        address = spec.path.replace("/", "")
        content = "A5" * (spec.size - 1) + "5A"
        assert counter.write(f"{address}|$", f"{address}|{content}|$", ANY) == (0, ""), spec.path
        assert counter.read(f"{address}|$", meant=ANY) == (0, f"{address}|{content}|$"), spec.path


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
@pytest.mark.parametrize(("reading", "writing"), [("mac", "mac"), ("cipher", "cipher"), ("mac", "cipher")])
def test_a_file_that_demands_secure_messaging_is_read_and_written_in_pieces_that_fit(
    tmp_path: Path, algorithm: str, reading: str, writing: str
) -> None:
    own = tmp_path / "sealed.toml"
    own.write_text(
        'extends = "3.00"\nschema = 1\nname = "sealed"\n'
        f'[file."SSSE/EF08"]\nread_messaging = "{reading}"\nupdate_messaging = "{writing}"\n',
        encoding="utf-8",
    )
    card = catalogue.card("adult-chengdu", str(own), algorithm)
    terminal = Terminal(InProcess(Chip(card)), card.layout)
    terminal.begin()
    terminal.update_binary("SSSE/EF08", PICTURE)
    assert terminal.read_binary("SSSE/EF08") == PICTURE
