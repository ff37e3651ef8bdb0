"""Messages go through one catalogue: errors are extracted, the template is up to date, a language is found."""

from __future__ import annotations

import ast
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import messages
from emulator.errors import SscardError
from harness.hsm.requests import MachineError, digits
from scripts import messages as catalogue
from tests.kit import languages
from tests.kit.sources import tree
from tests.unit.house.test_errors import OURS, ROOT, SOURCES

POSITION = {
    "LayoutError": 2, "FormatError": 1, "ImageError": 1, "MachineError": 1, "Problem": 2, "ItemError": 1, "Lacking": 1,
}  # fmt: skip
"""Which argument is the message, where it is not the first."""
TWO_LANGUAGES = {"CredentialError", "Refusal", "DriverError"}
"""Errors that are told in both languages at once: their texts are data, one beside the other."""
CHIP = {"CardError", "CardGone", "PowerCut", "WireError"}
"""What a chip and its wire say to whoever debugs them, in hot paths: English."""
BUILT = {"UnknownKey", "Refused", "PinRefused", "HalfWay", "PersonaError", "UnknownPersonaError", "MissingExtra"}
"""Made of parts by their own constructors, each through the catalogue."""
CHINESE = b"""
#: somewhere
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "{name}: expected {number} digits, found {count} characters"
msgstr "{name}\xef\xbc\x9a\xe5\xba\x94\xe4\xb8\xba{number}\xe4\xbd\x8d\xe6\x95\xb0\xe5\xad\x97\xef\xbc\x8c"
"\xe5\xae\x9e\xe4\xb8\xba{count}\xe4\xb8\xaa\xe5\xad\x97\xe7\xac\xa6"

msgid "one card"
msgid_plural "{number} cards"
msgstr[0] "{number}\xe5\xbc\xa0\xe5\x8d\xa1"

#, fuzzy
msgid "not sure"
msgstr "wrong"
"""


@pytest.fixture
def translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A catalogue of Chinese, as issue 15 will bring one."""
    languages.put(tmp_path, CHINESE.decode(), monkeypatch)
    yield
    messages.forget()


def told() -> str:
    messages.forget()
    with pytest.raises(MachineError) as error:
        digits("region", "51", 6)
    return str(error.value)


def test_the_template_is_what_the_sources_say() -> None:
    assert catalogue.POT.read_text(encoding="utf-8") == catalogue.template(), "make messages"


def test_arguments_have_names() -> None:
    """So that a translation may turn them round."""
    for text, many in catalogue.extracted():
        for one in (text, many):
            names = [name for _, name, _, _ in string.Formatter().parse(one) if name is not None]
            assert all(re.fullmatch(r"[a-z_][a-z_0-9]*", name) for name in names), one


def test_no_error_of_ours_speaks_past_the_catalogue() -> None:
    ours = {one.__name__ for one in OURS if issubclass(one, SscardError)} - TWO_LANGUAGES - CHIP - BUILT
    found = []
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            name = ast.unparse(node.exc.func).rpartition(".")[2]
            at = POSITION.get(name, 0)
            if name in ours and len(node.exc.args) > at and speaks(node.exc.args[at]):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {name}")
    assert found == []


def speaks(text: ast.expr) -> bool:
    """Whether it has words of its own, and not of another error's alone."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    said = "".join(one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return re.search("[A-Za-z]{2}", said) is not None


@pytest.mark.parametrize(
    ("variable", "language"),
    [("SSCARD_LANG", "zh"), ("LANGUAGE", "de:zh_CN"), ("LC_MESSAGES", "zh_CN.UTF-8"), ("LANG", "zh-CN")],
)
@pytest.mark.usefixtures("translated")
def test_a_language_is_found(variable: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, language)
    assert told() == "region：应为6位数字，实为2个字符"
    assert messages.ngettext("one card", "{number} cards", 2).format(number=2) == "2张卡"
    assert messages._("not sure") == "not sure", "what is fuzzy is not told"


@pytest.mark.parametrize("language", ["", "C.UTF-8", "en_GB.UTF-8", "en:zh", "fr", "../../etc"])
@pytest.mark.usefixtures("translated")
def test_else_it_is_english(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_LANG", language)
    assert told() == "region: expected 6 digits, found 2 characters"
    assert messages.ngettext("one card", "{number} cards", 1) == "one card"


def test_our_own_variable_is_asked_first(translated: None, monkeypatch: pytest.MonkeyPatch) -> None:
    del translated
    monkeypatch.setenv("LANGUAGE", "zh")
    monkeypatch.setenv("SSCARD_LANG", "en")
    assert told().startswith("region: expected")


def test_english_costs_no_import_at_the_start() -> None:
    program = "import sys; from emulator import messages; messages._('x'); print('gettext' in sys.modules)"
    clean = dict.fromkeys(messages.VARIABLES, "C")
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=clean)
    assert ended.stdout == "False\n"


def test_no_place_outside_the_catalogues_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_LANG", f"../../../..{tmp_path}")
    assert list(messages.languages()) == []


@pytest.mark.parametrize(
    ("english", "chinese", "good"),
    [
        (" (known)", "（已知）", True),
        ("second run: ", "第二次运行：", True),
        (" or ", "或", False),
        ("  again: {line}", "重现：{line}", False),
        ("\nThe session worked", "会话成功。", False),
    ],
)
def test_space_at_an_end_stays_where_no_punctuation_brings_its_own(english: str, chinese: str, good: bool) -> None:
    assert (catalogue.faults((english, ""), [chinese]) == []) is good


def test_nothing_else_is_called_as_messages_are() -> None:
    """A throwaway named ``_`` in a function that tells something would be called in the catalogue's place."""
    for path in SOURCES:
        nodes = list(ast.walk(tree(path)))
        calls = {one for one in nodes if isinstance(one, ast.Call) and getattr(one.func, "id", "") == "_"}
        from_there = [one for one in nodes if isinstance(one, ast.ImportFrom) and one.module == "emulator.messages"]
        names = {alias.name for one in from_there for alias in one.names}
        assert not calls or "_" in names, f"{path} tells without the catalogue"
        for function in (one for one in nodes if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)):
            inside = set(ast.walk(function))
            stored = {one for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            taken = {one for one in inside if isinstance(one, ast.arg)}
            names = {one.id for one in stored} | {one.arg for one in taken}
            assert "_" not in names or not inside & calls, f"{path}: {function.name}"
