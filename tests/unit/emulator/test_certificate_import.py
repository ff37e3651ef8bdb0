"""What goes into the certificate application from outside: an encryption key pair, and new PINs.

The commands are those of two public programs, byte by byte; the enveloped key is made with an implementation of SM2 and
SM4 that is not ours.
"""

from __future__ import annotations

from pathlib import Path

import gmalg
import pytest

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.crypto import suite
from emulator.crypto.keys import pin_key
from emulator.crypto.suite import Fold
from emulator.filesystem.layouts.specs import LayoutError
from tests.kit.cards import HOME, SSSE, Card, new_card

SESSION = bytes(range(0x30, 0x40))
PUBLIC_FIRST = "80C2400046C0020014CA40"
PRIVATE_THEN = "80C2C00126C2020015CB20"


@pytest.fixture
def card() -> Card:
    made = new_card("3.00", "sm4", "certificate-key-only")
    made.ok(HOME["PKI"], "00A4000002DF01")
    return made


def prove(card: Card, pin: str, which: str = "0181") -> str:
    challenge = bytes.fromhex(card.ok("0084000010"))
    return card.send(f"0020{which}10{suite('sm4').crypt(pin_key(pin), challenge).hex()}")


def fetch(card: Card, command: str) -> str:
    """The answer of a command whose data wait behind 61xx, without its status word."""
    told = card.send(command)
    if told[:2] == "61":
        told = card.send(f"00C00000{told[2:4]}")
    assert told[-4:] == "9000", told
    return told[:-4]


class Envelope:
    """An encryption key pair as its maker sends it, for the card's signature key."""

    def __init__(self, card: Card) -> None:
        signing = bytes.fromhex(card.ok("00B0920042"))[2:]
        maker = gmalg.SM2()
        private, public = maker.generate_keypair()
        self.private = private.rjust(32, b"\0")  # it leaves zeros in front away
        self.public = public[1:]
        ecb = gmalg.SM4(SESSION)
        self.sealed = b"".join(ecb.encrypt(self.private[at : at + 16]) for at in (0, 16))
        self.session = gmalg.SM2(pk=b"\x04" + signing).encrypt(SESSION)[1:]

    def decipher(self, fid: str = "0013") -> str:
        return f"804E000178C202{fid}C1820070{self.session.hex()}"


def imported(card: Card) -> Envelope:
    made = Envelope(card)
    assert prove(card, "123456") == "9000"
    key = fetch(card, made.decipher())
    assert card.send(f"804A021012C110{key}") == "9000"
    assert card.send(PUBLIC_FIRST + made.public.hex()) == "9000"
    assert card.send(PRIVATE_THEN + made.sealed.hex()) == "9000"
    return made


def test_an_enveloped_key_pair_comes_to_the_card(card: Card) -> None:
    made = Envelope(card)
    assert prove(card, "123456") == "9000"
    assert bytes.fromhex(fetch(card, made.decipher())) == SESSION
    assert card.send(f"804A021012C110{SESSION.hex()}") == "9000"
    assert card.send(PUBLIC_FIRST + made.public.hex()) == "9000"
    assert card.send(PRIVATE_THEN + made.sealed.hex()) == "9000"
    assert bytes.fromhex(card.ok("00B0940042"))[2:] == made.public
    assert card.send("00B0950020") == "6982", "the private half is never read"
    (private,) = card.chip.image.memory.records("CERT/EF15")
    assert private == made.private


def test_the_imported_pair_deciphers_from_then_on(card: Card) -> None:
    made = imported(card)
    later = gmalg.SM2(pk=b"\x04" + made.public).encrypt(b"another session!")[1:]
    assert bytes.fromhex(fetch(card, f"804E000178C2020015C1820070{later.hex()}")) == b"another session!"


def test_nothing_is_imported_without_the_users_pin(card: Card) -> None:
    made = Envelope(card)
    commands = [made.decipher(), f"804A021012C110{SESSION.hex()}", PUBLIC_FIRST + made.public.hex()]
    assert prove(card, "12345678", "0100") == "9000", "the administrator is not the user"
    for command in (*commands, PRIVATE_THEN + made.sealed.hex()):
        assert card.send(command) == "6982"
    card.ok(SSSE)
    for command in commands:
        assert card.send(command) == "6985"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("804E000178C2020012C1820070" + "11" * 112, "6A82"),
        ("804E000178C2020015C1820070" + "11" * 112, "6985"),
        ("804E000178C2020013C1820070" + "11" * 112, "6A80"),
        ("804E000178C3020013C1820070" + "11" * 112, "6A80"),
        ("804E000012" + "11" * 18, "6A86"),
        ("804E000112" + "11" * 18, "6700"),
        ("804A021012C210" + "11" * 16, "6A80"),
        ("804A020012C110" + "11" * 16, "6A86"),
        ("80C2400046C0020012CA40" + "11" * 64, "6A82"),
        ("80C2400046C2020014CA40" + "11" * 64, "6A80"),
        ("80C2400026C0020014CA20" + "11" * 32, "6A80"),
        ("80C2C00126C2020015CB20" + "11" * 32, "6985"),
        ("80C2C00026C2020015CB20" + "11" * 32, "6A86"),
    ],
)
def test_what_is_not_imported(card: Card, command: str, sw: str) -> None:
    assert prove(card, "123456") == "9000"
    before = card.ok("00B0940042"), card.chip.image.memory.records("CERT/EF15")
    assert card.send(command) == sw
    assert before == (card.ok("00B0940042"), card.chip.image.memory.records("CERT/EF15"))


