"""SSCardDriver's functions in steps: what each gives a back end, and that its machine's answers open the card."""

from __future__ import annotations

import pytest

from harness.driver.backend import BackEnd
from harness.hsm.machine import Card, EncryptionMachine
from tests.kit.counter import ANY, IDENTIFICATION, INITIAL, KINDS, MEANT, NUMBER, OWN, SHAPES, Counter

HISTORY = "0081544C908684510151010001"
ALL = pytest.mark.parametrize("kind", KINDS, ids="-".join)
ALGORITHMS = pytest.mark.parametrize("algorithm", ["3des", "sm4"])


def counter(kind: tuple[str, str] = ("3.00", "3des"), shape: str = "t0") -> Counter:
    return Counter(*kind, shape=shape, psam=None)


@ALL
@pytest.mark.parametrize("shape", SHAPES)
def test_basic_information(kind: tuple[str, str], shape: str) -> None:
    one = counter(kind, shape)
    code, told = one.driver.iReadCardBas_HSM_Step1(1)
    assert code == 0
    region, history, algorithm, identification, *randoms, device, end = told.split("|")
    assert (region, history, algorithm) == ("510100", HISTORY, "03" if kind[1] == "sm4" else "01")
    assert (len(identification), device, end) == (32, "SSCARD000001", "")
    third = kind[0] == "3.00"
    assert [len(random) for random in randoms] == [16 * third] * 4
    assert len(set(randoms)) == (4 if third else 1), "each random is another"
    key = one.machine.basic("|".join((*told.split("|")[:8], "", ""))) if third else ""
    code, out = one.driver.iReadCardBas_HSM_Step2(key)
    with_psam = Counter(*kind).basic()[1]
    assert code == 0
    assert out == with_psam.replace("510100000001", ""), "as with a PSAM, but for the PSAM's number"


@ALL
@pytest.mark.parametrize("shape", SHAPES)
def test_a_whole_counters_work(kind: tuple[str, str], shape: str) -> None:
    one = counter(kind, shape)
    assert one.back.basic(1)[0] == 0
    assert one.back.write(1, ANY, "SSSEEF05|06|$", "SSSEEF05|20330101|$") == (0, "")
    assert one.driver.iReadCard(1, 1, ANY, "SSSEEF05|06|$")[0] == -32, "the PIN was not entered"
    assert one.enters(INITIAL).driver.iReadCard(1, 1, ANY, "SSSEEF05|06|$") == (0, "SSSEEF05|20330101|$")
    assert one.enters(OWN, OWN).back.reload_pin(1, ANY) == (0, "")
    assert one.enters("999999").driver.iVerifyPIN(1)[0] == -51
    assert one.back.unblock_pin(1, ANY) == (0, "")
    assert one.enters("999999").driver.iVerifyPIN(1)[1].startswith("密码错误，剩余2次")
    assert one.enters(OWN).driver.iVerifyPIN(1) == (0, "")


@ALGORITHMS
def test_items_under_several_keys_are_mirrored_as_they_were_asked_for(algorithm: str) -> None:
    one = counter(("3.00", algorithm))
    told = one.driver.iReadCard_HSM_Step1(1, ANY, "SSSEEF06|09|$DF01EF05|20|$SSSEEF05|07|$DF03EF07|71|$SSSEEF06|0A|$")
    asked = []
    while not told[0] and not told[1].startswith("SSSE"):
        region, history, number, _, address, factor, data, left, device, end = told[1].split("|")
        assert (len(factor), len(data), device, end) == (16, 16, "SSCARD000001", "")
        asked.append((address, left))
        card = one.machine.card(region, history, number)
        told = one.driver.iReadCard_HSM_Step2(one.machine.external(address, card, factor, data))
    assert asked == [("004F", "2"), ("0193", "1"), ("004C", "0")]
    assert told == (0, f"SSSEEF06|测试甲|$DF01EF05|51|$SSSEEF05|{NUMBER}|$DF03EF07|510100|$SSSEEF06|1|$")


@ALGORITHMS
def test_a_file_that_asks_for_pin_and_key(algorithm: str) -> None:
    one = counter(("3.00", algorithm))
    assert one.back.read(1, ANY, "DF04EF06|92|$")[0] == -32
    assert one.enters(INITIAL).back.read(1, ANY, "DF04EF06|92|$") == (0, "DF04EF06|00000000|$")


