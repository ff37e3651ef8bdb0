"""The catalogue of messages: ``extract`` writes emulator/locale/sscard.pot from the sources and from the help of the
command line, ``compile`` an .mo of each .po beside it, ``check`` says whether the .pot is what the sources say.
``library`` prints what click says itself, for translators: no text of ours, but found in the same .mo.
"""

from __future__ import annotations

import ast
import inspect
import re
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, it is this folder that is searched

from harness.cli import main as program  # noqa: E402
from harness.cli.table import Record, brief, records  # noqa: E402
from harness.cli.table_maker import record_of  # noqa: E402

LOCALE = ROOT / "emulator" / "locale"
POT = LOCALE / "sscard.pot"
ROOMS = ("emulator", "harness", "sscard")
HEADER = (
    'msgid ""\nmsgstr ""\n"Project-Id-Version: sscard\\n"\n"MIME-Version: 1.0\\n"\n'
    '"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
)
Message = tuple[str, str]
"""A message, and its form for many, empty where it has none."""


TOLD = ("_", "deferred", "ngettext")
"""What is called with a message."""
HELP = "harness/cli/commands.json"


def extracted() -> dict[Message, list[str]]:
    """Every message of the sources, and the files where it stands; the help that is told from the table too."""
    found = spoken(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    for text in helped():
        places = found.setdefault((text, ""), [])
        if HELP not in places:
            places.append(HELP)
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


def template() -> str:
    """The .pot, by the messages' texts: a change elsewhere in a file changes nothing here."""
    return written(extracted())


def library() -> str:
    """A .pot of what the installed click says."""
    import click

    folder = Path(click.__file__).parent
    return written(spoken(folder.glob("*.py"), folder.parent))


def written(messages: dict[Message, list[str]]) -> str:
    """A .pot of these."""
    entries = []
    for (text, many), places in sorted(messages.items()):
        lines = [f"#: {name}" for name in places]
        lines += ["#, python-brace-format"] if re.search(r"\{\w", text) else []
        lines += [f"msgid {quoted(text)}"]
        lines += [f"msgid_plural {quoted(many)}", 'msgstr[0] ""', 'msgstr[1] ""'] if many else ['msgstr ""']
        entries.append("\n".join(lines) + "\n")
    return "\n".join([HEADER, *entries])


def quoted(text: str) -> str:
    """As a .po has a text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def compiled(po: str) -> bytes:
    """An .mo of a .po: its messages that are translated and not fuzzy, sorted, as GNU gettext reads them."""
    table: dict[str, str] = {}
    for entry in re.split(r"\n\s*\n", po):
        if "#, fuzzy" in entry:
            continue
        parts: dict[str, str] = {}
        last = ""
        for line in entry.splitlines():
            keyword = re.match(r"(msgid_plural|msgid|msgstr(?:\[\d+\])?)\s+(\".*\")$", line)
            if keyword:
                last = keyword[1]
                parts[last] = ast.literal_eval(keyword[2])
            elif line.startswith('"') and last:
                parts[last] += ast.literal_eval(line)
        told = [value for name, value in sorted(parts.items()) if name.startswith("msgstr")]
        if "msgid" in parts and all(told) and told:
            name = parts["msgid"] + (f"\0{parts['msgid_plural']}" if "msgid_plural" in parts else "")
            table[name] = "\0".join(told)
    names = sorted(table, key=str.encode)
    originals, translations = [one.encode() for one in names], [table[one].encode() for one in names]
    begin = 7 * 4
    content = begin + 16 * len(names)
    index, data = b"", b""
    for block in (originals, translations):
        for one in block:
            index += struct.pack("<II", len(one), content + len(data))
            data += one + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(names), begin, begin + 8 * len(names), 0, 0)
    return head + index + data


def main() -> None:
    """One of the four, by its name."""
    asked = sys.argv[1] if len(sys.argv) == 2 else ""
    if asked == "extract":
        POT.write_text(template(), encoding="utf-8")
    elif asked == "compile":
        for po in LOCALE.glob("*/LC_MESSAGES/*.po"):
            po.with_suffix(".mo").write_bytes(compiled(po.read_text(encoding="utf-8")))
    elif asked == "library":
        sys.stdout.write(library())
    elif asked == "check":
        if POT.read_text(encoding="utf-8") != template():
            raise SystemExit(f"{POT.name} is not what the sources say: make messages")
    else:
        raise SystemExit("expected extract, compile, library or check")


if __name__ == "__main__":
    main()
