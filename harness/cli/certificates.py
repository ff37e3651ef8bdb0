"""certificate: the certificate application of a card: key pairs, test certificates, signatures, its PINs."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from emulator.crypto import sm2
from emulator.messages import _, deferred
from emulator.textfiles import writing
from harness.certificates import authority as authorities
from harness.certificates.authority import Authority, Holder, Purpose
from harness.certificates.envelope import Envelope
from harness.certificates.x509 import Certificate
from harness.cli import card_options as targets
from harness.cli import pins
from harness.cli.card_options import Target
from harness.cli.lines import say
from harness.clock import CHINA, Clock
from harness.terminal.certificates import PIECES, WORDS, CertificateApplication, Held, State
from harness.terminal.terminal import Terminal

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(dir_okay=False, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
VALID_DAYS = 5 * 365
"""How long a test certificate is valid where nobody says. [D]"""
CITIZEN, NAME = "SSSE/EF06/08", "SSSE/EF06/09"
BOTH = "both"

authority_option = click.option(
    "--authority", "authority_path", type=FILE,
    help="The test authority's file. [the one that is published with sscard]",
)  # fmt: skip
purpose_option = click.option(
    "--purpose", type=click.Choice([*map(str, Purpose), BOTH]), default=BOTH, show_default=True,
    help="Of which key pair.",
)  # fmt: skip


def user_pin(function: F) -> F:
    """Adds ``--pin``: the user's PIN of the application, handed on as ``pin``, asked for where it is not given."""
    return pins.option("pin", pins.PIN, label=deferred("User PIN of the certificate application"), needed=True)(
        function
    )


def _begin(target: Target) -> tuple[Terminal, CertificateApplication]:
    terminal = Terminal(target.connection, target.known)
    terminal.begin()
    return terminal, CertificateApplication(terminal)


def _authority(path: Path | None) -> Authority:
    return authorities.load(path) if path else authorities.published()


def _purposes(named: str) -> tuple[Purpose, ...]:
    return tuple(Purpose) if named == BOTH else (Purpose(named),)


@click.group()
def certificate() -> None:
    """The certificate application (证书应用): key pairs, test certificates, signatures, its PINs.

    Its PINs are its own: not the cardholder's PIN of the social security application. docs/certificates.md.
    """


# --- the authority -------------------------------------------------------------------------------------------------


@certificate.command()
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--name", default="SSCARD OWN TEST AUTHORITY", show_default=True, help="Its common name.")
@click.option("--years", type=click.IntRange(1, 30), default=10, show_default=True, help="How long it is valid.")
@targets.force_option
def authority(path: Path, name: str, years: int, *, force: bool) -> None:
    """Make a test authority (测试CA): its private key and certificate in one PEM file, readable for its owner alone."""
    today = Clock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    made = Authority.make(name, secrets.token_bytes, today, years)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    with writing.named(path), os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as file:
        file.write(made.to_pem())
    say(_("{path}: {subject}, until {ends}").format(
        path=path, subject=made.certificate.subject, ends=f"{made.certificate.ends:%Y-%m-%d}"))  # fmt: skip


# --- issuing -------------------------------------------------------------------------------------------------------


@certificate.command()
@targets.target_options
@purpose_option
@click.option("--new-key", is_flag=True, help="Make a new signature key pair even where the card has one.")
@click.option("--from", "begins", type=DAY, metavar="YYYY-MM-DD", help="The first day. [today]")
@click.option("--until", "ends", type=DAY, metavar="YYYY-MM-DD", help="The last day. [five years on]")
@click.option(
    "--piece", type=click.IntRange(1, 0xFF), default=PIECES[-1], show_default=True,
    help="Bytes of each UPDATE BINARY; programs use 112 and 250.",
)  # fmt: skip
@authority_option
@user_pin
@targets.json_option
def issue(
    target: AbstractContextManager[Target],
    purpose: str,
    begins: datetime | None,
    ends: datetime | None,
    piece: int,
    authority_path: Path | None,
    pin: str,
    *,
    new_key: bool,
    as_json: bool,
) -> None:
    """Issue test certificates for the card's keys and write them on it, each read back and checked.

    A signature key pair is made on the card where it has none; an encryption key pair is made by the authority and
    imported enveloped. Only for made-up people: the card's citizen id begins with 519900.
    """
    ca = _authority(authority_path)
    first = begins.replace(tzinfo=CHINA) if begins else Clock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    last = ends.replace(tzinfo=CHINA) if ends else first + timedelta(days=VALID_DAYS)
    last = last.replace(hour=23, minute=59, second=59)
    with target as card:
        terminal, own = _begin(card)
        holder = Holder(str(terminal.read(NAME)), str(terminal.read(CITIZEN)))
        own.prove(pin)
        public = own.held(Purpose.SIGNATURE).public
        if new_key or not public:
            public = own.generate()
        for one in _purposes(purpose):
            key = public
            if one is Purpose.ENCRYPTION and own.spec.encryption_private:
                envelope = Envelope.make(public, secrets.token_bytes)
                own.take(envelope)
                key = envelope.public
            made = ca.issue(holder, key, one, secrets.token_bytes, first, last)
            own.write(one, made.der, piece)
        _tell([own.held(one) for one in _purposes(purpose)], as_json=as_json)


# --- looking -------------------------------------------------------------------------------------------------------


