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

SPEAKING = (
    "emulator/apdu",
    "emulator/ber.py",
    "emulator/chip.py",
    "emulator/crypto",
    "emulator/filelock.py",
    "emulator/filesystem/layouts/features.py",
    "emulator/filesystem/layouts/habits.py",
    "emulator/filesystem/layouts/node.py",
    "emulator/filesystem/layouts/paths.py",
    "emulator/filesystem/layouts/reader.py",
    "emulator/filesystem/memory/memory.py",
    "emulator/guess.py",
    "emulator/own_personas/check.py",
    "emulator/personas/agreement.py",
    "emulator/personas/document.py",
    "emulator/personas/finding.py",
    "emulator/personas/numbers.py",
    "emulator/personas/shape.py",
    "emulator/personas/validity.py",
    "emulator/security.py",
    "emulator/textfiles",
    "harness/cli",
    "harness/driver",
    "harness/extras.py",
    "harness/faults",
    "harness/hsm",
    "harness/images",
    "harness/conformance/play.py",
    "harness/conformance/runner.py",
    "harness/conformance/steps.py",
    "harness/conformance/targets",
    "harness/proving",
    "harness/campaign/campaign.py",
    "harness/monitor",
    "harness/web/connection.py",
    "harness/web/guard.py",
    "harness/web/origins.py",
    "harness/web/strict.py",
    "harness/keys/none.py",
    "harness/keys/psam.py",
    "harness/keys/roots.py",
    "harness/messages/forms.py",
    "harness/messages/system.py",
    "harness/office/cards",
    "harness/office/case",
    "harness/office/desk",
    "harness/office/electronic",
    "harness/office/letter/ask.py",
    "harness/office/measures",
    "harness/office/operations",
    "harness/office/people/protection.py",
    "harness/office/register/audit.py",
    "harness/office/register/queries.py",
    "harness/office/register/secret.py",
    "harness/office/register/address.py",
    "harness/office/register/copying.py",
    "harness/office/register/failures.py",
    "harness/office/register/in_file.py",
    "harness/office/register/store.py",
    "harness/office/requests",
    "harness/plugin.py",
    "harness/readers/connection.py",
    "harness/readers/names.py",
    "harness/readers/pcsc.py",
    "harness/scenarios/asking.py",
    "harness/scenarios/checking.py",
    "harness/scenarios/facts.py",
    "harness/scenarios/judge.py",
    "harness/scenarios/model.py",
    "harness/scenarios/outcome.py",
    "harness/scenarios/people.py",
    "harness/scenarios/play.py",
    "harness/scenarios/references.py",
    "harness/scenarios/replay.py",
    "harness/scenarios/runner.py",
    "harness/scenarios/stage.py",
    "harness/scenarios/values.py",
    "harness/serving",
    "harness/studio/readers",
    "harness/terminal/account.py",
    "harness/terminal/personalise.py",
    "harness/terminal/refused.py",
    "harness/terminal/session.py",
    "harness/terminal/terminal.py",
    "harness/terminal/values.py",
    "harness/trace",
    "harness/verdicts",
    "sscard/face.py",
)
"""Rooms, and files of rooms, whose texts are for people. A room that is translated is entered here."""
KEPT = {
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
    "harness/serving/doctor.py": ["vpcd driver", "PC/SC socket", "virtual reader", "port {}"],  # checks, by name
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
        "{} 项{}：{}",
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
SHELL = re.compile(r"(?:apt-get install|pip install|systemctl|unshare) [^;,]+(?:; (?:pip install|exec) [^;,]+)?")
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
    for name in SPEAKING:
        place = ROOT / name
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


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
