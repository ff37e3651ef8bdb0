"""Options that say which card is meant, and the card they mean."""

from __future__ import annotations

import contextlib
import fnmatch
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from emulator import catalogue, personas
from emulator.chip import Chip, Exchange
from emulator.errors import Misuse
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import CardKind
from emulator.filesystem.memory import image as images
from emulator.filesystem.memory.image import Image
from emulator.guess import guess
from emulator.interface import Interface
from emulator.messages import _
from emulator.personas import UnknownPersonaError
from emulator.personas.document import is_path
from emulator.textfiles import text as textfile
from harness.cli import usage
from harness.faults import plan as fault_plans
from harness.readers import pcsc
from harness.readers.connection import Connection, InProcess, Pcsc
from harness.serving.options import PERSONA_TEXT


class Named(Protocol):
    """What has an id."""

    @property
    def id(self) -> str:
        """Returns what users name it by."""


F = TypeVar("F", bound=Callable[..., Any])
N = TypeVar("N", bound=Named)
DEFAULT_LAYOUT, DEFAULT_ALGORITHM = "3.00", "3des"


@dataclass(frozen=True, slots=True)
class CardChoice:
    """Which card to make; None where the user said nothing."""

    layout: str | None
    algorithm: str | None
    image: Path | None
    durable: bool = True

    def make(self, persona: str | None) -> Image:
        """A fresh card. Usage errors name the option."""
        holder = persona or personas.DEFAULT
        with usage.of("--persona", UnknownPersonaError):
            usual = DEFAULT_LAYOUT if catalogue.persona(holder).card is CardKind.USER else personas.PSAM
        layout = catalogue.layout(self.layout or usual)
        chosen = self.algorithm or (
            DEFAULT_ALGORITHM if DEFAULT_ALGORITHM in layout.algorithms else layout.algorithms[0]
        )
        with usage.of_command(Misuse):
            return catalogue.card(holder, layout, chosen)

    def said(self, persona: str | None) -> bool:
        """True if the user named any card."""
        return persona is not None or self != CardChoice(None, None, None)

    def leave_to_reader(self, persona: str | None) -> Layout | None:
        """A card in a reader is meant: its layout, where the user named one and its version does not tell. A usage
        error where the user named another card.
        """
        if self.algorithm or self.image or persona is not None:
            raise click.UsageError(
                _("--reader takes the card that is there: leave --persona, --algorithm, --image out")
            )
        return catalogue.layout(self.layout) if self.layout else None

    def look(self, persona: str | None) -> Image:
        """The card in the image file, for looking at, even while a run holds it; a fresh one where none was named."""
        if self.image is None:
            return self.make(persona)
        image = images.load(self.image)
        self._agree(image, persona)
        return image

    @contextlib.contextmanager
    def held(self, persona: str | None) -> Iterator[Image]:
        """The card in the image file, made first if it is not there; a fresh one where no file was named."""
        if self.image is None:
            yield self.make(persona)
            return
        fresh = None if self.image.exists() else self.make(persona)
        with images.held(self.image, fresh, durable=self.durable) as image:
            self._agree(image, persona)
            yield image

    def _agree(self, image: Image, persona: str | None) -> None:
        """An existing image wins; options that say otherwise are errors."""
        said = [
            ("--layout", self.layout and catalogue.layout(self.layout).fingerprint, image.layout.fingerprint),
            ("--algorithm", self.algorithm, image.algorithm),
        ]
        for option, wanted, found in said:
            if wanted and wanted != found:
                named = _("layout {name}").format(name=image.layout.name) if option == "--layout" else found
                raise click.UsageError(
                    _("{option}: the card in {image} has {named}; leave the option out").format(
                        option=option, image=self.image, named=named
                    )
                )
        if persona and catalogue.card(persona, image.layout, image.algorithm).atr != image.atr:
            raise click.UsageError(
                _("--persona: {image} holds another card than {persona}; leave the option out").format(
                    image=self.image, persona=persona
                )
            )


def options(*, image: bool = True) -> Callable[[F], F]:
    """--layout, --algorithm and --image, handed on as ``choice``."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapped(
            *args: Any, layout: str | None, algorithm: str | None, image: Path | None = None, **kwargs: Any
        ) -> Any:
            return function(*args, choice=CardChoice(layout, algorithm, image), **kwargs)

        known = ", ".join(catalogue.layouts())
        wrapped = click.option("--layout", metavar="NAME|FILE", help=f"{known}, or a TOML file. [{DEFAULT_LAYOUT}]")(
            wrapped
        )
        wrapped = click.option(
            "--algorithm", type=click.Choice(["3des", "sm4", "ssf33"]), help=f"[{DEFAULT_ALGORITHM}]"
        )(wrapped)
        if image:
            path = click.Path(dir_okay=False, path_type=Path)
            wrapped = click.option("--image", type=path, help="The card in this file; it keeps what happens.")(wrapped)
        return wrapped  # type: ignore[return-value]

    return decorate


def psam_image(name: str) -> Image:
    """A fresh terminal's own card; a usage error where there is none of that name."""
    if not is_psam(name):
        known = ", ".join(catalogue.personas(CardKind.PSAM))
        raise click.BadParameter(
            _("no PSAM {name!r}: choose one of {known}, or give the path of a .toml file").format(
                name=name, known=known
            ),
            param_hint="--psam",
        )
    return CardChoice(None, None, None).make(name)


