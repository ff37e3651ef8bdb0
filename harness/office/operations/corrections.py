"""What a change or a replacement corrects of a person (articles 21, 23), what proves it, and where the chip says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.errors import NotFound
from harness.office.cards.content import split_name
from harness.office.cards.in_reader import CardInReader
from harness.office.case.case import Case
from harness.office.case.rule import Rule
from harness.office.measures.articles import Citation
from harness.office.register.tables import Person
from harness.office.requests.models import Document
from harness.office.vocabulary import DocumentType

SEX, ETHNIC_GROUP, BIRTH = "SSSE/EF06/0A", "SSSE/EF06/0B", "SSSE/EF06/0D"
NUMBER, NAME, MORE_OF_NAME = "SSSE/EF06/08", "SSSE/EF06/09", "SSSE/EF06/4E"
OF_HOLDER = (NUMBER, NAME, MORE_OF_NAME, SEX, ETHNIC_GROUP, BIRTH)
CORRECTED = ("name", "sex", "ethnic_group", "birth", "photo")
NEEDS_PROOF = ("sex", "ethnic_group", "birth")
"""Beside the identity document, which every such operation asks for or has seen with the card, and which says the name.
[D]
"""
PROOFS = (DocumentType.HOUSEHOLD, DocumentType.CORRECTION)


def own_document(person: Person) -> Document:
    """The identity document that the register has of a person, taken as it stands there."""
    return Document.model_construct(type=person.document_type, number=person.document_number)


def corrected(case: Case[Any]) -> dict[str, Any]:
    """What the request says of the person and the register says otherwise."""
    stated = {name: getattr(case.request, name) for name in CORRECTED}
    return {name: value for name, value in stated.items() if value not in (None, getattr(case.holder, name))}


PROVED = Rule(
    "CHANGE-PROVED",
    Citation(21),
    "更正性别、民族、出生日期的，应出示居民户口簿或公安机关更正证明",
    "to correct sex, ethnic group or birth, the household register or a certificate of correction is shown",
    lambda case: not set(NEEDS_PROOF) & set(corrected(case)) or case.showed(*PROOFS),
    grade="D",
)


def held(card: CardInReader, paths: Iterable[str]) -> dict[str, str]:
    """What a chip holds under these paths; a path that its layout or the card has nothing for is left out."""
    found = {}
    for path in paths:
        try:
            value = card.terminal.read_if_there(path)
        except NotFound:  # the layout has none
            continue
        if value is not None:
            found[path] = str(value)
    return found


def on_chip(person: Person, paths: Iterable[str]) -> Mapping[str, str]:
    """What a card that says of its holder what the register says would hold under these paths."""
    name, more = split_name(person.name)
    right = {
        NUMBER: person.document_number[:18],
        NAME: name,
        MORE_OF_NAME: more,
        SEX: person.sex,
        ETHNIC_GROUP: person.ethnic_group,
        BIRTH: f"{person.birth:%Y%m%d}",
    }
    return {path: right[path] for path in paths}
