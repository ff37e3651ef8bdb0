"""What a run found, as JSON, JUnit XML and one HTML page to hand in; a signature over the JSON, and its check."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from emulator import interface
from emulator.errors import ErrorKind
from emulator.messages import _, deferred
from emulator.sources import grades
from emulator.version import VERSION
from harness.faults.chip import BY_FAULT
from harness.messages.printed import CannotPrint
from harness.messages.visible import visible, visible_in
from harness.sources.register import register
from harness.trace import mask
from harness.trace.decode import answer_words, cause, command_hex, command_words
from harness.trace.mask import PersonalData, Seen
from harness.trace.read import Event, EventKind
from harness.verdicts import conclusion, manifest, page, report_file, report_text
from harness.verdicts.causes import not_judged
from harness.verdicts.conclusion import Asked
from harness.verdicts.environment import Environment
from harness.verdicts.log import Heard, Line
from harness.verdicts.manifest import Goal, ReportError
from harness.verdicts.matrix import Row
from harness.verdicts.report_file import FORMAT, NEEDED
from harness.verdicts.steps import as_tables
from harness.verdicts.subject import Proof
from harness.verdicts.verdict import JUDGED, Result, Verdict

TRACE, TRACE_PAGE, PDF = "trace.jsonl", "trace.html", "report.pdf"
"""The trace that was judged, masked; the page on paper."""
MANY = 300
"""Results whose PDF takes more than a moment."""
OURS = NEEDED | {TRACE, TRACE_PAGE, PDF, "report.sig"}
"""Files that a report is made of, now or in earlier versions."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a report says besides its results. ``date`` in ISO 8601; ``product`` as the user names what was tested."""

    target: str
    profile: str
    date: str
    product: str
    known: frozenset[str]
    """Ids of vectors whose failure is in the baseline."""
    note: str = deferred(
        "无一可称为规范性条文：2023年印刷本不可得 Nothing here is normative: the 2023 print was not available"
    )
    """What all of it rests on."""
    basis: str = "LD/T 6001"
    """What the matrix's rows are items of."""
    session: Mapping[str, Any] | None = None
    """The session that was judged, as ``session_of`` tells of a trace; None where vectors made their own."""
    asked: Asked = field(default_factory=Asked)
    """What must have been judged."""
    environment: Environment | None = None
    """What it was run with; None: nothing was noted as it began."""


def trace_lines(trace: Sequence[Line], *, show_secrets: bool) -> list[dict[str, str]]:
    """Exchanges as a person reads them; secrets, and whatever may say something of a person, as asterisks. Each card's
    are followed by its own layout.
    """
    lines = []
    cards: dict[int, PersonalData] = {}
    for line in trace:
        people = cards.get(line.card)
        if people is None:
            people = cards[line.card] = PersonalData(line.layout)
        numbered = {"line": str(line.number)} if line.number else {}
        numbered |= {"time": line.time} if line.time else {}
        numbered |= {"step": str(line.step)} if line.step else {}
        if not line.command:
            people.reset()
            atr = line.answer if show_secrets else interface.masked(line.answer)
            lines.append({**numbered, "command": "reset", "words": "", "answer": atr.hex().upper(), "meaning": ""})
            continue
        command, answer = people.seen(line.command, line.answer)
        if line.reason == BY_FAULT:  # it may be an earlier command's
            answer = mask.nothing_of(line.answer)
        words = cause(line.answer, line.reason) or (answer_words(line.answer) if len(line.answer) > 1 else "")
        lines.append(
            {
                **numbered,
                "command": line.command.hex().upper() if show_secrets else _starred(command),
                "words": command_words(line.command),
                "answer": line.answer.hex().upper() if show_secrets else answer.starred,
                "meaning": words if show_secrets else mask.scrubbed(words, (command.hidden, answer.hidden)),
            }
        )
    return lines


def _starred(command: Seen) -> str:
    """A command as it may be shown; of one that may hold a PIN or a key its header alone."""
    secret = command_hex(command.data)
    return secret if "*" in secret else command.starred


def proof_of(results: Sequence[Result]) -> dict[str, dict[str, int]]:
    """How many results rest on each kind of proof: judged, and passed of them."""
    return {
        kind: {
            "judged": sum(one.subject.proof == kind and one.verdict in JUDGED for one in results),
            "passed": sum(one.subject.proof == kind and one.verdict is Verdict.PASSED for one in results),
        }
        for kind in Proof
    }


def flows_of(results: Sequence[Result]) -> dict[str, dict[str, int]]:
    """The field's flows by the origin of their programs: how many were judged, and how many passed everywhere."""
    by_origin: dict[str, dict[str, list[bool]]] = {}
    for one in results:
        if one.subject.origin and one.verdict in JUDGED:
            origin = register()[one.subject.origin].origin
            by_origin.setdefault(origin, {}).setdefault(one.subject.id, []).append(one.verdict is Verdict.PASSED)
    return {
        origin: {"judged": len(flows), "passed": sum(map(all, flows.values()))} for origin, flows in by_origin.items()
    }


