"""What people are told goes through the catalogue: no text of a room that speaks to them stands beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.messages import REASONS
from tests.kit.sources import tree
from tests.unit.house.test_errors import ROOT

SPEAKING = ("emulator", "harness", "sscard")
"""Packages whose texts are for people."""
SILENT = {
    "emulator/filesystem/layouts/kinds.py": "the form of values, for the reference of layouts",
    "emulator/messages": "the catalogue itself",
    "emulator/own_personas/likeness.py": "a persona's file, in both languages",
    "emulator/personas/write.py": "a persona's file, in both languages",
    "harness/conformance/generate.py": "vectors, in both languages",
    "harness/conformance/models.py": "a published schema",
    "harness/facts/layouts.py": "facts are stated in English, as the code states them",
    "harness/learning/draw.py": "words of a layout's file",
    "harness/office/letter/form.py": "the form of the annex, which is Chinese",
    "harness/office/people/made_up.py": "made-up people",
    "harness/office/register/migrations": "SQL",
    "harness/office/register/seed.py": "made-up banks and outlets",
    "harness/scenarios/models.py": "a published schema",
    "harness/scenarios/rows.py": "the Chinese of columns, beside the columns' own names",
    "harness/scenarios/words.py": "each in both languages",
    "harness/studio/card/words.py": "each in both languages",
    "harness/web/app.py": "the schema that is served, in both languages",
    "harness/web/hsm.py": "the schema that is served, in both languages",
    "harness/web/metrics.py": "what Prometheus reads",
    "harness/web/office": "the schema that is served, in both languages",
}
"""Places of theirs where texts say nothing that depends on who reads, and why."""
KEPT = {
    "emulator/changes.py": ["{} version {}"],  # a change's name, as traces have it
    "emulator/filesystem/layouts/item_tables.py": ["in use"],  # a word of layouts
    "emulator/filesystem/layouts/items.py": [
        "str | dict[str, Value]",
        "identification code",
    ],  # a type, and a kind of value
    "emulator/filesystem/layouts/meanings.py": ["str | dict[str, Meaning]"],  # a type
    "emulator/filesystem/memory/cells.py": ["unblocking the PIN"],  # a cell
    "emulator/filesystem/memory/image.py": ["sscard image", "{}: layout"],  # the format's name, and a place in it
    "emulator/filesystem/memory/nvm.py": ["power was cut after {} writes"],  # a signal that nobody is told of
    "emulator/frozen.py": ["this {} is shared by all who loaded it: change a copy"],  # for who writes code
    "emulator/internal_fault.py": ["%s, which nobody foresaw…"],  # beside a stack trace
    "emulator/own_personas/made.py": [
        "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥",
        "short date",
    ],  # made-up texts, and a kind of value
    "emulator/own_personas/new.py": [
        "{title}…",
        "四川省成都市",
        "虚构省虚构市",
        "成都市",
        "虚构市",
        "成都",
        "A persona of one's own",
        "自建人物",
    ],  # a file in both languages, and places in it
    "emulator/reader/line.py": ["listener on port {}", "%s: %s was turned away"],  # a thread, and for who debugs
    "emulator/reader/slot.py": ["slot on port {}", "%s: already gone"],  # a thread, and for who debugs
    "harness/campaign/finding.py": [
        "another chance",
        "# Found by `sscard campaign`…",
        "指令{}执行中断电，留下新旧混合的内容",
        "拒绝",
        "[D] what sscard campaign holds…",
    ],  # a seed, and a vector's texts, in both languages
    "harness/certificates/authority.py": ["sscard test, not a real issuer"],  # in certificates
    "harness/conformance/guard/costs.py": ["the identification code"],  # a counter's name
    "harness/console/words.py": [
        "select NAME",
        "auth KEY [VERSION]",
        "read ITEM [number]",
        "update ITEM [VALUE]",
    ],  # as they are typed
    "harness/extras.py": ["make all", "pipx runpip {} install", "uv pip install…", "pip install"],  # as they are typed
    "harness/facts/gather.py": ["office rule {}"],  # a place
    "harness/keys/spent.py": ["Application Support"],  # a folder
    "harness/learning/explore.py": [
        "read record refused",
        "read binary refused",
        "read record",
        "read binary",
    ],  # how it was seen, as programs read it
    "harness/learning/fact_file.py": ["what cards showed of the facts…"],  # a published schema
    "harness/learning/habits.py": ["tuple[Asked, Asked]"],  # a type
    "harness/learning/layout_text.py": ["# A card as `sscard learn`…"],  # a file in both languages
    "harness/learning/manners.py": ["a file that may not be read"],  # a key of what is asked
    "harness/learning/observation.py": ["what sscard learn found of a card"],  # a published schema
    "harness/learning/rights.py": ["not set"],  # as programs read it
    "harness/learning/words.py": ["个人密码", "{}的{}", "{}{}时：{}"],  # beside the English
    "harness/messages/printed.py": ["@font-face…", "body…"],  # CSS
    "harness/messages/visible.py": [
        "what is printed",
        "expected str, found {}",
    ],  # an attribute's name, and for who writes code
    "harness/office/register/condition.py": ["SELECT …"],  # SQL
    "harness/office/register/drawer.py": ["sscard card {}"],  # what a lock's number is made from
    "harness/office/register/on_server.py": [
        "(SELECT …",
        "SELECT …",
        "sscard office",
    ],  # SQL, and the program's name there
    "harness/office/register/tables.py": ["life IN…", "progress IN…"],  # SQL
    "harness/scenarios/against/bench.py": ["场景所需 what scenarios need", "清空登记库…"],  # the schema that is served
    "harness/scenarios/against/client.py": ["Bearer {}", "application/xml…", "text/plain…"],  # HTTP
    "harness/scenarios/against/models.py": ["sscard adapter, format 1"],  # a published schema
    "harness/scenarios/matrix.py": ["S为办法条文所述…", "办法 Measures", "条款", "场景"],  # a page of both languages
    "harness/scenarios/record.py": ["layout {}"],  # a value
    "harness/studio/app.py": ["What the live page asks…", "sscard studio"],  # the schema that is served
    "harness/studio/card/changes.py": ["密码", "个人密码"],  # beside the English
    "harness/studio/hub.py": ["event: {}…"],  # server-sent events
    "harness/studio/pages.py": ["default-src…", "text/…"],  # HTTP
    "harness/studio/session/bundle.py": ["const {}…", "default: {}"],  # JavaScript
    "harness/studio/session/page.py": [
        "此页面需要 JavaScript…",
        "default-src…",
        "<!doctype html>…",
    ],  # a page of both languages, and HTTP
    "harness/studio/session/router.py": ["text/html…", "attachment; filename…"],  # HTTP
    "harness/studio/verdicts/command.py": ["import sys; from sscard.command…"],  # Python
    "harness/studio/verdicts/digest.py": ["the whole run", "整次运行"],  # in both languages
    "harness/studio/verdicts/jobs.py": ["run {}", "output of {}", "errors of {}"],  # threads
    "harness/studio/verdicts/routes.py": ["text/…", "application/jsonl…", "sandbox…"],  # HTTP
    "harness/web/driver.py": [
        "The functions that counter software calls…",
        "the code, and what the function gives",
    ],  # the schema that is served
    "sscard/__init__.py": ["module {} has no attribute {}"],  # for who writes code
    "sscard/command.py": ["sscard, version {}"],  # as click says it
    "emulator/crypto/keys.py": ["{} version {}", "sscard test root key {}"],  # what a key is made from
    "harness/cli/card_options.py": ["See `sscard personas`; or a TOML file, see `sscard persona`. [{}]"],
    "harness/cli/completing.py": ["\n%(complete_func)s() {…"],  # a shell's
    "harness/cli/settings.py": ["# Defaults of sscard.…"],  # a file to begin with
    "harness/cli/driver.py": ["listening {}", "ready {}"],  # read by programs
    "harness/cli/man_pages.py": [".BR pcscd (8)", "office.db, office-cards"],  # man(7), files
    "harness/cli/office/options.py": [
        "No new PIN: only the tries are set back (解锁).",
        "Without the old PIN (重置): the holder shows the identity document.",
        "Persons, in YAML or CSV.",
        "In YAML; see docs/office.md.",
    ],
    "emulator/own_personas/check.py": ["terminal number"],  # a kind of value, as layouts have it
    "emulator/personas/agreement.py": ["Iterator[tuple[str, str]]"],
    "emulator/personas/validity.py": ["Callable[[str, ItemSpec], str]"],
    "harness/cli/shell.py": ["tab: complete"],  # as readline takes it
    "harness/proving/models.py": ["sscard prove, plan, format 1"],
    "harness/proving/report.py": ["sscard prove", "expected by the plan of this proving [D]"],
    "harness/proving/sweep/outcome.py": [  # each beside the English word that programs read
        "未受影响",
        "已察觉",
        "已恢复",
        "造成损害",
        "崩溃",
        "挂起",
        "未触及",
        "无法判定",
    ],
    "harness/proving/sweep/report.py": ["the outcomes of a sweep [D]", "sound run", "无故障运行"],
    "harness/proving/sweep/store.py": [  # SQL
        "\ncreate table about…",
        "select …",
        "insert …",
        "pragma …",
    ],
    "harness/readers/names.py": ["Virtual PCD", "Virtual PCD Contactless"],
    "harness/readers/pcsc.py": ["\nimport ctypes…", 'FRIENDLYNAME "{}"…'],
    "harness/cli/serve.py": ["sscard office --register {}", "sscard office --register {} check"],  # commands
    "harness/serving/doctor.py": [
        "vpcd driver",
        "PC/SC socket",
        "PC/SC service",
        "virtual reader",
        "port {}",
    ],  # checks, by name
    "harness/serving/run.py": ["ready {} {} {}", "contactless {}", "listening {}"],  # read by programs
    "harness/driver/dialects/messages.py": [  # the schema that is served
        "what is entered at the PIN pad",
        "{}, or the code",
        "what the function gives, or the error's text",
        "the error's text",
        "Answer in {}",
    ],
    "harness/driver/interface.py": ["int {}", "long {}({})"],  # C
    "harness/driver/server.py": ["driver client"],  # a thread
    "harness/office/electronic/card.py": ["the electronic card's PIN"],  # what a secret is for
    "harness/office/electronic/credential.py": [  # the English half of what is told in both languages
        "it does not begin with {}",
        "what follows is not base32",
        "its base32 is not the shortest form",
        "it is too short to be signed",
        "its content is not that of version 1",
    ],
    "harness/office/electronic/qr.py": ["测试 TEST"],  # on the picture
    "harness/office/measures/articles.py": [  # how an article is cited, in either language
        "零一二三四五六七八九",
        "第{}条",
        "{}第{}款",
        "article {}",
        "{}, paragraph {}",
        "measures:article {}.{}",
        "十",
    ],
    "harness/office/people/protection.py": ["已删除"],  # what stands in the register instead of a name
    "harness/office/requests/labels.py": ["密码"],  # beside the English word, which has no small letters
    "harness/office/register/audit.py": ["the audit trail"],  # what a secret is for
    "harness/office/register/in_file.py": ["PRAGMA synchronous = {}"],
    "harness/scenarios/people.py": ["甲乙丙丁戊己庚辛壬癸", "测试{}", "四川省成都市虚构区测试路1号"],  # made-up people
    "harness/scenarios/replay.py": ["sscard run --image CARD…"],
    "harness/monitor/relay.py": ["relay of {}"],  # a thread
    "harness/monitor/rules/writing.py": ["the region moves in the card [S:…"],  # a citation
    "harness/trace/pcapng.py": ["slot {}"],  # an interface, as filters name it
    "harness/verdicts/conclusion.py": [  # each beside the English
        "符合",
        "不符合",
        "未能判定",
        "规范性",
        "推断",
        "自定",
        "{}项{}：{}",
    ],
    "harness/verdicts/report_diff.py": [  # each beside the English
        "新的未通过",
        "变差",
        "不再判定",
        "不再包括",
        "已修复",
        "现已判定",
        "结论变化",
        "新增",
    ],
    "harness/verdicts/page/page.py": ["DejaVu Sans"],  # a font
    "harness/verdicts/verdict.py": ["通过", "警告", "未通过", "不适用", "无法判定", "缺少条件"],  # beside the English
    "harness/trace/decode.py": ["非接触读卡器取数据"],  # beside the English, as of every command
}
"""Texts that stay as they are: help, which is looked up as it is laid out; what programs read; pages of both languages,
by how they begin. A text that is gone from the sources goes from here too.
"""
CATALOGUE = {"_": 1, "deferred": 1, "ngettext": 2, **{name: at + 1 for name, at in REASONS.items()}}
"""What looks a message up, and how many of its arguments are messages, or a card's reason at the last place of them."""
SINKS = {
    "echo", "secho", "tell", "prompt", "confirm", "progressbar", "UsageError", "BadParameter", "ClickException",
    "print", "say", "_say", "_note",
}  # fmt: skip
"""What tells its arguments to people: there a word is a text, elsewhere a sentence is."""
SPOKEN_KEYWORDS = {"label", "prompt", "text", "message"}
DECLARING = {"option", "argument", "Option", "Argument", "version_option", "group", "command", "Path", "Choice"}
"""Of click: what is said there is help, extracted from the table of commands."""
FOR_PROGRAMS = {
    "compile", "search", "match", "fullmatch", "sub", "findall", "finditer", "split", "rpartition", "partition",
    "replace", "startswith", "endswith", "removeprefix", "removesuffix", "strip", "get", "pop", "getattr", "setdefault",
    "encode", "strftime", "cast", "frozenset",
}  # fmt: skip
"""Whose arguments nobody is told."""
SHELL = re.compile(r"(?:apt-get install|pip install|systemctl|unshare) [^;,]+(?:; (?:\{\}|exec [^;,]+))?")
"""What is typed into a shell, in every language."""
NAMES = re.compile(r"\b(?:sscard|ATR|Lc)\b")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
WORD = re.compile(r"(?<![-\w{])[A-Za-z][a-z]{2,}(?![-\w])")
WORDS = re.compile(r"[A-Za-z]{2,}[,:;.)]? +\(?[A-Za-z]{2,}")
HOLE = "{}"


