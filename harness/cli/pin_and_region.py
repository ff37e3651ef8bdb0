"""pin and region: a counter's work on a card."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager

import click

from emulator import catalogue, personas
from emulator.messages import _, chinese_first, deferred, ngettext
from harness.cli import card_options as targets
from harness.cli import interrupt, pins, progress, usage
from harness.cli.card_options import Target
from harness.clock import Clock
from harness.keys.access import TerminalError
from harness.terminal import region as regions
from harness.terminal.personalise import Personaliser, for_chip
from harness.terminal.terminal import Terminal


def _begin(target: Target) -> Terminal:
    terminal = Terminal(target.connection, target.known)
    terminal.begin()
    return terminal


def _serving(target: Target) -> Terminal:
    """A session in which business may be done. TerminalError for a card whose validity has ended."""
    terminal = _begin(target)
    end = terminal.valid_until()
    if end is not None and end < Clock().today():
        raise TerminalError(_("the card's validity ended on {end} 卡已过有效期").format(end=end))
    return terminal


def _with_pin(target: Target) -> Terminal:
    """A session in which the cardholder's PIN may be tried, once the card was asked. TerminalError."""
    terminal = _serving(target)
    left = terminal.pin_state()
    if not left:
        raise TerminalError(_("no PIN is set 未设置密码") if left is None else _("the PIN is locked (6983) 密码已锁定"))
    return terminal


@click.group()
def pin() -> None:
    """The cardholder's PIN: verify, change, reload, unblock, state."""


@pin.command()
@targets.target_options
@targets.json_option
def state(target: AbstractContextManager[Target], *, as_json: bool) -> None:
    """Tries left; costs none."""
    with target as card:
        left = _begin(card).pin_state()
    if as_json:
        click.echo(json.dumps({"set": left is not None, "tries_left": left}))
    else:
        click.echo(_tries(left))


def _tries(left: int | None) -> str:
    if left is None:
        return _("no PIN is set")
    if not left:
        return _("the PIN is locked")
    return ngettext("{left} try left", "{left} tries left", left).format(left=left)


@pin.command()
@targets.target_options
@pins.option("pin", pins.PIN, label=deferred("PIN"), needed=True)
def verify(target: AbstractContextManager[Target], pin: str) -> None:
    """Hold a PIN against the card's; a wrong one costs a try."""
    with target as card:
        _with_pin(card).verify_pin(pin)
    click.echo(_("the PIN is right 密码正确"))


@pin.command()
@targets.target_options
@pins.option("old", pins.PIN, label=deferred("Old PIN"), needed=True)
@pins.option("new", pins.NEW_PIN, label=deferred("New PIN"), confirm=True, needed=True)
def change(target: AbstractContextManager[Target], old: str, new: str) -> None:
    """Set a new PIN against the old one (密码修改)."""
    with target as card:
        _with_pin(card).change_pin(old, new)
    click.echo(_("the PIN is changed 密码已修改"))


@pin.command()
@targets.target_options
@pins.option("new", pins.NEW_PIN, label=deferred("New PIN"), confirm=True, needed=True)
def reload(target: AbstractContextManager[Target], new: str) -> None:
    """Set a new PIN with the keys PUK and STK, whatever the old one (密码重置)."""
    with target as card:
        _serving(card).reload_pin(new)
    click.echo(_("the PIN is reloaded 密码已重置"))


@pin.command()
@targets.target_options
def unblock(target: AbstractContextManager[Target]) -> None:
    """Set the tries back with the keys PUK and STK, the PIN unchanged (密码解锁)."""
    with target as card:
        _serving(card).unblock_pin()
    click.echo(_("the PIN is unblocked 密码已解锁"))


@click.group()
def region() -> None:
    """The insurance region (参保地) of each insurance in the card."""


def _print(found: list[regions.Region], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "item": one.binding.item,
                "insurance": one.binding.insurance,
                "insurance_en": one.binding.insurance_en,
                "code": one.code,
            }
            for one in found
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for one in found:
        insurance = chinese_first(one.binding.insurance_en, one.binding.insurance)
        click.echo(f"{one.binding.item}  {one.code} {regions.name(one.code)}  {insurance}")
    if not found:
        click.echo(_("the card holds no insurance"))


