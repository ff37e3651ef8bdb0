"""PKI_SignData and PKI_VerifySign: what they give, what they refuse, and that no PIN is told."""

from __future__ import annotations

import base64
import json
from functools import partial
from pathlib import Path

import gmalg
import pytest
from cryptography import x509
from fastapi.testclient import TestClient

from emulator.chip import Chip
from emulator.crypto import sm2
from emulator.crypto.keys import pin_key
from emulator.filesystem.memory.cells import file_cell, key_cell
from harness.driver.certificates import BEGIN, END
from harness.driver.clients import Clients
from harness.driver.dialects import dialect as dialects
from harness.driver.library import SSCardDriver
from harness.driver.readers import Given
from harness.driver.server import called
from harness.driver.traced import CallTrace
from harness.driver.wire import frame
from harness.readers.connection import InProcess
from harness.trace.record import TraceFile
from harness.web import driver as front
from tests.kit.cards import new_card

USER = "123456"
TEXT = "测试甲同意，amount 12.50"
NOT_RIGHT, NO_KEY, NO_FILE = -0x6300, -0x6985, -0x6A82


class Desk:
    """A driver over one card of its own."""

    def __init__(self, version: str = "3.00", algorithm: str = "sm4", persona: str = "adult-chengdu") -> None:
        self.card = new_card(version, algorithm, persona)
        self.driver = SSCardDriver(Given(lambda _: InProcess(self.card.chip), lambda: None))

    def sign(self, text: str = TEXT, pin: str = USER) -> tuple[int, str]:
        return self.driver.PKI_SignData(pin, text, 1)

    def verify(self, certificate: str, signature: str, text: str = TEXT, pin: str = "") -> tuple[int, str]:
        return self.driver.PKI_VerifySign(pin, certificate, text, signature, 1)

    def signed(self) -> tuple[str, str]:
        code, out = self.sign()
        assert code == 0, out
        signature, certificate, end = out.split("|")
        assert end == ""
        return signature, certificate

    def set(self, **contents: bytes) -> None:
        """Files of the certificate application as this says, filled up."""
        image = self.card.chip.image
        for name, content in contents.items():
            path = f"CERT/{name}"
            image.memory.put(file_cell(path), (content.ljust(image.layout.files[path].size, b"\0"),))
        image.memory.commit()


def test_a_text_is_signed_and_anybody_can_hold_it_against_the_certificate() -> None:
    signature, certificate = Desk().signed()
    loaded = x509.load_der_x509_certificate(base64.b64decode(certificate))
    at = loaded.tbs_certificate_bytes.index(bytes.fromhex("03420004")) + 3
    other = gmalg.SM2(pk=loaded.tbs_certificate_bytes[at : at + 65], uid=sm2.IDENTITY)
    der = base64.b64decode(signature)
    r, s = (int.from_bytes(part, "big").to_bytes(32, "big") for part in (der[4 : 4 + der[3]], der[6 + der[3] :]))
    assert other.verify(TEXT.encode("gbk"), r, s)
    assert not other.verify(TEXT.encode("utf-8"), r, s)


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_what_a_card_signed_it_verifies(algorithm: str) -> None:
    desk = Desk(algorithm=algorithm)
    signature, certificate = desk.signed()
    assert desk.verify(certificate, signature) == (0, "")
    assert desk.verify("", signature) == (0, ""), "the card's own certificate where none is given"
    assert desk.verify(f"{certificate}|", f"{signature}|", pin=USER) == (0, "")
    assert desk.verify(f"{BEGIN}\n{certificate[:64]}\n{certificate[64:]}\n{END}\n", signature) == (0, "")
    assert desk.verify(certificate, signature, TEXT + ".")[0] == NOT_RIGHT
    der = base64.b64decode(signature)
    halves = (der[4 : 4 + der[3]], der[6 + der[3] :])
    raw = b"".join(int.from_bytes(part, "big").to_bytes(32, "big") for part in halves)
    assert desk.verify(certificate, base64.b64encode(raw).decode()) == (0, "")
    assert desk.verify(certificate, base64.b64encode(raw[::-1]).decode())[0] == NOT_RIGHT


def test_a_signature_of_another_card_is_held_against_its_certificate() -> None:
    signer, other = Desk(), Desk(persona="adult-mianyang")
    private, public = sm2.key_pair(lambda size: b"\x5a" * size)
    other.set(EF12=b"\xca\x40" + public, EF13=private, EF18=b"")
    signature, certificate = signer.signed()
    assert other.verify(certificate, signature) == (0, "")
    assert other.verify(certificate, signature, TEXT[1:])[0] == NOT_RIGHT
    assert other.verify("", signature)[0] == NO_FILE, "and has no certificate of its own"
    assert other.sign()[1].endswith("||"), "signs all the same"


