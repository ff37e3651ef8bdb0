"""The rules, by what they are about."""

from __future__ import annotations

from harness.monitor.rule import Rule
from harness.monitor.rules import (
    answers,
    bank,
    certificates,
    challenge,
    contactless,
    pin,
    psam,
    rights,
    session,
    state,
    writing,
)

RULES: tuple[type[Rule], ...] = (
    *session.RULES,
    *answers.RULES,
    *contactless.RULES,
    *rights.RULES,
    *pin.RULES,
    *challenge.RULES,
    *certificates.RULES,
    *writing.RULES,
    *state.RULES,
    *bank.RULES,
    *psam.RULES,
)
