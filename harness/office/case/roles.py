"""Which roles an operation is for, as its rules say: asked before anybody is let in."""

from __future__ import annotations

from typing import Any

from harness.office.case.operation import Operation
from harness.office.vocabulary import Role

BY_RULE = {
    "MANAGEMENT-BODY": frozenset({Role.ADMINISTRATOR}),
    "BANK-ONLY": frozenset({Role.BANK}),
    "SOCIAL-FUNCTION": frozenset({Role.CLERK, Role.ADMINISTRATOR}),
}
SERVICE = BY_RULE["SOCIAL-FUNCTION"]
"""Whoever serves on the social security function."""


def of(operation: Operation[Any]) -> frozenset[Role]:
    """Who may ask for it at all; its other rules look at the case."""
    for rule in operation.rules:
        if rule.id in BY_RULE:
            return BY_RULE[rule.id]
    return frozenset(Role)
