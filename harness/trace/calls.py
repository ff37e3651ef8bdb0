"""Calls of the driver library in a trace: what of them may stand there, and how they are told.

What is known to be harmless passes: whole numbers, and addresses of items. Of what else was given it is only told that
it was: values of items only where personal data are kept, what a machine computed only where secrets are shown. What
is entered at the PIN pad is never told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"
ADDRESS = "pFileAddr"
ADDRESSES = re.compile(r"((SSSE|MF|DF[0-9A-F]{2})EF[0-9A-F]{2}(:[0-9]{2}|(\|[0-9A-F]{2}(:[0-9A-F]{2})?)*)\|?\$)+")
"""What names items, and has no room for a value."""
PERSONAL = frozenset({"pCardInfo", "pWriteData", "pPayInfo", "pInData", "pClearText", "pCert", "pSignature"})
SECRET = frozenset({"pKey", "pUserPin"})
SECRET_OUT = frozenset({"iReloadPIN_HSM_Step2"})
"""Functions whose pOutInfo holds a PIN, for the machine."""


def told(
    function: str,
    values: Mapping[str, int | str],
    out: str,
    *,
    personal_data: bool = False,
    show_secrets: bool = False,
) -> dict[str, Any]:
    """What a call was given and gave, as far as it may be told: ``arguments``, ``out``, and ``masked`` where something
    was held back.
    """
    passes = PERSONAL if personal_data else frozenset()
    passes |= SECRET if show_secrets else frozenset()
    arguments = {name: _argument(name, value, passes) for name, value in values.items()}
    table: dict[str, Any] = {"arguments": arguments} if arguments else {}
    if out:
        free = personal_data and (show_secrets or function not in SECRET_OUT)
        table["out"] = out if free else HIDDEN
    if HIDDEN in (*arguments.values(), table.get("out")):
        table["masked"] = True
    return table


def _argument(name: str, value: int | str, passes: frozenset[str]) -> int | str:
    if isinstance(value, int):
        return value
    if name in passes or (name == ADDRESS and ADDRESSES.fullmatch(value)):
        return value
    return HIDDEN if value else ""


def masked(table: dict[str, Any]) -> dict[str, Any]:
    """A call of a trace as one recorded without options has it."""
    arguments = table.get("arguments", {})
    out = table.get("out", "")
    kept = {name: value for name, value in table.items() if name not in ("arguments", "out", "masked")}
    if not isinstance(arguments, dict) or not isinstance(out, str):
        return kept
    given = {name: value for name, value in arguments.items() if isinstance(value, int | str)}
    return kept | told(str(table.get("function", "")), given, out)


def words(table: Mapping[str, Any]) -> str:
    """``iVerifyPIN(iType=1) → -51 密码错误 PIN wrong``."""
    arguments = table.get("arguments", {})
    given = ", ".join(f"{name}={value}" for name, value in arguments.items()) if isinstance(arguments, dict) else ""
    reason = table.get("reason", "")
    told_out = f" {table['out']}" if isinstance(table.get("out"), str) else ""
    return f"{table.get('function', '')}({given}) → {table.get('code')}{f' {reason}' if reason else ''}{told_out}"