TWINS = (("{}", "{}_zh"), ("{}", "{}_en"), ("zh", "en"))
"""How what stands in both languages side by side is named: ``title`` and ``title_zh``."""
CITATIONS = {"source"}
"""Attributes that cite who says so; grades are read from them."""
STATED = {"p1p2", "answers", "versions"}
"""What an instruction states of itself: ``scripts.messages.stated`` has it, and whoever tells it looks it up."""


class Found(NamedTuple):
    """A text, and where."""

    line: int
    text: str


def text_of(node: ast.AST) -> str | None:
    """A literal's text, with holes where an f-string has values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else HOLE for one in node.values)
    return None


def is_told(text: str, *, to_people: bool) -> bool:
    """Whether a literal has words: one, where people are told it; else two, a value counted as one, or Chinese."""
    if SHELL.fullmatch(text):
        return False
    own = NAMES.sub("", text.replace(HOLE, ""))
    if to_people:
        return re.search("[A-Za-z]{2}", own) is not None or CHINESE.search(own) is not None
    return CHINESE.search(own) is not None or bool(WORD.search(own) and WORDS.search(text.replace(HOLE, "Value")))


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_silent(node: ast.AST) -> bool:
    """A docstring, or what is compared or held to be so."""
    alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return alone or isinstance(node, ast.Compare | ast.MatchValue | ast.Assert)


def assigned(node: ast.AST) -> list[str]:
    """The names that a statement gives values to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [one.id for one in targets if isinstance(one, ast.Name)]


