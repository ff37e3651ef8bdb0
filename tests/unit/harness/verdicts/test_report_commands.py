"""`sscard report show|diff|merge` on reports of real runs: what they come to, what became worse, what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.verdicts.verdict import Verdict
from tests.kit.cards import SSSE
from tests.unit.harness.cli.test_cli import run
from tests.unit.harness.cli.test_monitor_command import recorded

VECTOR = """\
---
schema: 1
id: MINE-{name}
standard: SSSE_RECORD
title: tried {name}
title_zh: 试{name}
grade: own
source: "ours [D]"
{more}steps:
  - select: SSSE
  - read: SSSE/EF05/07
    expect: {{length: {length}}}
"""
GOOD, BAD = 11, 12
SM4 = 'algorithms: ["sm4"]\n'


def vectors(path: Path, **lengths: int) -> Path:
    """Vectors that read a card's number, each with the length that it expects."""
    texts = (VECTOR.format(name=name, length=length, more="") for name, length in lengths.items())
    path.write_text("".join(texts), encoding="utf-8")
    return path


def report(folder: Path, *more: str, code: int = 0, profile: str = "3.00-3des", **lengths: int) -> Path:
    """A run's report."""
    path = vectors(folder.with_suffix(".yaml"), **lengths)
    run("vectors", "run", str(path), "--profile", profile, "--report", str(folder), *more, expect=code)
    return folder


