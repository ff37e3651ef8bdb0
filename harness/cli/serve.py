"""run, doctor."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import click
from click.core import ParameterSource

from emulator import catalogue, personas
from emulator.filesystem.layouts.terms import CardKind
from emulator.filesystem.memory.cells import PIN_CELL
from emulator.interface import Interface
from emulator.messages import _
from emulator.reader.line import HERE, SILENCE
from emulator.reader.shape import ReaderShape
from harness import extras
from harness.cli import card_options, studio, studio_office, usage
from harness.cli.card_options import CardChoice
from harness.cli.lines import Tone, say
from harness.cli.office.common import REGISTER, REGISTER_TYPE, seen_password
from harness.cli.steering import PORT
from harness.faults import plan as fault_plans
from harness.faults.plan import Plan
from harness.office.register.address import Address, ServerAddress
from harness.office.register.failures import NoRegister, RegisterError, Unusable, no_register
from harness.readers import names, pcsc
from harness.serving import doctor as doctors
from harness.serving import far_doctor
from harness.serving.far import LONGEST_SILENCE, Endpoint, Far
from harness.serving.finding import Finding
from harness.serving.options import INTERFACES, Options, Origin, seats
from harness.serving.reader_profiles import SYSTEMS
from harness.serving.run import run as serve
from harness.serving.timing import USUAL, Timing
from harness.studio.office.choice import OfficeChoice
from harness.studio.settings import USUAL_PORT
from harness.trace.record import TraceFile

TONES = {"ok": Tone.GOOD, "warning": Tone.DOUBTFUL, "fault": Tone.BAD}
USUALLY = ""
"""--slow without a file."""


@click.command()
@card_options.options()
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
@click.option(
    "--interface",
    "interfaces",
    type=click.Choice(INTERFACES),
    multiple=True,
    help="How a card is in its reader: `both` gives it two, the contactless one in the next slot. One per card, the "
    "last for the rest. [contact]",
)
@click.option(
    "--reader-name",
    "reader_names",
    metavar="NAME",
    multiple=True,
    help="The readers' names by slot, without pcscd's numbers; where a pcscd runs already, how the ones to take begin. "
    "[Virtual PCD, Virtual PCD Contactless]",
)
@click.option("--slots", type=click.IntRange(1, pcsc.MOST_SLOTS), help="Slots in all. [as many as personas]")
@click.option("--port", type=PORT, help=f"vpcd's port for slot 0. [{pcsc.DEFAULT_PORT}, or the next that is free]")
@click.option(
    "--shape",
    type=click.Choice([*map(str, ReaderShape)]),
    default=ReaderShape.T0.value,
    show_default=True,
    help="61xx/6Cxx, or followed.",
)
@click.option(
    "--system",
    type=click.Choice(list(SYSTEMS)),
    default="linux",
    show_default=True,
    help="Whose habits of probing and powering the card meets.",
)
@click.option(
    "--slow",
    is_flag=False,
    flag_value=USUALLY,
    metavar="[FILE]",
    help="As fast as a contact card at 9600 bit/s, not faster; or as a card that `sscard learn` timed (timing.json).",
)
@click.option("--trace", "trace_path", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON Lines here.")
@click.option(
    "--relaxed", is_flag=True, help="With --image: do not wait for the disk; a crash of the machine may lose writes."
)
@click.option("--demo", is_flag=True, help="Run a terminal session on the first card, then serve.")
@click.option("--once", is_flag=True, help="Run the session and end.")
@click.option("--private", is_flag=True, help="A PC/SC socket of its own instead of the machine's.")
@click.option(
    "--connect",
    metavar="HOST[:PORT]",
    help="Into vsmartcard's readers of another machine, which listen there: slot 0 at this port, the next at the next. "
    f"No PC/SC is needed here. [port {pcsc.DEFAULT_PORT}]",
)
@click.option(
    "--listen",
    metavar="[HOST:]PORT",
    help="The same, for readers that connect to this machine, one for each port. [host 127.0.0.1]",
)
@click.option(
    "--silence",
    type=usage.Amount(0, LONGEST_SILENCE),
    metavar="SECONDS",
    help="With --connect and --listen: a reader that says nothing for so long is gone, and the card comes again; 0: "
    f"never. [{SILENCE:g}]",
)
@click.option(
    "--web",
    "web",
    is_flag=False,
    flag_value=USUALLY,
    metavar="[PORT]",
    help="A page in the browser on which the cards are seen and steered, at this port of loopback. "
    f"[{USUAL_PORT}, or any that is free]",
)
@studio.programs_option
@studio_office.options
@card_options.faults_options
@card_options.personal_data_option
@card_options.show_secrets_option
@card_options.force_option
@click.pass_context
def run(
    ctx: click.Context,
    choice: CardChoice,
    persona: tuple[str, ...],
    psam: str | None,
    interfaces: tuple[str, ...],
    reader_names: tuple[str, ...],
    slots: int | None,
    port: int | None,
    shape: str,
    system: str,
    trace_path: Path | None,
    faults: Plan | None,
    slow: str | None,
    web: str | None,
    programs: tuple[str, ...],
    office: OfficeChoice | None,
    connect: str | None,
    listen: str | None,
    silence: float | None,
    *,
    relaxed: bool,
    demo: bool,
    once: bool,
    private: bool,
    personal_data: bool,
    show_secrets: bool,
    force: bool,
) -> None:
    """Put cards into readers that any PC/SC program finds, until Ctrl-C.

    Prints `ready <slot> <ATR> <reader name>` for each card once PC/SC has powered it, after `contactless <slot>` where
    it is in a field. Where a pcscd runs already, cards go into slots of its virtual readers that are free. With
    --connect or --listen the readers are another machine's, and are named by host and port.
    """
    far = _far(connect, listen, silence)
    if far is not None:
        _alone(ctx, far)
    if choice.image and len(persona) > 1:
        raise click.UsageError(_("--image holds one card, several personas were named"))
    choice = replace(choice, durable=not relaxed)
    page = None
    if programs and web is None:
        raise click.UsageError(_("--program is proven from the page: it goes with --web"))
    if office is not None and web is None:
        raise click.UsageError(_("--office is seen on the page: it goes with --web"))
    if web is not None:
        page = studio.page(
            studio.port_of(web), programs, office, show_secrets=show_secrets, personal_data=personal_data
        )
    own = [card_options.psam_image(psam)] if psam is not None else []

    cards = max(1, len(persona))
    if len(interfaces) > cards:
        raise click.UsageError(
            _("--interface is one per card: {given} for {count}").format(given=len(interfaces), count=cards)
        )
    timing = None if slow is None else USUAL if slow == USUALLY else Timing.load(Path(slow))
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(contextlib.ExitStack())
        first = held.enter_context(choice.held(persona[0] if persona else None))
        images = [first, *(choice.make(name) for name in persona[1:]), *own]
        if faults:
            fault_plans.check(faults, [image.layout for image in images if image.layout.card is CardKind.USER])
        trace = None
        if trace_path:
            trace = TraceFile(trace_path, show_secrets=show_secrets, personal_data=personal_data, force=force)
            stack.enter_context(trace)
        options = Options(
            images=images,
            pin=first.memory.text(PIN_CELL),
            make=lambda named: card_options.swapped_in(choice, named),
            first_held=held,
            slots=slots or 0,
            port=port,
            apdu_shape=shape == ReaderShape.APDU,
            system=SYSTEMS[system],
            timing=timing,
            private=private,
            far=far,
            demo=demo,
            once=once,
            trace=trace,
            faults=faults,
            interfaces=interfaces or (str(Interface.CONTACT),),
            reader_names=reader_names,
            page=page,
            origins=_origins(choice, persona, psam),
        )
        wanted = [seat.wanted.named for seat in seats(options)]
        count = len(wanted)
        if slots is not None and count > slots:
            raise click.UsageError(_("{cards} cards do not go into {count} slots").format(cards=count, count=slots))
        if len(reader_names) > count:
            raise click.UsageError(
                _("--reader-name is one per slot: {given} for {count}").format(given=len(reader_names), count=count)
            )
        # Refused before anything is begun.
        if far is not None:
            far.check(max(count, slots or 0))
        else:
            names.Arrangement.of(wanted)
        code = serve(options)
    ctx.exit(code)


def _far(connect: str | None, listen: str | None, silence: float | None) -> Far | None:
    """The readers of another machine, None for this one's."""
    if connect is not None and listen is not None:
        raise click.UsageError(_("--connect and --listen are two ways to one reader: leave one of them out"))
    kept = SILENCE if silence is None else silence or None
    if connect is not None:
        with usage.of("--connect"):
            return Far(Endpoint.of_text(connect), silence=kept)
    if listen is not None:
        with usage.of("--listen"):
            return Far(Endpoint.of_text(listen, host=HERE), listen=True, silence=kept)
    if silence is not None:
        raise click.UsageError(_("--silence is about readers of another machine: it goes with --connect or --listen"))
    return None


