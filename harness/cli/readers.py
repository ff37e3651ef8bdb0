"""readers: what PC/SC has, and which cards are in it."""

from __future__ import annotations

import json

import click

from emulator.messages import _
from harness.cli import card_options
from harness.cli.lines import say
from harness.readers import pcsc
from harness.readers.atr import AtrParts, masked, parts
from harness.readers.names import says_contactless
from harness.readers.pcsc import PcscError, ReaderState


@click.command()
@click.option("--serials", is_flag=True, help="Show the chips' serial numbers, the last four bytes of their ATRs.")
@card_options.json_option
def readers(*, serials: bool, as_json: bool) -> None:
    """List PC/SC readers and the cards in them, by their ATRs alone: nothing is sent to a card.

    Exit code 3 where there is no reader.
    """
    found = pcsc.states()
    if as_json:
        click.echo(json.dumps([_as_json(one, serials=serials) for one in found], ensure_ascii=False, indent=1))
    else:
        for one in found:
            field = _(", a contactless reader by its name") if _silent_field(one) else ""
            say(f"{one.name}: {_words(one, serials=serials)}{field}")
    if not found:
        raise PcscError(_("PC/SC has no reader"), remedy=_("`sscard run` makes one; `sscard doctor` looks for faults"))


def _silent_field(one: ReaderState) -> bool:
    """True for a reader whose name says that it is contactless, where no card in it says so."""
    told = parts(one.atr)
    return says_contactless(one.name) and not (told is not None and told.contactless)


def _words(one: ReaderState, *, serials: bool) -> str:
    """What is in a reader, in words."""
    if not one.card:
        return _("empty 无卡")
    if one.mute:
        return _("a card that does not answer its reset 卡无应答")
    told = parts(one.atr)
    words = [_kind(told), f"ATR {_shown(one.atr, serials=serials)}"]
    if told is not None:
        words.append(_("made in region {region}").format(region=told.region))
    if one.exclusive:
        words.append(_("another program has it for itself"))
    elif one.used:
        words.append(_("another program uses it too"))
    return ", ".join(words)


def _kind(told: AtrParts | None) -> str:
    if told is None:
        return _("another kind of card 其他卡")
    if told.contactless:
        return _("a social security card by its ATR, contactless 社会保障卡（非接触）")
    return _("a social security card or a PSAM by its ATR 社会保障卡或PSAM卡")


def _shown(atr: bytes, *, serials: bool) -> str:
    return (atr if serials else masked(atr)).hex().upper()


def _as_json(one: ReaderState, *, serials: bool) -> dict[str, object]:
    told = parts(one.atr)
    return {
        "reader": one.name,
        "card": one.card,
        "atr": _shown(one.atr, serials=serials) if one.atr else "",
        "mute": one.mute,
        "used": one.used,
        "exclusive": one.exclusive,
        "contactless_reader": says_contactless(one.name),
        "social_security_card": told is not None,
        **({"maker": told.maker.hex().upper(), "region": told.region, "contactless": told.contactless} if told else {}),
    }


COMMANDS = (readers,)
