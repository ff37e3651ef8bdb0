"""The tree of a card says what the card holds and lets nobody have what is nobody's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emulator import catalogue
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import Cell, CellKey, CellKind, file_cell
from emulator.interface import Interface
from harness.studio.card.held import HeldCard
from harness.studio.card.tree import tree
from tests.kit.cards import HOME, VERIFY, WRONG_PIN, Card, new_card
from tests.unit.harness.studio.card import nodes

CARDS = [
    *((layout, catalogue.personas(catalogue.layout(layout).card)[0]) for layout in catalogue.layouts()),
    ("2.00", "card-blocked"),
    ("2.00", "pin-locked"),
    ("3.00", "application-blocked"),
    ("3.00", "blank"),
    ("3.00", "not-activated"),
    ("3.00", "certificate-expired"),
    ("3.00", "interpunct-name"),
    ("3.00", "rare-name"),
    ("credit", "foreign-resident"),
    ("psam", "psam-no-rksssse"),
]


@pytest.mark.parametrize(("layout", "persona"), CARDS)
def test_everything_on_the_card_has_its_place_once(layout: str, persona: str) -> None:
    image = catalogue.card(persona, layout)
    card = nodes.of_image(image)
    plan = image.layout
    there = {one for one in plan.files if plan.files[one].application not in plan.hidden}
    assert set(nodes.files(card)) == there
    apps = list(nodes.applications(card.root))
    assert [one.id for one in apps] == sorted((one.id for one in apps), key=list(plan.applications).index)
    keys = {key.name: key for app in apps for key in app.keys}
    assert set(keys) == set(plan.keys)
    for path, file in nodes.files(card).items():
        if file.structure == Structure.RECORDS:
            present = [bytes.fromhex(f"{one.tag}{one.length:02X}{one.hex}") for one in file.items if one.present]
            assert tuple(present) == (() if file.secret else image.memory.records(path))
        elif file.structure == Structure.CYCLIC:
            joined = tuple(bytes.fromhex("".join(one.hex for one in record.fields)) for record in file.records)
            assert joined == image.memory.records(path)
        else:
            assert set(file.hex) <= {"*"} if file.secret else bytes.fromhex(file.hex) == image.memory.records(path)[0]


@pytest.mark.parametrize(("layout", "persona"), CARDS)
def test_neither_a_key_nor_a_pin_nor_what_nobody_may_read_is_in_it(layout: str, persona: str) -> None:
    image = catalogue.card(persona, layout)
    told = nodes.text(nodes.of_image(image))
    for name, cell in image.memory.snapshot().items():
        if name.kind is CellKind.KEY and isinstance(cell, bytes):
            assert cell.hex().upper() not in told
    if pin := image.memory.text(next(one for one in image.memory.snapshot() if one.kind is CellKind.PIN)):
        assert f'"{pin}"' not in told
    for spec in image.layout.files.values():
        content = image.memory.records(spec.path)[0] if spec.secret else b""
        assert not any(content) or content.hex().upper() not in told


def test_a_masked_card_says_nothing_of_its_person() -> None:
    """What is planted in every cell that may hold something of a person is nowhere in what the page gets."""
    image = catalogue.card("adult-chengdu", "3.00")
    planted: dict[CellKey, Cell] = {}
    for spec in image.layout.files.values():
        if spec.directory:
            continue
        records = image.memory.records(spec.path)
        if spec.structure is Structure.RECORDS:
            new = tuple(one[:2] + b"\x5a" * (len(one) - 2) if f"{one[0]:02X}" not in PUBLIC else one for one in records)
        else:
            new = tuple(b"\x5a" * len(one) for one in records)
        planted[file_cell(spec.path)] = new
    for name, cell in image.memory.snapshot().items():
        if name.kind is CellKind.PURSE and isinstance(cell, tuple):
            planted[name] = (b"\x5a" * len(cell[0]),)
        if name.kind is CellKind.DATA and isinstance(cell, bytes):
            planted[name] = b"\x5a" * len(cell)
    image.memory.restore({**image.memory.snapshot(), **planted})
    assert "5A5A" in nodes.text(nodes.of_image(image)), "it shows where it may"
    told = nodes.text(nodes.of_image(image, show=False))
    for sign in ("5A5A", "ZZ", str(0x5A5A5A5A), str(0x5A5A), image.atr[-4:].hex().upper()):
        assert sign not in told, sign


PUBLIC = ("02", "03", "06")
"""Items of SSSE/EF05 that traces show: class, version, end of validity."""


def test_what_traces_show_of_a_masked_card_is_shown() -> None:
    found = nodes.items(nodes.of_image(catalogue.card("adult-chengdu", "3.00"), show=False))
    assert found["SSSE/EF05/03"].value == "3.00"
    assert found["SSSE/EF06/09"].value is None
    assert found["SSSE/EF06/09"].hex == "*" * 60
    assert found["MF/EF1E/70.61.50"].value == "社会保障系统环境", "what a card lists of itself is nobody's"


def test_codes_dates_and_amounts_are_told_in_both_languages() -> None:
    found = nodes.items(nodes.of_image(catalogue.card("adult-chengdu", "3.00")))
    sex = found["SSSE/EF06/0A"]
    assert (sex.meaning, sex.codes and sex.codes.id) != (None, None)
    assert sex.meaning is not None
    assert (sex.meaning.zh, sex.meaning.en) in {("男性", "male"), ("女性", "female")}
    birth = found["SSSE/EF06/0D"]
    assert birth.meaning is not None
    assert birth.meaning.zh == birth.meaning.en == f"{birth.value[:4]}-{birth.value[4:6]}-{birth.value[6:]}"  # type: ignore[index]


def test_every_citation_is_explained() -> None:
    card = nodes.of_image(catalogue.card("adult-chengdu", "3.00"))
    cited = {one for item in nodes.items(card).values() for one in item.basis.sources}
    assert cited
    assert cited <= set(card.sources)
    told = card.sources["v2:table 9"].words
    assert told.en == "V2.0 table 9"
    assert told.zh.endswith(" 表9")
    assert all(card.sources[one].title.zh for one in cited)


# --- what the session may, as the card itself answers -----------------------------------------------------------------


def answered(card: Card, application: str, sfi: int, structure: str, *, update: bool) -> str:
    """The status word of reading, or of writing back, in a twin of the card as it is."""
    sw = card.sw(HOME[application])
    if sw[:2] not in ("90", "61", "62", "93"):
        return sw
    if update:
        return card.sw(f"00D6{0x80 | sfi:02X}00015A" if structure == "transparent" else f"00DC01{sfi << 3 | 4:02X}015A")
    return card.sw(f"00B0{0x80 | sfi:02X}0001" if structure == "transparent" else f"00B201{sfi << 3 | 4:02X}00")


def verified(card: Card) -> None:
    card.ok(HOME["SSSE"], VERIFY)


def authenticated(card: Card) -> None:
    card.ok(HOME["SSSE"])
    assert card.authenticate("RKSSSE") == "9000"


def authenticated_for_writing(card: Card) -> None:
    card.ok(HOME["DF01"])
    assert card.authenticate("UK1DF01") == "9000"


def nothing(card: Card) -> None:
    del card


@pytest.mark.parametrize(
    ("persona", "session"),
    [
        ("adult-chengdu", nothing),
        ("adult-chengdu", verified),
        ("adult-chengdu", authenticated),
        ("adult-chengdu", authenticated_for_writing),
        ("not-activated", nothing),
        ("application-blocked", nothing),
        ("card-blocked", nothing),
        ("blank", nothing),
    ],
)
def test_who_may_read_and_write_now_is_what_the_card_itself_answers(
    persona: str, session: Callable[[Card], None]
) -> None:
    def made() -> Card:
        card = new_card("3.00", persona=persona)
        session(card)
        return card

    shown = tree(nodes.of_chip(made().chip), show_values=True)
    asked = 0
    for app in nodes.applications(shown.root):
        for file in app.files if app.id in HOME else ():
            for update, access in ((False, file.read), (True, file.update)):
                sw = answered(made(), app.id, file.sfi, file.structure, update=update)
                if access.now:
                    assert sw not in ("6982", "6985", "9303", "6A81"), (file.id, update, sw)
                else:
                    assert sw == access.refusal[:4], (file.id, update, sw, access.refusal)
                asked += 1
    assert asked > 20


def test_rights_and_what_is_selected_are_told() -> None:
    card = new_card("3.00")
    card.ok(HOME["SSSE"], "0084000008", VERIFY, "00B2022C03")
    asked = tree(nodes.of_chip(card.chip), show_values=True).standing
    assert (asked.file, asked.challenge, asked.transaction) == ("SSSE/EF05", True, False)
    card.ok("00A4000002EF06")
    assert card.authenticate("RKSSSE") == "9000"
    shown = tree(nodes.of_chip(card.chip), show_values=True)
    assert shown.standing.application == "SSSE"
    assert shown.standing.file == "SSSE/EF06"
    assert shown.standing.rights["PIN"].en == "verifying the PIN"
    assert nodes.files(shown)["SSSE/EF06"].current
    assert not shown.standing.challenge
    (ssse,) = [one for one in nodes.applications(shown.root) if one.id == "SSSE"]
    assert ssse.current
    assert ssse.pin is not None
    assert (ssse.pin.verified, ssse.pin.set, ssse.pin.initial) == (True, True, True)


def test_tries_and_life_cycles_are_told() -> None:
    card = new_card("3.00")
    card.ok(HOME["SSSE"])
    card.sw(WRONG_PIN)
    shown = tree(nodes.of_chip(card.chip), show_values=True)
    left = [one.pin.tries for one in nodes.applications(shown.root) if one.pin]
    assert [(one.left, one.limit) for one in left] == [(card.tries(), card.chip.image.layout.pin.tries)]
    blocked = nodes.of_image(catalogue.card("application-blocked", "3.00"))
    assert [one.life.words.en for one in nodes.applications(blocked.root) if not one.life.normal]
    assert nodes.of_image(catalogue.card("card-blocked", "3.00")).life.words.en == "blocked for ever"


def test_in_a_field_the_card_has_what_is_found_there() -> None:
    image = catalogue.card("adult-chengdu", "3.00")
    over = {one: tree(HeldCard(image, interface=one), show_values=True) for one in Interface}
    there = {one: {app.id for app in nodes.applications(card.root)} for one, card in over.items()}
    assert there[Interface.CONTACTLESS] - there[Interface.CONTACT] == {"PPSE"}
    assert over[Interface.CONTACT].atr != over[Interface.CONTACTLESS].atr


# --- what public programs take out of a card is what the tree shows ---------------------------------------------------

PROGRAMS: dict[str, tuple[str, list[tuple[str, slice, str, str]]]] = {
    "a library for Android, 1.00 by number and SFI": (
        "1.00",
        [
            ("00B2072C00", slice(2, 11), "gbk", "SSSE/EF05/07"),
            ("00B2013400", slice(2, 20), "gbk", "SSSE/EF06/08"),
            ("00B2023400", slice(2, 32), "gbk", "SSSE/EF06/09"),
            ("00B2033400", slice(2, 3), "ascii", "SSSE/EF06/0A"),
            ("00B2063400", slice(2, 6), "hex", "SSSE/EF06/0D"),
        ],
    ),
    "a hospital's kiosk, 2.00 by tag in the current file": (
        "2.00",
        [
            ("00A4000002EF06", slice(0, 0), "", ""),
            ("00B2080014", slice(2, 20), "gbk", "SSSE/EF06/08"),
            ("00B2090020", slice(2, 32), "gbk", "SSSE/EF06/09"),
            ("00B20A0003", slice(2, 3), "ascii", "SSSE/EF06/0A"),
        ],
    ),
}
"""What they send after the environment, where they cut the answer, how they read it, and what they call it."""


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_tree_shows_what_public_programs_take_out_of_the_card(program: str) -> None:
    layout, steps = PROGRAMS[program]
    card = new_card(layout)
    found = nodes.items(tree(nodes.of_chip(card.chip), show_values=True))
    card.ok(HOME["SSSE"])
    for command, where, coding, item in steps:
        answer = bytes.fromhex(card.send(command))
        if answer[0] == 0x6C:  # they follow it
            answer = bytes.fromhex(card.send(f"{command[:8]}{answer[1]:02X}"))
        answer = answer[:-2][where]
        if coding:
            taken = answer.hex().upper() if coding == "hex" else answer.decode(coding).rstrip("\0")
            assert taken == found[item].value, item
