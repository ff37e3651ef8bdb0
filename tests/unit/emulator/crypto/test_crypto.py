from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.crypto import suite
from emulator.crypto.keys import card_key, factors
from emulator.crypto.suite import frame, unframe

ANSWERS = json.loads((Path(__file__).parents[3] / "data" / "crypto-answers.json").read_text())


@pytest.mark.parametrize("answer", ANSWERS, ids=[f"{n}-{one['algorithm']}" for n, one in enumerate(ANSWERS)])
def test_known_answers(answer: dict[str, Any]) -> None:
    given = {
        name: bytes.fromhex(text) for name, text in answer.items() if name not in ("algorithm", "levels", "region")
    }
    algorithms = suite(answer["algorithm"])
    key = card_key(algorithms, given["root_key"], answer["region"], given["chip_factor"], answer["levels"])
    assert key == given["card_key"]
    process_key = algorithms.process_key(key, given["challenge"])
    assert process_key == given["session_key"]
    assert algorithms.cryptogram(process_key, given["auth_data"]) == given["auth_cryptogram"]
    assert algorithms.encipher(process_key, given["new_pin"]) == given["enciphered_pin"]
    assert algorithms.decipher(process_key, given["enciphered_pin"]) == given["new_pin"]
    assert algorithms.mac(process_key, given["reload_header"] + given["enciphered_pin"]) == given["reload_mac"]
    assert algorithms.mac(process_key, given["unblock_header"]) == given["unblock_mac"]


def test_ssf33_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="SSF33 is not public"):
        suite("ssf33")
    with pytest.raises(ValueError, match="3des or sm4"):
        suite("aes")


def test_factors_by_level() -> None:
    assert factors("510100", bytes(8), 3) == [b"510000sh"[:2] + b"0000sh", b"510100sx", bytes(8)]
    assert factors("510100", bytes(8), 1) == [bytes(8)]


@pytest.mark.parametrize("block", [8, 16])
@pytest.mark.parametrize("size", range(17))
def test_framing_is_undone(block: int, size: int) -> None:
    data = bytes(range(size))
    assert unframe(frame(data, block), block) == data
    assert len(frame(data, block)) % block == 0


@pytest.mark.parametrize("framed", ["", "08" + "00" * 7, "0312345681000000", "0312345680000001", "03123456"])
def test_bad_framing_is_refused(framed: str) -> None:
    with pytest.raises(ValueError, match=r"length byte|padding"):
        unframe(bytes.fromhex(framed), 8)
