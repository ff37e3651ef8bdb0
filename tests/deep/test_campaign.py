"""A whole campaign: nothing fails here, and a cluster finds what this machine finds."""

from __future__ import annotations

from harness.campaign import shard
from harness.campaign.campaign import Campaign, Plan
from harness.campaign.shard import Part
from harness.conformance import judgement
from harness.proving.executor import Runs, opened
from harness.verdicts.conclusion import OPEN
from harness.verdicts.verdict import Result
from tests.kit import planted
from tests.kit.cluster import cluster

MINUTES = 3.0


def told(runs: Runs, plan: Plan) -> list[tuple[str, str, str, str]]:
    done = Campaign(plan)
    done.run(runs)
    return [(one.subject.id, one.profile, one.verdict, one.reason) for one in done.verdicts()]


def bad(results: list[Result]) -> list[tuple[str, str, str]]:
    return [
        (one.subject.id, one.profile, one.reason)
        for one in results
        if one.verdict in (*OPEN, "failed")
    ]  # fmt: skip


def test_nothing_fails_in_a_campaign_of_all_parts() -> None:
    done = Campaign(Plan(tuple(shard.kinds()), minutes=MINUTES, seed=20261126))
    done.prepare()
    with opened() as runs:
        done.run(runs)
    results = done.verdicts()
    assert bad(results) == []
    assert judgement.exit_code(results) == 0
    assert sum(done.commands.values()) > 100_000


def test_a_cluster_finds_what_this_machine_finds() -> None:
    parts = (Part.FIELD, Part.COMMANDS, Part.FLOWS)
    plan = Plan(tuple(shard.kinds(["3.00-sm4"])), parts, rounds=1, seed=5, planted=planted.second_wrong_pin)
    with opened(jobs=2) as runs:
        here = told(runs, plan)
    with cluster() as found, opened(found.address) as runs:
        assert told(runs, plan) == here
    assert any("CAMPAIGN" in name and verdict == "failed" for name, _, verdict, _ in here)