@ALGORITHMS
def test_writing_under_several_keys(algorithm: str) -> None:
    one = counter(("3.00", algorithm))
    address, data = "SSSEEF06|0A|$DF01EF05|20|$SSSEEF05|06|$", "SSSEEF06|2|$DF01EF05|20|$SSSEEF05|20330101|$"
    assert one.back.write(1, ANY, address, data) == (0, "")
    assert one.back.read(1, ANY, address) == (0, data)
    assert one.back.write(1, ANY, "DF01EF15|40:02|40:57|$", "DF01EF15|57=156;59=大学|344|$") == (0, "")
    assert one.back.read(1, ANY, "DF01EF15|40:02|40:57|$")[1].startswith("DF01EF15|57=156;58=;59=大学|344|$")


def test_a_refused_write_changes_nothing() -> None:
    """What comes with the second key's data is wrong: the first key's is not written either."""
    one = counter()
    before = one.image.memory.snapshot()
    assert one.back.write(1, ANY, "DF01EF05|20|$SSSEEF05|06|$", "DF01EF05|20|$SSSEEF05|x|$")[0] == -41
    assert one.image.memory.snapshot() == before


@ALGORITHMS
@pytest.mark.parametrize("whole", [True, False])
def test_both_answer_forms_of_the_machine(algorithm: str, whole: bool) -> None:
    """The whole command, or its data and MAC: 20 bytes under SM4, 12 under 3DES."""

    class Machine(EncryptionMachine):
        def pin(self, address: str, card: Card, factor: str, header: str, pin: str = "", *, whole: bool = whole) -> str:
            told = super().pin(address, card, factor, header, pin, whole=whole)
            asked.append((address, header, pin, len(told) // 2))
            return told

    asked: list[tuple[str, str, str, int]] = []
    one = counter(("3.00", algorithm))
    back = BackEnd(one.driver, Machine())
    one.enters(OWN, OWN)
    assert back.reload_pin(1, ANY) == (0, "")
    assert back.unblock_pin(1, ANY) == (0, "")
    size = 20 if algorithm == "sm4" else 12
    extra = 5 if whole else 0
    assert asked == [("0173", f"84240001{size:02X}", OWN, size + extra), ("0173", "8424000004", "", 4 + extra)]
    assert one.enters(OWN).driver.iVerifyPIN(1) == (0, "")


def test_what_step_1_asks_for_before_the_pin_functions() -> None:
    one = counter()
    for function in ("iReloadPIN", "iUnblockPIN"):
        code, told = getattr(one.driver, f"{function}_HSM_Step1")(1, MEANT)
        assert code == 0
        assert told.startswith(f"510100|{HISTORY}|01|{IDENTIFICATION}|0090|")


def test_a_machine_for_another_card_spends_no_try() -> None:
    """-25 comes before the external authentication."""
    one = counter()
    assert one.driver.iReadCardBas_HSM_Step1(1)[0] == 0
    before = one.image.memory.snapshot()
    assert one.driver.iReadCardBas_HSM_Step2(("00" * 16 + "|") * 2)[0] == -25
    assert one.image.memory.snapshot() == before


def test_an_error_or_another_call_ends_the_session() -> None:
    one = counter()
    _, told = one.driver.iReadCardBas_HSM_Step1(1)
    right = one.machine.basic(told)
    assert one.driver.iReadCardBas_HSM_Step2("nonsense")[0] == -23
    assert one.driver.iReadCardBas_HSM_Step2(right)[0] == -12
    right = one.machine.basic(one.driver.iReadCardBas_HSM_Step1(1)[1])
    one.driver.iVerifyPIN(1)
    assert one.driver.iReadCardBas_HSM_Step2(right)[0] == -12
    right = one.machine.basic(one.driver.iReadCardBas_HSM_Step1(1)[1])
    one.driver.iReadCardBas_HSM_Step1(1)
    assert one.driver.iReadCardBas_HSM_Step2(right)[0] == -25, "its randoms are gone"
    one.driver.iReadCardBas_HSM_Step1(1)
    one.driver.close()
    assert one.driver.iReadCardBas_HSM_Step2(right)[0] == -12
    with pytest.raises(RuntimeError, match="no power"):
        one.card.transmit(b"\x00\x84\x00\x00\x08")
