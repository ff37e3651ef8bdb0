"""Every return code, reached by a real cause on a virtual card; and whatever comes in, a code goes out."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable

import pytest

from emulator import catalogue
from emulator.apdu.command import CommandAPDU
from emulator.crypto.keys import test_root as root_of
from emulator.filesystem.memory.cells import PIN_CELL, CellKey, file_cell, key_cell
from harness.driver.backend import BackEnd
from harness.driver.codes import STATUS_WORDS, WORDS, Code, negated, words
from harness.driver.library import SSCardDriver
from harness.driver.pad import CANCEL, TIMEOUT
from harness.driver.readers import Given
from harness.hsm.machine import Card as MachineCard
from harness.hsm.machine import EncryptionMachine
from harness.keys.access import Use
from harness.keys.root_keys import RootKeys
from harness.readers import pcsc
from harness.readers.connection import InProcess
from harness.readers.pcsc import PcscError
from tests.kit.cards import new_card
from tests.kit.counter import ANY, IDENTIFICATION, MEANT, PAY, Counter

DATE, EXPIRY = "SSSEEF05|06|$", "SSSEEF05|20330101|$"
CUT = "removal,moment=before,instruction=DEBIT_FOR_PURCHASE"
LOGGED = "DF04EF08:01|0001|2|510100000001|20261125093000|" + "00000000|" * 3 + "$"
WRONG = b"wrong" + bytes(11)
Outcome = tuple[int, str]

CAUSES: dict[str, tuple[int, Callable[[], Outcome]]] = {
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
    "no character": (-41, lambda: Counter().write("SSSEEF06|09|$", "SSSEEF06|\ud83d|$")),
    "length": (-42, lambda: Counter().write("SSSEEF05|06|$", "SSSEEF05|203301011|$")),
    "wrong": (-51, lambda: Counter().enters("999999").driver.iVerifyPIN(1)),
    "blocked": (-52, lambda: Counter().tries(0).driver.iVerifyPIN(1)),
    "blocked, change": (-52, lambda: Counter().tries(0).driver.iChangePIN(1)),
    "no PSAM": (-2201, lambda: Counter(psam=None).basic()),
    "no SM4": (-2202, lambda: Counter(algorithm="sm4", psam="psam-no-sm4").basic()),
    "no RKSSSE": (-2203, lambda: Counter(psam="psam-no-rksssse").basic()),
    "wrong key": (-25538, lambda: wrong_key(1)),
    "transparent": (-27009, lambda: Counter().read("SSSEEF07|07|$")),
    "PIN alone": (-27010, lambda: Counter().enters("123456").read("SSSEEF06|09|$", auth=1)),
    "locked key": (-27011, lambda: Counter().tries(0, "RKSSSE").basic()),
    "not activated": (-27013, lambda: Counter(persona="not-activated").enters("1234").driver.iVerifyPIN(1)),
    "wrong STK": (-27016, lambda: Counter().put(key_cell("STK"), bytes(16)).driver.iUnblockPIN(1, MEANT)),
    "card blocked": (-27265, lambda: Counter(persona="card-blocked").basic()),
    "no file": (-27266, lambda: Counter().read("SSSEEF1F|07|$")),
    "no item": (-27267, lambda: Counter().read("SSSEEF05|7F|$")),
    "application blocked": (-37635, lambda: Counter(persona="application-blocked").read("DF04EF05|84|$", meant="||")),
    # In steps, with an encryption machine.
    "no step 1": (-12, lambda: Counter().driver.iReadCardBas_HSM_Step2("")),
    "another function's step": (-12, lambda: another_step()),
    "a step again": (-12, lambda: twice_over()),
    "machine differs": (-25, lambda: Counter().put(key_cell("IRK"), bytes(16)).back.basic(1)),
    "free items": (-2204, lambda: Counter().driver.iReadCard_HSM_Step1(1, MEANT, "SSSEEF05|07|$")),
    "machine, another's card": (-22, lambda: Counter().driver.iReloadPIN_HSM_Step1(1, f"{IDENTIFICATION}|B00000011|")),
    "machine, wrong key": (-25538, lambda: wrong_key_by_machine()),
    "pKey of one field": (-23, lambda: after_basic("00" * 16)),
    "pKey no hex": (-23, lambda: after_basic("zz|" * 2)),
    "data differ between steps": (-23, lambda: other_data()),
    "another command": (-23, lambda: sealed_by("8424000104" + "00" * 12)),
    "machine, initial PIN": (-36, lambda: Counter().enters("123456", "123456").back.reload_pin(1, ANY)),
    # The medical account.
    "initial PIN pays": (-35, lambda: Counter().enters("123456").driver.iDoDebit(1, ANY, PAY)),
    "pay info": (-23, lambda: Counter().driver.iDoDebit(1, ANY, "1|2|")),
    "no time": (-23, lambda: Counter().driver.iDoDebit(1, ANY, "1|2|20261325093000|")),
    "no amount": (-41, lambda: Counter().driver.iDoDebit(1, ANY, "1.5|2|20261125093000|")),
    "too much": (-42, lambda: Counter().driver.iDoDebit(1, ANY, "4294967296|2|20261125093000|")),
    "expired": (-27013, lambda: Counter(persona="expired").driver.iDoDebit(1, ANY, PAY)),
    "wrong DPK": (-37634, lambda: Counter().put(key_cell("DPK"), WRONG).with_own_pin().driver.iDoDebit(1, ANY, PAY)),
    "no DPK": (-37891, lambda: Counter(lacks=("DPK",)).with_own_pin().driver.iDoDebit(1, ANY, PAY)),
    "debit lost": (-37894, lambda: Counter(faults=(CUT,)).with_own_pin().driver.iDoDebit(1, ANY, PAY)),
    "a city's PSAM pays": (-24, lambda: foreign_debit()),
    "log without PIN": (-32, lambda: Counter().driver.iReadDebitRecord(1)),
    # Other status words.
    "wrong key, two": (-25537, lambda: wrong_key(2)),
    "wrong key, three": (-25536, lambda: wrong_key(3)),
    "PSAM reset": (-26881, lambda: Counter(psam_faults=("reset,moment=before,instruction=CIPHER_DATA",)).basic()),
    "3DES for SM4": (-26368, lambda: sealed_by("00" * 12, "sm4")),
    "no PIN after all": (-51, lambda: no_pin_after_all()),
    "no challenge after all": (-27012, lambda: no_challenge_after_all()),
    "no digits": (-27264, lambda: no_digits()),
    "nobody may": (-27010, lambda: Counter().write("DF04EF08:01$", LOGGED)),
    "PSAM lacks UKSSSE": (-27272, lambda: Counter(psam_lacks=("UKSSSE",)).write(DATE, EXPIRY)),
}  # fmt: skip


def record(tag: str, value: bytes) -> tuple[CellKey, tuple[bytes, ...]]:
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


def wrong_key(times: int) -> Outcome:
    counter = Counter().put(key_cell("UKSSSE"), bytes(16))
    return [counter.write(DATE, EXPIRY) for _ in range(times)][-1]


def wrong_key_by_machine() -> Outcome:
    return Counter().put(key_cell("UKSSSE"), bytes(16)).back.write(1, ANY, DATE, EXPIRY)


def another_step() -> Outcome:
    counter = Counter()
    assert counter.driver.iReadCardBas_HSM_Step1(1)[0] == 0
    return counter.driver.iReloadPIN_HSM_Step2("00" * 16)


def twice_over() -> Outcome:
    counter = Counter("2.00")
    assert counter.back.basic(1)[0] == 0
    return counter.driver.iReadCardBas_HSM_Step2("")


def after_basic(key: str) -> Outcome:
    counter = Counter()
    assert counter.driver.iReadCardBas_HSM_Step1(1)[0] == 0
    return counter.driver.iReadCardBas_HSM_Step2(key)


def other_data() -> Outcome:
    counter = Counter()
    data = iter(("DF01EF05|20|$SSSEEF06|2|$", "DF01EF05|20|$SSSEEF06|1|$"))
    first = counter.driver.iWriteCard_HSM_Step1(1, ANY, "DF01EF05|20|$SSSEEF06|0A|$")
    return counter.back.keys(first, lambda key: counter.driver.iWriteCard_HSM_Step2(key, next(data)))


class Sealing(EncryptionMachine):
    """A machine that answers PIN requests with something of the test's."""

    def __init__(self, answer: Callable[[MachineCard, str], str]) -> None:
        super().__init__()
        self._answer = answer

    def pin(
        self, address: str, card: MachineCard, factor: str, header: str, pin: str = "", *, whole: bool = False
    ) -> str:
        del address, header, pin, whole
        return self._answer(card, factor)


