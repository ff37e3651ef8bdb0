"""The work of a campaign in pieces, each of which any process can do by itself, with the same outcome."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from emulator import catalogue
from emulator.errors import SscardError
from harness.campaign import chance
from harness.campaign.chance import Deeds
from harness.campaign.deeds import Deed, Reset, Send
from harness.campaign.finding import Finding, small
from harness.campaign.session import HOLDER, INACTIVE, Kind, Planted, Session
from harness.conformance import runner, steps
from harness.conformance import vector as vectors
from harness.conformance.coverage import PROFILES
from harness.conformance.targets.virtual import Virtual
from harness.conformance.vector import OFFICE, Vector
from harness.verdicts.log import Log
from harness.verdicts.subject import Proof
from harness.verdicts.verdict import Result


class Part(StrEnum):
    """A kind of work."""

    VECTORS = "vectors"
    """Every vector on every profile, but for the field's flows."""
    FIELD = "field"
    """What public programs send, as they send it."""
    SCENARIOS = "scenarios"
    """What the Measures ask of an office."""
    COMMANDS = "commands"
    """Commands by chance, each answer held against the model."""
    FLOWS = "flows"
    """The field's flows with commands left out, doubled, harmed and put elsewhere, held against the memory."""
    TEARS = "tears"
    """Commands by chance, with power cut after every single write."""


FINITE = (Part.VECTORS, Part.FIELD, Part.SCENARIOS)
"""Parts that come to an end; the others go on for as long as there is time."""
CASES = 30
"""Vectors, or scenarios, in one shard."""
SESSION = 200
"""Deeds to one card: then most of its keys are locked."""
SESSIONS = {Part.COMMANDS: 40, Part.FLOWS: 100, Part.TEARS: 8}
"""Cards of one shard."""


@dataclass(frozen=True, slots=True)
class Shard:
    """``number``: of those of its part and kind; ``ids``: of vectors or scenarios, none for work by chance."""

    part: Part
    number: int
    kind: Kind
    seed: int = 0
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """``results``: of vectors and scenarios; ``commands``: how many were sent by chance; ``finding``: the first."""

    results: tuple[Result, ...] = ()
    commands: int = 0
    finding: Finding | None = None


def sound() -> None:
    """Nothing stands between terminal and chip."""


def play(shard: Shard, planted: Planted = sound) -> Outcome:
    """Does one shard's work."""
    match shard.part:
        case Part.VECTORS | Part.FIELD:
            target = Virtual(shard.kind.layout, shard.kind.algorithm)
            return Outcome(tuple(runner.run_one(by_id()[one], target) for one in shard.ids))
        case Part.SCENARIOS:
            from harness.scenarios import runner as scenarios

            found = scenarios_by_id()
            return Outcome(tuple(scenarios.run_one(found[one], shard.kind.name) for one in shard.ids))
        case Part.FLOWS:
            return _harmed_flows(shard, planted)
        case _:
            return _by_chance(shard, planted)


def _by_chance(shard: Shard, planted: Planted) -> Outcome:
    sent = 0
    torn = shard.part is Part.TEARS
    for card in range(SESSIONS[shard.part]):
        name = f"{shard.seed}/{shard.part}/{shard.kind}/{shard.number}/{card}"
        own = random.Random(name)
        kind = Kind(shard.kind.layout, shard.kind.algorithm, HOLDER if own.randrange(5) else INACTIVE)
        session = Session(kind, random.Random(f"{name}/card"), planted, torn)
        deeds = Deeds(own, session, recorded(kind) if own.randrange(2) else chance.SEEDS)
        done: list[Deed] = []
        while len(done) < SESSION and not (session.model and session.model.unsure):
            done.append(deeds.next())
            sent += 1
            if (wrong := session.do(done[-1])) is not None:
                return Outcome((), sent, small(kind, done, wrong, f"{name}/card", planted, torn=torn))
    return Outcome((), sent)


