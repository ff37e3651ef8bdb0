"""terminal: the driver library's operations from the shell, with a PSAM or an encryption machine."""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from emulator import personas
from emulator.apdu.status import describe
from emulator.chip import Chip
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.text import shown
from emulator.messages import BOTH, _, asked, chinese_first, deferred
from harness.cli import card_options as targets
from harness.cli import pins
from harness.cli.card_options import CardChoice
from harness.clock import Clock
from harness.driver import basic as basics
from harness.driver.backend import BackEnd
from harness.driver.calls import Answer
from harness.driver.codes import STATUS_WORDS, WORDS, Code, DriverError, negated, words
from harness.driver.contents import is_whole
from harness.driver.debit import TIME
from harness.driver.formats import fields
from harness.driver.library import BY_KEY, BY_PIN, SSCardDriver
from harness.driver.open_card import TYPES
from harness.driver.pad import Pad, checked
from harness.driver.readers import Given, PcscReaders
from harness.hsm.client import MachineClient
from harness.hsm.machine import EncryptionMachine, Machine
from harness.messages.markdown import columns, table
from harness.messages.visible import visible_line
from harness.readers import pcsc
from harness.readers.connection import Connection, InProcess, Pcsc
from harness.terminal.values import ItemValue

F = TypeVar("F", bound=Callable[..., Any])
EITHER = 3
HERE = ""
"""The machine in this process, where an URL would stand."""
AUTH = {"pin": BY_PIN, "key": BY_KEY}
LOG = ("sequence", "type", "terminal", "time", "account", "self_paid", "pooled")
PROOFS = ("sequence", "terminal", "terminal_sequence", "time", "self_paid", "pooled", "tac", "mac2")


class AskedPad(Pad):
    """PINs from options, or asked for without echo when they are needed; to break off is to cancel."""

    def __init__(self, pin: str | None, new: str | None) -> None:
        super().__init__()
        self._pin, self._new = pin, new

    def enter(self) -> str:
        """Returns the PIN, from ``--pin`` or asked for without echo."""
        return checked(self._pin or self._ask(deferred("PIN"), "pin", pins.PIN, confirm=False))

    def enter_new(self) -> str:
        """Returns the new PIN, from ``--new`` or asked for twice without echo."""
        return checked(self._new or self._ask(deferred("New PIN"), "new", pins.NEW_PIN, confirm=True))

    @staticmethod
    def _ask(text: str, kind: str, variable: str, *, confirm: bool) -> str:
        try:
            return pins.ask(text, pins.SPELLINGS[kind][0], variable, confirm=confirm)
        except click.Abort:
            raise DriverError(Code.PIN_CANCELLED) from None
        except pins.Unasked as error:
            raise DriverError(Code.PIN_CANCELLED, f"{words(Code.PIN_CANCELLED)}: {error.message}") from None


@dataclass(frozen=True, slots=True)
class Desk:
    """A counter's place: the library, a back end where there is a machine, and what answers are told in."""

    driver: SSCardDriver
    back: BackEnd | None
    kind: int
    as_json: bool

    def tell(
        self,
        answer: Answer,
        rows: Callable[[str], Any] = str,
        *,
        lines: Callable[[Any], Iterator[str]],
        items: list[dict[str, Any]] | None = None,
    ) -> None:
        """Prints what a function gave; its code and text on stderr, and exit code 1, where it failed. ``items``: what
        its fields are, for JSON.
        """
        code, out = answer
        if code:
            if self.as_json:
                click.echo(json.dumps({"code": code, "text": out}, ensure_ascii=False))
            click.echo(f"sscard: {code} {visible_line(out)}", err=True)
            raise click.exceptions.Exit(1)
        told = rows(out)
        if self.as_json:
            more = {} if items is None else {"items": items}
            click.echo(json.dumps({"code": code, "out": out, "fields": told} | more, ensure_ascii=False, indent=1))
            return
        for line in lines(told):
            click.echo(visible_line(line))

    def done(self, answer: Answer) -> None:
        """Prints the answer of a function that gives nothing but its code."""
        self.tell(answer, lambda _: None, lines=lambda _: iter((words(Code.DONE),)))