def sealed_by(answer: str, algorithm: str = "3des") -> Outcome:
    counter = Counter(algorithm=algorithm).enters("246802", "246802")
    return BackEnd(counter.driver, Sealing(lambda *_: answer)).reload_pin(1, ANY)


def no_digits() -> Outcome:
    """The machine enciphers AB for a new PIN."""

    def seal(card: MachineCard, factor: str) -> str:
        plan = catalogue.layout("3.00")
        use = Use(plan.keys["STK"], card.suite, plan.messaging["ssse"], card.region, card.chip, bytes.fromhex(factor))
        return bytes(RootKeys(root_of).seal(use, CommandAPDU(0x84, 0x24, 0, 1, b"\xab"), enciphered=True)).hex()

    counter = Counter().enters("246802", "246802")
    return BackEnd(counter.driver, Sealing(seal)).reload_pin(1, ANY)


def no_pin_after_all() -> Outcome:
    """The reader spoils the answer that no PIN is set, and the card is asked to verify one."""
    counter = Counter(faults=("status,sw=63C3,instruction=VERIFY,nth=1",)).put(PIN_CELL, "")
    return counter.enters("246802").driver.iVerifyPIN(1)


def no_challenge_after_all() -> Outcome:
    """The card says that it has given no challenge, or has lost it."""
    return Counter(faults=("status,sw=6984,instruction=EXTERNAL AUTHENTICATION,nth=1",)).basic()