def _harmed_flows(shard: Shard, planted: Planted) -> Outcome:
    sent = 0
    every = flows(shard.kind)
    seeds = [one for flow in every for one in flow.commands if one] or chance.SEEDS
    for card in range(SESSIONS[shard.part] if every else 0):
        name = f"{shard.seed}/{shard.part}/{shard.kind}/{shard.number}/{card}"
        own = random.Random(name)
        flow = own.choice(every)
        deeds = _harmed(own, flow.commands, seeds)
        session = Session(flow.kind, random.Random(f"{name}/card"), planted)
        for number, deed in enumerate(deeds, 1):
            sent += 1
            if (wrong := session.do(deed)) is not None:
                found = small(flow.kind, deeds[:number], wrong, f"{name}/card", planted, torn=False)
                return Outcome((), sent, found)
    return Outcome((), sent)


def _harmed(own: random.Random, commands: Sequence[bytes], seeds: Sequence[bytes]) -> list[Deed]:
    """A flow with commands left out, doubled, harmed and put elsewhere; about one in eight."""
    deeds: list[Deed] = []
    for command in commands:
        deed: Deed = Send(command) if command else Reset()
        kind = own.randrange(32)
        if kind == 0:
            continue
        if kind == 1:
            deeds.append(deed)
        elif kind == 2:
            deed = Send(chance.mutated(own, command, seeds))
        elif kind == 3:
            deeds.insert(own.randrange(len(deeds) + 1), deed)
        deeds.append(deed)
    return deeds


# --- what is there to work with --------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def by_id() -> dict[str, Vector]:
    """The vectors that come with the program, by id."""
    return {one.id: one for one in vectors.find([vectors.home()])}


@lru_cache(maxsize=1)
def scenarios_by_id() -> dict:  # type: ignore[type-arg]
    """The scenarios that come with the program, by id."""
    from harness.scenarios import model

    return {one.id: one for one in model.find([vectors.home() / OFFICE])}


@dataclass(frozen=True, slots=True)
class Flow:
    """What a public program sends to a card of a kind; an empty command is a reset."""

    kind: Kind
    commands: tuple[bytes, ...]


@lru_cache(maxsize=16)
def flows(kind: Kind) -> tuple[Flow, ...]:
    """The field's flows for a kind of card, each as it was sent to a sound card of the layout that it wants."""
    target = Virtual(kind.layout, kind.algorithm)
    found = []
    for vector in by_id().values():
        if vector.proof is not Proof.FIELD or not vector.applies(kind.version, kind.algorithm) or vector.needs_psam:
            continue
        log = Log()
        try:
            layout = vector.layout_for(kind.version) or kind.layout
            for play in target.opened(vector, log):
                steps.Steps(play).rehearse(vector)
                break
        except SscardError:
            continue
        if log.lines:
            own = Kind(layout, kind.algorithm, vector.holder)
            found.append(Flow(own, tuple(line.command for line in log.lines[1:])))
    return tuple(found)


@lru_cache(maxsize=16)
def recorded(kind: Kind) -> tuple[bytes, ...]:
    """Commands of all vectors that stand in them as they are, which others are made of by small harms."""
    found = dict.fromkeys(chance.SEEDS)
    for vector in by_id().values():
        if not vector.applies(kind.version, kind.algorithm):
            continue
        for step in vector.steps:
            text = step.raw if step.name in ("apdu", "tpdu") else ""
            if text and "$" not in text:
                found[bytes.fromhex(text)] = None
    return tuple(found)


def kinds(profiles: Sequence[str] = (), layout: str = "") -> list[Kind]:
    """The kinds of card for a campaign: of a layout of one's own, or of all profiles, or of these."""
    if layout:
        return [Kind(layout, algorithm) for algorithm in catalogue.layout(layout).algorithms]
    every = [Kind(version, algorithm) for version, algorithm in PROFILES]
    return [one for one in every if not profiles or one.name in profiles]