def in_both_languages(names: Iterable[str]) -> set[str]:
    """Those of these names whose texts stand beside their translation, and citations."""
    there = set(names)
    pairs = [(one.format(name), other.format(name)) for name in there for one, other in TWINS]
    return {name for pair in pairs if there.issuperset(pair) for name in pair} | CITATIONS | STATED


def beside(nodes: list[ast.expr]) -> list[ast.expr]:
    """These without the texts that stand in both languages, one after the other: Chinese, then English, or English,
    then Chinese.
    """
    texts = ["", *(text_of(one) or "" for one in nodes), ""]
    chinese = [CHINESE.search(text) is not None for text in texts]
    english = [
        re.search("^(?!-).*[a-z]{2}", text) is not None and not other
        for text, other in zip(texts, chinese, strict=True)
    ]
    kept = []
    for i, node in enumerate(nodes, 1):
        other = english if chinese[i] else chinese
        if not (other[i - 1] or other[i + 1]) or not (chinese[i] or english[i]):
            kept.append(node)
    return kept


def untranslated(node: ast.AST, *, to_people: bool = False) -> Iterator[Found]:
    """Texts in this node that no catalogue is asked for. Docstrings, keys, subscripts, comparisons and what programs
    read say nothing to people.
    """
    text = text_of(node)
    if text is not None:
        if is_told(text, to_people=to_people):
            yield Found(node.lineno, text)  # type: ignore[attr-defined]
        if isinstance(node, ast.JoinedStr):
            for one in node.values:
                if isinstance(one, ast.FormattedValue):
                    yield from untranslated(one.value, to_people=to_people)
    elif isinstance(node, ast.Call):
        yield from _of_call(node, to_people=to_people)
    elif is_silent(node):
        return
    elif isinstance(node, ast.Subscript):
        yield from untranslated(node.value)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(one) == "StrEnum" for one in node.bases):
            return  # its values are what programs read
        both = in_both_languages(name for one in node.body for name in assigned(one))
        for statement in node.body:  # what decorators declare is help
            if not any(name in both for name in assigned(statement)):
                yield from untranslated(statement)
    elif isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield from untranslated(node.value)
    elif isinstance(node, ast.Tuple | ast.List):
        for one in beside(node.elts):
            yield from untranslated(one, to_people=False)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from untranslated(value, to_people=False)
    elif isinstance(node, ast.IfExp):
        yield from untranslated(node.test)
        for branch in (node.body, node.orelse):
            yield from untranslated(branch, to_people=to_people)
    else:
        inside = to_people and isinstance(node, ast.BinOp | ast.BoolOp)
        for child in ast.iter_child_nodes(node):
            yield from untranslated(child, to_people=inside)