def is_psam(persona: str) -> bool:
    """True for the persona of a terminal's own card. PersonaError for a file that is not a persona."""
    try:
        return catalogue.persona(persona).card is CardKind.PSAM
    except UnknownPersonaError:
        return False


def from_here(persona: str) -> str:
    """A persona's name; a path of a file made whole, for a process that runs in another folder."""
    return str(Path(persona).absolute()) if is_path(persona) else persona


def persona_option(function: F) -> F:
    """Adds ``--persona``, which may be given once."""
    help_text = f"See `sscard personas`; or a TOML file, see `sscard persona`. [{personas.DEFAULT}]"
    return click.option("--persona", metavar="NAME|FILE", help=help_text)(function)


def reader_option(function: F) -> F:
    """Adds ``--reader``: the card in a PC/SC reader instead of one in this process."""
    return click.option(
        "--reader", metavar="NAME", help="A PC/SC reader whose name begins so, instead of a card in-process."
    )(function)


def interface_option(function: F) -> F:
    """Adds ``--interface``, handed on as an Interface: how a card in this process is spoken to."""
    words = [one.value for one in Interface]

    @functools.wraps(function)
    def wrapped(*args: Any, interface: str, **kwargs: Any) -> Any:
        return function(*args, interface=Interface(interface), **kwargs)

    return click.option(
        "--interface", type=click.Choice(words), default=Interface.CONTACT.value, show_default=True,
        help="By its contacts (T=0), or in a field (T=CL), where its layout has that.",
    )(wrapped)  # type: ignore[return-value]  # fmt: skip


def keys_option(function: F) -> F:
    """Adds ``--keys``: where roots of the card's keys come from."""
    return click.option(
        "--keys", metavar="FILE|test", help="Roots of the card's keys in TOML; `test`: the published ones."
    )(function)


class Heard:
    """Keeps why a chip gave its last answer."""

    reason = ""

    def exchanged(self, exchange: Exchange) -> None:
        """The reason, empty where nothing went wrong."""
        self.reason = exchange.reason

    def powered(self, event: str, atr: bytes) -> None:
        """Forgets the last reason: a reset asked for nothing."""
        del event, atr
        self.reason = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A card at hand. ``known`` is its layout, ``algorithm`` its suite's name, if it is in this process."""

    connection: Connection
    known: Layout | None
    algorithm: str | None = None
    heard: Heard | None = None
    """What a card in this process says of itself."""


def target_options(function: F) -> F:
    """--reader or a card in this process, handed on as ``target``, a context manager."""

    @options()
    @persona_option
    @reader_option
    @interface_option
    @functools.wraps(function)
    def wrapped(
        *args: Any, choice: CardChoice, persona: str | None, reader: str | None, interface: Interface, **kwargs: Any
    ) -> Any:
        return function(*args, target=_open(choice, persona, reader, interface), **kwargs)

    return wrapped  # type: ignore[return-value]


@contextlib.contextmanager
def _open(choice: CardChoice, persona: str | None, reader: str | None, interface: Interface) -> Iterator[Target]:
    if reader is not None:
        known = leave_to_reader(choice, persona, interface)
        with Pcsc(pcsc.find_reader(reader)) as connection:
            yield Target(connection, known)
        return
    with choice.held(persona) as image:
        heard = Heard()
        chip = Chip(image, interface=interface, observer=heard)
        yield Target(InProcess(chip), catalogue.over(image.layout, interface), image.algorithm, heard)


def leave_to_reader(choice: CardChoice, persona: str | None, interface: Interface) -> Layout | None:
    """As ``CardChoice.leave_to_reader``; a usage error too where an interface was named, which is the reader's."""
    if interface is not Interface.CONTACT:
        raise click.UsageError(_("--interface is of a card in this process: a card in a reader has the reader's"))
    return choice.leave_to_reader(persona)


def faults_options(function: F) -> F:
    """--fault, --faults and --seed, handed on as ``faults``, a plan or None."""

    @click.option("--fault", "texts", multiple=True, metavar="KIND,FIELD=VALUE…", help="See docs/terminals.md; repeat.")
    @click.option("--faults", "path", type=click.Path(dir_okay=False, path_type=Path), help="Faults in YAML.")
    @click.option("--seed", type=click.IntRange(0), help="For faults that come by chance. [the file's, else 0]")
    @functools.wraps(function)
    def wrapped(*args: Any, texts: tuple[str, ...], path: Path | None, seed: int | None, **kwargs: Any) -> Any:
        loaded = fault_plans.load(path) if path else fault_plans.Plan(())
        faults = loaded.faults + tuple(map(fault_plans.from_text, texts))
        made = fault_plans.Plan(faults, loaded.seed if seed is None else seed)
        return function(*args, faults=made if faults else None, **kwargs)

    return wrapped  # type: ignore[return-value]


