"""What browsers are told: the newest of each kind, and nothing twice."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from harness.studio.hub import MOST_STREAMS, Hub


def told(hub: Hub, *acts: Any) -> list[tuple[str, Any]]:
    """What one browser hears, while these things happen one after another."""

    async def hear() -> list[tuple[str, Any]]:
        heard: list[tuple[str, Any]] = []
        left = list(acts)
        async for text in hub.stream():
            if text.startswith("event: "):
                head, data, *_ = text.splitlines()
                heard.append((head.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
            if len(heard) >= 1 and left:
                left.pop(0)()
            elif not left and heard and hub.latest("end") is not None:
                hub.end()
        return heard

    return asyncio.run(asyncio.wait_for(hear(), 10))


def test_a_browser_hears_how_things_are_and_then_only_the_newest_of_each_kind() -> None:
    hub = Hub()
    hub.publish("slots", [1])
    hub.publish("slots", [2])

    def burst() -> None:
        for number in range(1000):
            hub.publish("rows", number)
        hub.publish("end", True)

    assert told(hub, burst) == [("slots", [2]), ("rows", 999), ("end", True)]


def test_what_changed_is_looked_up_when_a_browser_is_told() -> None:
    hub = Hub()
    count = [0]
    hub.changed("rows", lambda: count[0])
    count[0] = 7
    assert told(hub, lambda: hub.publish("end", True)) == [("rows", 7), ("end", True)]


def test_what_cannot_be_told_takes_nothing_else_from_the_browsers() -> None:
    hub = Hub()

    def broken() -> Any:
        raise OSError("a full disk")

    hub.changed("jobs", broken)
    hub.publish("rows", float("nan"))
    hub.publish("slots", ["\ud800 half of a character\u2028\n\nevent: run"])
    assert told(hub, lambda: hub.publish("end", True)) == [
        ("slots", ["\ud800 half of a character\u2028\n\nevent: run"]),
        ("end", True),
    ]


def test_one_stream_too_many_ends_the_oldest_and_no_other() -> None:
    hub = Hub()
    hub.publish("slots", [])

    async def many() -> None:
        streams = [hub.stream() for _ in range(MOST_STREAMS + 1)]
        for one in streams:
            await anext(one)
        assert [text async for text in streams[0]] == []
        for one in streams[1:]:
            assert "slots" in await anext(one)
            await one.aclose()

    asyncio.run(asyncio.wait_for(many(), 10))