@certificate.command("show")
@targets.target_options
@purpose_option
@click.option("--pem", is_flag=True, help="The certificates themselves, for other programs.")
@targets.json_option
def show_certificates(target: AbstractContextManager[Target], purpose: str, *, pem: bool, as_json: bool) -> None:
    """Say what the card has: key pairs, certificates, and how they stand to each other today."""
    with target as card:
        __, own = _begin(card)
        found = [own.held(one) for one in _purposes(purpose)]
    if not pem:
        _tell(found, as_json=as_json)
        return
    there = [one.certificate for one in found if one.certificate is not None]
    if not there:
        raise click.ClickException(_("the card has no certificate"))
    click.echo("".join(map(authorities.certificate_pem, there)), nl=False)


@certificate.command()
@targets.target_options
@purpose_option
@authority_option
@targets.json_option
@click.pass_context
def check(
    ctx: click.Context,
    target: AbstractContextManager[Target],
    purpose: str,
    authority_path: Path | None,
    *,
    as_json: bool,
) -> None:
    """Judge the card's certificates: of its key, valid today, signed by the authority. Exit code 1 where one is not."""
    ca, now = _authority(authority_path), Clock().now()
    with target as card:
        __, own = _begin(card)
        found = [own.held(one) for one in _purposes(purpose)]
    faults = {one.purpose: _faults(one, ca.certificate, now) for one in found}
    if as_json:
        click.echo(json.dumps({str(one): told for one, told in faults.items()}, ensure_ascii=False, indent=1))
    else:
        for one, told in faults.items():
            say(f"{one}: {'; '.join(told) or _('good 通过')}")
    ctx.exit(1 if any(faults.values()) else 0)


def _faults(one: Held, issuer: Certificate, now: datetime) -> list[str]:
    state = one.state(now)
    told = [] if state is State.VALID else [_(WORDS[state])]
    if one.certificate is not None:
        if one.certificate.issuer != issuer.subject:
            told.append(_("issued by {issuer}, not by this authority").format(issuer=one.certificate.issuer))
        elif not one.certificate.signed_by(issuer.public):
            told.append(_("the authority's signature is not right"))
        elif not issuer.valid_at(now):
            told.append(_("the authority's own certificate is not valid today"))
    return told


def _tell(found: list[Held], *, as_json: bool) -> None:
    now = Clock().now()
    if as_json:
        click.echo(json.dumps({str(one.purpose): _row(one, now) for one in found}, ensure_ascii=False, indent=1))
        return
    for one in found:
        say(f"{one.purpose}: {_(WORDS[one.state(now)])}{f': {one.told}' if one.told else ''}")
        for name, value in _row(one, now).items():
            if name not in ("state", "certificate", "told") and value:
                say(f"  {name}: {value}")


def _row(one: Held, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {"state": str(one.state(now)), "public_key": one.public.hex().upper()}
    if one.told:
        row["told"] = one.told
    made = one.certificate
    if made is not None:
        row |= {
            "subject": made.subject,
            "issuer": made.issuer,
            "serial": f"{made.serial:X}",
            "begins": made.begins.astimezone(CHINA).isoformat(),
            "ends": made.ends.astimezone(CHINA).isoformat(),
            "certificate": made.der.hex().upper(),
        }
    return row


# --- signatures ----------------------------------------------------------------------------------------------------


@certificate.command()
@click.argument("path", metavar="FILE", type=click.File("rb"))
@targets.target_options
@user_pin
def sign(path: Any, target: AbstractContextManager[Target], pin: str) -> None:
    """Sign a file's bytes on the card; prints r and s, 128 hex digits. `-` is standard input."""
    message = path.read()
    with target as card:
        __, own = _begin(card)
        own.prove(pin)
        signature = own.sign(message)[0]
    click.echo(signature.hex().upper())


@certificate.command()
@click.argument("path", metavar="FILE", type=click.File("rb"))
@click.argument("signature", metavar="HEX")
@targets.target_options
@click.pass_context
def verify(ctx: click.Context, path: Any, signature: str, target: AbstractContextManager[Target]) -> None:
    """Have the card say whether it signed a file's bytes. Exit code 1 where it did not."""
    try:
        pair = bytes.fromhex(signature)
    except ValueError:
        pair = b""
    if len(pair) != 2 * sm2.SIZE:
        raise click.BadParameter(_("expected 128 hex digits"), param_hint="HEX")
    message = path.read()
    with target as card:
        __, own = _begin(card)
        right = own.verify(message, pair)
    click.echo(_("the signature is right 签名正确") if right else _("the signature is not right 签名不正确"))
    ctx.exit(0 if right else 1)


# --- PINs and imports ----------------------------------------------------------------------------------------------


@certificate.command("change-pin")
@targets.target_options
@click.option("--administrator", is_flag=True, help="The administrator's PIN (管理密码), not the user's.")
@pins.option("old", pins.PIN, label=deferred("Old PIN"), needed=True)
@pins.option("new", pins.NEW_PIN, label=deferred("New PIN"), confirm=True, needed=True)
def change_pin(target: AbstractContextManager[Target], old: str, new: str, *, administrator: bool) -> None:
    """Set a new PIN of the application under the old one; a wrong old one costs a try."""
    with target as card:
        __, own = _begin(card)
        own.change_pin(old, new, administrator=administrator)
    click.echo(_("the PIN is changed 密码已修改"))


@certificate.command("import")
@click.argument("path", metavar="FILE", type=click.File("rb"))
@targets.target_options
@user_pin
@targets.json_option
def import_pair(path: Any, target: AbstractContextManager[Target], pin: str, *, as_json: bool) -> None:
    """Import an encryption key pair from the enveloped key (GM/T 0016) in FILE, made for the card's signature key."""
    envelope = Envelope.from_bytes(path.read())
    with target as card:
        __, own = _begin(card)
        own.prove(pin)
        own.take(envelope)
        _tell([own.held(Purpose.ENCRYPTION)], as_json=as_json)


COMMANDS = (certificate,)