def as_table(
    results: Sequence[Result], rows: Sequence[Row], context: Context, *, show_secrets: bool = False
) -> dict[str, Any]:
    """Returns the whole report, as report.json has it."""
    files = sorted({result.subject.path for result in results})
    checksums = {Path(name).name: sha256(Path(name).read_bytes()).hexdigest() for name in files if Path(name).is_file()}
    counts = Counter(result.verdict for result in results)
    rests = Counter(grade for result in results for grade in set(grades(result.subject.source)) if grade != "S")
    known = register()
    session = context.session or _session_of(results, context)
    environment = context.environment or Environment()
    table = {
        "format": FORMAT,
        "program": f"sscard {VERSION}",
        "date": context.date,
        "product": context.product,
        "target": context.target,
        "session": session,
        "environment": environment.as_table(context.product, session),
        "conclusion": conclusion.of_results(results, context.known, context.asked).as_table(),
        "profile": context.profile,
        "not_judged": [
            {"cause": str(one.cause), "cause_zh": one.remedy.cause_zh, "count": len(one.ids), "remedy": one.remedy.en,
             "remedy_zh": one.remedy.zh, "ids": list(one.ids)}
            for one in not_judged(results)
        ],
        "counts": {verdict.value: counts.get(verdict, 0) for verdict in Verdict},
        "known_failures": sorted(context.known),
        "rests_on": {
            "note": _(context.note),
            "explanation": _("T text of the standard's family, 1 one source, P ISO or PBOC, D decided by this project"),
            "vectors": dict(rests),
            "proof": proof_of(results),
            "flows": flows_of(results),
            "sources": {
                grade: sorted(
                    {known.readable(one.subject.source) for one in results if grade in grades(one.subject.source)}
                )
                for grade in "D1T"
            },
            "named": known.named(one.subject.source for one in results),
        },
        "vector_files": checksums,
        "basis": context.basis,
        "matrix": [
            {"id": row.id, "part": row.part, "label": row.label, "title": row.title, "title_zh": row.title_zh,
             "gap": row.gap, "cells": {name: len(ids) for name, ids in row.cells.items()},
             "proof": {kind: len(ids) for kind, ids in row.proof.items()}}
            for row in rows
        ],
        "results": [
            {
                "id": result.subject.id,
                "standard": result.subject.standard,
                "title": result.subject.title,
                "title_zh": result.subject.title_zh,
                "grade": result.subject.grade,
                "proof": result.subject.proof,
                "origin": result.subject.origin,
                "source": known.readable(result.subject.source),
                "profile": result.profile,
                "verdict": result.verdict.value,
                "known": result.subject.id in context.known,
                "reason": result.reason,
                "cause": str(result.cause),
                "seconds": round(result.seconds, 6),
                "steps": _steps(result),
                **{name: as_tables(changes) for name, changes in (("register", result.register),
                                                                  ("cards", result.cards)) if changes},
                "trace": trace_lines(result.trace, show_secrets=show_secrets),
                **({"session": result.heard.sha256} if result.heard else {}),
            }
            for result in results
        ],
    }  # fmt: skip
    return {**table, "stale_baseline": report_text.stale(table)}


def _steps(result: Result) -> list[dict[str, Any]]:
    of = [line.step for line in result.trace]
    lines = [line.number for line in result.trace]
    return [step.as_table(of, lines) for step in result.steps]


def session_of(data: bytes, events: Sequence[Event], date: str) -> dict[str, Any]:
    """What names a recorded session, when it was judged (see ``heard_in``), and when it was where its events tell."""
    times = [one.told("time") for one in events if one.time is not None]
    span = {"began": times[0], "ended": times[-1]} if times else {}
    return {**named(heard_in(data, events), date), **span}


def heard_in(data: bytes, events: Sequence[Event]) -> Heard:
    """What names a recorded session: its file's SHA-256, its cards by ATR less the chip's serial number, how many
    commands.
    """
    atrs = (
        interface.masked(bytes.fromhex(one.told("atr"))).hex().upper() for one in events if one.kind is EventKind.RESET
    )
    commands = sum(one.kind is EventKind.APDU for one in events)
    return Heard(sha256(data).hexdigest(), frozenset(atrs), commands)


def _session_of(results: Sequence[Result], context: Context) -> dict[str, Any]:
    """The same of a run's own sessions, one after another: the SHA-256 is over those of its results in their order."""
    heard = [result.heard for result in results if result.heard is not None]
    digest = sha256("".join(f"{one.sha256}\n" for one in heard).encode()).hexdigest()
    cards = frozenset(atr for one in heard for atr in one.cards)
    return named(Heard(digest, cards, sum(one.commands for one in heard)), context.date)


