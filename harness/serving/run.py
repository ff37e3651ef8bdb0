"""``sscard run``: cards in readers, served until someone ends it."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

from emulator.chip import Chip
from emulator.interface import Interface
from emulator.messages import _, deferred
from harness.messages.visible import visible_line
from harness.readers import pcsc
from harness.readers.connection import InProcess, Pcsc
from harness.serving import control, demo
from harness.serving.far import Far, Watch, far_readers
from harness.serving.options import Options, Page, seats
from harness.serving.pcsc_service import Service, pcsc_service
from harness.serving.served_cards import InSlot, ServedCards
from harness.serving.steering import Steering

NO_READER = pcsc.PcscError.exit_code
"""Exit code where this machine can have no virtual reader."""
LOOK = 0.5
"""Seconds between two looks at whether all is to end."""
SERVING = deferred("serving; Ctrl-C ends 服务中，按Ctrl-C结束")


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
    """Serves until SIGINT or SIGTERM; the exit code. PcscError, FarError, ControlError."""
    if options.far is not None:
        _run_far(options, options.far)
        return 0
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
            steering = Steering(served)
            with steering.held():
                page = _steered(stack, served, steering)
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
            for line in _ready(number, held, readers[number]):
                say(line)
        if page is not None:
            say(f"listening {page.url}")
        if not options.once:
            _note(_(SERVING))
            _wait(page, lambda: _look_after(service))
    return 0 if worked else 1


def _run_far(options: Options, far: Far) -> None:
    """Serves readers of another machine, which may be away, until SIGINT or SIGTERM. FarError, ControlError."""
    with ended(), contextlib.ExitStack() as stack:
        served = ServedCards(options)
        service = stack.enter_context(far_readers(far, len(served.seats)))
        stack.callback(served.close)
        served.take_places(service)
        served.insert_all(wait=False)  # a driver that connects before there is a card is turned away
        page = _steered(stack, served, Steering(served))
        for place in served.readers:
            _note(
                _("a driver may connect to {place}").format(place=place)
                if far.listen
                else _("looking for the reader at {place}").format(place=place)
            )
        if page is not None:
            say(f"listening {page.url}")
        _note(_(SERVING))
        watch = Watch(say, _note)

        def look() -> None:
            changes = [
                watch.look(number, served.slots[number], _ready(number, held, served.readers[number]))
                for number, held in served.filled
            ]
            if any(changes):
                served.feed.changed()

        _wait(page, look)


def _steered(stack: contextlib.ExitStack, served: ServedCards, steering: Steering) -> Page | None:
    """Has a run steered and heard from elsewhere until ``stack`` closes; its page, if it is to have one."""
    name = control.new_id()
    control.own_folder()
    stack.enter_context(served.feed.serve(control.events(name)))
    stack.enter_context(control.serve(steering, name))
    # Before the cards: it hears all that they are ever asked.
    return stack.enter_context(served.options.page(name, "")) if served.options.page else None


def _ready(number: int, held: InSlot, reader: str) -> list[str]:
    """The lines that say that a card is there for programs."""
    lines = [f"contactless {number}"] if held.chip.interface is Interface.CONTACTLESS else []
    return [*lines, visible_line(f"ready {number} {held.chip.atr.hex().upper()} {reader}")]


def _look_after(service: Service) -> None:
    """PcscError where the readers are gone."""
    if service.process is not None and (code := service.process.poll()) is not None:
        raise pcsc.PcscError(_("its pcscd ended by itself (exit code {code}): the readers are gone").format(code=code))


def _wait(page: Page | None, look: Callable[[], None]) -> NoReturn:
    """Waits for what ``ended`` tells, and looks now and then. The cards go on without a page."""
    while True:
        look()
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
            "No virtual reader can be had here, so no PC/SC program will find a card: {why}. `sscard doctor` says how "
            "each thing that is missing is had. 本机无法提供虚拟读卡器。"
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
