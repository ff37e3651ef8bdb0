"""card, events: a running ``sscard run``, steered and heard from another terminal."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from emulator.interface import Interface
from emulator.messages import _
from emulator.textfiles import writing
from emulator.textfiles.text import read
from harness.cli import card_options, usage
from harness.cli.card_options import CardChoice
from harness.cli.lines import say
from harness.cli.table import Group
from harness.readers import pcsc
from harness.serving import control
from harness.serving.masked import MaskedFeed
from harness.serving.options import INTERFACES, NAMED
from harness.serving.run import ended
from harness.serving.subscription import subscribe
from harness.trace.record import check_new

PORT = click.IntRange(1, 65535 - pcsc.MOST_SLOTS)
SLOT = click.IntRange(0, pcsc.MOST_SLOTS - 1)
F = TypeVar("F", bound=Callable[..., Any])
OFF = "off"
PATIENCE = 30.0
"""Seconds for PC/SC to see a card go and come."""
FLAGS = ("--json", "--force", "-h", "--help")
"""Options of the operations that take no value."""
Ask = Callable[..., dict[str, Any]]


class _AnyOrder(Group):
    """Takes options before the operation too: ``card --port 40000 remove 0``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Moves the operation to the front."""
        at = 0
        while at < len(args) and args[at].startswith("-"):
            at += 1 if args[at] in FLAGS or "=" in args[at] else 2
        if 0 < at < len(args) and args[at] in self.commands:
            args = [args[at], *args[:at], *args[at + 1 :]]
        return super().parse_args(ctx, args)


def run_options(function: F) -> F:
    """--port and --run, which say which run is meant; handed on as ``port`` and ``run_id``."""
    function = click.option(
        "--port", type=PORT, help="Of the run that is meant: the port of its first slot. [the only run there is]"
    )(function)
    return click.option(
        "--run", "run_id", metavar="ID", help="The run that is meant, by its id in `sscard card list`."
    )(function)


def _steering(function: F) -> F:
    """The options of every operation on a slot, handed on as ``ask``, which asks the run and tells what came of it."""

    @click.argument("slot", type=SLOT)
    @click.option(
        "--expects", type=click.IntRange(0), help="Refuse it where the slot has had other changes than so many."
    )
    @run_options
    @card_options.json_option
    @functools.wraps(function)
    def wrapped(
        *args: Any, expects: int | None, port: int | None, run_id: str | None, as_json: bool, **kwargs: Any
    ) -> None:
        def ask(**request: Any) -> dict[str, Any]:
            if expects is not None:
                request["expects"] = expects
            return control.ask(control.chosen(port, run_id), request, timeout=PATIENCE)

        answer = function(*args, ask=ask, **kwargs)
        say(json.dumps(answer) if as_json else _said(answer))

    return wrapped  # type: ignore[return-value]


def _naming(function: F) -> F:
    """The options that say which card is put in, handed on as ``named``."""

    @card_options.options()
    @click.option("--persona", metavar="NAME|FILE", help="The card to put in.")
    @click.option(
        "--interface",
        type=click.Choice(INTERFACES),
        help="With which side; `both`: into two readers, where the run gave the slot two. [as the slot has it]",
    )
    @functools.wraps(function)
    def wrapped(*args: Any, choice: CardChoice, persona: str | None, interface: str | None, **kwargs: Any) -> Any:
        named = {
            "persona": persona and card_options.from_here(persona),
            "layout": choice.layout and card_options.from_here(choice.layout),
            "algorithm": choice.algorithm,
            "image": str(choice.image.absolute()) if choice.image else None,
            "interface": interface,
        }
        return function(*args, named={name: value for name, value in named.items() if value}, **kwargs)

    return wrapped  # type: ignore[return-value]


@click.group(cls=_AnyOrder)
def card() -> None:
    """Steer a running `sscard run`: its cards put in, taken out, swapped, torn, looked at, branched off."""


@card.command("list")
@run_options
@card_options.json_option
def listed(port: int | None, run_id: str | None, *, as_json: bool) -> None:
    """Say which runs there are, their slots and the cards in them."""
    _list([one for one in control.runs() if port in (None, one.port) and run_id in (None, one.id)], as_json=as_json)


@card.command()
@click.argument("slot", type=SLOT, required=False)
@run_options
@card_options.json_option
def state(slot: int | None, port: int | None, run_id: str | None, *, as_json: bool) -> None:
    """Tell how each slot stands, or one: life cycle, tries, rights, what is selected, faults, the last event."""
    request = {"op": "state"} if slot is None else {"op": "state", "slot": slot}
    answer = control.ask(control.chosen(port, run_id), request)
    if as_json:
        click.echo(json.dumps(answer["slots"], ensure_ascii=False, indent=1))
        return
    for one in answer["slots"]:
        say(*_state_of(one))


@card.command()
@_steering
@_naming
def insert(slot: int, ask: Ask, named: Mapping[str, str]) -> dict[str, Any]:
    """Put a card in: the one that was there before, or the one that is named."""
    return ask(op="insert", slot=slot, **named)


@card.command()
@_steering
@_naming
def remove(slot: int, ask: Ask, named: Mapping[str, str]) -> dict[str, Any]:
    """Take the card out of this reader."""
    return ask(op="remove", slot=slot, **named)


@card.command()
@_steering
@_naming
def swap(slot: int, ask: Ask, named: Mapping[str, str]) -> dict[str, Any]:
    """Put another card in the place of the one that is there, by --persona, --image, --layout, --algorithm.

    What is left out is as the run has it. A card that is in two readers (`run --interface both`) leaves both.
    """
    return ask(op="swap", slot=slot, **named)


@card.command()
@_steering
@_naming
def reset(slot: int, ask: Ask, named: Mapping[str, str]) -> dict[str, Any]:
    """Take the card out and put it in again."""
    return ask(op="reset", slot=slot, **named)


for one in (remove, reset):
    for parameter in one.params:
        if isinstance(parameter, click.Option) and parameter.name in NAMED:
            parameter.hidden = True  # the run says that they are about the card that is there


@card.command()
@_steering
@click.argument("off", type=click.Choice([OFF]), required=False)
@click.option("--after", "count", type=click.IntRange(1), metavar="K", help="Writes to the non-volatile memory.")
def tear(slot: int, ask: Ask, off: str | None, count: int | None) -> dict[str, Any]:
    """Have power go once, after the K-th write from now, whichever command that is in; `off`: not after all."""
    if (off is None) == (count is None):
        raise click.UsageError(_("expected --after K, or off"))
    return ask(op="tear", slot=slot, k=count)


@card.command()
@_steering
@click.argument("plan", metavar="[FILE|off]", required=False)
@click.option("--fault", "texts", multiple=True, metavar="KIND,FIELD=VALUE…", help="See docs/terminals.md; repeat.")
@click.option("--seed", type=click.IntRange(0), help="For faults that come by chance. [the file's, else 0]")
def faults(slot: int, ask: Ask, plan: str | None, texts: tuple[str, ...], seed: int | None) -> dict[str, Any]:
    """Put faults in force for the user cards of this slot, from now on, in place of those that were; `off`: none."""
    if (plan is None) == (not texts):
        raise click.UsageError(_("expected a file of faults, or some --fault, or off"))
    if plan == OFF:
        if seed is not None:
            raise click.UsageError(_("--seed is for faults: leave it out"))
        return ask(op="faults", slot=slot)
    request: dict[str, Any] = {"faults": list(texts)} if plan is None else {"plan": read(Path(plan))}
    return ask(op="faults", slot=slot, **request, **({} if seed is None else {"seed": seed}))


@card.command()
@click.argument("slot", type=SLOT)
@click.option("--at", "number", type=click.IntRange(0), metavar="N", help="After the event of this number. [now]")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The image file.")
@run_options
@card_options.force_option
def moment(slot: int, number: int | None, output: Path, port: int | None, run_id: str | None, *, force: bool) -> None:
    """Write the card as it is, or was after an event, to an image file, which `sscard compare` and others take.

    Events have their numbers from `sscard events`; what cards were before is kept by `run --web`.
    """
    with usage.of("--output"):
        check_new(output, force=force)
    request = {"op": "moment", "slot": slot, "n": number}
    told = control.ask(control.chosen(port, run_id), request, timeout=PATIENCE)
    with writing.named(output):
        output.write_bytes(base64.b64decode(told["image"]))
    click.echo(_("{file}: the card of slot {slot} after event {n}").format(file=output, slot=slot, n=told["n"]))


@card.command()
@_steering
@click.option("--to", type=SLOT, required=True, help="The free slot.")
@click.option("--at", "number", type=click.IntRange(0), metavar="N", help="After the event of this number. [now]")
def branch(slot: int, ask: Ask, to: int, number: int | None) -> dict[str, Any]:
    """Put a card into a free slot whose memory is as this one's is, or was after an event; both go on apart."""
    return ask(op="branch", slot=slot, to=to, n=number)


