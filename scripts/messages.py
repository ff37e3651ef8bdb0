"""The catalogue of messages: ``extract`` writes emulator/locale/sscard.pot from the sources and from the help of the
command line, reasons.txt from what cards give as reasons, and brings each language's sscard.po up to date;
``untranslated`` lists what a language lacks, ``take`` puts translations in, ``compile`` makes an .mo of each .po beside
it, ``check`` says whether all is as the sources say. ``library`` prints what click says itself: no text of ours, but
found in the same .mo, and so in each .po.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import string
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, it is this folder that is searched

from emulator.apdu.instructions import INSTRUCTIONS  # noqa: E402
from emulator.messages.po import Entry, Message, compiled, entries, written  # noqa: E402
from emulator.messages.reasons import TEMPLATES as REASONS_FILE  # noqa: E402
from emulator.sources import notes  # noqa: E402
from harness.cli import main as program  # noqa: E402
from harness.cli.table import Record, brief, records  # noqa: E402
from harness.cli.table_maker import record_of  # noqa: E402
from harness.monitor.rules import RULES  # noqa: E402
from harness.sources.register import register  # noqa: E402
from harness.trace import reference  # noqa: E402

LOCALE = ROOT / "emulator" / "locale"
POT, TEMPLATES = LOCALE / "sscard.pot", Path(REASONS_FILE)
ROOMS = ("emulator", "harness", "sscard")
HEADER = {
    "Project-Id-Version": "sscard",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
}
LIBRARY = "click/"
"""How the places of click's own messages begin."""
HAN = re.compile(r"[\u4e00-\u9fff]")
NAMED = re.compile(r"[（(《“\"][^()（）《》“”\"]*[)）》”\"]")
"""A term's own name in brackets or quotes: an English text has it too."""


class Language(NamedTuple):
    """A language of the catalogue: its folder, how many forms a number has in it, by which rule."""

    folder: str
    forms: int
    rule: str

    @property
    def path(self) -> Path:
        """Where its translations are written."""
        return LOCALE / self.folder / "LC_MESSAGES" / "sscard.po"

    def asks_for(self, message: Message) -> bool:
        """Whether it has a text of its own for this: in English, where the sources have both languages at once."""
        return self.folder != "en" or any(HAN.search(NAMED.sub("", one)) for one in message)


LANGUAGES = {one.folder: one for one in (Language("zh_CN", 1, "0"), Language("en", 2, "n != 1"))}
TOLD = ("_", "deferred", "ngettext")
"""What is called with a message."""
REASONS = {"because": 0, "CardError": 1, "wrong_p1p2": 1}
"""What is called with a reason of the card's, at which place: a text, or an f-string, whose values get names."""
HELP, SOURCES = "harness/cli/commands.json", "docs/sources.toml"


# --- what the sources say -------------------------------------------------------------------------------------------


