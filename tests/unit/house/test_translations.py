"""Nothing that people are told lacks its Chinese, and no translation has other arguments than its message."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from emulator import messages
from harness.cli import main
from harness.cli.table import records
from harness.driver.codes import WORDS
from harness.readers import pcsc
from harness.studio.files import texts as page_texts
from scripts import messages as catalogue
from tests.kit.languages import forget_help
from tests.unit.house.test_spoken_texts import SHELL

WORD = re.compile(r"(?<![\w`'$/.<>=:{-])[a-z]{2,}(?![\w`'(=/.}-])")
"""A word of English prose: a name, an option, a value or a part of a path has something else beside it."""
CODE = re.compile(r"sscard [a-z -]+|`[^`]*`|\[[^\]]*\]|“[^”]*”|[A-Z_]{2,}\S*|--\S+|\S+\.\S+|\S*/\S*")
NAME_OF_CHECK = re.compile("^[a-z]+ +[^:]+:")
SPOKEN = 3
"""So many words of English after one another are a sentence."""
LANGUAGES = list(catalogue.LANGUAGES.values())
HAN = "[\u3400-\u9fff]"
BLANK = re.compile(rf"{HAN} [A-Za-z0-9-]|{HAN} {HAN}|(?<![A-Za-z0-9])([A-Za-z0-9-]+) {HAN}")
GLOSS = re.compile("(?:^|[：；，（。\\s])$")
"""What stands before a term that its meaning follows, with a blank between: ``S 条文所述``, ``passport 护照``."""
HALF_WIDTH = re.compile(rf"{HAN}[,:;?]|[,:;!?]{HAN}|{HAN}[(]{HAN}|{HAN}[)]{HAN}")


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(messages.OWN, messages.CHINESE)
    messages.forget()
    yield
    messages.forget()
    forget_help()


def sentences(text: str) -> list[str]:
    """Runs of English words in a text, without code."""
    plain = CODE.sub("\0", text)
    return [one for one in re.findall(r"[A-Za-z' ,;]+", plain) if len(WORD.findall(one)) >= SPOKEN]


# --- the catalogues --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.folder)
def test_no_message_lacks_its_translation(language: catalogue.Language) -> None:
    lacking = [one.message[0] for one in catalogue.untranslated(language)]
    assert lacking == [], "scripts/messages.py untranslated, then take; CONTRIBUTING.md says how"


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.folder)
def test_a_translation_has_the_arguments_of_its_message(language: catalogue.Language) -> None:
    found = {
        message[0]: wrong
        for message, entry in catalogue.translations(language).items()
        if entry.is_translated and (wrong := catalogue.faults(message, entry.told))
    }
    assert found == {}


def badly_set(text: str) -> list[str]:
    """Where Chinese has a blank beside letters and digits, which ours never has, or punctuation of half width."""
    blanks = (one for one in BLANK.finditer(text) if one[1] is None or not GLOSS.search(text[: one.start()]))
    return [text[max(0, one.start() - 8) : one.end() + 8] for one in (*blanks, *HALF_WIDTH.finditer(text))]


def test_chinese_is_set_in_one_way() -> None:
    told = [text for one in catalogue.translations(catalogue.LANGUAGES["zh_CN"]).values() for text in one.told]
    told += [re.sub(r"\{\w+\}", "1", one["zh"]) for one in page_texts().values()]
    told += [chinese for _english, chinese in WORDS.values()]
    assert [one for text in told for one in badly_set(text)] == []


@pytest.mark.parametrize("text", ["应为6 位", "共 6位", "先读后 写", "应为:文本", "甲,乙", "甲(乙)丙", "端口 65536"])
def test_chinese_set_otherwise_is_found(text: str) -> None:
    assert badly_set(text)


@pytest.mark.parametrize(
    "text", ["等级：S 条文所述，D 本项目的理解", "passport 护照", "端口65536", "{path}: 回读", "第2行：甲（乙）"]
)
def test_chinese_that_is_set_well_is_left_alone(text: str) -> None:
    assert badly_set(text) == []


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.folder)
def test_a_catalogue_is_what_the_sources_say(language: catalogue.Language) -> None:
    assert language.path.read_text(encoding="utf-8") == catalogue.up_to_date(language), "make messages"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (("{file}: no such file", ""), "{path}：没有这个文件"),
        (("{sw:04X} came", ""), "收到{sw}"),
        (("ends so: ", ""), "如此结束"),
        (("%(prog)s works", ""), "可用"),
        (("one card", "{number} cards"), "几张卡"),
    ],
)
def test_what_a_translation_must_not_change_is_found(message: tuple[str, str], told: str) -> None:
    assert catalogue.faults(message, [told])


def test_a_translation_may_turn_arguments_round_and_say_one_language_of_two() -> None:
    assert catalogue.faults(("{one} of {other}", ""), ["{other}的{one}"]) == []
    assert catalogue.faults(("{zh}失败 {en} failed: {error}", ""), ["{zh}失败：{error}"]) == []
    assert catalogue.faults(("one card", "{number} cards"), ["{number}张卡"]) == []


# --- what is told in Chinese -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("chinese")
def test_the_help_of_every_command_is_chinese() -> None:
    texts = {path: said(*path.split(), "--help") for path in ("", *records())}
    assert len(texts) > 120
    english = {path: found for path, text in texts.items() if (found := sentences(text))}
    assert english == {}
    assert all(text.startswith("用法：") for text in texts.values())


def said(*arguments: str, expect: int = 0) -> str:
    result = CliRunner().invoke(main, list(arguments), prog_name="sscard", terminal_width=120)
    assert result.exit_code == expect, result.output
    return result.output


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"], ["show", "--nothing"], ["image", "copy"], ["run", "--slots", "many"], ["persona", "new"],
        ["monitor"], ["run", "--shape", "none"], ["--lang", "xx"], ["region", "set"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_told_in_chinese(arguments: list[str]) -> None:
    text = said(*arguments, expect=2)
    assert "错误：" in text
    assert sentences(text) == []


@pytest.mark.usefixtures("chinese")
def test_what_the_system_says_of_a_file_is_told_in_chinese() -> None:
    assert said("trace", "show", "nothing.jsonl", expect=1).splitlines() == ["sscard: nothing.jsonl: 没有此文件或目录"]


def test_a_group_without_a_command_shows_its_help_as_lines() -> None:
    shown = CliRunner().invoke(main, ["image"], prog_name="sscard").output
    assert "\\x0a" not in shown
    assert "Commands:" in shown.splitlines()


@pytest.mark.parametrize("command", ["show", "layout show 3.00", "keys", "region show", "machine keys", "commands"])
def test_what_a_card_holds_is_told_in_one_language(command: str) -> None:
    chinese, english = (
        CliRunner().invoke(main, ["--lang", language, *command.split()], prog_name="sscard").output
        for language in (messages.CHINESE, messages.ENGLISH)
    )
    assert sentences(chinese) == []
    headings = [one for one in english.splitlines() if not one.startswith("  ")]
    assert [one for one in headings if catalogue.HAN.search(one)] == []


@pytest.mark.usefixtures("chinese")
def test_the_doctor_speaks_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "pcscd_path", lambda: None)
    text = said("doctor", expect=1)
    assert "未安装" in text
    told = (NAME_OF_CHECK.sub("", SHELL.sub("", line)) for line in text.splitlines())
    assert sentences("\n".join(told)) == []


@pytest.mark.parametrize("text", ["a card is put in", "此处 and then the rest is English", "Usage: this is told so"])
def test_english_is_found(text: str) -> None:
    assert sentences(text)


@pytest.mark.parametrize(
    "text", ["用`sscard show` 显示", "T=0 与 pcscd、vpcd", "[default: adult-chengdu]", "SM2、3DES"]
)
def test_names_are_not_english(text: str) -> None:
    assert not sentences(text)
