"""What the register's file gives away, and what is done to the trail behind the office's back."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest
from alembic import command
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import JSON, column, select, table, text

from harness.office.desk import tokens
from harness.office.electronic import card as electronic
from harness.office.operations import electronic as credentials
from harness.office.people.made_up import PHOTO
from harness.office.register import audit, secret, seed, store
from harness.office.register.audit import TrailError
from harness.office.register.store import Register
from harness.office.register.tables import ElectronicCard, Person, Setting
from harness.office.requests import models as requests
from harness.office.requests import parsed
from tests.kit.office_fronts import CommandLine
from tests.kit.offices import HASH_COST, Desk, ask, citizen

ME = citizen()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def commands(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def behind(desk: Desk, *deeds: str) -> None:
    """With the register's file in hand, and not its secret."""
    with sqlite3.connect(desk.register.path) as link:
        for deed in ("DROP TRIGGER IF EXISTS audit_no_update", "DROP TRIGGER IF EXISTS audit_no_delete", *deeds):
            link.execute(deed)
    link.close()


def broken(desk: Desk) -> int | None:
    with desk.register.reading() as session:
        return audit.broken(session)


def anchor(desk: Desk) -> str:
    with desk.register.reading() as session:
        return audit.anchor(session)


def rechained(desk: Desk) -> None:
    """Every seal recomputed as an older register had it, without a key."""
    with desk.register.reading() as session:
        before, seals = "", []
        for line in audit.lines(session):
            before = audit.sealed(line, before)
            seals.append((line.id, before))
    behind(desk, *(f"UPDATE audit SET seal = '{seal}' WHERE id = {number}" for number, seal in seals))


def test_lines_that_were_cut_off_show(desk: Desk) -> None:
    desk.active()
    assert broken(desk) is None
    behind(desk, "DELETE FROM audit WHERE id = 4")
    assert broken(desk) == 4
    behind(desk, "DELETE FROM audit")
    assert broken(desk) == 1


def test_a_chain_that_was_computed_anew_without_the_secret_shows(desk: Desk) -> None:
    desk.active()
    behind(desk, "UPDATE audit SET clerk = 'nobody' WHERE id = 2")
    rechained(desk)
    assert broken(desk) == 1


def test_nor_does_it_help_to_call_it_a_trail_of_before(desk: Desk) -> None:
    desk.active()
    rechained(desk)
    forged = f"99 {sha256(b'99').hexdigest()}"
    behind(desk, f"UPDATE setting SET value = CAST('{forged}' AS BLOB) WHERE name = 'trail-keyed-from'")
    assert broken(desk) == 1
    with pytest.raises(audit.TrailError, match="not the secret"):
        Register(desk.register.path)


def test_an_older_copy_of_the_whole_file_is_found_by_an_anchor_alone(desk: Desk, tmp_path: Path) -> None:
    desk.active()
    with sqlite3.connect(desk.register.path) as link, sqlite3.connect(tmp_path / "copy.db") as copy:
        link.backup(copy)
    link.close()
    desk.do(ask(requests.ReportLoss, holder=ME.document, shown=(ME.document,)))
    kept = anchor(desk)
    desk.register.close()
    with sqlite3.connect(tmp_path / "copy.db") as copy, sqlite3.connect(desk.register.path) as link:
        copy.backup(link)
    copy.close()
    assert broken(desk) is None, "the file is in itself as it was written"
    with desk.register.reading() as session:
        assert not audit.holds(session, kept)
        assert audit.holds(session, audit.anchor(session))
        with pytest.raises(TrailError):
            audit.holds(session, "5")


def test_a_trail_of_before_is_taken_over_and_keyed_from_there_on(desk: Desk) -> None:
    desk.active()
    rechained(desk)
    behind(desk, "DELETE FROM setting")
    desk.register.close()
    again = Register(desk.register.path, durable=False)
    with again.reading() as session:
        assert audit.broken(session) is None
    with again.transaction() as session:
        tokens.give(session, seed.MAKER, desk.clock.now())
    with again.reading() as session:
        assert audit.broken(session) is None
    again.close()


def test_the_register_and_its_secret_are_the_owners_alone(desk: Desk) -> None:
    desk.active()
    path = desk.register.path
    path.chmod(0o644)
    desk.register.close()
    Register(path).close()
    files = [one for one in path.parent.iterdir() if one.name.startswith(path.name)]
    assert secret.beside(path) in files
    assert {oct(one.stat().st_mode & 0o777) for one in files} == {"0o600"}