@region.command("show")
@targets.target_options
@targets.json_option
def show_region(target: AbstractContextManager[Target], *, as_json: bool) -> None:
    """Print the region of every insurance that the card holds."""
    with target as card:
        found = regions.read(_begin(card))
    _print(found, as_json=as_json)


@region.command("set")
@click.argument("code")
@click.option("--from", "origin", required=True, metavar="CODE", help="The region the card must have now.")
@targets.target_options
@targets.json_option
def set_region(code: str, origin: str, target: AbstractContextManager[Target], *, as_json: bool) -> None:
    """Move every insurance to CODE (six digits), within the province; all or none."""
    with target as card:
        moved = regions.move(_serving(card), code, origin)
    _print(moved, as_json=as_json)


@click.group()
def lifecycle() -> None:
    """Activation (启用) and blocking (锁定) of cards and applications."""


@lifecycle.command()
@targets.target_options
def activate(target: AbstractContextManager[Target]) -> None:
    """Turn the social security function on, with the key UKSSSE (社会保障功能启用)."""
    with target as card:
        _serving(card).activate()
    click.echo(_("the social security function is active 社会保障功能已启用"))


@lifecycle.command("block")
@click.argument("application")
@click.option("--temporary", is_flag=True, help="For a time, where the layout has PBOC's form.")
@targets.target_options
def block_application(application: str, target: AbstractContextManager[Target], *, temporary: bool) -> None:
    """Block an application (DF04…), for ever unless --temporary (应用锁定)."""
    with target as card:
        _begin(card).block_application(application, temporary=temporary)
    told = (
        _("{application} is blocked for a time 应用已锁定")
        if temporary
        else _("{application} is blocked for ever 应用已锁定")
    )
    click.echo(told.format(application=application))


@lifecycle.command("unblock")
@click.argument("application")
@targets.target_options
def unblock_application(application: str, target: AbstractContextManager[Target]) -> None:
    """End a temporary block, where the layout has PBOC's form (应用解锁)."""
    with target as card:
        _begin(card).unblock_application(application)
    click.echo(_("{application} is unblocked 应用已解锁").format(application=application))


@lifecycle.command("block-card")
@click.option("--yes", is_flag=True, help="Confirm the action without prompting.")
@targets.target_options
def block_card(target: AbstractContextManager[Target], *, yes: bool) -> None:
    """Block the card for ever, with the keys BK and STK (卡片锁定)."""
    if not yes:
        click.confirm(_("The card will never serve again. Block it?"), abort=True)
    with target as card:
        _begin(card).block_card()
    click.echo(_("the card is blocked for ever 卡片已锁定"))


@click.command()
@click.argument("holder", metavar="PERSONA|FILE")
@click.option("--as", "layout_name", metavar="NAME|FILE", help="Layout of a card in a --reader. [3.00]")
@click.option("--as-algorithm", type=click.Choice(["3des", "sm4"]), help="Algorithm of a card in a --reader. [3des]")
@targets.target_options
def personalise(
    holder: str, layout_name: str | None, as_algorithm: str | None, target: AbstractContextManager[Target]
) -> None:
    """Fill a blank card with a persona's data and keys, command by command (个人化)."""
    with usage.of("PERSONA", personas.UnknownPersonaError):
        person = catalogue.persona(holder)
    with target as card:
        known = card.known or catalogue.layout(layout_name or targets.DEFAULT_LAYOUT)
        algorithm = card.algorithm or as_algorithm or targets.DEFAULT_ALGORITHM
        image = for_chip(person, known, algorithm, card.connection.atr)
        personaliser = Personaliser(card.connection, image)
        total, done = len(personaliser.applications()), 0
        with (
            interrupt.told(
                lambda: _("{done} of {total} applications are filled; the card is not personalised").format(
                    done=done, total=total
                )
            ),
            progress.bar(personaliser.steps(), total, _("personalising")) as steps,
        ):
            for __ in steps:
                done += 1
    click.echo(_("personalised for {holder}, not yet activated 个人化完成，尚未启用").format(holder=holder))


COMMANDS = (pin, region, lifecycle, personalise)
