"""The report of a learning for people, in both languages: a page of HTML and the same as text (Markdown).

It says what the card is, where it differs from the nearest national layout, what could not be seen and why, how long
commands took, what to send back, and that nothing personal is in it. It is made of what has no value of the card's in
it, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from statistics import median

from emulator import catalogue
from emulator.filesystem.layouts.specs import ApplicationSpec, FileSpec, Layout
from emulator.messages import _, chinese_first, told
from emulator.own_personas.likeness import Likeness
from emulator.security import PIN
from harness.learning.evidence import Evidence
from harness.learning.fact_file import Verdict
from harness.learning.observation import Learning, SeenFile
from harness.learning.words import Sentence, in_words, instruction
from harness.messages.pages import speak
from harness.messages.visible import visible_line

HTML, TEXT = "report.html", "report.md"
FEW = 40
"""Contradicted facts and answers beyond any layout that are told one by one; the files beside have all."""
STRUCTURES = {
    "records": Sentence("记录", "records"),
    "cyclic": Sentence("循环记录", "cyclic records"),
    "transparent": Sentence("透明", "transparent"),
    "": Sentence("未见", "not seen"),
}
PROMISE = Sentence(
    "本报告及同一文件夹中的所有文件不含该卡的任何个人数据：没有姓名、号码、日期、照片，没有芯片序列号、卡识别码、密码或密钥。"
    "复位应答的后几个字节以零代替；数据只留标签和长度；persona.toml中的人物是虚构的，只有发卡城市与该卡相同。"
    "写出之前逐个文件查找过从卡上读到的每个值。",
    "Nothing personal is in this report or in any file of its folder: no name, number, date or photograph, no serial "
    "number of the chip, no identification code, no PIN, no key. The last bytes of the answer to reset are zeros; of "
    "data only tags and lengths are kept; the person in persona.toml is made up, of the card only the city of issue is "
    "in it. Before a file was left here, it was searched for every value that was read from the card.",
)
SEND = Sentence(
    "请回传：facts.json和layout.toml即可；learning.json、trace.jsonl和本报告有助于理解差异。一次读卡胜过许多猜测：同一事实在两家厂商的卡上得到"
    "证实，即可升级。如何回传见项目的CONTRIBUTING。",
    "What helps us: facts.json and layout.toml; learning.json, trace.jsonl and this report explain them. One reading "
    "settles more than much guessing: a fact that cards of two makers confirm can rise in grade. CONTRIBUTING says "
    "where to send it.",
)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report: sentences, and perhaps a table whose first row is its head."""

    title: Sentence
    lines: tuple[Sentence, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def sections(learning: Learning, evidence: Sequence[Evidence], likeness: Likeness | None = None) -> Iterator[Section]:
    """The report's parts, in their order."""
    base = catalogue.layout(learning.nearest) if learning.nearest else None
    yield Section(Sentence("承诺", "Promise"), (PROMISE,))
    yield Section(Sentence("这是什么卡", "What the card is"), rows=tuple(_card(learning, base)))
    yield _differences(learning, base)
    yield from _facts(evidence)
    yield Section(Sentence("应用", "Applications"), rows=tuple(_applications(learning, base)))
    yield Section(Sentence("文件", "Files"), rows=tuple(_files(learning, base)))
    yield _not_seen(learning)
    yield Section(
        Sentence("命令用时（毫秒，含读卡器）", "Time of commands (ms, with the reader's)"), rows=tuple(_times(learning))
    )
    if likeness is not None:
        yield _twin(likeness)
    yield Section(Sentence("回传什么", "What to send back"), (SEND,))


def text(learning: Learning, evidence: Sequence[Evidence], likeness: Likeness | None = None) -> str:
    """Returns the report as Markdown."""
    lines = [_("# 读卡报告 What was learned of a card"), ""]
    for one in sections(learning, evidence, likeness):
        lines += [f"## {one.title}", ""]
        for sentence in one.lines:
            first, *more = told(sentence.en, sentence.zh)
            lines += [f"- {_plain(first)}", *(f"  {_plain(text)}" for text in more)]
        if one.lines:
            lines.append("")
        if one.rows:
            head, *rows = one.rows
            lines += [_row(head), _row(["---"] * len(head)), *map(_row, rows), ""]
    return "\n".join(lines)


def html(learning: Learning, evidence: Sequence[Evidence], likeness: Likeness | None = None) -> str:
    """The report as one page, nothing fetched from anywhere."""
    import jinja2  # of [conformance]

    template = (resources.files(__package__) / "report.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    speak(environment)
    page = environment.from_string(template)
    return page.render(sections=list(sections(learning, evidence, likeness)), shown=visible_line)


def _plain(text: str) -> str:
    """One line; what Markdown would take for its own stands behind a backslash."""
    line = visible_line(text)
    return "".join(f"\\{one}" if one in "\\`*_[]<>|#" else one for one in line)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(one if set(one) == {'-'} else _plain(one) for one in cells)} |"


# ---- parts -----------------------------------------------------------------------------------------------------------


def _card(learning: Learning, base: Layout | None) -> Iterator[tuple[str, ...]]:
    nearest = f"{base.name} {chinese_first(base.title, base.title_zh)}" if base else "–"
    atr = learning.atr
    tries = learning.counters.get(PIN, "–")
    yield "", ""
    yield _("规范版本 specification version"), learning.version or "–"
    yield _("算法 algorithm"), {"3des": "3DES", "sm4": "SM4"}.get(learning.algorithm, "–")
    yield _("最近的国家布局 nearest national layout"), nearest
    yield _("复位应答 answer to reset"), f"{atr.header} {atr.historical}"
    yield "  ", ", ".join((*atr.protocols, *atr.meaning)) or "–"
    yield _("读卡器 reader"), " ".join(filter(None, (learning.reader.shape, learning.reader.protocol)))
    yield _("密码剩余次数 PIN tries left"), tries
    yield _("命令数 commands"), str(len(learning.asked))
    yield _("读完 complete"), _("是 yes") if learning.complete else _("否：中途停止 no: it ended early")
    yield _("日期、程序 date, program"), f"{learning.date}, sscard {learning.sscard}"


def _differences(learning: Learning, base: Layout | None) -> Section:
    title = Sentence("与国家布局的差异", "Where it differs from the national layout")
    if base is None:
        return Section(title, (Sentence("没有找到相近的布局", "no layout was found that it is near to"),))
    lines = [in_words(one.where, one.before, one.after, base) for one in learning.differences]
    if not lines:
        lines = [Sentence(f"没有：与{base.name}一致", f"none: it is as {base.name} has it")]
    beyond = learning.unexpressed
    if beyond:
        lines.append(
            Sentence(
                f"另有{len(beyond)}个应答是布局无法表达的，孪生卡的应答不同：",
                f"{len(beyond)} more answers that no layout can say; the twin answers them otherwise:",
            )
        )
        lines += [
            Sentence(f"{one.probe}：此卡{one.seen}，孪生卡{one.twin or '–'}", f"{one.seen}, the twin {one.twin or '–'}")
            for one in beyond[:FEW]
        ]
    return Section(title, tuple(lines))


def _facts(evidence: Sequence[Evidence]) -> Iterator[Section]:
    count = {verdict: sum(one.verdict is verdict for one in evidence) for verdict in Verdict}
    if not evidence:
        return
    good, wrong, open_ = (count[one] for one in (Verdict.CONFIRMED, Verdict.CONTRADICTED, Verdict.NOT_SEEN))
    counted = Sentence(
        f"本项目所述、可由卡证实的事实共{len(evidence)}个：证实{good}个，不符{wrong}个，未见{open_}个（facts.json）",
        f"of {len(evidence)} facts of ours that a card can show: {good} confirmed, {wrong} contradicted, {open_} not "
        "seen (facts.json)",
    )
    rows = [
        (one.fact.where, one.fact.grade, one.fact.statement, one.seen)
        for one in evidence if one.verdict is Verdict.CONTRADICTED
    ]  # fmt: skip
    head = (_("事实 fact"), _("等级 grade"), _("我们的说法 we say"), _("卡上所见 seen"))
    yield Section(Sentence("我们的说法对不对", "What we say, and what it shows"), (counted,),
                  (head, *rows[:FEW]) if rows else ())  # fmt: skip


def _applications(learning: Learning, base: Layout | None) -> Iterator[tuple[str, ...]]:
    yield _("应用 application"), _("标识符 id"), _("名称 name"), _("可按 selected by"), "SW"
    for one in learning.applications:
        named = _named(one.name, base.applications.get(one.name) if base else None)
        yield named, one.fid or "–", one.dfname or "–", ", ".join(one.selected) or "–", one.sw


def _files(learning: Learning, base: Layout | None) -> Iterator[tuple[str, ...]]:
    yield _("文件 file"), _("标识符 id"), _("结构 structure"), _("大小 size"), _("读取 read"), _("寻址 addressings")
    for one in learning.files:
        named = _named(one.path, base.files.get(one.path) if base else None)
        ways = ", ".join(f"{way} {sw}" for way, sw in one.addressings.items())
        yield named, one.fid or "–", str(STRUCTURES[one.structure]), _size(one), _read(one), ways or "–"


def _named(name: str, spec: ApplicationSpec | FileSpec | None) -> str:
    if spec is None:
        return _("{name}（布局中没有 not in the layout）").format(name=name)
    return f"{name} {chinese_first(spec.name_en, spec.name)}"


def _size(one: SeenFile) -> str:
    if one.size is not None:
        return _("{count}字节 bytes").format(count=one.size)
    if one.records is None:
        return "–"
    return f"{len(one.records)}: " + " ".join(f"{record.tag or '··'}/{record.length}" for record in one.records)


def _read(one: SeenFile) -> str:
    if one.read == "free":
        return _("自由 free")
    if one.read == "refused":
        return _("未能读取 refused {why}").format(why=one.refusal)
    return one.read


def _not_seen(learning: Learning) -> Section:
    title = Sentence("未能看到的，及原因", "What could not be seen, and why")
    rows = tuple((one.what, one.why) for one in learning.not_seen)
    if not rows:
        return Section(title, (Sentence("没有", "nothing"),))
    return Section(title, (), ((_("什么 what"), _("原因 why")), *rows))


def _times(learning: Learning) -> Iterator[tuple[str, ...]]:
    yield _("指令 instruction"), _("次数 count"), _("中位数 median"), _("最快 fastest"), _("最慢 slowest")
    by_ins: dict[str, list[float]] = {}
    for one in learning.asked:
        if one.sw and len(one.command) >= 4:
            by_ins.setdefault(one.command[2:4], []).append(one.seconds * 1000)
    for ins, taken in sorted(by_ins.items(), key=lambda one: -len(one[1])):
        yield instruction(ins), str(len(taken)), *(f"{one:.1f}" for one in (median(taken), min(taken), max(taken)))


def _twin(likeness: Likeness) -> Section:
    lines = [
        Sentence(
            "孪生卡：sscard run --layout layout.toml --persona persona.toml",
            "the twin: sscard run --layout layout.toml --persona persona.toml",
        )
    ]
    if likeness.unread:
        paths = ", ".join(likeness.unread)
        lines.append(
            Sentence(f"未读过、内容全凭虚构的文件：{paths}", f"files that were not read and are made up: {paths}")
        )
    if likeness.emptied:
        paths = ", ".join(likeness.emptied)
        lines.append(
            Sentence(
                f"卡上有值而虚构人物留空，否则各项互相矛盾：{paths}",
                f"filled on the card and empty on the made-up person, whose items would disagree otherwise: {paths}",
            )
        )
    return Section(Sentence("孪生卡", "The twin"), tuple(lines))
