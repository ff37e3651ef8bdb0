"""``sscard run``: cards in readers, served until someone ends it."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

from emulator.chip import Chip
from emulator.interface import Interface
from emulator.messages import _
from harness.messages.visible import visible_line
from harness.readers import pcsc
from harness.readers.connection import InProcess, Pcsc
from harness.serving import control, demo
from harness.serving.options import Options, Page, seats
from harness.serving.pcsc_service import Service, pcsc_service
from harness.serving.served_cards import ServedCards
from harness.serving.steering import Steering

NO_READER = pcsc.PcscError.exit_code
"""Exit code where this machine can have no virtual reader."""
LOOK = 0.5
"""Seconds between two looks at whether all is to end."""


def say(text: str) -> None:
    """One line on stdout, at once."""
    print(text, flush=True)


class Ended(BaseException):
    """SIGINT or SIGTERM came."""


@contextlib.contextmanager
def ended() -> Iterator[None]:
    """Ends what it holds, in order, at SIGINT or SIGTERM."""

    def end(*_: object) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # once is enough: what follows is orderly
        raise Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except Ended:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_ended() -> NoReturn:
    """Waits for what ``ended`` tells. It looks up now and then: a signal that comes between Python's last look and its
    going to sleep is only noticed at the next.
    """
    while True:
        time.sleep(LOOK)


@contextlib.contextmanager
def _service(options: Options) -> Iterator[Service]:
    """PC/SC for a run's cards, told where it has a socket of its own. PcscError."""
    with pcsc_service([seat.wanted for seat in seats(options)], options.port, private=options.private) as service:
        if options.private:
            say(f"{pcsc.SOCKET_VARIABLE}={service.path}")
        yield service


def run(options: Options) -> int:
    """Serves until SIGINT or SIGTERM; the exit code. PcscError, ControlError."""
    lacking = list(map(str, pcsc.missing()))
    if lacking:
        return _without_reader(options, "; ".join(lacking))
    worked = True
    with ended(), contextlib.ExitStack() as stack:
        served = ServedCards(options)
        cards = served.filled
        with control.starting():
            try:
                service = stack.enter_context(_service(options))
            except pcsc.PcscError as error:
                return _without_reader(options, str(error))
            stack.callback(served.close)
            served.take_places(service)
            name = control.new_id()
            stack.enter_context(served.feed.serve(control.events(name)))
            steering = Steering(served)
            with steering.held():
                stack.enter_context(control.serve(steering, name))
                # Before the cards: it hears all that they are ever asked.
                page = stack.enter_context(options.page(name, "")) if options.page else None
                served.insert_all()
        readers = served.readers
        if options.demo or options.once:
            with Pcsc(readers[0]) as connection:
                say(
                    _("A terminal session through PC/SC, reader {reader!r} 通过PC/SC的终端会话").format(
                        reader=readers[0]
                    )
                )
                worked = demo.run(connection, say, pin=options.pin, known=options.images[0].layout)
        for number, held in cards:
            if held.chip.interface is Interface.CONTACTLESS:
                say(f"contactless {number}")
            say(visible_line(f"ready {number} {held.chip.atr.hex().upper()} {readers[number]}"))
        if page is not None:
            say(f"listening {page.url}")
        if not options.once:
            _note(_("serving; Ctrl-C ends 服务中，按Ctrl-C结束"))
            _wait(service, page)
    return 0 if worked else 1


def _wait(service: Service, page: Page | None) -> NoReturn:
    """Waits for what ``ended`` tells. PcscError where the readers are gone before; the cards go on without a page."""
    while True:
        if service.process is not None and (code := service.process.poll()) is not None:
            raise pcsc.PcscError(
                _("its pcscd ended by itself (exit code {code}): the readers are gone").format(code=code)
            )
        if page is not None and page.ended is not None:
            _note(
                _(
                    "the page ended by itself (exit code {code}); the cards go on, and have a page again when this run "
                    "is started anew with --web"
                ).format(code=page.ended)
            )
            page = None
        time.sleep(LOOK)  # looks up too, as ``wait_ended`` does


def _without_reader(options: Options, why: str) -> int:
    _note(
        _(
            "No virtual reader can be had here, so no PC/SC program will find a card: {why}. On Debian, "
            "`make run` as root installs all that is needed; `sscard doctor` checks it. 本机无法提供虚拟读卡器。"
        ).format(why=why)
    )
    if options.page and not options.images:
        with ended(), options.page("", why) as page:
            say(f"listening {page.url}")
            wait_ended()
    if options.demo or options.once:
        say(_("The same session in this process, without any reader 以下为进程内会话，未使用读卡器"))
        first = seats(options)[0].interface
        chip = Chip(options.images[0], interface=first, apdu_shape=options.apdu_shape)
        demo.run(InProcess(chip), say, pin=options.pin, known=options.images[0].layout)
    return NO_READER


def _note(text: str) -> None:
    print(visible_line(f"sscard: {text}"), file=sys.stderr, flush=True)
