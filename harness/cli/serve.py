"""run, card, doctor."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import click

from emulator import personas
from emulator.filesystem.image import Image
from emulator.filesystem.memory import PIN_CELL
from harness import control, pcsc
from harness import doctor as doctors
from harness.cli import target
from harness.cli.target import CardChoice
from harness.faults import plan as fault_plans
from harness.faults.plan import Plan
from harness.run import Options
from harness.run import run as serve
from harness.shapes import SYSTEMS
from harness.trace.read import USER
from harness.trace.record import TraceFile

PORT = click.IntRange(1, 65535 - pcsc.MOST_SLOTS)


@click.command()
@target.options()
@click.option(
    "--persona",
    "persona",
    metavar="NAME|FILE",
    multiple=True,
    help="One per slot; see `sscard personas`, or TOML files.",
)
@click.option(
    "--psam",
    is_flag=False,
    flag_value=personas.PSAM,
    metavar="[NAME|FILE]",
    help="A terminal's own card in the next slot; see `sscard personas`. [psam]",
)
@click.option("--slots", type=click.IntRange(1, pcsc.MOST_SLOTS), help="Slots in all. [as many as personas]")
@click.option("--port", type=PORT, default=pcsc.DEFAULT_PORT, show_default=True, help="vpcd's port for slot 0.")
@click.option(
    "--shape", type=click.Choice(["t0", "apdu"]), default="t0", show_default=True, help="61xx/6Cxx, or followed."
)
@click.option(
    "--system",
    type=click.Choice(list(SYSTEMS)),
    default="linux",
    show_default=True,
    help="Whose habits of probing and powering the card meets.",
)
@click.option("--slow", is_flag=True, help="As fast as a contact card at 9600 bit/s, not faster.")
@click.option("--trace", "trace_path", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON Lines here.")
@click.option(
    "--relaxed", is_flag=True, help="With --image: do not wait for the disk; a crash of the machine may lose writes."
)
@click.option("--demo", is_flag=True, help="Run a terminal session on the first card, then serve.")
@click.option("--once", is_flag=True, help="Run the session and end.")
@click.option("--private", is_flag=True, help="A PC/SC socket of its own instead of the machine's.")
@target.faults_options
@target.personal_data_option
@target.show_secrets_option
@target.force_option
@click.pass_context
def run(
    ctx: click.Context,
    choice: CardChoice,
    persona: tuple[str, ...],
    psam: str | None,
    slots: int | None,
    port: int,
    shape: str,
    system: str,
    trace_path: Path | None,
    faults: Plan | None,
    *,
    slow: bool,
    relaxed: bool,
    demo: bool,
    once: bool,
    private: bool,
    personal_data: bool,
    show_secrets: bool,
    force: bool,
) -> None:
    """Put cards into readers that any PC/SC program finds, until Ctrl-C.

    Prints `ready <slot> <ATR> <reader name>` for each card once PC/SC has powered it.
    """
    if choice.image and len(persona) > 1:
        raise click.UsageError("--image holds one card, several personas were named")
    choice = replace(choice, durable=not relaxed)
    own = [target.psam_image(psam)] if psam is not None else []

    def make(name: str) -> Image:
        return (CardChoice(None, None, None) if target.is_psam(name) else choice).make(name)

    cards = max(1, len(persona)) + len(own)
    count = slots or cards
    if cards > count:
        raise click.UsageError(f"{cards} cards do not go into {count} slots")
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(choice.held(persona[0] if persona else None))
        images = [first, *(choice.make(name) for name in persona[1:]), *own]
        if faults:
            fault_plans.check(faults, [image.layout for image in images if image.layout.card == USER])
        trace = None
        if trace_path:
            trace = TraceFile(trace_path, show_secrets=show_secrets, personal_data=personal_data, force=force)
            stack.enter_context(trace)
        options = Options(
            images=images,
            pin=first.memory.text(PIN_CELL),
            make=make,
            slots=count,
            port=port,
            apdu_shape=shape == "apdu",
            system=SYSTEMS[system],
            slow=slow,
            private=private,
            demo=demo,
            once=once,
            trace=trace,
            faults=faults,
        )
        code = serve(options)
    ctx.exit(code)


@click.command()
@click.argument("operation", type=click.Choice(["insert", "remove", "swap", "reset"]))
@click.argument("slot", type=click.IntRange(0, pcsc.MOST_SLOTS - 1))
@click.option("--persona", metavar="NAME|FILE", help="The card to put in; swap needs one.")
@click.option("--port", type=PORT, default=pcsc.DEFAULT_PORT, show_default=True, help="The --port of that run.")
@target.json_option
def card(operation: str, slot: int, persona: str | None, port: int, *, as_json: bool) -> None:
    """Steer a running `sscard run`: put a card in, take it out, swap it for another, or out and in again (reset)."""
    request = {"op": operation, "slot": slot, **({"persona": target.from_here(persona)} if persona else {})}
    answer = control.ask(port, request, timeout=30)
    if as_json:
        click.echo(json.dumps(answer))
    else:
        click.echo(f"slot {slot}: " + (f"card {answer['atr']}" if answer["inserted"] else "empty"))


@click.command()
@click.option("--port", type=PORT, default=pcsc.DEFAULT_PORT, show_default=True, help="vpcd's port for slot 0.")
@target.json_option
@click.pass_context
def doctor(ctx: click.Context, port: int, *, as_json: bool) -> None:
    """Check pcscd, vpcd, pyscard, ports and permissions; one remedy for each fault. Exit code 1 if there is a fault."""
    findings = doctors.examine(port)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in findings], ensure_ascii=False, indent=1))
    else:
        for one in findings:
            click.echo(
                f"{one.level:8} {one.check}: {one.detail}" + (f"\n         → {one.remedy}" if one.remedy else "")
            )
    ctx.exit(1 if any(one.level == "fault" for one in findings) else 0)


COMMANDS = (run, card, doctor)