def foreign_debit() -> Outcome:
    return Counter("2.00", persona="adult-mianyang", psam="psam-city").enters("246802").with_own_pin().driver.iDoDebit(
        1, ANY, PAY
    )  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_codes(cause: str) -> None:
    code, act = CAUSES[cause]
    got, text = act()
    assert (got, bool(text)) == (code, True), text
    assert "123456" not in text


def test_every_code_has_a_cause() -> None:
    """-5 is the native library's own; 0 is what all the other tests are about."""
    reached = {code for code, _ in CAUSES.values()}
    listed = {int(code) for code in Code if code not in (Code.DONE, Code.NOT_LOADED)} | set(map(negated, STATUS_WORDS))
    assert listed <= reached, sorted(listed - reached)


def test_every_code_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(Code)
    for code in Code:
        chinese, _, english = words(code, 2).partition(" ")
        assert english
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


def test_what_nobody_foresaw_is_a_code_too_and_is_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    assert absent(ZeroDivisionError("123456")) == (-13, "不支持的命令 not supported: ZeroDivisionError")
    assert "ZeroDivisionError" in caplog.text
    assert "open_card.py" in caplog.text
    assert "123456" not in caplog.text


def test_a_card_that_cannot_be_let_go_is_a_code_too(caplog: pytest.LogCaptureFixture) -> None:
    counter, said = Counter(), "123456"

    class Held(InProcess):
        def close(self) -> None:
            raise OSError(said)

    driver = SSCardDriver(Given(lambda _: Held(counter.card), lambda: None))
    assert driver.iReadCard(1, 2, ANY, "SSSEEF05|07|$")[0] == -13
    assert driver.iReadCardBas_HSM_Step1(1)[0] == 0
    assert driver.iReadCardBas_HSM_Step1(1)[0] == -13
    assert said not in caplog.text


JUNK: list[object] = [
    "",
    "|",
    "$",
    "||",
    "$$",
    "x" * 5000,
    "\0",
    "\ud800",
    "SSSEEF05|07|$",
    "00" * 16,
    "测试",
    None,
    5,
    b"00",
    [],
]
FUNCTIONS = sorted(name for name in dir(SSCardDriver) if name.startswith("i"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_whatever_comes_in_a_code_goes_out(function: str) -> None:
    counter = Counter()
    names = list(inspect.signature(getattr(counter.driver, function)).parameters)
    good = {"iType": 1, "iAuthType": 2, "pCardInfo": MEANT, "pFileAddr": DATE, "pWriteData": EXPIRY, "pPayInfo": PAY}
    for name, junk in itertools.product(names, JUNK):
        begin, _, step = function.partition("_Step")
        if step not in ("", "1"):
            first = getattr(counter.driver, f"{begin}_Step1")
            first(*(good[one] for one in inspect.signature(first).parameters))
        arguments = [junk if one == name else good.get(one, "00" * 16) for one in names]
        before = counter.image.memory.snapshot()
        code, text = getattr(counter.driver, function)(*arguments)
        assert type(code) is int
        assert code <= 0
        assert code == 0 or text
        if name == "iType":
            assert code == -1
        after = counter.image.memory.snapshot()
        assert code == 0 or all("tries" in cell for cell in after if after[cell] != before[cell]), "nothing but tries"
