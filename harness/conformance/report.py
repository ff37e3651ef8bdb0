"""What a run found, as JSON, JUnit XML and one HTML page to hand in; a signature over the JSON, and its check."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata, resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jinja2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from emulator.sources import grades
from harness.conformance.bench import Line
from harness.conformance.coverage import Row
from harness.conformance.verdict import CHINESE, Result, Verdict
from harness.facts.register import register
from harness.faults.chip import BY_FAULT
from harness.trace import mask
from harness.trace.decode import answer_words, command_hex, command_words
from harness.trace.mask import PersonalData, Seen

FORMAT = 1
NAMES = ("report.json", "junit.xml", "report.html", "report.sig")


class ReportError(ValueError):
    """A report or signature that cannot be used, or is not right."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a report says besides its results. ``date`` in ISO 8601; ``product`` as the user names what was tested."""

    target: str
    profile: str
    date: str
    product: str
    known: frozenset[str]
    """Ids of vectors whose failure is in the baseline."""
    note: str = "无一可称为规范性条文：2023年印刷本不可得 Nothing here is normative: the 2023 print was not available"
    """What all of it rests on."""
    basis: str = "LD/T 6001"
    """What the matrix's rows are items of."""


def trace_lines(trace: Sequence[Line], *, show_secrets: bool) -> list[dict[str, str]]:
    """Exchanges as a person reads them; secrets, and whatever may say something of a person, as asterisks."""
    lines = []
    people = PersonalData()
    for line in trace:
        numbered = {"line": str(line.number)} if line.number else {}
        if not line.command:
            people.reset()
            atr = line.answer if show_secrets else mask.atr(line.answer)
            lines.append({**numbered, "command": "reset", "words": "", "answer": atr.hex().upper(), "meaning": ""})
            continue
        command, answer = people.seen(line.command, line.answer)
        if line.reason == BY_FAULT:  # it may be an earlier command's
            answer = mask.nothing_of(line.answer)
        words = line.reason or (answer_words(line.answer) if len(line.answer) > 1 else "")
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


def as_table(
    results: Sequence[Result], rows: Sequence[Row], context: Context, *, show_secrets: bool = False
) -> dict[str, Any]:
    """The whole report."""
    files = sorted({result.vector.path for result in results})
    checksums = {Path(name).name: sha256(Path(name).read_bytes()).hexdigest() for name in files if Path(name).is_file()}
    counts = Counter(result.verdict for result in results)
    rests = Counter(grade for result in results for grade in set(grades(result.vector.source)) if grade != "S")
    known = register()
    return {
        "format": FORMAT,
        "program": f"sscard {metadata.version('sscard')}",
        "date": context.date,
        "product": context.product,
        "target": context.target,
        "profile": context.profile,
        "counts": {verdict.value: counts.get(verdict, 0) for verdict in Verdict},
        "known_failures": sorted(context.known),
        "rests_on": {
            "note": context.note,
            "explanation": "T text of the standard's family, 1 one source, P ISO or PBOC, D decided by this project",
            "vectors": dict(rests),
            "sources": {
                grade: sorted(
                    {known.readable(one.vector.source) for one in results if grade in grades(one.vector.source)}
                )
                for grade in "D1T"
            },
            "named": known.named(one.vector.source for one in results),
        },
        "vector_files": checksums,
        "basis": context.basis,
        "matrix": [
            {"id": row.id, "part": row.part, "label": row.label, "title": row.title, "title_zh": row.title_zh,
             "gap": row.gap, "cells": {name: len(ids) for name, ids in row.cells.items()}}
            for row in rows
        ],
        "results": [
            {
                "id": result.vector.id,
                "standard": result.vector.standard,
                "title": result.vector.title,
                "title_zh": result.vector.title_zh,
                "grade": result.vector.grade,
                "source": known.readable(result.vector.source),
                "profile": result.profile,
                "verdict": result.verdict.value,
                "known": result.vector.id in context.known,
                "reason": result.reason,
                "seconds": round(result.seconds, 6),
                "trace": trace_lines(result.trace, show_secrets=show_secrets),
            }
            for result in results
        ],
    }  # fmt: skip


def junit(table: dict[str, Any]) -> str:
    """JUnit XML, as CI systems read it: not applicable and missing are skipped, undefined is an error."""
    suites = ElementTree.Element("testsuites", name=table["target"])
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in table["results"]:
        groups.setdefault(result["standard"] or "other", []).append(result)
    for name, results in groups.items():
        suite = ElementTree.SubElement(suites, "testsuite", name=name, tests=str(len(results)))
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
                    f"{one.get('line', '')} {one['command']} -> {one['answer']} {one['meaning']}".lstrip()
                    for one in result["trace"]
                )
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


def html(table: dict[str, Any]) -> str:
    """One page, nothing fetched from anywhere."""
    text = (resources.files(__package__) / "report.html.jinja").read_text(encoding="utf-8")
    chinese = {verdict.value: words for verdict, words in CHINESE.items()}
    return jinja2.Environment(autoescape=True).from_string(text).render(table=table, chinese=chinese)


def write(folder: Path, table: dict[str, Any], key: Path | None) -> None:
    """All forms into this folder; with a PEM Ed25519 key a signature over report.json too. ReportError."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(table, ensure_ascii=False, indent=1) + "\n"
    table = {**table, "sha256": sha256(text.encode()).hexdigest()}
    (folder / "report.json").write_text(text, encoding="utf-8")
    (folder / "junit.xml").write_text(junit(table), encoding="utf-8")
    (folder / "report.html").write_text(html(table), encoding="utf-8")
    (folder / "report.sig").unlink(missing_ok=True)
    if key is not None:
        private = _private(key)
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        signature = base64.b64encode(private.sign(text.encode())).decode()
        told = {"sha256": table["sha256"], "algorithm": "ed25519", "public_key": public, "signature": signature}
        (folder / "report.sig").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ReportError(f"{path}: no unencrypted PEM private key: {type(error).__name__}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ReportError(f"{path}: expected an Ed25519 key (openssl genpkey -algorithm ed25519)")
    return key


def verify(folder: Path, public: Path | None) -> str:
    """Checks report.json against report.sig; who signed, in words. ReportError where it is not right.

    ``public``: the signer's key in PEM, which the report must be signed with; without it only that some key signed it.
    """
    try:
        text = (folder / "report.json").read_bytes()
        told = json.loads((folder / "report.sig").read_text(encoding="utf-8"))
        signature, pem = base64.b64decode(told["signature"]), told["public_key"].encode()
        if public is not None:
            pem = public.read_bytes()
        key = load_pem_public_key(pem)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{folder}: expected report.json and report.sig: {error}") from None
    if told.get("sha256") != sha256(text).hexdigest():
        raise ReportError(f"{folder}: report.json was changed: its checksum is not the signed one")
    if not isinstance(key, Ed25519PublicKey):
        raise ReportError(f"{folder}: expected an Ed25519 key")
    try:
        key.verify(signature, text)
    except InvalidSignature:
        raise ReportError(f"{folder}: the signature is not right under that key") from None
    print_of = sha256(key.public_bytes_raw()).hexdigest()[:16]
    whose = "the key you named" if public else "the key in report.sig, whoever has it"
    return f"report.json is whole and signed by {whose} (fingerprint {print_of})"
