"""From a step to a request: the short forms written out, the request model asked whether it is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.office.operations import ALL
from harness.office.requests.models import Apply, ApplyBatch, Make, Request
from harness.scenarios.models import Instant, Step

OWN = "own"
"""In ``shown``: the document of the person whose matter it is; of an agent the agent's."""
WITH_ACCOUNT = "with_account"
"""What a card issued at once takes besides an application's fields: whether the bank account is opened too."""


def request(step: Step, people: Mapping[str, Any], profile: tuple[str, str], filled: Callable[[Any], Any]) -> Request:
    """The request of a step that asks the office. pydantic's ValidationError; LookupError for what it refers to.

    ``profile``: layout and algorithm of cards that are made. ``filled`` puts in what references mean.
    """
    at_once = isinstance(step.does, Instant)
    kind: type[Request] = Apply if at_once else ALL[step.operation].request
    table: dict[str, Any] = dict(filled(step.request_fields))
    if at_once:
        table.pop(WITH_ACCOUNT, None)
    person = people[step.around.for_] if step.around.for_ is not None else None
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


def _agent(short: Mapping[str, Any], people: Mapping[str, Any]) -> dict[str, Any]:
    person = people[short["is"]]
    who = {name: person[name] for name in ("name", "document", "phone")}
    rest = {name: value for name, value in short.items() if name != "is"}
    return {**who, **rest, "shown": _shown(short.get("shown", [OWN, "agent-commitment"]), person["document"])}


def _shown(documents: list[Any], own: Any) -> list[Any]:
    """Documents by their kind alone, or as they are."""
    return [
        (own if one == OWN and own is not None else {"type": one}) if isinstance(one, str) else one for one in documents
    ]