@contextlib.contextmanager
def _cards(
    choice: CardChoice, persona: str | None, reader: str | None, psam_reader: str | None
) -> Iterator[tuple[Callable[[int], Connection], Layout | None]]:
    """The card, and its layout where that is known."""
    if reader is not None:
        known = choice.leave_to_reader(persona)
        pcsc.find_reader(reader)
        yield PcscReaders([reader], psam_reader).card, known
        return
    with choice.held(persona) as image:
        yield lambda _: InProcess(Chip(image)), image.layout


def _own_card(psam: str | None, psam_reader: str | None) -> Callable[[], Connection | None]:
    if psam_reader is not None:
        name = pcsc.find_reader(psam_reader)
        return lambda: Pcsc(name, reset_at_end=True)
    chip = Chip(targets.psam_image(psam or personas.PSAM))
    return lambda: InProcess(chip)


def _machine(url: str) -> Machine:
    return EncryptionMachine() if url == HERE else MachineClient(url)


def _desk_options(function: F) -> F:
    """What every operation takes; handed on as ``desk``."""

    @targets.options()
    @targets.persona_option
    @click.option("--reader", metavar="NAME", help="The card in this PC/SC reader, by the beginning of its name.")
    @click.option("--type", "kind", type=click.Choice([str(one) for one in TYPES]), default=str(EITHER),
                  show_default=True, help="iType: 1 contact, 2 contactless, 3 and 4 either.")  # fmt: skip
    @click.option("--psam", metavar="NAME", help="A terminal's own card in this process; `sscard personas`. [psam]")
    @click.option("--psam-reader", metavar="NAME", help="The terminal's own card in this PC/SC reader.")
    @click.option(
        "--machine", "url", is_flag=False, flag_value=HERE, metavar="[URL]",
        help="An encryption machine (加密机) instead of a PSAM: `sscard machine serve` at URL, or one in this process.",
    )  # fmt: skip
    @targets.elements_option
    @pins.option("pin", pins.PIN)
    @pins.option("new", pins.NEW_PIN)
    @targets.json_option
    @functools.wraps(function)
    def wrapped(
        *args: Any,
        choice: CardChoice,
        persona: str | None,
        reader: str | None,
        kind: str,
        psam: str | None,
        psam_reader: str | None,
        url: str | None,
        elements: str,
        pin: str | None,
        new: str | None,
        as_json: bool,
        **kwargs: Any,
    ) -> Any:
        if sum((psam is not None, psam_reader is not None, url is not None)) > 1:
            raise click.UsageError(_("--psam, --psam-reader, --machine: expected one of them at most"))
        own = (lambda: None) if url is not None else _own_card(psam, psam_reader)
        with _cards(choice, persona, reader, psam_reader) as (card, layout), contextlib.ExitStack() as stack:
            driver = SSCardDriver(Given(card, own), AskedPad(pin, new), layout=layout, elements=elements)
            stack.callback(driver.close)
            back = BackEnd(driver, _machine(url), sequence=int(time.time())) if url is not None else None
            return function(*args, desk=Desk(driver, back, int(kind), as_json), **kwargs)

    return wrapped  # type: ignore[return-value]


def _meant(function: F) -> F:
    """Adds ``--card-info``: the card that is meant."""
    return click.option("--card-info", default="||", metavar="ID|NUMBER|", help="Only this card. [any]")(function)


@click.group()
def terminal() -> None:
    """Operations of SSCardDriver, the library that counter software calls, as one command each.

    Exit code 1 and the return code on stderr where a function gives another than 0. docs/counter.md has the formats.
    """


@terminal.command()
@_desk_options
def basic(desk: Desk) -> None:
    """Read basic information (iReadCardBas)."""
    answer = desk.back.basic(desk.kind) if desk.back else desk.driver.iReadCardBas(desk.kind)
    english = [name for name, _ in basics.FIELDS]
    desk.tell(answer, lambda out: dict(zip(english, fields(out), strict=True)), lines=_basic_lines)


