"""Which roles an operation is for: asked before anybody is let in, and first among its rules."""

from __future__ import annotations

from dataclasses import dataclass

from harness.office.case.rule import Rule
from harness.office.measures.articles import Citation
from harness.office.vocabulary import Role

C = Citation
SERVICE = frozenset({Role.CLERK, Role.ADMINISTRATOR})
"""Whoever serves on the social security function."""

NOT_BANK_ROLE = Rule(
    "SOCIAL-FUNCTION",
    C(6),
    "社保功能业务由经办人员办理；银行角色只办理银行账户业务",
    "the social security function is a clerk's; the bank's role is for the bank account only",
    lambda case: case.clerk.role in SERVICE,
    grade="D",
)
ADMINISTRATOR = Rule(
    "MANAGEMENT-BODY",
    C(3),
    "该业务由卡管理机构承担",
    "this is the card management body's",
    lambda case: case.clerk.role is Role.ADMINISTRATOR,
)
BANK_ONLY = Rule(
    "BANK-ONLY",
    C(7),
    "银行账户的开立、启用、挂失、解挂、密码修改与重置、注销等业务，按发卡银行有关规定由银行办理",
    "opening, activating, losing, lifting, PIN and closing of the bank account are the issuing bank's own business",
    lambda case: case.clerk.role is Role.BANK and case.clerk.outlet.bank_code == case.own_card.bank_code,
)


@dataclass(frozen=True, slots=True)
class Roles:
    """``allowed``: who may ask at all. ``rule``: what the others are told, by which article; None where all may."""

    allowed: frozenset[Role]
    rule: Rule | None


EVERY_ROLE = Roles(frozenset(Role), None)
SOCIAL_FUNCTION = Roles(SERVICE, NOT_BANK_ROLE)
MANAGEMENT_BODY = Roles(frozenset({Role.ADMINISTRATOR}), ADMINISTRATOR)
ISSUING_BANK = Roles(frozenset({Role.BANK}), BANK_ONLY)
"""Of the issuing banks the one whose card it is, which the rule sees to."""