def _of_call(node: ast.Call, *, to_people: bool) -> Iterator[Found]:
    name = called(node)
    if isinstance(node.func, ast.Attribute):
        yield from untranslated(node.func.value, to_people=to_people and name != "dumps")
    if name in FOR_PROGRAMS or (name in DECLARING and ast.unparse(node.func).startswith("click.")):
        return
    if name in REASONS:
        yield from _of_values(node.args[REASONS[name]])
    for one in beside(node.args[CATALOGUE.get(name, 0) :]):
        yield from untranslated(one, to_people=name in SINKS)
    both = in_both_languages(keyword.arg or "" for keyword in node.keywords)
    for keyword in node.keywords:
        if keyword.arg not in both:
            yield from untranslated(keyword.value, to_people=name in SINKS and keyword.arg in SPOKEN_KEYWORDS)


def _of_values(reason: ast.expr) -> Iterator[Found]:
    """Texts in the values of a reason: they are none of its template."""
    for one in ast.walk(reason):
        if isinstance(one, ast.FormattedValue):
            yield from untranslated(one.value)


def in_source(source: str) -> list[str]:
    return [one.text for one in untranslated(ast.parse(source))]


def files() -> Iterator[Path]:
    silent = {ROOT / name for name in SILENT}
    for name in SPEAKING:
        yield from (one for one in sorted((ROOT / name).rglob("*.py")) if silent.isdisjoint((one, *one.parents)))


