"""From a step to a request: the short forms written out, the request model asked whether it is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.office.operations import ALL
from harness.office.requests.models import Apply, ApplyBatch, Make, Request

OWN = "own"
"""In ``shown``: the document of the person whose matter it is; of an agent the agent's."""


def request(
    step: Mapping[str, Any], people: Mapping[str, Any], profile: tuple[str, str], filled: Callable[[Any], Any]
) -> Request:
    """The request of a ``do`` or ``instant`` step. pydantic's ValidationError; LookupError for what it refers to.

    ``profile``: layout and algorithm of cards that are made. ``filled`` puts in what references mean.
    """
    kind: type[Request] = Apply if "instant" in step else ALL[step["do"]].request
    table: dict[str, Any] = dict(filled(step.get("with", {})))
    table.pop("with_account", None) if "instant" in step else None
    person = people[step["for"]] if "for" in step else None
    own = person["document"] if person else None
    if own is not None and not issubclass(kind, ApplyBatch):
        table.setdefault("shown", [OWN])
        if issubclass(kind, Apply):
            table.setdefault("person", person)
        else:
            table.setdefault("holder", own)
    if issubclass(kind, Make):
        table = {"layout": profile[0], "algorithm": profile[1], **table}
    if "shown" in table:
        table["shown"] = _shown(table["shown"], own)
    if isinstance(table.get("agent"), Mapping) and "is" in table["agent"]:
        table["agent"] = _agent(table["agent"], people)
    return kind.model_validate(table)


def _agent(told: Mapping[str, Any], people: Mapping[str, Any]) -> dict[str, Any]:
    person = people[told["is"]]
    who = {name: person[name] for name in ("name", "document", "phone")}
    rest = {name: value for name, value in told.items() if name != "is"}
    return {**who, **rest, "shown": _shown(told.get("shown", [OWN, "agent-commitment"]), person["document"])}


def _shown(documents: list[Any], own: Any) -> list[Any]:
    """Documents by their kind alone, or as they are."""
    return [
        (own if one == OWN and own is not None else {"type": one}) if isinstance(one, str) else one for one in documents
    ]