def test_a_wrong_pin_costs_a_try_and_locks() -> None:
    desk = Desk()
    signature, certificate = desk.signed()
    assert [desk.sign(pin="000000")[0] for _ in range(6)] == [-51] * 5 + [-52]
    assert desk.sign()[0] == -52
    assert desk.verify(certificate, signature, pin=USER)[0] == -52
    assert desk.verify(certificate, signature) == (0, "")


@pytest.mark.parametrize("pin", ["12", "1234567890123", "12345x"])
def test_what_is_no_pin_costs_no_try(pin: str) -> None:
    desk = Desk()
    assert desk.sign(pin=pin)[0] == -33
    assert desk.card.tries("PINCERT") == 6


def test_an_empty_pin_is_asked_for_at_the_pad() -> None:
    desk = Desk()
    assert desk.sign(pin="")[0] == -32
    desk.driver.pad.script(["cancel", USER])
    assert desk.sign(pin="")[0] == -31
    assert desk.sign(pin="")[0] == 0


def test_a_card_without_keys_or_with_others() -> None:
    empty = Desk()
    empty.set(EF12=b"", EF13=b"", EF18=b"")
    assert empty.sign()[0] == NO_KEY
    mixed = Desk()
    signature, certificate = mixed.signed()
    private, public = sm2.key_pair(lambda size: b"\x5a" * size)
    mixed.set(EF12=b"\xca\x40" + public, EF13=private)
    code, said = mixed.sign()
    assert (code, "not its key's" in said) == (-15, True)
    assert mixed.verify(certificate, signature) == (0, ""), "a public key verifies, whosever card it is"
    broken = Desk()
    broken.set(EF18=b"\x30\x82\x01\x00" + bytes(300))
    assert broken.sign()[0] == -15


def test_cards_without_the_application() -> None:
    for desk in (Desk("2.00", "3des"), Desk("1.00", "3des")):
        assert desk.sign()[0] == NO_FILE
        assert desk.verify("", base64.b64encode(bytes(64)).decode())[0] == NO_FILE
    assert Desk().driver.PKI_SignData(USER, TEXT, 5)[0] == -1


@pytest.mark.parametrize(
    ("certificate", "signature", "text", "code"),
    [
        ("AAAA", "AAAA", TEXT, -23), ("!", "", TEXT, -23), ("", "", TEXT, -23), ("", "MAA=", TEXT, -23),
        ("MAMCAQE=", "A" * 84 + "A===", TEXT, -23), ("", "MAA=", "", -14),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_bad_input(certificate: str, signature: str, text: str, code: int) -> None:
    assert Desk().verify(certificate, signature, text)[0] == code


def _connection(chip: Chip, kind: int) -> InProcess:
    del kind
    return InProcess(chip)


def test_the_pin_stands_in_no_trace(tmp_path: Path) -> None:
    own = "86420975"
    for personal in (False, True):
        path = tmp_path / f"{personal}.jsonl"
        card = new_card("3.00", "sm4")
        trace = TraceFile(path, personal_data=personal)
        chip = Chip(card.chip.image, observer=trace.slot(0, card.chip.image))
        chip.image.memory.put(key_cell("PINCERT"), pin_key(own))
        chip.image.memory.commit()
        clients = Clients(Given(partial(_connection, chip), lambda: None), calls=CallTrace(trace))
        with clients.one() as client:
            for pin in (own, "97531086"):
                values = (b"PKI_SignData", pin.encode(), TEXT.encode("gbk"), b"3")
                called(client, frame(*values)[4:])
        trace.__exit__(None, None, None)
        text = path.read_text(encoding="utf-8")
        calls = [one for line in text.splitlines() if (one := json.loads(line)).get("event") == "call"]
        assert [(one["code"], one["arguments"]["pUserPin"]) for one in calls] == [(0, "***"), (-51, "***")]
        assert own not in text
        assert "97531086" not in text
        assert (TEXT in text) is personal


@pytest.mark.parametrize("dialect", ["own", "params-38088"])
def test_a_web_page_signs_and_verifies_in_its_dialect(dialect: str) -> None:
    card = new_card("3.00", "sm4")
    clients = Clients(Given(partial(_connection, card.chip), lambda: None))
    form = dialects.load(dialect)
    page = TestClient(front.create(clients, (), form), base_url="http://localhost")
    inner = {"pUserPin": USER, "pInData": TEXT, "iType": "1"}
    given = {"params": inner} if form.request.arguments else inner
    told = page.post("/call", json={"function": "PKI_SignData", **given}).json()
    assert told[form.answer.code] == form.answer.done
    signature, certificate, __ = told["pOutInfo"].split("|")
    inner = {"pUserPin": "", "pCert": certificate, "pClearText": TEXT, "pSignature": signature, "iType": "1"}
    for text, code in ((TEXT, form.answer.done), (TEXT + ".", NOT_RIGHT)):
        inner = {**inner, "pClearText": text}
        given = {"params": inner} if form.request.arguments else inner
        told = page.post("/call", json={"function": "PKI_VerifySign", **given}).json()
        assert str(told[form.answer.code]) == str(code)