@cache
def extracted() -> dict[Message, list[str]]:
    """Every message of the sources, and the files where it stands; the help that is told from the table too."""
    found = spoken(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    for text, place in (*((one, HELP) for one in helped()), *stated(), *reasons()):
        places = found.setdefault((text, ""), [])
        if place not in places:
            places.append(place)
    return found


def spoken(paths: Iterable[Path], root: Path = ROOT) -> dict[Message, list[str]]:
    """The messages that these files look up, and where each stands."""
    found: dict[Message, list[str]] = {}
    for path in sorted(paths):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TOLD:
                if isinstance(node.args[0], ast.Name | ast.Attribute | ast.Subscript | ast.Call):
                    continue  # `deferred` where it stands, or help
                texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                wanted = 2 if node.func.id == "ngettext" else 1
                if len(texts) != wanted:
                    raise SystemExit(f"{path}:{node.lineno}: {node.func.id} takes {wanted} literal text, no f-string")
                places = found.setdefault((texts[0], texts[1] if wanted == 2 else ""), [])
                name = path.relative_to(root).as_posix()
                if name not in places:
                    places.append(name)
    return found


def helped() -> Iterator[str]:
    """What the program and its commands say of themselves, as it is looked up when help is laid out."""
    for record in (record_of("sscard", program), *records().values()):
        yield from filter(_has_words, _said_of(record))


def stated() -> Iterator[tuple[str, str]]:
    """What instructions, rules and sources say of themselves, and where: looked up as pages and traces are told."""
    for kind in INSTRUCTIONS:
        for text in filter(_has_words, reference.words(kind)):
            yield text, f"{kind.__module__.replace('.', '/')}.py"
    for rule in RULES:
        for text in filter(_has_words, notes(rule.source)):
            yield text, f"{rule.__module__.replace('.', '/')}.py"
    for source in register().sources.values():
        for text in filter(_has_words, (source.label, source.note)):
            yield text, SOURCES


def reasons() -> Iterator[tuple[str, str]]:
    """The templates of what a card gives as the reason of its answers, and where."""
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REASONS:
                for template in _templates(node.args[REASONS[node.func.id]]):
                    yield template, path.relative_to(ROOT).as_posix()


def _templates(node: ast.expr) -> Iterator[str]:
    """Those of an argument that stands where a reason does; of a variable or a call none: it is made elsewhere."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        names: dict[str, int] = {}
        yield "".join(
            _hole(part, names) if isinstance(part, ast.FormattedValue) else str(ast.literal_eval(part))
            for part in node.values
        )
    elif isinstance(node, ast.IfExp):
        yield from _templates(node.body)
        yield from _templates(node.orelse)


def _hole(part: ast.FormattedValue, names: dict[str, int]) -> str:
    """A value's place in a template, named after what it is, with a number from the second of a name on."""
    node = part.value
    while not isinstance(node, ast.Attribute | ast.Name):
        match node:
            case ast.Call(func=ast.Attribute(value=of)) | ast.Subscript(value=of) | ast.BinOp(left=of):
                node = of
            case ast.Call(args=[of, *_rest]):
                node = of
            case _:
                raise SystemExit(f"line {part.lineno}: a reason's value that has no name: give it one")
    name = (node.attr if isinstance(node, ast.Attribute) else node.id).lower()
    names[name] = number = names.get(name, 0) + 1
    return "{" + name + (f"_{number}" if number > 1 else "") + "}"


def templates() -> str:
    """The templates of reasons with values, one a line."""
    return "".join(f"{one}\n" for one in sorted({template for template, _place in reasons() if "{" in template}))


def _said_of(record: Record) -> Iterator[str]:
    yield inspect.cleandoc(record["help"])
    yield brief(record)
    if record["epilog"]:
        yield inspect.cleandoc(record["epilog"])
    for title, rows in record["sections"]:
        yield title
        for _names, text in rows:
            yield text.rpartition("  [")[0] or text


def _has_words(text: str) -> bool:
    return re.search("[A-Za-z]{2}", re.sub(r"\[[^\]]*\]", "", text)) is not None


def of_library() -> dict[Message, list[str]]:
    """What the installed click says."""
    folder = Path(click.__file__).parent
    return spoken(folder.glob("*.py"), folder.parent)


def template() -> str:
    """The .pot, by the messages' texts: a change elsewhere in a file changes nothing here."""
    return _catalogue(HEADER, (_entry(message, places, 2) for message, places in sorted(extracted().items())))


def _entry(message: Message, places: Iterable[str], forms: int, told: tuple[str, ...] = ()) -> Entry:
    flags = frozenset({"python-brace-format"} if re.search(r"\{\w", message[0]) else ())
    return Entry(message, told or ("",) * (forms if message[1] else 1), tuple(places), flags)


def _catalogue(header: Mapping[str, str], rows: Iterable[Entry]) -> str:
    head = Entry(("", ""), ("".join(f"{name}: {value}\n" for name, value in header.items()),))
    return "\n".join(map(written, (head, *rows)))


# --- what translators say -------------------------------------------------------------------------------------------


def translations(language: Language) -> dict[Message, Entry]:
    """What this language's .po has; nothing where there is none yet."""
    if not language.path.exists():
        return {}
    return {one.message: one for one in entries(language.path.read_text(encoding="utf-8")) if one.message[0]}


def wanted(language: Language) -> dict[Message, list[str]]:
    """The messages that this language asks for, and where each stands; click's too, also those of another release of it
    that the .po has.
    """
    library = {
        one.message: list(one.places)
        for one in translations(language).values()
        if all(place.startswith(LIBRARY) for place in one.places)
    }
    found = library | of_library() | extracted()
    return {message: places for message, places in found.items() if language.asks_for(message)}


def up_to_date(language: Language, put: Mapping[Message, tuple[str, ...]] | None = None) -> str:
    """This language's .po as the sources want it, with the translations that it has and those that are put in: by the
    file in which a message stands first, so that two who translate different rooms change different lines.
    """
    told = {message: entry.told for message, entry in translations(language).items()} | dict(put or {})
    header = {
        **HEADER,
        "Language": language.folder,
        "Plural-Forms": f"nplurals={language.forms}; plural={language.rule};",
    }
    ordered = sorted(wanted(language).items(), key=lambda one: (one[1][0], one[0]))
    rows = [_entry(message, places, language.forms, told.get(message, ())) for message, places in ordered]
    return _catalogue(header, rows)


def untranslated(language: Language, rooms: Iterable[str] = ()) -> list[Entry]:
    """What this language lacks, of these rooms alone if any are named: by how the first place of a message begins."""
    begins = tuple(rooms) or ("",)
    there = translations(language)
    return [
        _entry(message, places, language.forms)
        for message, places in sorted(wanted(language).items(), key=lambda one: (one[1][0], one[0]))
        if places[0].startswith(begins) and (message not in there or not there[message].is_translated)
    ]


def faults(message: Message, told: Sequence[str]) -> list[str]:
    """What a translation has otherwise than its message that a program relies on: arguments, space at the ends."""
    one, many = message
    found = []
    for text in told:
        likeness = many or one
        part_of_both = HAN.search(one) is not None and fields(text) <= fields(one)  # it says some in each language
        of_one = len(told) > 1 and fields(text) == fields(one)
        if fields(text) != fields(likeness) and not part_of_both and not of_one:
            found.append(f"arguments {sorted(fields(text))}, expected {sorted(fields(likeness))}")
        if PERCENT.findall(text) != PERCENT.findall(likeness):
            found.append(f"{PERCENT.findall(text)}, expected {PERCENT.findall(likeness)}")
        for (side, edge), at in zip(EDGES.items(), (text[:1], text[-1:]), strict=True):
            space = edge.search(one)[0]  # type: ignore[index]
            if edge.search(text)[0] != space and not (space == " " and at in FULL_WIDTH):  # type: ignore[index]
                found.append(f"another {side}: {text!r}")
        if text.count("\b") != one.count("\b"):
            found.append("other marks of paragraphs that are not wrapped")
    return found


PERCENT = re.compile(r"%\(\w+\)[a-z]")
EDGES = {"beginning": re.compile(r"^\s*"), "end": re.compile(r"\s*$")}
FULL_WIDTH = "，。：；、（）"
"""Punctuation that brings its space along."""


def fields(text: str) -> set[str]:
    """The arguments of a format, each with how it is written: ``sw:04X``. None where the text is no format."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        return set()
    named = [(name, how, form) for _before, name, form, how in parts if name is not None]
    return {name + (f"!{how}" if how else "") + (f":{form}" if form else "") for name, how, form in named}


def taken(language: Language, offered: Mapping[str, object]) -> dict[Message, tuple[str, ...]]:
    """Translations by their messages, checked. click.ClickException with every one that cannot be taken."""
    known = {message[0]: message for message in wanted(language)}
    found, wrong = {}, []
    for name, said in offered.items():
        told = tuple(said) if isinstance(said, list) else (said,)
        message = known.get(name)
        if message is None:
            wrong.append(f"{name!r}: no message of the sources")
        elif not all(isinstance(one, str) and one for one in told) or len(told) != (
            language.forms if message[1] else 1
        ):
            wrong.append(f"{name!r}: expected {language.forms if message[1] else 1} text")
        else:
            wrong += [f"{name!r}: {one}" for one in faults(message, told)]
            found[message] = told
    if wrong:
        raise click.ClickException("\n".join(wrong))
    return found


# --- the command ----------------------------------------------------------------------------------------------------

LANGUAGE = click.option("--language", type=click.Choice(list(LANGUAGES)), default="zh_CN", show_default=True)


@click.group(help=__doc__)
def main() -> None:
    """One of these."""


@main.command()
def extract() -> None:
    """Write the .pot and the reasons' templates, and bring each .po up to date."""
    TEMPLATES.write_text(templates(), encoding="utf-8")
    POT.write_text(template(), encoding="utf-8")
    for language in LANGUAGES.values():
        _write(language, up_to_date(language))


@main.command("compile")
def compile_all() -> None:
    """Make an .mo of each .po."""
    for po in LOCALE.glob("*/LC_MESSAGES/*.po"):
        po.with_suffix(".mo").write_bytes(compiled(po.read_text(encoding="utf-8")))


@main.command("library")
def tell_library() -> None:
    """Print what the installed click says, as a .pot."""
    click.echo(_catalogue(HEADER, (_entry(one, places, 2) for one, places in sorted(of_library().items()))), nl=False)


@main.command("untranslated")
@click.argument("rooms", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="For `take`, with places.")
@LANGUAGE
def tell_untranslated(rooms: tuple[str, ...], as_json: bool, language: str) -> None:
    """List what a language lacks; of ROOMS alone, by how the first place of a message begins."""
    lacking = untranslated(LANGUAGES[language], rooms)
    if as_json:
        rows = [{"msgid": one.message[0], "plural": one.message[1], "places": one.places} for one in lacking]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for one in lacking:
        click.echo(f"{one.places[0]}: {one.message[0]!r}")
    click.echo(f"{len(lacking)} messages", err=True)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@LANGUAGE
def take(files: tuple[Path, ...], language: str) -> None:
    """Put translations in: FILES are JSON, each message with its translation, or a list of one for each form."""
    asked = LANGUAGES[language]
    for file in files:
        try:
            offered = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise click.ClickException(f"{file}: {error}") from None
        if not isinstance(offered, dict):
            raise click.ClickException(f"{file}: expected an object of messages and translations")
        _write(asked, up_to_date(asked, taken(asked, offered)))


@main.command()
def check() -> None:
    """Fail if the .pot or a .po is not what the sources say."""
    made = ((POT, template()), (TEMPLATES, templates()))
    for path, said in (*made, *((one.path, up_to_date(one)) for one in LANGUAGES.values())):
        if not path.exists() or path.read_text(encoding="utf-8") != said:
            raise click.ClickException(f"{path.relative_to(ROOT)} is not what the sources say: make messages")


def _write(language: Language, said: str) -> None:
    language.path.parent.mkdir(parents=True, exist_ok=True)
    language.path.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