def _said(answer: Mapping[str, Any]) -> str:
    slot = answer["slot"]
    if not answer["inserted"]:
        return _("slot {slot}: empty").format(slot=slot)
    return _("slot {slot}: card {atr}").format(slot=slot, atr=answer["atr"]) + _side(answer)


def _list(runs: list[control.Running], *, as_json: bool) -> None:
    if as_json:
        rows = [{"run": one.id} | {name: value for name, value in one.table.items() if name != "ok"} for one in runs]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for one in runs:
        click.echo(
            _("run {id}  port {port}  pid {pid}  {pcsc}").format(
                id=one.id, port=one.port, pid=one.table.get("pid"), pcsc=one.table.get("pcsc") or one.table.get("far")
            )
        )
        for row in one.table.get("slots", ()):
            held = f"{row['atr']}  {row['layout']} {row['algorithm']}" if row["inserted"] else _("empty 空")
            told = _("  slot {slot}  {reader}  {held}").format(slot=row["slot"], reader=row["reader"], held=held)
            say(told + _side(row))
    if not runs:
        click.echo(_("no `sscard run` of yours serves cards 没有正在运行的 sscard run"))


def _side(row: Mapping[str, Any]) -> str:
    """Which side of its card a slot has, where that is not its contacts, and where the other one is."""
    told = "  " + _("contactless 非接触") if row.get("interface") == str(Interface.CONTACTLESS) else ""
    if row.get("pair") is not None:
        told += "  " + _("(its other side: slot {slot})").format(slot=row["pair"])
    return told


