"""即时制卡 (article 11): from application to a card in use, in one go. What was cut off goes on from where it was."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from harness.office.desk.office import Done, Office
from harness.office.register import queries
from harness.office.requests.models import Activate, Apply, Document, HandOut, Make
from harness.office.vocabulary import Life, Progress
from harness.readers.connection import Connection

Say = Callable[[Done], None]
_TURNS = tuple(threading.Lock() for _ in range(64))
"""Who asks for one person takes turns within this process: the second finds what the first has done, not the middle."""


def issue(
    office: Office,
    request: Apply,
    clerk: str,
    connection: Connection | None = None,
    *,
    layout: str = "3.00",
    algorithm: str = "3des",
    with_account: bool = False,
    say: Say = lambda _: None,
) -> Done:
    """Accepts, makes, hands out and activates; each step is told. Returns the last one, with what all have changed.
    ``connection``: the blank chip in the reader; without one the card is a virtual one in the drawer. Raises as
    Office.perform does; a second call goes on.
    """
    steps: list[Done] = []

    def told(done: Done) -> None:
        steps.append(done)
        say(done)

    with _TURNS[hash(request.person.document) % len(_TURNS)]:
        last = _issue(
            office,
            request,
            clerk,
            connection,
            Make(application=1, layout=layout, algorithm=algorithm),
            told,
            with_account=with_account,
        )
    return replace(
        last,
        in_register=tuple(chain.from_iterable(one.in_register for one in steps)),
        on_card=tuple(chain.from_iterable(one.on_card for one in steps)),
    )


def _issue(
    office: Office,
    request: Apply,
    clerk: str,
    connection: Connection | None,
    make: Make,
    say: Say,
    *,
    with_account: bool,
) -> Done:
    holder, shown = request.person.document, request.shown
    agent = request.agent
    number, progress = _open(office, holder)
    if number is None and _waiting(office, holder) is None:
        say(done := office.perform(request, clerk))
        number, progress = int(done.data["application"]), Progress.ACCEPTED
    if number is not None and progress is Progress.ACCEPTED:
        say(office.perform(make.model_copy(update={"application": number}), clerk, connection))
    if number is not None:
        say(office.perform(HandOut(application=number, shown=shown, agent=agent), clerk))
    card = _waiting(office, holder)
    activate = Activate(holder=holder, shown=shown, agent=agent, with_account=with_account)
    with contextlib.ExitStack() as stack:
        reader = connection or stack.enter_context(office.services.card_store.inserted(card or ""))
        say(done := office.perform(activate, clerk, reader))
    return done


def _open(office: Office, holder: Document) -> tuple[int | None, Progress | None]:
    """The person's open application, and how far it is."""
    with office.register.reading() as session:
        person = queries.person(session, holder.type, holder.number)
        found = queries.open_application(session, person) if person is not None else None
        return (found.id, found.progress) if found is not None else (None, None)


def _waiting(office: Office, holder: Document) -> str | None:
    """The number of the person's card that was handed out and is not active."""
    with office.register.reading() as session:
        person = queries.person(session, holder.type, holder.number)
        card = queries.card_of(session, person) if person is not None else None
        waits = card is not None and card.life is Life.ISSUED and card.activated_at is None
        return card.number if card is not None and waits else None