def test_without_its_secret_a_register_does_not_open(desk: Desk) -> None:
    desk.active()
    desk.register.close()
    secret.beside(desk.register.path).unlink()
    with pytest.raises(audit.TrailError, match=r"own FILE\.secret"):
        Register(desk.register.path)
    secret.beside(desk.register.path).write_bytes(b"short")
    with pytest.raises(secret.SecretError, match="expected 32 bytes"):
        Register(desk.register.path)


def test_the_pin_cannot_be_tried_with_the_file_alone(desk: Desk) -> None:
    desk.active()
    with desk.register.transaction() as session:
        card = session.scalars(select(ElectronicCard)).one()
        guessed = Scrypt(salt=card.pin_salt, length=32, n=HASH_COST, r=8, p=1).derive(b"135790")
        assert guessed not in card.pin_hash
        card.pin_hash = guessed  # as a register of before has it
        assert electronic.proves(session, card, "135790")
        assert guessed not in card.pin_hash, "kept with the secret from now on"
        assert electronic.proves(session, card, "135790")
        assert not electronic.proves(session, card, "135791")


def test_who_has_the_secret_too_pays_for_each_guess(tmp_path: Path) -> None:
    """The registers of tests do not: they are thrown away."""
    register = Register(tmp_path / "real.db")
    with register.reading() as session:
        assert session.info[secret.HASH_COST] == secret.COST >= 2**13
    register.close()


def test_the_key_of_credentials_is_enciphered_and_one_of_before_becomes_so(desk: Desk) -> None:
    key = Ed25519PrivateKey.generate()
    with desk.register.transaction() as session:
        session.add(Setting(name=credentials.KEY, value=key.private_bytes_raw()))
        session.flush()
        assert credentials.signing_key(session).private_bytes_raw() == key.private_bytes_raw()
        kept = session.get_one(Setting, credentials.KEY).value
        assert key.private_bytes_raw() not in kept
        assert credentials.signing_key(session).private_bytes_raw() == key.private_bytes_raw()


# --- files that a request names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["../secret.jpg", "link.jpg", "/etc/hostname", "text.jpg"])
def test_a_request_brings_a_photograph_of_its_own_folder_and_nothing_else(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "requests"
    folder.mkdir()
    (tmp_path / "secret.jpg").write_bytes(PHOTO)
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "text.jpg").write_text("not a face")
    (folder / "face.jpg").write_bytes(PHOTO)
    assert "photo" in parsed.shaped({"photo_file": "face.jpg"}, folder)
    with pytest.raises(parsed.RequestTextError, match=r"own folder|JPEG"):
        parsed.shaped({"photo_file": how}, folder)


def test_the_trail_at_the_command_line(commands: CommandLine) -> None:
    card = commands.result("issue", "--made-up", "--seed", "4")["card"]
    commands.result("transfer", "--to", "510700", "--insurance", "all", "--card", card)
    commands.run("transfer", "--to", "440100", "--insurance", "all", "--card", card, expect=1)
    moved, refused = commands.run("trail", "--operation", "transfer").stdout.splitlines()
    assert moved.endswith(f"card {card} 510100 → 510700")
    assert "WITHIN-PROVINCE (article 24)" in refused
    assert [one["outcome"] for one in commands.result("trail", "--outcome", "refused")] == ["refused"]
    assert commands.result("trail", "--to", "2020-01-01") == []
    assert {one["clerk"] for one in commands.result("trail", "--by", seed.OFFICER)} == {seed.OFFICER}
    (commands.folder / "anchor").write_text(commands.run("trail", "anchor").stdout)
    commands.run("trail", "verify", "--anchor", str(commands.folder / "anchor"))
    assert "锚点不符" in commands.run("trail", "verify", "--anchor", f"sscard-trail:1:{'0' * 64}", expect=1).stderr
    assert "expected an anchor" in commands.run("trail", "verify", "--anchor", "5", expect=1).stderr


def test_people_of_an_older_register_keep_their_regions_and_countries_become_letters(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.active()
    with desk.register.engine.connect() as link:
        command.downgrade(store.history(link), "0002")
        old: list[list[str]] = list(link.scalars(select(column("insured", JSON())).select_from(table("person"))))
        assert old[0][0] == "DF03/EF05/61"
        link.execute(text("UPDATE person SET country = '156'"))
        link.commit()
    desk.register.close()
    again = Desk(tmp_path).register
    with again.reading() as session:
        person = session.scalars(select(Person)).one()
        assert person.insured["DF03/EF05/61"] == person.region == "510100"
        assert (person.country, person.died_at) == ("CHN", None)
    again.close()
