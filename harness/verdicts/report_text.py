"""A report for a person at a terminal, and its gist for programs: what it comes to, what did not pass, who made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emulator.messages import _, told
from harness.messages.visible import visible_line
from harness.verdicts import baseline, conclusion
from harness.verdicts.causes import REMEDIES, Cause
from harness.verdicts.manifest import Seal
from harness.verdicts.report_file import ReportFile
from harness.verdicts.verdict import Verdict, in_words

WEIGHT = (Verdict.FAILED, Verdict.WARNING, Verdict.UNDEFINED, Verdict.MISSING)
"""Verdicts of what did not pass, the gravest first."""
Row = Mapping[str, Any]


def findings(rows: Iterable[Row]) -> list[Row]:
    """What did not pass and is for what was tested, the gravest first; of failures those of no baseline."""
    weight = {one.value: at for at, one in enumerate(WEIGHT)}
    found = [one for one in rows if one["verdict"] in weight]
    return sorted(found, key=lambda one: (weight[one["verdict"]], bool(one["known"])))


def stale(table: Mapping[str, Any]) -> list[str]:
    """Ids in the report's baseline that fail no more."""
    return baseline.stale(table["known_failures"], ((row["id"], row["verdict"]) for row in table["results"]))


def as_table(report: ReportFile) -> dict[str, Any]:
    """The gist, for programs."""
    table = report.table
    return {
        "conclusion": report.conclusion.as_table(),
        "product": table.get("product", ""),
        "target": table["target"],
        "profile": table["profile"],
        "program": table["program"],
        "date": table["date"],
        "basis": table["basis"],
        "counts": table["counts"],
        "findings": [
            {name: one[name] for name in ("id", "profile", "verdict", "known", "title", "title_zh", "reason", "cause")}
            for one in findings(report.results)
        ],
        "stale_baseline": stale(table),
        "environment": table.get("environment", {}),
        "session": table["session"],
        "parts": table.get("parts", []),
        "sha256": report.sha256,
        "seal": {"state": report.sealed.seal.value, "fingerprint": report.sealed.fingerprint},
    }


def lines(report: ReportFile) -> Iterator[str]:
    """The same for a person, line by line."""
    table, found = report.table, report.conclusion
    yield conclusion.in_words(found.verdict)
    for one in found.because:
        yield from (f"  {visible_line(text)}" for text in told(one.en, one.zh))
    yield ""
    yield from _of_what(table)
    yield counts(table["counts"])
    yield from _findings(report.results)
    if names := stale(table):
        yield _("stale baseline 基线中已不再失败: {names}").format(names=visible_line(", ".join(names)))
    yield from _parts(table.get("parts", []))
    yield ""
    yield _("report.json: SHA-256 {sha256}").format(sha256=report.sha256)
    yield seal(report)


def counts(numbers: Mapping[str, int]) -> str:
    """How many of each verdict, in a line."""
    return ", ".join(f"{numbers[one]} {in_words(one)}" for one in Verdict if numbers.get(one))


def seal(report: ReportFile) -> str:
    """How it is sealed, in a line."""
    sealed = report.sealed
    if sealed.seal is Seal.SIGNED:
        return _("signed 已签名: fingerprint {fingerprint}, every file whole").format(fingerprint=sealed.fingerprint)
    if sealed.seal is Seal.UNSIGNED:
        return _("not signed 未签名: every file is as manifest.json says, and nobody vouches for that")
    return _("not signed 未签名: report.json stands alone, nothing says whether it is as it was written")


def _of_what(table: Mapping[str, Any]) -> Iterator[str]:
    environment: Mapping[str, Any] = table.get("environment") or {}
    known = {
        _("product 被测产品"): table.get("product", ""),
        _("tester 测试人"): environment.get("tester", ""),
        _("tested 测试对象"): table["target"],
        _("profile 类型"): table["profile"],
        _("reader 读卡器"): environment.get("reader", ""),
        _("program 程序"): table["program"],
        _("on 环境"): ", ".join(f"{name} {one}" for name, one in (environment.get("versions") or {}).items()),
        _("options 选项"): " ".join(map(str, environment.get("options") or ())),
        _("from 开始"): environment.get("began", ""),
        _("to 结束"): environment.get("ended", "") or table["date"],
        _("cards 卡"): ", ".join(map(str, table["session"].get("cards") or ())),
        _("session 会话"): table["session"].get("sha256", ""),
    }
    for name, value in known.items():
        if value:
            yield f"{name}: {visible_line(str(value))}"


def _findings(rows: Iterable[Row]) -> Iterator[str]:
    found = findings(rows)
    for one in found:
        if one["verdict"] == Verdict.MISSING:
            continue
        mark = _(" (known 已知)") if one["known"] else ""
        yield visible_line(
            f"{one['id']} [{one['profile']}]: {in_words(Verdict(one['verdict']))}{mark}: {one['reason']}"
        )
        for text in told(one["title"], one["title_zh"]):
            yield visible_line(f"    {text}")
    causes = Counter(one["cause"] for one in found if one["verdict"] == Verdict.MISSING)
    for name, count in causes.most_common():
        if name not in set(Cause):
            yield _("{count} not judged 未判定").format(count=count)
            continue
        remedy = REMEDIES[Cause(name)]
        yield _("{count} not judged 未判定: {cause} {cause_zh}; it takes {remedy} {remedy_zh}").format(
            count=count, cause=name, cause_zh=remedy.cause_zh, remedy=remedy.en, remedy_zh=remedy.zh
        )


def _parts(parts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for at, one in enumerate(parts, 1):
        if at == 1:
            yield _("merged from 合并自:")
        signed = f"{one['seal']} {one['fingerprint']}".rstrip()
        yield visible_line(f"  {at}. {one['name']}: {one['conclusion']}, {one['date']}, {one['target']}")
        yield visible_line(f"     SHA-256 {one['sha256']}, {signed}")