def _state_of(row: Mapping[str, Any]) -> list[str]:
    """A slot for people: first what is in it, then of its card what can change."""
    card, changes = row["card"], row["changes"]
    first = _("slot {slot}  {reader}  changes {changes}").format(
        slot=row["slot"], reader=row["reader"], changes=changes
    ) + _side(row)
    if not row["inserted"] or card is None:
        return [first + "  " + _("empty 空")]
    rights = ", ".join(card["rights"]) or _("none 无")
    place = card["file"] or card["directory"]
    power = _("powered") if card["powered"] else _("no power")
    lines = [
        first,
        _("  {who}  {layout} {algorithm}  {life}  {power}").format(
            who=card["persona"] or card["image_file"] or card["card"], layout=card["layout"],
            algorithm=card["algorithm"], life=card["life"], power=power,
        ),
        _("  at {place}; rights won: {rights}").format(place=place, rights=rights),
    ]  # fmt: skip
    counted = [("PIN", card["pin"])] if card["pin"] else []
    counted += [(one["name"], one) for one in card["keys"] if one["of"] and one["left"] != one["of"]]
    told = ", ".join(f"{name} {one['left']}/{one['of']}" for name, one in counted)
    if told:
        lines.append(_("  tries left: {told}").format(told=told))
    lines += [
        _("  {application} is blocked ({how})").format(application=name, how=how)
        for name, how in card["blocked"].items()
    ]
    if row["faults"]:
        lines += [_("  fault {fault}").format(fault=one) for one in row["faults"]["faults"]]
    if row["tear"] is not None:
        lines.append(_("  power goes after {count} writes").format(count=row["tear"]))
    if row["last"]:
        lines.append(_("  last command: event {number}").format(number=row["last"]))
    return lines


@click.command()
@click.option("--slot", type=SLOT, help="Only this slot.")
@run_options
@card_options.personal_data_option
@card_options.show_secrets_option
@click.pass_context
def events(
    ctx: click.Context, slot: int | None, port: int | None, run_id: str | None, *, personal_data: bool,
    show_secrets: bool,
) -> None:  # fmt: skip
    """Print what happens to the cards of a running `sscard run`, as JSON lines, until Ctrl-C or its end.

    Events are those of a trace, masked as it is, with `n`, their number in the run; besides there are `slots` (how each
    stands, first of all and whenever that changes), `card` (one was put in), `cut` (this program did not keep up and
    lost events) and, at the end of the run, `gone`. Exit code 1 if events were lost.
    """
    lost = False

    def put(event: dict[str, Any]) -> None:
        if slot is not None and event["event"] == "slots":
            event = {**event, "slots": [one for one in event["slots"] if one["slot"] == slot]}
        if slot is None or event.get("slot", slot) == slot:
            click.echo(json.dumps(event, ensure_ascii=False))

    masked = MaskedFeed(put, show_secrets=show_secrets, personal_data=personal_data)
    with ended(), subscribe(control.chosen(port, run_id)) as heard:
        for line in heard:
            lost = lost or line["event"] == "cut"
            masked.take(line)
    ctx.exit(1 if lost else 0)


COMMANDS = (card, events)