def baseline_option(function: F) -> F:
    """--baseline, handed on as ``known``, the ids in the file."""

    @click.option(
        "--baseline", type=click.Path(dir_okay=False, path_type=Path),
        help="Known failures, one id a line, # begins a comment: they do not count.",
    )  # fmt: skip
    @functools.wraps(function)
    def wrapped(*args: Any, baseline: Path | None, **kwargs: Any) -> Any:
        from harness.verdicts import baseline as baselines

        return function(*args, known=baselines.ids(_text(baseline) if baseline else ""), **kwargs)

    return wrapped  # type: ignore[return-value]


def check_baseline(known: Iterable[str], there: Iterable[str]) -> None:
    """A usage error where a baseline names what there is not: its failure would never be forgiven, or is another's."""
    ids = set(there)
    for name in sorted(set(known) - ids):
        raise click.BadParameter(
            _("no {name!r} is there{guess}").format(name=name, guess=guess(name, sorted(ids))), param_hint="--baseline"
        )


def picked(found: Sequence[N], patterns: Sequence[str]) -> list[N]:
    """Those whose ids --only means, all where it is not given; a usage error for a pattern that means none of them."""
    check_only(patterns, [one.id for one in found])
    return [one for one in found if not patterns or any(_means(each, one.id) for each in patterns)]


def check_only(patterns: Iterable[str], ids: Sequence[str]) -> None:
    """A usage error for a pattern of --only that means none of these ids."""
    for pattern in patterns:
        if not any(_means(pattern, one) for one in ids):
            close = guess(pattern, ids) or _("; `list` names them")
            raise click.BadParameter(
                _("no id is {pattern!r}{close}").format(pattern=pattern, close=close), param_hint="--only"
            )


def _means(pattern: str, name: str) -> bool:
    """Ids are capitals; a pattern may be written in small letters."""
    return fnmatch.fnmatchcase(name, pattern.upper())


def _text(path: Path) -> str:
    """Of a file that may well be empty."""
    with usage.of("--baseline"):
        return textfile.read(path) if path.stat().st_size else ""


def relay_options(function: F) -> F:
    """--reader of a card that is relayed into a virtual reader."""
    return click.option(
        "--reader", required=True, metavar="NAME", help="The PC/SC reader with the card, by the beginning of its name."
    )(function)


def psam_reader_option(function: F) -> F:
    """Adds ``--psam-reader``: the reader with the terminal's own card."""
    return click.option(
        "--psam-reader",
        metavar="NAME",
        help="The reader with the terminal's own card: relayed too; with --port, at the next one.",
    )(function)


@contextlib.contextmanager
def swapped_in(usual: CardChoice, named: Mapping[str, str]) -> Iterator[Image]:
    """The card that `card swap` or `card insert` names; what it leaves open is as this run's cards are."""
    persona, path = named.get("persona"), Path(named["image"]) if "image" in named else None
    layout, algorithm = named.get("layout"), named.get("algorithm")
    if "persona_text" in named:
        yield _of_text(usual, named)
        return
    there = path is not None and path.exists()  # and says itself what it is
    if not there and not (persona and is_psam(persona)):
        algorithm = algorithm or (usual.algorithm if layout is None else None)
        layout = layout or usual.layout
    with replace(usual, layout=layout, algorithm=algorithm, image=path).held(persona) as image:
        yield image


def _of_text(usual: CardChoice, named: Mapping[str, str]) -> Image:
    """A fresh card of a persona that came as text. PersonaError, Misuse."""
    if others := [name for name in ("persona", "image") if name in named]:
        raise Misuse(_("a persona's text is the card: leave {others} out").format(others=", ".join(others)))
    person = personas.from_text(named["persona_text"], PERSONA_TEXT)
    user = person.card is CardKind.USER
    layout = named.get("layout") or (usual.layout or DEFAULT_LAYOUT if user else personas.PSAM)
    algorithm = named.get("algorithm") or (usual.algorithm if user and "layout" not in named else None)
    return catalogue.card(person, layout, algorithm or "")


def show_secrets_option(function: F) -> F:
    """Adds ``--show-secrets``."""
    return click.option("--show-secrets", is_flag=True, help="Show PINs and keys instead of asterisks.")(function)


def personal_data_option(function: F) -> F:
    """Adds ``--personal-data``."""
    return click.option("--personal-data", is_flag=True, help="Keep items' values and the chip's serial number.")(
        function
    )


def force_option(function: F) -> F:
    """Adds ``--force``: a file that is there may be overwritten."""
    return click.option("--force", is_flag=True, help="Overwrite a file that is there.")(function)


def elements_option(function: F) -> F:
    """Adds ``--elements``: how elements of items and fields of records are written."""
    return click.option(
        "--elements", type=click.Choice(["named", "^"]), default="named", show_default=True,
        help="How elements of items and fields of records stand: 33=480;34=…, or in the file's order with ^ between."
    )(function)  # fmt: skip


def json_option(function: F) -> F:
    """Adds ``--json``, handed on as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="For other programs.")(function)