def is_kept(text: str, kept: list[str]) -> bool:
    return any(text.startswith(one[:-1]) if one.endswith("…") else text == one for one in kept)


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_room_that_speaks_to_people_speaks_through_the_catalogue(path: Path) -> None:
    kept = KEPT.get(path.relative_to(ROOT).as_posix(), [])
    found = list(untranslated(tree(path)))
    past = [one for one in found if not is_kept(one.text, kept)]
    assert past == [], "wrap them in _(…) of emulator.messages; make messages"
    unused = [one for one in kept if not any(is_kept(each.text, [one]) for each in found)]
    assert unused == [], "these are gone"


@pytest.mark.parametrize("name", SILENT)
def test_a_silent_place_has_texts(name: str) -> None:
    place = ROOT / name
    paths = place.rglob("*.py") if place.is_dir() else [place]
    assert any(list(untranslated(tree(path))) for path in paths)


def test_what_is_kept_is_of_rooms_that_are_looked_at() -> None:
    assert set(KEPT) <= {path.relative_to(ROOT).as_posix() for path in files()}


@pytest.mark.parametrize(
    "source",
    [
        'click.echo("ready")',
        'click.echo(f"{count} cards")',
        'click.echo(f"{name}: " + ("empty" if not held else held))',
        'click.echo(", ".join(names) or "none")',
        'click.echo(_("{count} of them").format(count=count or "no card"))',
        'raise click.UsageError(f"{name} is not there")',
        'with click.progressbar(rows, label="issuing") as bar: pass',
        'def words(n):\n    return f"{n} cards are there"',
        'def words(n):\n    told = f"{n} cards"\n    return told',
        'TABLE = {1: "the disk is full"}',
        'click.echo("完成")',
        'class Rule:\n    title = "one of two"',
        'told = ("one of two", name)',
        """raise CardError(SW.WRONG_DATA, f"it has no {'PIN at all' if pin else key} here")""",
    ],
)
def test_a_text_beside_the_catalogue_is_found(source: str) -> None:
    assert len(in_source(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        '"""A module that says something."""',
        'click.echo(_("ready"))',
        'raise CardError(SW.WRONG_DATA, f"{spec.path} holds records")',
        'reason = because(f"no DF {name} in {place}" if named else "no file is there")',
        'click.echo(ngettext("one card", "{number} cards", 2).format(number=2))',
        'TABLE = {1: deferred("the disk is full")}',
        'click.echo(json.dumps({"the name": 1}))',
        'click.echo(f"{name}: {value:8}")',
        '@click.option("--name", help="Whose name it is.")\ndef command(name):\n    """Say a name."""',
        're.search("one of two", text)',
        'if text == "one of two": pass',
        'words["one of two"]',
        'class Rule:\n    title = "one of two"\n    title_zh = "二者之一"\n    source = "part of [D]"',
        'Rule("rule", "二者之一", "one of two", check)',
        'Remedy("二者之一", "one of two", "用另一个")',
        'Cause = ("one of two", "二者之一")',
        'class Verdict(StrEnum):\n    MISSING = "requirement missing"',
        'Made(name="张三", name_en="one of two")',
    ],
)
def test_what_nobody_is_told_is_left_alone(source: str) -> None:
    assert in_source(source) == []
