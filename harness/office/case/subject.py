"""Whom and which card a request is about."""

from __future__ import annotations

from typing import Any

from harness.office.case.case import Case
from harness.office.register import queries
from harness.office.requests.models import Apply, RecordSurplus


def find(case: Case[Any]) -> None:
    """Fills in person, card and application: a number that was typed means that card, whatever is in the reader; else
    the reader's card tells itself, unless another's document was shown; then the document, or the application.
    """
    request, session = case.request, case.session
    number = getattr(request, "application", None)
    if number is not None:
        case.application = queries.application(session, number)
        case.person = case.case_of.person
        return
    holder = request.person.document if isinstance(request, Apply) else request.holder
    if holder is not None and request.card is None and case.in_reader is None:
        case.person, case.card = queries.person_and_card(session, holder.type, holder.number)
        return
    if holder is not None:
        case.person = queries.person(session, holder.type, holder.number)
    if request.card is not None and not isinstance(request, RecordSurplus):
        case.card = queries.card(session, request.card)
    elif case.in_reader is not None:
        case.card = queries.card_by_chip(session, case.in_reader.chip)
    if case.in_reader is not None and case.in_reader.refused and case.in_hand:
        case.in_reader.with_layout(case.own_card.layout)
    if case.person is None and case.card is not None:
        case.person = case.card.person
    if case.person is not None and (case.card is None or case.card.person_id != case.person.id):
        case.card = None if request.card else queries.card_of(session, case.person)
