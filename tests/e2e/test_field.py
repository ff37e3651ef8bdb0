"""One flow of each origin of the field through a real pcscd: the commands, and what is taken out of the answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from harness.conformance import runner
from harness.conformance import vector as vectors
from harness.conformance.targets.reader import in_reader
from harness.keys import roots
from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.sources.register import register
from tests.kit.served import serving, sscard

pytestmark = pytest.mark.pcsc
FOLDER = Path(__file__).parents[2] / "vectors/field"
LAYOUTS = FOLDER / "layouts"
ON: dict[str, tuple[str, ...]] = {
    "1.00": ("FIELD-XHD_ANDROID_028",),
    "2.00": (
        "FIELD-TECSUN_ANDROID_002", "FIELD-DCIC32_003", "FIELD-HUADA_SERIAL_005", "FIELD-KIOSK_JIASHAN_006",
        "FIELD-DECARD_SERVICE_007", "FIELD-HUADA_USB_009", "FIELD-KIOSK_ZHEJIANG_014", "FIELD-KIOSK_NINGXIA_016",
        "FIELD-HUADA_HD100_021", "FIELD-F4MDS_024", "FIELD-SSCREADER_029", "FIELD-PICC_DEMO_034", "FIELD-ICCINTER_035",
        "FIELD-GYH_045", "FIELD-CARDISSUE_064",
    ),
    "3.00": ("FIELD-Z390_041", "FIELD-QUICKPASS_BANK"),
    str(LAYOUTS / "heze-2.00.toml"): ("FIELD-YX_SCRIPTS_053",),
}  # fmt: skip
"""Flows by the layout of the card that they are run on."""


def test_every_origin_has_its_flow_here() -> None:
    known = {one.id: register()[one.origin].origin for one in vectors.find([FOLDER])}
    assert {known[one] for flows in ON.values() for one in flows} == set(known.values())


@pytest.mark.parametrize("layout", ON, ids=lambda name: Path(name).stem)
def test_flows_through_pcscd(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = str(LAYOUTS / "psam-regions.toml")
    with serving("--layout", layout, "--slots", "2") as cards:
        reader, psam = cards.readers[0], "Virtual PCD 00 01"
        sscard("card", "insert", "1", "--persona", "psam", "--layout", own)
        assert pcsc.wait_card(reader)
        assert pcsc.wait_card(psam)
        flows = [one for one in vectors.find([FOLDER]) if one.id in ON[layout]]
        with in_reader(
            reader, roots.load("test"), "123456", catalogue.layout(layout), psam, "adult-chengdu"
        ) as target:  # fmt: skip
            results = list(runner.run(flows, target, allow_destructive=True))
    assert {one.subject.id: (str(one.verdict), one.reason) for one in results} == dict.fromkeys(
        ON[layout], ("passed", "")
    )


def test_the_command_takes_a_psam_from_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with serving("--psam", "--layout", "2.00", cards=2) as served:
        reader, psam = served.readers
        with Pcsc(reader) as connection:
            atr = connection.atr.hex()
        asked = ["vectors", "run", str(FOLDER), "--reader", reader, "--card", atr, "--keys", "test", "--persona",
                 "adult-chengdu", "--only", "FIELD-KIOSK_ZHEJIANG_014"]  # fmt: skip
        assert "requirement missing 缺少条件: a PSAM (--psam-reader)" in sscard(*asked, expect=4)
        assert sscard(*asked, "--psam-reader", reader, expect=2) == ""
        assert "1 passed" in sscard(*asked, "--psam-reader", psam)
