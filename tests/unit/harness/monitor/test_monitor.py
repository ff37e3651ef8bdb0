"""Every rule of the monitor fires on a bad session."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from emulator.apdu.instructions.key_pair import GenerateKeyPair
from emulator.apdu.instructions.select import Select
from emulator.filesystem.memory.cells import PIN_CELL
from emulator.sources import marks
from harness.certificates.authority import Purpose
from harness.monitor.rules import RULES
from harness.terminal.certificates import CertificateApplication
from harness.terminal.terminal import PinRefused, Refused
from harness.verdicts.verdict import Verdict
from tests.kit.cards import DF, SSSE, VERIFY, WRONG_PIN
from tests.kit.judged import (
    ASK,
    CHALLENGE,
    PROOF,
    READ_NUMBER,
    READ_VERSION,
    TORN,
    Judged,
    demanding,
    in_field,
    keeping,
    part_of_the_region,
    psam_session,
    torn_and_left,
    update,
)
from tests.unit.harness.cli.test_cli import run


def changed(bad: Judged) -> Judged:
    """The PIN changed, as a terminal that meets the initial one must."""
    return bad.fci().send(ASK, VERIFY, "805E010007123456FF246802", "reset").fci()


def rights_left(bad: Judged) -> None:
    bad.fci().authenticate("RKSSSE")
    bad.later(31)
    bad.send(READ_NUMBER)


def locked_key(bad: Judged) -> None:
    bad.fci()
    for number in range(12):
        bad.send(CHALLENGE, f"0082000A10{number:032X}")


def twice_authenticated(bad: Judged) -> None:
    bad.fci().authenticate("RKSSSE")
    bad.terminal.adopt(bad.image)
    bad.send(SSSE, "00C000001E")
    bad.terminal.forget()
    bad.terminal.application = "SSSE"
    bad.authenticate("RKSSSE")


def blind_pins(bad: Judged) -> Judged:
    changed(bad).send(ASK)
    return bad.send(*(f"0020000003{pin}" for pin in ("111111", "222222", "333333")))


def no_pin(bad: Judged) -> Judged:
    bad.image.memory.put(PIN_CELL, "")
    bad.image.memory.commit()
    return bad


def failed_write(bad: Judged) -> None:
    with pytest.raises(Refused):
        update(bad.fci(), "DF03/EF05/61", "510700")
    bad.send(SSSE)


def lost(bad: Judged) -> None:
    bad.fci().send(READ_NUMBER)
    update(bad, "DF03/EF05/61", "510700")


def expired(bad: Judged) -> None:
    bad.fci()
    update(bad, "DF03/EF05/61", "510700")


def certificates(bad: Judged, act: Callable[[CertificateApplication], object]) -> None:
    """What a terminal does in the certificate application."""
    bad.terminal.begin()
    own = CertificateApplication(bad.terminal)
    own.enter()
    act(own)


def two_guesses(own: CertificateApplication) -> None:
    for pin in ("000000", "111111"):
        with pytest.raises(PinRefused):
            own.prove(pin)


def proved(own: CertificateApplication, bad: Judged, command: str) -> None:
    own.prove("123456")
    bad.send(command)


def signed_all_the_same(own: CertificateApplication) -> None:
    own.prove("123456")
    own.held(Purpose.SIGNATURE)
    own.sign(b"a text")


SIGN = "002A9E9A20" + "11" * 32


def another_certificate(own: CertificateApplication) -> None:
    """That of a key pair which the card had before."""
    own.prove("123456")
    held = own.held(Purpose.SIGNATURE).certificate
    assert held is not None
    own.generate()
    own.write(Purpose.SIGNATURE, held.der)


BANK = ("00A4040008A000000333010101", "00C0000047")


CASES: dict[str, tuple[Judged | Callable[[], Judged], Callable[[Judged], object]]] = {
    "BANK-OPTIONS": (Judged, lambda bad: bad.send(*BANK, "80A80000028300")),
    "BANK-PAYMENT": (Judged, lambda bad: bad.send(*BANK, f"80AE80001D{'00' * 29}")),
    "SESSION-RESELECT": (Judged, lambda bad: bad.fci().send("reset", READ_NUMBER)),
    "SESSION-ENVIRONMENT": (Judged, lambda bad: bad.send(DF["DF01"], "00C000000A")),
    "SESSION-REFUSED-SELECT": (Judged, lambda bad: bad.fci().send("00A4040006D15600000599", READ_NUMBER)),
    "SESSION-VERSION": (Judged, lambda bad: bad.send(SSSE, "00C000001E", CHALLENGE, PROOF)),
    "SESSION-RIGHTS-LEFT": (Judged, rights_left),
    "SESSION-MALFORMED": (Judged, lambda bad: bad.fci().send("00FF000000")),
    "ANSWER-61": (
        lambda: Judged("3.00", "adult-chengdu", "sw61,part=4,instruction=READ_RECORD,nth=3"),
        lambda bad: bad.fci().send(READ_NUMBER, READ_VERSION),
    ),
    "ANSWER-FCI": (Judged, lambda bad: bad.send(SSSE, READ_VERSION, CHALLENGE, PROOF)),
    "ANSWER-6C": (Judged, lambda bad: bad.fci().send("00B2072800", READ_VERSION)),
    "ANSWER-GET": (Judged, lambda bad: bad.fci().send("00C0000010")),
    "ANSWER-BROKEN": (
        lambda: Judged("3.00", "adult-chengdu", "truncated,by=2,item=07"),
        lambda bad: bad.fci().send(READ_NUMBER, READ_VERSION),
    ),
    "ANSWER-NONE": (
        lambda: Judged("3.00", "adult-chengdu", "truncated,by=99,status_too=yes,item=07"),
        lambda bad: bad.fci().send(READ_NUMBER, READ_VERSION),
    ),
    "CONTACTLESS-REACH": (lambda: in_field(keeping()), lambda bad: bad.send(SSSE, "00B0880008")),
    "CONTACTLESS-PIN": (lambda: in_field(keeping()), lambda bad: bad.send(SSSE, VERIFY)),
    "CONTACTLESS-GET": (in_field, lambda bad: bad.send(SSSE, "00C000001E")),
    "RIGHTS-READ": (Judged, lambda bad: bad.fci().send("00B2093020")),
    "RIGHTS-UPDATE": (Judged, lambda bad: bad.fci().send("00DC062806060420400101")),
    "RIGHTS-COMMAND": (Judged, lambda bad: bad.fci().send(CHALLENGE, "8424000004AABBCCDD")),
    "RIGHTS-IGNORED": (Judged, lambda bad: bad.fci().send(CHALLENGE, PROOF, "00B2093020")),
    "RIGHTS-INSISTED": (Judged, lambda bad: bad.fci().send("00B2093020", "00B2093020")),
    "RIGHTS-LOCKED-KEY": (Judged, locked_key),
    "RIGHTS-CLEAR": (lambda: Judged(demanding()), lambda bad: bad.fci().send("00DC0A30030A0132")),
    "RIGHTS-AGAIN": (Judged, twice_authenticated),
    "PIN-ASKED": (Judged, lambda bad: bad.fci().send(VERIFY)),
    "PIN-NONE-SET": (Judged, lambda bad: (no_pin(bad), bad.fci().send(ASK, VERIFY))),
    "PIN-KNOWN-WRONG": (Judged, lambda bad: (bad.fci().send(ASK, WRONG_PIN), bad.later(9), bad.send(WRONG_PIN))),
    "PIN-UNCONFIRMED": (Judged, blind_pins),
    "PIN-REFUSAL-IGNORED": (Judged, lambda bad: bad.fci().send(ASK, WRONG_PIN, READ_NUMBER)),
    "PIN-LAST-TRY": (Judged, blind_pins),
    "PIN-LOCKED": (Judged, lambda bad: (blind_pins(bad), bad.send("0020000003444444", "0020000003555555"))),
    "PIN-CLEAR": (Judged, lambda bad: bad.fci().send(CHALLENGE, "8424000103246802")),
    "PIN-INITIAL": (Judged, lambda bad: (bad.fci().send(ASK, VERIFY), update(bad, "DF03/EF05/61", "510700"))),
    "PIN-SET-INITIAL": (Judged, lambda bad: changed(bad).send(ASK, "0020000003246802", "805E010007246802FF123456")),
    "PIN-UNCHANGED": (Judged, lambda bad: changed(bad).send(ASK, "805E010007246802FF246802")),
    "CHALLENGE-STALE": (
        Judged,
        lambda bad: bad.fci().send(CHALLENGE, DF["DF01"], SSSE, "00C000001E", PROOF),
    ),
    "CHALLENGE-TWICE": (Judged, lambda bad: bad.fci().send(CHALLENGE, PROOF, "0082000A10" + "11" * 16)),
    "CHALLENGE-REPLAYED": (
        Judged,
        lambda bad: bad.fci().send(CHALLENGE, PROOF, CHALLENGE, PROOF),
    ),
    "CHALLENGE-IDLE": (Judged, lambda bad: bad.fci().send(*[CHALLENGE] * 5)),
    "CERT-PIN-RETRIED": (lambda: Judged(algorithm="sm4"), lambda bad: certificates(bad, two_guesses)),
    "CERT-KEY-UNREAD": (Judged, lambda bad: certificates(bad, lambda own: proved(own, bad, key_pair(bad)))),
    "CERT-SIGNATURE-UNVERIFIED": (Judged, lambda bad: certificates(bad, lambda own: proved(own, bad, SIGN))),
    "CERT-OTHER-KEY": (Judged, lambda bad: certificates(bad, another_certificate)),
    "CERT-EXPIRED": (lambda: Judged("3.00", "certificate-expired"), lambda bad: certificates(bad, signed_all_the_same)),
    "WRITE-READ-BACK": (Judged, lambda bad: (bad.fci(), update(bad, "SSSE/EF06/0A", "2"))),
    "REGION-READ-BACK": (Judged, part_of_the_region),
    "WRITE-FAILED": (
        lambda: Judged("3.00", "adult-chengdu", "status,sw=6581,instruction=UPDATE_RECORD"),
        failed_write,
    ),
    "REGION-UNCHECKED": (Judged, lambda bad: (bad.fci(), update(bad, "DF03/EF05/61", "510700"))),
    "REGION-PART": (lambda: Judged("3.00", "adult-chengdu", TORN), torn_and_left),
    "STATE-EXPIRED": (lambda: Judged("3.00", "expired"), expired),
    "STATE-EXPIRY-UNREAD": (
        Judged,
        lambda bad: (bad.send(SSSE, "00C000001E", READ_VERSION), update(bad, "DF03/EF05/61", "510700")),
    ),
    "STATE-LOST": (lambda: Judged(lost="A00000011"), lost),
    "STATE-NOT-ACTIVATED": (
        lambda: Judged("3.00", "not-activated"),
        lambda bad: bad.fci().send(DF["DF01"], "00C000000A", "00B2102800", ASK),
    ),
    "STATE-CARD-BLOCKED": (lambda: Judged("3.00", "card-blocked"), lambda bad: bad.send(SSSE, READ_VERSION)),
    "STATE-APPLICATION-BLOCKED": (
        lambda: Judged("3.00", "application-blocked"),
        lambda bad: bad.fci().send(DF["DF04"], "00B2842805"),
    ),
    "PSAM-FACTOR": (Judged, lambda bad: psam_session(bad, atr=bytes(17), code="510100")),
    "PSAM-CRYPTOGRAM": (Judged, lambda bad: psam_session(bad, atr=bad.connection.atr, code="510100", spoil=True)),
}


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_rule_fires_on_a_bad_session(rule: str) -> None:
    made, act = CASES[rule]
    assert callable(made)
    bad = made()
    act(bad)
    assert rule in bad.end()
    result = next(one for one in bad.monitor.results() if one.subject.id == rule)
    severe = next(one for one in RULES if one.id == rule).severity == "error"
    assert result.verdict is (Verdict.FAILED if severe else Verdict.WARNING)
    assert result.reason
    assert result.trace


def application(bad: Judged, name: str) -> str:
    return bytes(Select.application(bad.image.layout.applications[name])).hex()


def key_pair(bad: Judged) -> str:
    spec = bad.image.layout.certificate
    assert spec is not None
    public, private = (bad.image.layout.files[path].fid for path in (spec.public, spec.private))
    return bytes(GenerateKeyPair.command(public, private)).hex()


OTHERS: dict[str, tuple[str, Callable[[Judged], object]]] = {
    "down to one try": ("PIN-LAST-TRY", lambda bad: bad.fci().send(ASK, WRONG_PIN, WRONG_PIN)),
    "wrong as ever after the right one": (
        "PIN-KNOWN-WRONG",
        lambda bad: bad.fci().send(ASK, WRONG_PIN).later(9).send(VERIFY, ASK).later(9).send(WRONG_PIN),
    ),
    "a PIN unblocked after PUK was refused": (
        "RIGHTS-IGNORED",
        lambda bad: bad.fci().send(CHALLENGE, "0082000610" + "00" * 16, CHALLENGE, "8424000004AABBCCDD"),
    ),
    "a settlement after the PIN was refused": (
        "RIGHTS-IGNORED",
        lambda bad: bad.fci().send(ASK, WRONG_PIN, DF["DF04"], "00C000000A", "B02801011301" + "00" * 18),
    ),
    "the account without the PIN": ("RIGHTS-COMMAND", lambda bad: bad.fci().send(DF["DF04"], "B026000104")),
    "a key pair without the PIN of the certificate application": (
        "RIGHTS-COMMAND",
        lambda bad: bad.fci().send(application(bad, "PKI"), application(bad, "CERT"), key_pair(bad)),
    ),
    "a last try in a change": (
        "PIN-LAST-TRY",
        lambda bad: bad.fci().send(ASK, WRONG_PIN).later(9).send(WRONG_PIN).later(9).send("805E010007999999FF246802"),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_ways_to_break_a_rule(name: str) -> None:
    rule, act = OTHERS[name]
    bad = Judged()
    act(bad)
    assert rule in bad.end()


def test_a_card_that_is_not_activated_may_refuse_anything_first() -> None:
    bad = Judged("3.00", "not-activated")
    bad.fci().send("0020000003123456", DF["DF01"], "00C000000A", "00B2202800")
    assert "STATE-NOT-ACTIVATED" in bad.end()


def test_rules_are_told_apart_and_say_where_they_come_from() -> None:
    assert len(RULES) >= 25
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert [one.end for one in marks(rule.source)][-1] == len(rule.source), f"{rule.id}: a grade is last"
        assert rule.grade() in "STP1D"
        assert rule.title != rule.title_zh
        assert rule.severity in ("error", "warning")
    listed = run("monitor", "--rules", "--json").stdout
    assert [one["id"] for one in json.loads(listed)] == [rule.id for rule in RULES]
    assert {one["id"]: one["grade"] for one in json.loads(listed)}["REGION-PART"] == "D", (
        "that each moves alone, and whole, is ours"
    )
    assert "PIN-KNOWN-WRONG" in run("monitor", "--rules").stdout
