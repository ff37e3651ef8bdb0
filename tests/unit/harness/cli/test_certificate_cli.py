"""`sscard certificate` as its user has it: keys, certificates, signatures and PINs of the certificate application."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from random import Random

import pytest

from harness.certificates import authority
from harness.certificates.envelope import Envelope
from tests.unit.harness.cli.test_cli import run

USER = ("--pin", "123456")


@pytest.fixture
def card(tmp_path: Path) -> tuple[str, ...]:
    path = str(tmp_path / "card.json")
    run("pin", "state", "--image", path, "--persona", "certificate-none")
    return ("--image", path)


def states(*card: str, expect: int = 0) -> dict[str, str]:
    told = json.loads(run("certificate", "show", "--json", *card, expect=expect).stdout)
    return {name: one["state"] for name, one in told.items()}


def test_a_card_gets_keys_and_certificates_and_they_are_good(card: tuple[str, ...], tmp_path: Path) -> None:
    assert states(*card) == {"signature": "no key pair", "encryption": "no key pair"}
    run("certificate", "check", *card, expect=1)
    told = run("certificate", "issue", *card, *USER).stdout
    assert told.count("the certificate is valid") == 2
    assert "519900199003150011" in told
    assert run("certificate", "check", *card).stdout.count("good") == 2
    pem = run("certificate", "show", "--pem", *card).stdout
    assert pem.count("BEGIN CERTIFICATE") == 2
    assert authority.der_of(pem, "card")
    document = tmp_path / "document"
    document.write_bytes("测试".encode())
    signature = run("certificate", "sign", str(document), *card, *USER).stdout.strip()
    assert len(bytes.fromhex(signature)) == 64
    run("certificate", "verify", str(document), signature, *card)
    document.write_bytes(b"another")
    assert "not right" in run("certificate", "verify", str(document), signature, *card, expect=1).stdout
    run("certificate", "verify", str(document), signature[2:], *card, expect=2)


def test_an_own_authority_is_for_its_owner_alone_and_is_told_apart(card: tuple[str, ...], tmp_path: Path) -> None:
    mine = tmp_path / "ca.pem"
    run("certificate", "authority", str(mine))
    assert stat.S_IMODE(mine.stat().st_mode) == 0o600
    before = mine.read_text()
    run("certificate", "authority", str(mine), expect=1)
    assert mine.read_text() == before, "nothing is overwritten unasked"
    run("certificate", "issue", "--authority", str(mine), "--piece", "112", *card, *USER)
    run("certificate", "check", "--authority", str(mine), *card)
    assert "not by this authority" in run("certificate", "check", *card, expect=1).stdout
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("")
    assert "no PRIVATE KEY" in run("certificate", "issue", "--authority", str(nothing), *card, *USER, expect=2).stderr


def test_a_certificate_that_has_ended_or_not_begun_is_told(card: tuple[str, ...]) -> None:
    one = ("certificate", "issue", "--purpose", "signature", *card, *USER)
    run(*one, "--from", "2020-01-01", "--until", "2021-01-01")
    assert states(*card)["signature"] == "expired"
    run(*one, "--from", "2090-01-01")
    assert states(*card)["signature"] == "not yet valid"
    run(*one, "--from", "2026-01-02", "--until", "2026-01-01", expect=2)
    run(*one, "--new-key")
    assert states(*card) == {"signature": "valid", "encryption": "no key pair"}


@pytest.mark.parametrize(
    ("persona", "expected"),
    [
        ("certificate-none", ("no key pair", "no key pair")),
        ("certificate-key-only", ("no certificate", "no key pair")),
        ("certificate-expired", ("expired", "expired")),
        ("certificate-mismatched", ("of another key", "valid")),
        ("certificate-user-locked", ("valid", "valid")),
        ("certificate-administrator-locked", ("valid", "valid")),
    ],
)
def test_each_persona_is_in_its_state(persona: str, expected: tuple[str, str]) -> None:
    assert tuple(states("--persona", persona).values()) == expected
    locked = persona == "certificate-user-locked"
    run("certificate", "sign", "-", "--persona", persona, *USER, stdin="x", expect=int(locked or "none" in persona))
    told = run("certificate", "change-pin", "--administrator", "--persona", persona, "--pin", "12345678",
               "--new-pin", "87654321", expect=int("administrator-locked" in persona))  # fmt: skip
    assert ("6983" in told.stderr) == ("administrator-locked" in persona)


def test_an_enveloped_key_is_imported_for_its_holder_alone(card: tuple[str, ...], tmp_path: Path) -> None:
    run("certificate", "issue", "--purpose", "signature", *card, *USER)
    public = bytes.fromhex(json.loads(run("certificate", "show", "--json", *card).stdout)["signature"]["public_key"])
    made = tmp_path / "key.bin"
    made.write_bytes(Envelope.make(public, Random(1).randbytes).to_bytes())
    told = json.loads(run("certificate", "import", str(made), "--json", *card, *USER).stdout)
    assert told["encryption"]["state"] == "no certificate"
    assert bytes.fromhex(told["encryption"]["public_key"]) == Envelope.from_bytes(made.read_bytes()).public
    other = Envelope.make(Envelope.from_bytes(made.read_bytes()).public, Random(2).randbytes)
    made.write_bytes(other.to_bytes())
    run("certificate", "import", str(made), *card, *USER, expect=1)
    made.write_bytes(b"")
    run("certificate", "import", str(made), *card, *USER, expect=2)


def test_a_changed_pin_is_the_one_from_then_on_and_is_told_nowhere(card: tuple[str, ...]) -> None:
    told = run("certificate", "change-pin", *card, "--pin", "123456", "--new-pin", "97531864")
    wrong = run("certificate", "issue", *card, *USER, expect=1)
    run("certificate", "issue", *card, "--pin", "97531864")
    assert "63C5" in wrong.stderr
    for pin in ("97531864", "123456"):
        assert pin not in told.output + wrong.output


def test_cards_without_the_application_say_so() -> None:
    for name in ("show", "check"):
        assert "no certificate application" in run("certificate", name, "--layout", "2.00", expect=3).stderr
    run("certificate", "show", "--pem", "--persona", "certificate-key-only", expect=1)


def test_show_and_compare_tell_how_certificates_stand() -> None:
    for persona, state in (
        ("adult-chengdu", "valid"),
        ("certificate-expired", "expired"),
        ("certificate-none", "no key pair"),
    ):
        told = json.loads(run("show", "--json", "--persona", persona).stdout)
        assert told["files"]["CERT/EF18"]["certificate"]["state"] == state
        assert set(told["files"]["CERT/EF13"]["hex"]) == {"*"}
    assert "the certificate has expired" in run("show", "--persona", "certificate-expired").stdout
    assert "the certificate is not the key's" in run("show", "--persona", "certificate-mismatched").stdout
    said = run("compare", "persona:adult-chengdu", "persona:certificate-mismatched", expect=1).stdout
    assert "the certificate is the key's 证书与密钥相符 → the certificate is not the key's" in said
    assert "2055" not in said
    said = run("compare", "persona:adult-chengdu", "persona:certificate-expired", "--show-values", expect=1).stdout
    assert "2020-09-15–2025-09-14" in said
    assert "PINCERT: tries left" in run("compare", "adult-chengdu", "certificate-user-locked", expect=1).stdout