def test_a_private_half_that_is_not_the_public_ones_is_refused(card: Card) -> None:
    made = Envelope(card)
    assert prove(card, "123456") == "9000"
    card.ok("804A021012C110" + SESSION.hex(), PUBLIC_FIRST + made.public.hex())
    for wrong in (made.sealed[::-1], bytes(32)):
        assert card.send(PRIVATE_THEN + wrong.hex()) == "6A80"
    assert card.send("80C2C00126C2020013CB20" + made.sealed.hex()) == "6A82"
    assert card.send(PRIVATE_THEN + made.sealed.hex()) == "9000", "the session key serves until a key came under it"
    assert card.send(PRIVATE_THEN + made.sealed.hex()) == "6985", "once"


def test_a_session_key_ends_with_the_application(card: Card) -> None:
    made = Envelope(card)
    assert prove(card, "123456") == "9000"
    card.ok("804A021012C110" + SESSION.hex(), PUBLIC_FIRST + made.public.hex())
    card.ok(SSSE, HOME["CERT"])
    assert prove(card, "123456") == "9000"
    assert card.send(PRIVATE_THEN + made.sealed.hex()) == "6985"


PLAIN = 'extends = "3.00"\nname = "own"\nschema = 1\n'


def test_a_layout_without_files_for_a_pair_takes_no_imports(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    none = '[certificate]\nencryption_public = ""\nencryption_private = ""\nimports = "never"\n'
    path.write_text(PLAIN + '[remove]\nfile = ["CERT/EF14", "CERT/EF15"]\n' + none)
    chip = Chip(catalogue.card(personas.DEFAULT, path, "sm4"))
    chip.power_on()
    card = Card(chip)
    card.ok(HOME["CERT"])
    assert prove(card, "123456") == "9000"
    assert card.send(PUBLIC_FIRST + "11" * 64) == card.send(f"804A021012C110{SESSION.hex()}") == "6D00"
    path.write_text(PLAIN + '[certificate]\nencryption_public = ""\n')
    with pytest.raises(LayoutError, match="both files of the pair"):
        catalogue.layout(path)
    path.write_text(PLAIN + '[certificate]\nuser = "MKCERT"\n')
    with pytest.raises(LayoutError, match='use = "pin"'):
        catalogue.layout(path)


# New PINs.


def change(card: Card, old: str, new: str, which: str = "0100", block: str = "") -> str:
    """CHANGE under the old PIN's key: length, PIN in BCD and 80 00… enciphered, a MAC with the challenge before it."""
    key = pin_key(old)
    plain = bytes.fromhex(block or f"{len(new) // 2:02X}{new}80".ljust(32, "0"))
    message = bytes.fromhex(f"845E{which}14") + suite("sm4").crypt(key, plain)
    challenge = bytes.fromhex(card.ok("0084000010"))
    mac = suite("sm4").mac(key, message, start=challenge, fold=Fold.LEFT)
    return card.send((message + mac).hex())


@pytest.mark.parametrize(("which", "old"), [("0100", "12345678"), ("0181", "123456")])
def test_a_pin_is_changed_by_whoever_has_the_old_one(card: Card, which: str, old: str) -> None:
    assert change(card, old, "24680246", which) == "9000"
    assert prove(card, old, which) == "63C5"
    assert prove(card, "24680246", which) == "9000"
    card.chip.power_off()
    card.chip.power_on()
    card.ok(HOME["CERT"])
    assert prove(card, "24680246", which) == "9000"


def test_a_wrong_old_pin_costs_a_try_and_locks(card: Card) -> None:
    for left in range(5, -1, -1):
        assert change(card, "000000", "24680246") == "6988"
        assert card.tries("MPINCERT") == left
    assert change(card, "12345678", "24680246") == "6983"
    assert prove(card, "12345678", "0100") == "6983"
    assert prove(card, "123456") == "9000", "the user's is another"


def test_a_change_sets_the_tries_back(card: Card) -> None:
    assert change(card, "000000", "24680246") == "6988"
    assert change(card, "12345678", "24680246") == "9000"
    assert card.tries("MPINCERT") == 6


@pytest.mark.parametrize("block", ["03ABCDEF80".ljust(32, "0"), "0180".ljust(32, "0"), "00" * 16, "FF" * 16])
def test_what_is_no_new_pin(card: Card, block: str) -> None:
    assert change(card, "12345678", "", block=block) == "6A80"
    assert prove(card, "12345678", "0100") == "9000"


def test_a_change_needs_a_challenge_and_the_application(card: Card) -> None:
    assert card.send("845E010014" + "00" * 20) == "6984"
    assert card.send("845E010010" + "00" * 16) == "6700"
    assert card.send("845E028114" + "00" * 20) == "6A86"
    card.ok(SSSE)
    assert card.send("845E010014" + "00" * 20) == "6985"