def _alone(ctx: click.Context, far: Far) -> None:
    """Refuses what only readers of this machine have."""
    option = "--listen" if far.listen else "--connect"
    why = {
        "private": _("--private starts a PC/SC service here, and {option} needs none: leave one of them out"),
        "port": _("--port is of this machine's readers: name the port with {option}"),
        "reader_names": _(
            "--reader-name cannot name another machine's readers, which {option} takes as they are called"
        ),
        "demo": _(
            "--demo and --once play a terminal at a reader of this machine, and {option} has the reader elsewhere"
        ),
        "once": _(
            "--demo and --once play a terminal at a reader of this machine, and {option} has the reader elsewhere"
        ),
    }
    for name, text in why.items():
        if ctx.params[name]:
            raise click.UsageError(text.format(option=option))


def _origins(choice: CardChoice, persona: tuple[str, ...], psam: str | None) -> list[Origin]:
    """Where the cards come from that a run begins with: the first may be a file's. ``psam``: the PSAM's persona."""
    names = persona or (personas.DEFAULT,)
    found = [Origin(persona=catalogue.persona(name).name) for name in names]
    if choice.image is not None:
        found[0] = Origin(file=str(choice.image.absolute()))
    return [*found, *([Origin(persona=catalogue.persona(psam).name)] if psam is not None else [])]