def table(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


# --- show ------------------------------------------------------------------------------------------------------------


def test_a_report_is_shown_with_what_it_comes_to_first_and_ends_with_that(tmp_path: Path) -> None:
    good = report(tmp_path / "good", A=GOOD)
    told = run("report", "show", str(good)).stdout.splitlines()
    assert (
        told[:3] == ["符合 conforms", "  已判定1项，无一未通过", "  Of 1 case that was judged none failed"] or told[1]
    )
    assert told[-1].startswith("not signed 未签名")
    bad = report(tmp_path / "bad", code=1, A=BAD, B=GOOD)
    told = run("report", "show", str(bad / "report.json"), expect=1).stdout.splitlines()
    assert told[0] == "不符合 does not conform"
    assert any(line.startswith("MINE-A [3.00-3des]: failed 未通过: step 2") for line in told)
    assert not any(line.startswith("MINE-B") for line in told)


def test_a_report_is_shown_to_programs_too(tmp_path: Path) -> None:
    bad = report(tmp_path / "bad", "--product", "Card 7", code=1, A=BAD, B=GOOD)
    shown = json.loads(run("report", "show", str(bad), "--json", expect=1).stdout)
    assert shown["conclusion"]["verdict"] == "does not conform"
    assert [(one["id"], one["verdict"]) for one in shown["findings"]] == [("MINE-A", "failed")]
    assert shown["product"] == "Card 7"
    assert shown["sha256"] == sha256((bad / "report.json").read_bytes()).hexdigest()
    assert shown["seal"] == {"state": "not signed", "fingerprint": ""}


def test_what_was_not_judged_is_not_green(tmp_path: Path) -> None:
    only_sm4 = tmp_path / "sm4.yaml"
    only_sm4.write_text(VECTOR.format(name="A", length=GOOD, more=SM4), encoding="utf-8")
    run("vectors", "run", str(only_sm4), "--profile", "3.00-3des", "--report", "r", expect=4)
    assert run("report", "show", "r", expect=4).stdout.startswith("未能判定 not judged\n")


def _verdict(found: dict[str, Any]) -> None:
    found["results"][0]["verdict"] = "passed"


def _conclusion(found: dict[str, Any]) -> None:
    found["conclusion"]["verdict"] = "conforms"


def _counts(found: dict[str, Any]) -> None:
    _verdict(found)
    _conclusion(found)


@pytest.mark.parametrize("change", [_verdict, _conclusion, _counts])
def test_a_report_that_says_something_else_than_its_results_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    """Without a manifest too, which whoever changes a file can make anew."""
    bad = report(tmp_path / "bad", code=1, A=BAD)
    found = table(bad)
    change(found)
    alone = tmp_path / "alone.json"
    alone.write_text(json.dumps(found), encoding="utf-8")
    assert "was altered" in run("report", "show", str(alone), expect=1).stderr
    (bad / "report.json").write_text(json.dumps(found), encoding="utf-8")
    assert "report.json was altered" in run("report", "show", str(bad), expect=1).stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected JSON"),
        ("[]", "expected a report.json"),
        ('{"event": "apdu"}', "expected a report.json"),
        ('{"format": 9, "results": []}', "expected a report of format 1, found 9"),
        ('{"format": 1, "results": []}', "program is missing"),
        ('{"format": 1, "format": 1, "results": []}', "expected JSON"),
    ],
)
def test_what_is_no_report_is_wrong_input(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    assert why in run("report", "show", "x.json", expect=2).stderr
    assert why in run("report", "diff", "x.json", "x.json", expect=2).stderr


def test_a_row_that_is_none_is_named_by_its_place(tmp_path: Path) -> None:
    found = table(report(tmp_path / "r", A=GOOD, B=GOOD))
    for change in ({"verdict": "fine"}, {"profile": 3}, {"proof": "faith"}):
        rows = [found["results"][0], {**found["results"][1], **change}]
        (tmp_path / "x.json").write_text(json.dumps({**found, "results": rows}), encoding="utf-8")
        told = run("report", "show", "x.json", expect=2).stderr
        assert "not a report" in told
        assert ("results.1." in told) == ("proof" not in change)


def test_there_is_no_report_where_there_is_none(tmp_path: Path) -> None:
    assert "there is no report" in run("report", "show", str(tmp_path), expect=2).stderr


# --- diff ------------------------------------------------------------------------------------------------------------


def kinds(*arguments: str, code: int) -> dict[str, str]:
    shown = json.loads(run("report", "diff", *arguments, "--json", expect=code).stdout)
    return {one["id"].removeprefix("MINE-"): one["kind"] for one in shown["cases"]}


def test_a_diff_tells_what_became_worse_and_what_was_mended(tmp_path: Path) -> None:
    report(tmp_path / "old", code=1, A=GOOD, B=BAD, C=GOOD, D=BAD)
    report(tmp_path / "new", code=1, A=BAD, B=GOOD, D=BAD, E=GOOD)
    assert kinds("old", "new", code=1) == {"A": "new failure", "B": "mended", "C": "gone", "E": "new"}
    text = run("report", "diff", "old", "new", expect=1).stdout
    assert "新的未通过 new failure: MINE-A [3.00-3des]: passed 通过 → failed 未通过: step 2" in text
    assert text.splitlines()[-1].endswith("1 the same 不变")
    assert run("report", "diff", "old", "old").stdout == "4 the same 不变\n"


def test_a_diff_first_tells_what_both_were_made_with(tmp_path: Path) -> None:
    report(tmp_path / "old", "--product", "Card 1", A=GOOD)
    report(tmp_path / "new", "--product", "Card 2", A=GOOD)
    told = run("report", "diff", "old", "new").stdout.splitlines()
    assert told[0] == "product: Card 1 → Card 2"
    assert told[1].startswith("options: vectors run old.yaml")


def test_what_is_judged_no_more_is_not_green(tmp_path: Path) -> None:
    report(tmp_path / "old", A=GOOD, B=GOOD)
    report(tmp_path / "new", A=GOOD)
    assert kinds("old", "new", code=4) == {"B": "gone"}
    assert kinds("new", "old", code=0) == {"B": "new"}


def test_a_failure_that_the_baseline_knows_is_not_worse(tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text("MINE-A\n", encoding="utf-8")
    report(tmp_path / "old", A=GOOD)
    report(tmp_path / "new", "--baseline", "known.txt", A=BAD)
    assert kinds("old", "new", code=0) == {"A": "changed"}
    report(tmp_path / "newer", code=1, A=BAD)
    assert kinds("new", "newer", code=1) == {"A": "new failure"}, "it is known no more"


def test_reports_of_different_things_are_not_compared(tmp_path: Path) -> None:
    report(tmp_path / "cards", A=GOOD)
    run("scenarios", "run", "--only", "OFFICE-24-WITHIN_THE_PROVINCE", "--profile", "3.00-sm4", "--report", "office")
    assert "no case in common" in run("report", "diff", "cards", "office", expect=2).stderr
    assert "cannot stand in one report" in run("report", "merge", "cards", "office", "-o", "m", expect=2).stderr


# --- merge -----------------------------------------------------------------------------------------------------------


def test_shards_become_one_report_with_its_parts_named(tmp_path: Path, key: Path) -> None:
    one = report(tmp_path / "one", "--sign", str(key), A=GOOD)
    two = report(tmp_path / "two", code=1, B=BAD)
    told = run("report", "merge", "one", "two", "-o", "all", "--sign", str(key), expect=1)
    assert told.stdout == "不符合 does not conform: 1 passed 通过, 1 failed 未通过\n"
    assert "not signed: two" in told.stderr
    merged = table(tmp_path / "all")
    assert [row["id"] for row in merged["results"]] == ["MINE-A", "MINE-B"]
    assert merged["counts"] == {one.value: (one in (Verdict.PASSED, Verdict.FAILED)) * 1 for one in Verdict}
    signer = table(one)["signer"]["fingerprint"]
    assert [(part["name"], part["sha256"], part["fingerprint"]) for part in merged["parts"]] == [
        (place.name, sha256((place / "report.json").read_bytes()).hexdigest(), known)
        for place, known in ((one, signer), (two, ""))
    ]
    assert merged["signer"]["fingerprint"] == signer
    run("report", "verify", "all")
    assert "merged from 合并自:" in run("report", "show", "all", expect=1).stdout


def test_a_merged_report_rests_on_what_its_parts_rest_on(tmp_path: Path) -> None:
    """Held against one run of all, which never was in parts."""
    report(tmp_path / "one", A=GOOD)
    report(tmp_path / "two", profile="3.00-sm4", A=GOOD)
    whole = vectors(tmp_path / "whole.yaml", A=GOOD)
    run("vectors", "run", str(whole), "--profile", "3.00-3des", "--profile", "3.00-sm4", "--report", "whole")
    run("report", "merge", "one", "two", "-o", "all")
    merged, made = table(tmp_path / "all"), table(tmp_path / "whole")
    for name in ("counts", "rests_on", "matrix", "not_judged", "known_failures", "basis"):
        assert merged[name] == made[name], name
    assert merged["conclusion"] == made["conclusion"]
    assert merged["session"]["commands"] == made["session"]["commands"]
    assert set(made) - set(merged) == set()


def test_a_case_in_two_parts_must_be_the_same_or_the_latest_counts(tmp_path: Path) -> None:
    report(tmp_path / "old", code=1, A=BAD, B=GOOD)
    report(tmp_path / "new", A=GOOD)
    told = run("report", "merge", "old", "new", "-o", "all", expect=1).stderr
    assert "MINE-A [3.00-3des] is failed in old/report.json and passed in new/report.json" in told
    assert not (tmp_path / "all").exists()
    found = table(tmp_path / "new")
    found["environment"]["ended"] = "2099-01-01T00:00:00+08:00"
    (tmp_path / "later.json").write_text(json.dumps(found), encoding="utf-8")
    assert "符合 conforms: 2 passed" in run("report", "merge", "later.json", "old", "-o", "all", "--latest").stdout
    found["environment"]["ended"] = "1999-01-01T00:00:00+08:00"
    (tmp_path / "earlier.json").write_text(json.dumps(found), encoding="utf-8")
    run("report", "merge", "earlier.json", "old", "-o", "all", "--latest", expect=1)


def test_of_several_sessions_of_a_terminal_the_gravest_counts(tmp_path: Path) -> None:
    """A rule that one session gave no cause to judge is no other finding."""
    wrong = "00200000" + "06" + "31" * 6
    recorded(tmp_path / "quiet.jsonl", SSSE, "00C000001E")
    recorded(tmp_path / "good.jsonl", SSSE, wrong)
    recorded(tmp_path / "bad.jsonl", SSSE, wrong, wrong)
    for name, code in (("quiet", 0), ("good", 0), ("bad", 1)):
        run("monitor", f"{name}.jsonl", "--report", name, expect=code)
    told = run("report", "merge", "good", "bad", "-o", "all", expect=1).stderr
    assert "say which counts with --latest or --worst" in told
    run("report", "merge", "bad", "good", "quiet", "-o", "all", "--worst", expect=1)
    verdicts = {row["id"]: row["verdict"] for row in table(tmp_path / "all")["results"]}
    assert (verdicts["PIN-KNOWN-WRONG"], verdicts["ANSWER-GET"]) == ("failed", "passed")
    run("report", "merge", "quiet", "good", "-o", "both")
    assert "choose one" in run("report", "merge", "a", "b", "-o", "c", "--latest", "--worst", expect=2).stderr


def test_what_cannot_be_merged_is_refused(tmp_path: Path) -> None:
    one = report(tmp_path / "one", A=GOOD)
    assert "two reports or more" in run("report", "merge", "one", "-o", "m", expect=2).stderr
    assert "are the same report" in run("report", "merge", "one", "one", "-o", "m", expect=2).stderr
    report(tmp_path / "two", B=GOOD)
    assert "is one of the reports" in run("report", "merge", "one", "two", "-o", "one", expect=2).stderr
    assert [row["id"] for row in table(one)["results"]] == ["MINE-A"], "it was left as it was"
    (one / "report.json").write_text((one / "report.json").read_text(encoding="utf-8").replace("MINE-A", "MINE-Z"))
    assert "report.json was altered" in run("report", "merge", "one", "two", "-o", "m", expect=1).stderr


def test_parts_of_other_versions_are_told(tmp_path: Path) -> None:
    report(tmp_path / "one", A=GOOD)
    found = table(report(tmp_path / "two", B=GOOD))
    (tmp_path / "two.json").write_text(json.dumps({**found, "program": "sscard 0.1.0"}), encoding="utf-8")
    assert "different versions: sscard 0.1.0, sscard" in run("report", "merge", "one", "two.json", "-o", "m").stderr
    assert table(tmp_path / "m")["program"].endswith("; sscard 0.1.0")


def test_a_merged_reports_signature_covers_what_it_says_of_its_parts(tmp_path: Path, key: Path) -> None:
    report(tmp_path / "one", A=GOOD)
    report(tmp_path / "two", B=GOOD)
    run("report", "merge", "one", "two", "-o", "all", "--sign", str(key))
    signature = json.loads((tmp_path / "all" / "manifest.sig").read_text(encoding="utf-8"))
    assert len(base64.b64decode(signature["signature"])) == 64
    text = (tmp_path / "all" / "report.json").read_text(encoding="utf-8")
    part = table(tmp_path / "all")["parts"][0]["sha256"]
    (tmp_path / "all" / "report.json").write_text(text.replace(part, "0" * 64), encoding="utf-8")
    assert "report.json was altered" in run("report", "verify", "all", expect=1).stderr
