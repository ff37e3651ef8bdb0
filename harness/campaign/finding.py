"""What a campaign found: the fewest deeds that show it, and the vector that a person reads and runs again."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from emulator.crypto import suite
from emulator.messages import _
from emulator.messages.reasons import why
from emulator.textfiles import writing
from harness.campaign.deeds import Challenge, Deed
from harness.campaign.model import REFUSALS
from harness.campaign.session import Kind, Planted, Session, Wrong, first_wrong
from harness.campaign.shrink import minimal, plain
from harness.conformance import runner
from harness.conformance import vector as vectors
from harness.conformance.generate import Dumper
from harness.conformance.targets.virtual import Virtual
from harness.verdicts.subject import Grade, Proof, Subject
from harness.verdicts.verdict import Verdict

ANOTHER = "another chance"
"""What the card's chance begins with when a case is played again: with other challenges than the first time."""
REPLAYS = 1500
"""How often a case is played to make it small."""
FEW = 4
"""Status words that a title names; more are a refusal, in a word."""
HEADING = (
    "# Found by `sscard campaign` and made small: the last step is the one that fails.\n"
    "# 由`sscard campaign`发现并缩减：失败的是最后一步。\n"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """``deeds``: the last one fails; ``wrong``: how; ``sent``: what went over, a reset without a command. ``chance``:
    what the card's chance begins with; ``always``: it fails with another one too.
    """

    kind: Kind
    deeds: tuple[Deed, ...]
    wrong: Wrong
    sent: tuple[tuple[bytes, bytes], ...]
    chance: str
    always: bool

    @property
    def id(self) -> str:
        """An id of the case, the same wherever it is found."""
        told = f"{self.kind} {self.deeds} {self.wrong.signature}"
        return f"CAMPAIGN-{sha256(told.encode()).hexdigest()[:8].upper()}"

    @property
    def subject(self) -> Subject:
        """What the verdict is on."""
        title, title_zh = self._titles()
        return Subject(self.id, title, title_zh, "", Grade.OWN, "[D]", proof=Proof.OWN)

    @property
    def words(self) -> str:
        """What was sent, what came, and what ought to have."""
        wrong = self.wrong
        came = wrong.answer.hex().upper() or _("nothing")
        if wrong.expected is None:
            return _("{command} got {came}: {words}").format(
                command=wrong.command.hex().upper(), came=came, words=why(wrong.words)
            )
        return _("{command} got {came}, expected {expected}: {words}").format(
            command=wrong.command.hex().upper(),
            came=came,
            expected=" / ".join(_readable(wrong)),
            words=why(wrong.words),
        )

    def _titles(self) -> tuple[str, str]:
        wrong = self.wrong
        got, ins = wrong.answer[-2:].hex().upper() or "–", wrong.command[1:2].hex().upper()
        if wrong.torn:
            return f"INS {ins}: {wrong.words}", f"指令{ins}执行中断电，留下新旧混合的内容"
        if wrong.expected is None:
            return f"INS {ins} got {got}: {wrong.words}", f"指令{ins}得到{got}，却改动了不应改动的内容"
        sws = _patterns(wrong.expected.sws)
        meant = "、".join(sws) if len(sws) < FEW else "拒绝"
        return f"INS {ins} got {got}: {wrong.words}", f"指令{ins}得到{got}，应为{meant}"

    def document(self) -> dict[str, Any]:
        """Returns the vector's document."""
        title, title_zh = self._titles()
        return {
            "schema": 1,
            "id": self.id,
            "title": title,
            "title_zh": title_zh,
            "grade": "own",
            "source": "[D] what sscard campaign holds every answer against: harness/campaign/model.py",
            "versions": [self.kind.version],
            "algorithms": [self.kind.algorithm],
            "persona": self.kind.persona,
            "follows": "none",
            "destructive": True,
            "costs_tries": True,
            "steps": self._steps(),
        }

    def _steps(self) -> list[dict[str, Any]]:
        steps, challenged = [], False
        block = suite(self.kind.algorithm).block
        for number, (deed, (__, answer)) in enumerate(zip(self.deeds, self.sent, strict=True), 1):
            step = deed.step(challenged=challenged, block=block)
            last = number == len(self.deeds)
            if isinstance(deed, Challenge):
                if answer[-2:] == b"\x90\x00":
                    challenged = True
                else:
                    step.pop("capture")
            if last and self.wrong.torn:
                step = {**{name: one for name, one in step.items() if name != "apdu"}, "tear": {"apdu": step["apdu"]}}
            elif last:
                step |= self._expectation()
            elif "reset" not in step:
                step["accept"] = "any"
            steps.append(step)
        return steps

    def _expectation(self) -> dict[str, Any]:
        expected = self.wrong.expected
        if expected is None:
            return {"expect": {"sw": list(_patterns(REFUSALS))}}
        told: dict[str, Any] = {"sw": list(_patterns(expected.sws))}
        if len(told["sw"]) == 1:
            told["sw"] = told["sw"][0]
        if expected.data is not None:
            told["data"] = expected.data.hex().upper()
        return {"expect": told}

    def written(self, folder: Path) -> Path:
        """Writes the vector into a folder; returns its file, which is named after the id. WritingError."""
        path = folder / f"{self.id}.yaml"
        text = HEADING + yaml.dump(self.document(), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=120)
        with writing.named(path):
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return path


def shows(finding: Finding, path: Path) -> bool:
    """Whether its vector fails on a virtual card of its kind here, as it must to show what was found."""
    (vector,) = vectors.load(path)
    return runner.run_one(vector, Virtual(finding.kind.layout, finding.kind.algorithm)).verdict is Verdict.FAILED


def small(kind: Kind, deeds: Sequence[Deed], wrong: Wrong, chance: str, planted: Planted, *, torn: bool) -> Finding:
    """Makes a failing case small. ``deeds``: the last one failed, as ``wrong`` says, with this ``chance``."""
    replays = 0

    def played(tried: Sequence[Deed], beginning: str) -> tuple[Session, tuple[int, Wrong] | None]:
        session = Session(kind, random.Random(beginning), planted, torn)
        return session, first_wrong(session, tried)

    def fails_so(tried: Sequence[Deed], beginning: str) -> bool:
        found = played(tried, beginning)[1]
        return found is not None and found[0] == len(tried) - 1 and found[1].signature == wrong.signature

    always = fails_so(deeds, ANOTHER)
    beginning = ANOTHER if always else chance

    def fails(tried: Sequence[Deed]) -> bool:
        nonlocal replays
        replays += 1
        return replays <= REPLAYS and fails_so(tried, beginning)

    fewest, before = list(deeds), None
    while fewest != before:  # what is plainer may need fewer, and the other way round
        before, fewest = fewest, plain(minimal(fewest, fails), fails)
    session, found = played(fewest, beginning)
    last = found[1] if found is not None else wrong
    return Finding(kind, tuple(fewest), last, tuple(session.sent), beginning, always)


def _patterns(sws: Sequence[str]) -> list[str]:
    """Patterns of status words as vectors write them: a digit or x for any."""
    found = []
    for pattern in sws:
        digits = re.findall(r"\[[^]]*\]|.", pattern)
        spread = [""]
        for digit in digits:
            choices = ["x"] if digit in ("?", "[0-9A-F]") else _choices(digit)
            spread = [one + choice for one in spread for choice in choices]
        found += spread
    return list(dict.fromkeys(found))


def _choices(digit: str) -> list[str]:
    if not digit.startswith("["):
        return [digit]
    return [one for one in "0123456789ABCDEF" if re.fullmatch(digit, one)]


def _readable(wrong: Wrong) -> list[str]:
    assert wrong.expected is not None
    if set(REFUSALS) <= set(wrong.expected.sws):
        rest = [one for one in wrong.expected.sws if one not in REFUSALS]
        return [*_patterns(rest), _("a refusal")]
    return _patterns(wrong.expected.sws)