def _basic_lines(told: dict[str, str]) -> Iterator[str]:
    for english, chinese in basics.FIELDS:
        yield f"{chinese_first(english, chinese)}: {told[english]}"


@terminal.command()
@click.argument("address", metavar="FILEADDR")
@click.option("--auth", type=click.Choice(list(AUTH)), default="key", show_default=True, help="iAuthType.")
@_meant
@_desk_options
def read(address: str, auth: str, card_info: str, desk: Desk) -> None:
    """Read items (iReadCard): FILEADDR like 'SSSEEF05|06|07|$DF01EF05|20|$'."""
    if desk.back and auth == "key":
        answer = desk.back.read(desk.kind, card_info, address)
    else:
        answer = desk.driver.iReadCard(desk.kind, AUTH[auth], card_info, address)
    told = tuple(desk.driver.told)
    desk.tell(answer, _groups, lines=lambda groups: _group_lines(groups, told), items=[_row(one) for one in told])


def _row(one: ItemValue) -> dict[str, Any]:
    """An item for programs: its value as the card holds it, and beside it what that means."""
    row = {"path": one.path, "name": one.spec.name, "name_en": one.spec.name_en, "value": one.value}
    return row | ({"meaning": one.meaning} if one.meaning else {})


def _groups(out: str) -> list[list[str]]:
    return [group.split("|")[:-1] for group in out.split("$")[:-1]]


def _group_lines(groups: list[list[str]], told: Sequence[ItemValue]) -> Iterator[str]:
    """The library's own string, file by file, and under it each value in words."""
    for group in groups:
        yield shown("|".join(group) + "|$")
        size = _record(told) if told and told[0].number else len(group) - 1
        for one in told[:size]:
            yield f"  {one.spec.label or '#'} {chinese_first(one.spec.name_en, one.spec.name)}: {_words(one)}"
        told = told[size:]


