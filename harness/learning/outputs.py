"""What a learning leaves behind besides ``learning.json`` and ``layout.toml``: facts, the made-up person, the report.

Each is text, made of the learning; of what was read only lengths and kinds of characters go into the person, and every
file is searched for what was read before it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator import catalogue, interface
from emulator.interface import MAKER_SIZE
from emulator.own_personas import likeness
from emulator.own_personas.likeness import Likeness, Seen
from emulator.own_personas.personal import Contents
from harness.learning import evidence, known, marks, privacy, report
from harness.learning.evidence import Evidence
from harness.learning.fact_file import FILE as FACTS
from harness.learning.fact_file import CardRead, FactFile, FactRow, OnCard
from harness.learning.learn import Learned
from harness.learning.observation import Learning, Reading

PERSONA = "persona.toml"
MAKER = 2 * MAKER_SIZE
"""Hex digits of the historical bytes that name chip, system and card maker."""
USUAL_SEED = "1"


@dataclass(frozen=True, slots=True)
class Outputs:
    """Texts by file name, and what they were made of. Of a card that was not learned to the end there is no person."""

    files: dict[str, str]
    evidence: tuple[Evidence, ...]
    likeness: Likeness | None


def of(learned: Learned, *, seed: str = USUAL_SEED, mark: str = "") -> Outputs:
    """All of it. ``mark``: of the card, as ``mark_of`` makes it; empty: it is made here."""
    learning = learned.learning
    found = tuple(_evidence(learned))
    person = persona(learned, seed) if learned.layout is not None else None
    files = {
        report.TEXT: report.text(learning, found, person),
        report.HTML: report.html(learning, found, person),
    }
    if learning.nearest:
        files[FACTS] = facts(learning, found, mark or mark_of(learned.reading)).text()
    if person is not None:
        files[PERSONA] = person.text
    return Outputs(files, found, person)


def _evidence(learned: Learned) -> tuple[Evidence, ...]:
    if not learned.learning.nearest:
        return ()
    return tuple(evidence.of_card(learned.learning, catalogue.layout(learned.learning.nearest), learned.ours))


def persona(learned: Learned, seed: str = USUAL_SEED) -> Likeness | None:
    """A made-up person for the card's twin; None where there is no layout for one."""
    if learned.layout is None:
        return None
    reading = learned.reading
    seen = Seen(
        learned.layout,
        contents(learned),
        likeness.region_of(reading.identification(), reading.atr),
        frozenset(path for path, one in learned.found.files.items() if not one.whole),
        interface.serial(reading.atr),
    )
    return likeness.like(seen, seed=seed)


def contents(learned: Learned) -> Contents:
    """What was read, by file: of one without records that there are none."""
    found: dict[str, tuple[bytes, ...]] = {}
    for path, file in learned.found.files.items():
        if file.records is not None:
            found[path] = tuple(file.records)
        elif file.content is not None:
            found[path] = (file.content,)
    return found


def facts(learning: Learning, found: tuple[Evidence, ...], mark: str) -> FactFile:
    """``facts.json`` of one card."""
    card = CardRead(
        mark=mark,
        maker=learning.atr.historical[:MAKER],
        nearest=learning.nearest,
        date=learning.date,
        sscard=learning.sscard,
    )
    rows = (
        FactRow(
            where=one.fact.where,
            layout=learning.nearest if one.fact.where.partition(".")[0] in evidence.LAYOUT_JUDGES else "",
            statement=one.fact.statement,
            grade=one.fact.grade,
            cards=(OnCard(mark=mark, verdict=one.verdict, seen=one.seen),),
        )
        for one in found
    )
    return FactFile(cards=(card,), rows=tuple(rows))


def mark_of(reading: Reading) -> str:
    """The mark of a card on this machine."""
    identity = reading.identification() or reading.atr
    return marks.mark(identity)


def searched(files: Mapping[str, bytes], learned: Learned) -> None:
    """PersonalDataFound where a file holds a value that was read from the card."""
    nearest = learned.learning.nearest
    base = catalogue.layout(nearest or known.NATIONAL[0])
    layout = learned.layout or base
    read = {path: tuple(records) for path, records in learned.reading.records.items()}
    read |= {path: (content,) for path, content in learned.reading.contents.items() if path not in read}
    said = [one.command for one in learned.learning.asked if "*" not in one.command]
    said += [one.fci for one in learned.learning.applications]
    found = privacy.secrets(layout, {**contents(learned), **read}, learned.reading.atr, base, said)
    privacy.check(files, found)
