"""SSCardDriver's functions with a PSAM: what they give, and each return code by a real cause on a virtual card."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emulator.chip import Chip
from emulator.filesystem.memory import PIN_CELL, file_cell, key_cell, tries_cell
from emulator.security import PIN
from harness import pcsc
from harness.connection import Connection, InProcess
from harness.driver import formats
from harness.driver.codes import WORDS, Code, DriverError, words
from harness.driver.formats import Wanted
from harness.driver.library import SSCardDriver
from harness.driver.pad import CANCEL, TIMEOUT, Pad
from harness.driver.session import Given
from harness.faults import plan
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.pcsc import PcscError
from tests.support import new_card

IDENTIFICATION, NUMBER = "510100D15600000551010001C4A06E3C", "A00000011"
MEANT = f"{IDENTIFICATION}|{NUMBER}|"


class Counter:
    """A library over a card and a PSAM in this process. ``psam`` None: the terminal has none."""

    def __init__(
        self,
        layout: str = "3.00",
        algorithm: str = "3des",
        persona: str = "adult-chengdu",
        psam: str | None = "psam",
        faults: tuple[str, ...] = (),
        shape: str = "t0",
    ) -> None:
        apdu = shape == "apdu"
        self.image = new_card(layout, algorithm, persona).chip.image
        self.card: Chip = FaultyChip(self.image, Plan(tuple(map(plan.from_text, faults))), apdu_shape=apdu)
        self.own = Chip(new_card("psam", "3des", psam).chip.image, apdu_shape=apdu) if psam else None
        self.pad = Pad()
        self.missing: Exception | None = None
        self.driver = SSCardDriver(Given(self._card, self._psam), self.pad)

    def _card(self, kind: int) -> Connection:
        del kind
        if self.missing is not None:
            raise self.missing
        return InProcess(self.card)

    def _psam(self) -> Connection | None:
        return InProcess(self.own) if self.own else None

    def enters(self, *entries: str) -> Counter:
        self.pad.script(entries)
        return self

    def put(self, cell: str, value: str | bytes | tuple[bytes, ...]) -> Counter:
        self.image.memory.put(cell, value)
        self.image.memory.commit()
        return self

    def no_tries(self, name: str = PIN) -> Counter:
        self.image.memory.set_counter(tries_cell(name), 0)
        return self

    def basic(self, kind: int = 1) -> tuple[int, str]:
        return self.driver.iReadCardBas(kind)

    def read(self, address: str, auth: int = 2, meant: str = MEANT) -> tuple[int, str]:
        return self.driver.iReadCard(1, auth, meant, address)

    def write(self, address: str, data: str, meant: str = MEANT) -> tuple[int, str]:
        return self.driver.iWriteCard(1, meant, address, data)


# --- what the functions give ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["t0", "apdu"])
@pytest.mark.parametrize("kind", [("3.00", "3des"), ("3.00", "sm4"), ("2.00", "3des"), ("1.00", "3des")], ids="-".join)
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


# --- every code, by its cause --------------------------------------------------------------------------------------

CAUSES: dict[str, tuple[int, Callable[[], tuple[int, str]]]] = {
    "iType": (-1, lambda: Counter().basic(5)),
    "another card": (-1, lambda: Counter("psam", persona="psam-no-sm4").basic()),
    "no card": (-2, lambda: gone("removal,moment=before,back=no,instruction=SELECT", twice=True)),
    "unpowered": (-3, lambda: absent(PcscError("", pcsc.UNPOWERED_CARD))),
    "mute": (-4, lambda: gone("mute,instruction=SELECT")),
    "no reader": (-11, lambda: absent(PcscError("", pcsc.UNKNOWN_READER))),
    "unknown version": (-13, lambda: Counter().put(*record("03", b"9.99")).basic()),
    "file address": (-14, lambda: Counter().read("EF05|07|$")),
    "iAuthType": (-14, lambda: Counter().read("SSSEEF05|07|$", auth=3)),
    "broken record": (-15, lambda: Counter(faults=("truncated,by=99,status_too=yes,item=SSSE/EF05/05",)).basic()),
    "identification": (-20, lambda: Counter().put(*record("01", bytes(16))).basic()),
    "internal": (-21, lambda: Counter().put(key_cell("IRK"), bytes(16)).basic()),
    "another's card": (-22, lambda: Counter().read("SSSEEF05|07|$", meant=f"{IDENTIFICATION}|B00000011|")),
    "card info": (-23, lambda: Counter().read("SSSEEF05|07|$", meant=IDENTIFICATION)),
    "write data": (-23, lambda: Counter().write("SSSEEF05|06|$", "SSSEEF05|1|2|$")),
    "another city's PSAM": (-24, lambda: Counter(persona="adult-mianyang", psam="psam-city").basic()),
    "cancelled": (-31, lambda: Counter().enters(CANCEL).driver.iVerifyPIN(1)),
    "timed out": (-32, lambda: Counter().enters(TIMEOUT).driver.iVerifyPIN(1)),
    "short": (-33, lambda: Counter().enters("123").driver.iVerifyPIN(1)),
    "entries": (-34, lambda: Counter().enters("123456", "111111", "222222").driver.iChangePIN(1)),
    "initial": (-35, lambda: Counter().enters("123456").driver.iVerifyPIN(1)),
    "set initial": (-36, lambda: Counter().enters("123456", "123456").driver.iReloadPIN(1, MEANT)),
    "characters": (-41, lambda: Counter().write("SSSEEF05|06|$", "SSSEEF05|2033O101|$")),
    "no GBK": (-41, lambda: Counter().write("SSSEEF06|09|$", "SSSEEF06|\U0001f600|$")),
    "length": (-42, lambda: Counter().write("SSSEEF05|06|$", "SSSEEF05|203301011|$")),
    "wrong": (-51, lambda: Counter().enters("999999").driver.iVerifyPIN(1)),
    "blocked": (-52, lambda: Counter().no_tries().driver.iVerifyPIN(1)),
    "blocked, change": (-52, lambda: Counter().no_tries().driver.iChangePIN(1)),
    "no PSAM": (-2201, lambda: Counter(psam=None).basic()),
    "no SM4": (-2202, lambda: Counter(algorithm="sm4", psam="psam-no-sm4").basic()),
    "no RKSSSE": (-2203, lambda: Counter(psam="psam-no-rksssse").basic()),
    "wrong key": (-25538, lambda: Counter().put(key_cell("UKSSSE"), bytes(16)).write("SSSEEF05|06|$", "SSSEEF05|1|$")),
    "transparent": (-27009, lambda: Counter().read("SSSEEF07|07|$")),
    "PIN alone": (-27010, lambda: Counter().enters("123456").read("SSSEEF06|09|$", auth=1)),
    "locked key": (-27011, lambda: Counter().no_tries("RKSSSE").basic()),
    "not activated": (-27013, lambda: Counter(persona="not-activated").enters("1234").driver.iVerifyPIN(1)),
    "wrong STK": (-27016, lambda: Counter().put(key_cell("STK"), bytes(16)).driver.iUnblockPIN(1, MEANT)),
    "card blocked": (-27265, lambda: Counter(persona="card-blocked").basic()),
    "no file": (-27266, lambda: Counter().read("SSSEEF1F|07|$")),
    "no item": (-27267, lambda: Counter().read("SSSEEF05|7F|$")),
    "application blocked": (-37635, lambda: Counter(persona="application-blocked").read("DF04EF05|84|$", meant="||")),
}  # fmt: skip


def record(tag: str, value: bytes) -> tuple[str, tuple[bytes, ...]]:
    """SSSE/EF05 with another value for one item."""
    cell = file_cell("SSSE/EF05")
    records = new_card().chip.image.memory.records("SSSE/EF05")
    number = int(tag, 16)
    return cell, tuple(bytes((number, len(value))) + value if one[0] == number else one for one in records)


def gone(fault: str, *, twice: bool = False) -> tuple[int, str]:
    counter = Counter(faults=(fault,))
    if not twice:
        return counter.basic()
    kept = InProcess(counter.card)
    counter.driver = SSCardDriver(Given(lambda _: kept, lambda: None))
    counter.basic()
    return counter.basic()


def absent(error: Exception) -> tuple[int, str]:
    counter = Counter()
    counter.missing = error
    return counter.basic()


@pytest.mark.parametrize("cause", CAUSES)
def test_codes(cause: str) -> None:
    code, act = CAUSES[cause]
    got, text = act()
    assert (got, bool(text)) == (code, True), text
    assert "123456" not in text


def test_every_code_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(Code)
    for code in Code:
        chinese, _, english = words(code, 2).partition(" ")
        assert english
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


def test_a_refused_write_changes_nothing() -> None:
    """The second value is wrong: the first is not written either."""
    counter = Counter()
    before = counter.image.memory.snapshot()
    assert counter.write("SSSEEF05|06|05|$", "SSSEEF05|20330101|x|$")[0] == -41
    assert counter.image.memory.snapshot() == before


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
    for wrong in ("", "SSSEEF05|06|", "SSSEEF05$", "SSSEEF05:1|06|$", "XXEF05|06|$", "SSSEEF05|6|$", "$", "|$"):
        with pytest.raises(DriverError):
            formats.addresses(wrong)
