"""The reference terminal with a PSAM computes what it computes with the roots, or says why it cannot."""

from __future__ import annotations

import pytest

from emulator.apdu.status import SW
from emulator.crypto.keys import test_root as root_of
from harness.keys.psam import LevelTooLow, Psam, PsamError
from harness.readers.connection import InProcess
from harness.terminal import region
from harness.terminal.session import TerminalSession
from harness.terminal.terminal import Terminal
from tests.kit.cards import new_card

KINDS = pytest.mark.parametrize(
    "kind", [("3.00", "3des"), ("3.00", "sm4"), ("2.00", "3des"), ("1.00", "3des")], ids="-".join
)
SHAPES = pytest.mark.parametrize("shape", ["t0", "apdu"])


def with_psam(
    kind: tuple[str, str], psam: str = "psam", persona: str = "adult-chengdu", shape: str = "t0"
) -> tuple[Terminal, Psam]:
    card, own = new_card(*kind, persona).chip, new_card("psam", "3des", psam).chip
    card.apdu_shape = own.apdu_shape = shape == "apdu"
    own_card = Psam(TerminalSession(InProcess(own)))
    terminal = Terminal(InProcess(card), card.image.layout, root_of, own_card)
    terminal.begin()
    own_card.begin(bytes.fromhex(str(terminal.read("SSSE/EF05/01"))))
    return terminal, own_card


@KINDS
@SHAPES
def test_a_whole_counters_work_with_a_psam(kind: tuple[str, str], shape: str) -> None:
    terminal, own_card = with_psam(kind, shape=shape)
    assert own_card.terminal_number == "510100000001"
    terminal.verify_pin("123456")
    assert terminal.read("SSSE/EF06/09") == "测试甲"
    terminal.update("SSSE/EF05/06", "20310101")
    assert terminal.read("SSSE/EF05/06") == "20310101"
    if terminal.layout.insurance_region:
        region.move(terminal, "510700", "510100")
    terminal.reload_pin("246802")
    terminal.unblock_pin()
    terminal.verify_pin("246802")


def test_a_citys_psam_serves_its_own_city() -> None:
    terminal, _ = with_psam(("3.00", "3des"), "psam-city")
    assert terminal.read("SSSE/EF06/09") == "测试甲"
    stranger, _ = with_psam(("3.00", "3des"), "psam-city", "adult-mianyang")
    with pytest.raises(LevelTooLow, match="510100, not 510700"):
        stranger.read("SSSE/EF06/09")


@pytest.mark.parametrize(
    ("psam", "algorithm", "sw"),
    [("psam-no-rksssse", "3des", SW.REFERENCE_NOT_FOUND), ("psam-no-sm4", "sm4", SW.FUNCTION_NOT_SUPPORTED)],
)
def test_what_a_psam_lacks(psam: str, algorithm: str, sw: int) -> None:
    terminal, _ = with_psam(("3.00", algorithm), psam)
    with pytest.raises(PsamError) as error:
        terminal.read("SSSE/EF06/09")
    assert error.value.sw == sw


def test_a_key_that_no_psam_has() -> None:
    terminal, _ = with_psam(("3.00", "3des"))
    with pytest.raises(PsamError, match="no root for MKCERT"):
        terminal.authenticate("MKCERT")
