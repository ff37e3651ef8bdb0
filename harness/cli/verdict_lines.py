"""Verdicts on a terminal: the tone of each, and the line that counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from harness.cli.lines import Tone, say
from harness.verdicts.verdict import Verdict, in_words

TONES = {
    Verdict.PASSED: Tone.GOOD,
    Verdict.WARNING: Tone.DOUBTFUL,
    Verdict.FAILED: Tone.BAD,
    Verdict.UNDEFINED: Tone.BAD,
    Verdict.MISSING: Tone.DOUBTFUL,
}
"""By verdict; what is not applicable has none."""
WORST_FIRST = (Verdict.FAILED, Verdict.UNDEFINED, Verdict.MISSING, Verdict.WARNING, Verdict.PASSED)


def say_counts(verdicts: Iterable[Verdict]) -> None:
    """How many came to each verdict, in the tone of the worst; an empty line where there was none."""
    counts = Counter(verdicts)
    worst = next((one for one in WORST_FIRST if counts[one]), None)
    line = ", ".join(f"{counts[one]} {in_words(one)}" for one in Verdict if counts[one])
    say(line, tone=TONES[worst] if worst else None)