def _words(one: ItemValue) -> str:
    """What a value means; a whole file, which stands above, has its size."""
    return _("{count} bytes").format(count=len(str(one.value)) // 2) if is_whole(one) else one.words


def _record(told: Sequence[ItemValue]) -> int:
    """How many fields the record has that comes first: the next one begins with the same field again."""
    first, *others = told
    return next((at for at, one in enumerate(others, 1) if one.spec is first.spec or not one.number), len(told))


@terminal.command()
@click.argument("address", metavar="FILEADDR")
@click.argument("data")
@_meant
@_desk_options
def write(address: str, data: str, card_info: str, desk: Desk) -> None:
    """Write items (iWriteCard): DATA mirrors FILEADDR, with values for the tags."""
    if desk.back:
        desk.done(desk.back.write(desk.kind, card_info, address, data))
    else:
        desk.done(desk.driver.iWriteCard(desk.kind, card_info, address, data))


@terminal.command("verify-pin")
@_desk_options
def verify_pin(desk: Desk) -> None:
    """Verify the PIN (iVerifyPIN)."""
    desk.done(desk.driver.iVerifyPIN(desk.kind))


@terminal.command("change-pin")
@_desk_options
def change_pin(desk: Desk) -> None:
    """Change the PIN against the old one (iChangePIN)."""
    desk.done(desk.driver.iChangePIN(desk.kind))


@terminal.command("reload-pin")
@_meant
@_desk_options
def reload_pin(card_info: str, desk: Desk) -> None:
    """Set a new PIN, whatever the old one (iReloadPIN)."""
    run = desk.back.reload_pin if desk.back else desk.driver.iReloadPIN
    desk.done(run(desk.kind, card_info))


@terminal.command("unblock-pin")
@_meant
@_desk_options
def unblock_pin(card_info: str, desk: Desk) -> None:
    """Set the PIN's tries back (iUnblockPIN)."""
    run = desk.back.unblock_pin if desk.back else desk.driver.iUnblockPIN
    desk.done(run(desk.kind, card_info))


@terminal.command()
@click.argument("own", metavar="SELF-PAID")
@click.argument("pooled", metavar="POOLED")
@click.option("--time", "moment", metavar="YYYYMMDDhhmmss", help="When it is settled. [now, in China]")
@_meant
@_desk_options
def debit(own: str, pooled: str, moment: str | None, card_info: str, desk: Desk) -> None:
    """Record a settlement of the medical account (iDoDebit); amounts in fen."""
    pay_info = f"{own}|{pooled}|{moment or Clock().now().strftime(TIME)}|"
    run = desk.back.debit if desk.back else desk.driver.iDoDebit
    desk.tell(run(desk.kind, card_info, pay_info), lambda out: dict(zip(PROOFS, fields(out), strict=True)),
              lines=lambda told: (f"{name}: {value}" for name, value in told.items()))  # fmt: skip


@terminal.command()
@_desk_options
def log(desk: Desk) -> None:
    """Read the medical account's log (iReadDebitRecord), newest first."""
    desk.tell(
        desk.driver.iReadDebitRecord(desk.kind),
        lambda out: [dict(zip(LOG, group, strict=True)) for group in _groups(out)],
        lines=lambda rows: ("  ".join(row.values()) for row in rows),
    )


SIGNED = ("signature", "certificate")


@terminal.command()
@click.argument("text")
@_desk_options
def sign(text: str, desk: Desk) -> None:
    """Sign TEXT with the card's certificate key (PKI_SignData), under the PIN of the certificate application."""
    desk.tell(desk.driver.PKI_SignData("", text, desk.kind), lambda out: dict(zip(SIGNED, fields(out), strict=True)),
              lines=lambda told: (f"{name}: {value}" for name, value in told.items()))  # fmt: skip


@terminal.command("verify-signature")
@click.argument("text")
@click.argument("signature", metavar="BASE64")
@click.option("--certificate", default="", metavar="BASE64|PEM", help="The signer's. [the card's own]")
@_desk_options
def verify_signature(text: str, signature: str, certificate: str, desk: Desk) -> None:
    """Hold a signature of TEXT against a certificate (PKI_VerifySign); no PIN is asked for."""
    desk.done(desk.driver.PKI_VerifySign("", certificate, text, signature, desk.kind))


# --- return codes --------------------------------------------------------------------------------------------------


def _codes() -> Iterator[tuple[int, str, str]]:
    """Every return code, with English and Chinese words; of the status words those that are known as codes."""
    for code, (english, chinese) in WORDS.items():
        yield int(code), english.format("N"), chinese.format("N")
    for word in STATUS_WORDS:
        english, chinese = describe(word)
        yield negated(word), f"{word:04X} {english}", chinese if asked() == BOTH else f"{word:04X} {chinese}"


def codes_markdown() -> str:
    """Returns the text of docs/reference/return-codes.md."""
    head = _(
        "# SSCardDriver's return codes 返回码\n\n"
        "[How the functions are used](../counter.md) [用法](../counter.zh-CN.md)."
        " Made by `sscard terminal codes --markdown`. The numbers are\nsettled; other status words come negated "
        "in the same way, as we decided.\n\n"
    )
    rows = ((f"{code}", *columns(english, chinese)) for code, english, chinese in _codes())
    return head + table((_("code"), *columns("meaning", "含义")), rows)


@terminal.command()
@click.option("--markdown", is_flag=True, help="As the project's docs/reference/return-codes.md has them.")
@targets.json_option
def codes(*, markdown: bool, as_json: bool) -> None:
    """List the return codes."""
    if markdown:
        click.echo(codes_markdown(), nl=False)
    elif as_json:
        rows = [{"code": code, "meaning": english, "meaning_zh": chinese} for code, english, chinese in _codes()]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for code, english, chinese in _codes():
            click.echo(f"{code:7} {chinese_first(english, chinese, '  ')}")


COMMANDS = (terminal,)