@click.command()
@click.option("--port", type=PORT, help="The one that `sscard run` is to have. [any that is free]")
@click.option(
    "--connect",
    metavar="HOST[:PORT]",
    help="Check a reader of another machine instead, as `sscard run --connect` has it: a card is in it for a moment.",
)
@click.option(
    "--register",
    type=REGISTER_TYPE,
    metavar="FILE|URL",
    envvar="SSCARD_OFFICE",
    help="The office's register: whether SQLite is outgrown, or a server lets us in; or $SSCARD_OFFICE. "
    f"[{REGISTER}, where there is one]",
)
@card_options.json_option
@click.pass_context
def doctor(
    ctx: click.Context, port: int | None, connect: str | None, register: Address | None, *, as_json: bool
) -> None:
    """Check pcscd, vpcd, pyscard, ports and permissions; one remedy for each fault. Exit code 1 if there is a fault."""
    if connect is None:
        findings = doctors.examine(port)
    elif port is not None:
        raise click.UsageError(
            _("--port is of this machine's readers: name the port with {option}").format(option="--connect")
        )
    else:
        with usage.of("--connect"):
            at = Endpoint.of_text(connect)
        findings = far_doctor.examine(at)
    if register is not None and ctx.get_parameter_source("register") is ParameterSource.COMMANDLINE:
        seen_password(register, "--register")
    findings += _register(register)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in findings], ensure_ascii=False, indent=1))
    else:
        for one in findings:
            remedy = [f"         → {one.remedy}"] if one.remedy else []
            say(f"{one.level:8} {one.check}: {one.detail}", *remedy, tone=TONES[one.level])
    ctx.exit(1 if any(one.level == "fault" for one in findings) else 0)


def _register(named: Address | None) -> list[Finding]:
    """What is to be known of a register: one that is named, or lies here."""
    address, check = named or Path(REGISTER), "register"
    if isinstance(address, Path) and not address.exists():
        return [] if named is None else [Finding(check, "warning", str(no_register(address)))]
    try:
        from harness.office.register import condition, store  # come with an extra

        if not isinstance(address, Path):
            return [_server(check, address)]
        longest = condition.wait_told(address)
    except ModuleNotFoundError as error:
        lacking = extras.missing(error, f"sscard office --register {address}", "office")
        if lacking is None:
            raise
        return [Finding(check, "warning", str(lacking))]
    except Unusable as error:
        remedy = f"sscard office --register {address} check"
        detail = _("{path} cannot be read: {why}").format(path=address, why=error)
        return [Finding(check, "fault", detail, remedy)]
    if longest:
        return [Finding(check, "warning", store.outgrown(longest))]
    return [Finding(check, "ok", _("{path}: SQLite is not outgrown").format(path=address))]


def _server(check: str, address: ServerAddress) -> Finding:
    """Whether it lets us in, and how."""
    from harness.office.register import condition

    try:
        told = condition.server_told(address)
    except NoRegister as error:
        return Finding(check, "warning", str(error))
    except RegisterError as error:
        return Finding(check, "fault", str(error))
    return Finding(check, "ok", f"{address}: {told}")


COMMANDS = (run, doctor)