def named(heard: Heard, date: str) -> dict[str, Any]:
    """What names a session in a report; ``date``: when it was judged."""
    return {"sha256": heard.sha256, "date": date, "cards": sorted(heard.cards), "commands": heard.commands}


def junit(table: dict[str, Any]) -> str:
    """JUnit XML, as CI systems read it: not applicable and missing are skipped, undefined is an error."""
    table = visible_in(table)  # XML has no place for controls, escaped or not
    suites = ElementTree.Element("testsuites", name=table["target"])
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in table["results"]:
        groups.setdefault(result["standard"] or "other", []).append(result)
    for name, results in groups.items():
        suite = ElementTree.SubElement(suites, "testsuite", name=name, tests=str(len(results)))
        properties = ElementTree.SubElement(suite, "properties")
        for kind, number in Counter(one["proof"] for one in results if one["verdict"] in JUDGED).items():
            ElementTree.SubElement(properties, "property", name=f"proof.{kind}", value=str(number))
        for result in results:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"{result['profile']}.{name}", name=f"{result['id']} {result['title']}",
                time=f"{result['seconds']:.6f}",
            )  # fmt: skip
            kind = {Verdict.FAILED: "failure", Verdict.UNDEFINED: "error", Verdict.NOT_APPLICABLE: "skipped",
                    Verdict.MISSING: "skipped"}.get(result["verdict"])  # fmt: skip
            if kind == "failure" and result["known"]:
                kind = "skipped"
            if kind:
                told = ElementTree.SubElement(case, kind, message=f"{result['verdict']}: {result['reason']}")
                told.text = "\n".join(
                    f"{one.get('line', '')} {_step_of(one)}{one['command']} -> {one['answer']} "
                    f"{one['meaning']}".lstrip()
                    for one in result["trace"]
                )
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


def _step_of(line: Mapping[str, str]) -> str:
    return f"[{line['step']}] " if "step" in line else ""


def html(table: dict[str, Any]) -> str:
    """One page, nothing fetched from anywhere."""
    return page.html(table)


def write(to: Goal, table: dict[str, Any], trace: str = "", trace_page: str = "") -> None:
    """All forms into a folder, the trace that was judged and its page beside them, and a manifest; signed where there
    is a key.
    """
    table = {**table, **({"signer": to.signer} if to.signer else {})}
    text = json.dumps(table, ensure_ascii=False, indent=1) + "\n"
    shown = {**table, "sha256": sha256(text.encode()).hexdigest()}
    files = {"report.json": text, "junit.xml": junit(table), "report.html": html(shown)}
    files |= {name: told for name, told in ((TRACE, trace), (TRACE_PAGE, trace_page)) if told}
    for name in OURS - set(files):
        (to.folder / name).unlink(missing_ok=True)
    manifest.write(to, files)
    if to.pdf and (content := _pdf(to, shown)):
        manifest.write(to, {**files, PDF: content})


def _pdf(to: Goal, shown: Mapping[str, Any]) -> bytes:
    """The PDF; empty where this machine cannot set one, which is told."""
    if len(shown["results"]) >= MANY:
        to.note(_("{name} is being set; --no-pdf leaves it out").format(name=PDF))
    try:
        return page.pdf(shown)
    except CannotPrint as lack:
        to.note(_("there is no {name}: {lack}").format(name=PDF, lack=lack))
        return b""


def goal(
    folder: Path | None, sign: Path | None, *, pdf: bool = False, note: Callable[[str], None] = print
) -> Goal | None:
    """Where a report goes, checked before anything is run; None for none. ReportError; ``--sign`` needs a folder. For
    ``pdf`` and ``note`` see ``Goal``.
    """
    if folder is None:
        if sign is not None:
            raise SignedNothing(_("--sign needs --report: there is nothing to sign"))
        return None
    return replace(manifest.goal(folder, sign, OURS), pdf=pdf, note=note)


def verify(folder: Path, public: Path | None) -> str:
    """Checks a signed report, every file of it; who signed, in words. ReportError."""
    signer = manifest.fingerprint(manifest.verify(folder, public, NEEDED))
    report_file.load(folder)
    whose = (
        _("the key you named")
        if public
        else _("the key in {signature}, whoever has it").format(signature=manifest.SIGNATURE)
    )
    return _("every file of the report is whole and signed by {whose} (fingerprint {fingerprint})").format(
        whose=whose, fingerprint=signer
    )


class SignedNothing(ReportError):
    """A key was named, and no report."""

    kind = ErrorKind.USAGE
    exit_code = 2


def exchanges(trace: Sequence[Line], *, show_secrets: bool) -> str:
    """The last of what went between terminal and card, for a person at a screen."""
    lines = trace_lines(trace[-SHOWN:], show_secrets=show_secrets)
    return visible(
        "\n".join(
            f"{_step_of(one)}→ {one['command']}  {one['words']}\n← {one['answer']}  {one['meaning']}" for one in lines
        )
    )


SHOWN = 40
"""Exchanges of a failed test that are shown."""
