from __future__ import annotations

import builtins
import io
import sys
from collections.abc import Iterator
from ctypes.util import find_library
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pypdf
import pytest
from fontTools.ttLib import TTFont

from harness.office.letter import CannotPrint, Letter, LetterError, Party, html, pdf
from harness.office.letter.typeset import FONTS

LETTER = Letter(
    principal=Party("张建国", "居民身份证", "519900194905120018", "00013800001"),
    agent=Party("张㛃䶮", "居民身份证", "519900198208150025", "00013900002"),
    relation="父女",
    operation="社会保障卡正式挂失、补领",
    reason="委托人年事已高，行动不便，无法亲自到卡经办服务网点办理。",
    signer="张㛃䶮",
    day=date(2026, 3, 5),
)
# The annex as printed, filled: label by label, as a person reads the rows.
FORM = (
    "四川省社会保障卡业务代理承诺书 委托人信息 代理人信息 姓名 张建国 姓名 张㛃䶮 "
    "证件类型 居民身份证 证件类型 居民身份证 证件号码 519900194905120018 证件号码 519900198208150025 "
    "联系电话 00013800001 联系电话 00013900002 委托人与代理人关系 父女 代理业务 社会保障卡正式挂失、补领 "
    "代理原因 委托人年事已高，行动不便，无法亲自到卡经办服务网点办理。 代理人承诺 "
    "本人承诺，受到委托人授权代办上述业务属实。所提供社会保障卡、居民身份证等委托人之个人材料为合理合法取得。"
    "因本次授权不实，导致本次业务办理后产生的任何争议以及由此带来的法律后果或损害后果，均由本人承担，与贵单位无关。 "
    "承诺人（代理人）签字： 2026年3月5日 测试用，人员信息均为虚构"
)
printing = pytest.mark.skipif(
    not (find_library("pango-1.0") and find_spec("weasyprint") and all(font.exists() for font in FONTS)),
    reason="Pango, WeasyPrint or the fonts are not installed",
)
NEVER_FIRST = "，。、；：！？）》”’"
NEVER_LAST = "（《“‘"


def read(document: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(document))


def unspaced(text: str) -> str:
    return "".join(text.split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {name for name, _ in attrs} & {"src", "href"}, "the page needs nothing beside it"
        self.inside = self.inside or tag == "body"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.words += data


def words(page: str) -> str:
    parser = _Words()
    parser.feed(page)
    return unspaced(parser.words)


def test_the_page_is_the_annex_filled() -> None:
    mark = "测试用，人员信息均为虚构"
    assert words(html(LETTER)) == mark + unspaced(FORM).removesuffix(mark)


@printing
def test_the_print_says_what_the_form_says() -> None:
    document = read(pdf(LETTER))
    assert len(document.pages) == 1
    assert sorted(unspaced(document.pages[0].extract_text())) == sorted(unspaced(FORM))
    for part in FORM.split():
        assert part in unspaced(document.pages[0].extract_text())
    assert [round(float(side) / 72 * 25.4) for side in document.pages[0].mediabox[2:]] == [210, 297]
    assert document.metadata is not None
    assert document.metadata.title == "四川省社会保障卡业务代理承诺书"


@printing
def test_the_same_letter_is_the_same_print() -> None:
    assert pdf(LETTER) == pdf(LETTER)


def _fonts(document: pypdf.PdfReader) -> Iterator[Any]:
    for page in document.pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            yield font.get_object()["/DescendantFonts"][0].get_object()


@printing
def test_its_fonts_are_embedded() -> None:
    fonts = list(_fonts(read(pdf(LETTER))))
    assert len(fonts) == len(FONTS), "common characters from one, 㛃 and 䶮 from the other"
    for font in fonts:
        assert "/FontFile2" in font["/FontDescriptor"].get_object()


@printing
def test_a_line_neither_begins_nor_ends_with_the_wrong_mark() -> None:
    # One more character each time, so that the marks come to the end of a line one after the other.
    for ahead in range(12):
        reason = "甲" * ahead + "委托人（年事已高），行动不便；“无法亲自办理”：特委托《户口簿》所载之女、子代办。" * 2
        lines = read(pdf(replace(LETTER, reason=reason))).pages[0].extract_text().splitlines()
        assert unspaced(reason) in unspaced("".join(lines))
        assert not [line for line in lines if line.strip() and line.strip()[0] in NEVER_FIRST]
        assert not [line for line in lines if line.strip() and line.strip()[-1] in NEVER_LAST]


@printing
def test_a_long_letter_keeps_promise_and_signature_together() -> None:
    pages = [unspaced(page.extract_text()) for page in read(pdf(replace(LETTER, reason="行动不便。" * 70))).pages]
    assert len(pages) == 2
    assert all(page.endswith("测试用，人员信息均为虚构") for page in pages)
    assert pages[1].startswith("代理人承诺本人承诺")
    assert "签字：2026年3月5日" in pages[1]


@printing
def test_what_people_write_is_text() -> None:
    odd = replace(LETTER, reason="<b>x</b> & \"y\" {{ z }} <img src='file:///etc/passwd'>")
    assert unspaced(odd.reason) in words(html(odd))
    assert unspaced(odd.reason) in unspaced(read(pdf(odd)).pages[0].extract_text())


@printing
@pytest.mark.parametrize("character", "𠮷𬭊𫘧堃喆㐂·")
def test_rare_characters_of_names_are_printed(character: str) -> None:
    named = replace(LETTER, principal=replace(LETTER.principal, name=f"张{character}"))
    assert f"张{character}" in unspaced(read(pdf(named)).pages[0].extract_text())


@printing
def test_the_fonts_have_all_of_gbk() -> None:
    pairs = (bytes((high, low)) for high in range(0x81, 0xFF) for low in range(0x40, 0xFF) if low != 0x7F)
    missing = set("".join(pair.decode("gbk", "ignore") for pair in pairs))
    for font in FONTS:
        missing -= set(map(chr, TTFont(font, lazy=True).getBestCmap()))
    assert not missing


@printing
def test_a_character_without_a_glyph_is_named_not_boxed() -> None:
    named = replace(LETTER, principal=replace(LETTER.principal, name="张㔰\x07"))
    with pytest.raises(LetterError, match=r"no glyph for U\+0007, 㔰 \(U\+3530\) in gbsn00lp\.ttf or Babel"):
        pdf(named)
    with pytest.raises(LetterError, match=r"㛃 \(U\+36C3\), 䶮 \(U\+4DAE\) in gbsn00lp\.ttf: write it otherwise"):
        pdf(LETTER, FONTS[:1])


def test_what_is_missing_is_named() -> None:
    with pytest.raises(LetterError, match=r"not filled in: 委托人姓名、代理人联系电话、代理原因$"):
        replace(
            LETTER,
            principal=replace(LETTER.principal, name=" "),
            agent=replace(LETTER.agent, phone=""),
            reason="",
        )
    with pytest.raises(LetterError, match=r"not filled in: 承诺人（代理人）签字$"):
        replace(LETTER, signer="")


def test_nobody_but_the_agent_signs() -> None:
    with pytest.raises(LetterError, match=r"第三十二条第二款.*another than the agent \(article 32, paragraph 2\)"):
        replace(LETTER, signer="张建国")


@printing
def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(CannotPrint, match=r"none\.ttf is not there: apt-get install fonts-arphic-gbsn00lp"):
        pdf(LETTER, [tmp_path / "none.ttf"])
    (tmp_path / "no.ttf").write_bytes(b"not a font")
    with pytest.raises(CannotPrint, match=r"no\.ttf cannot be used as a font"):
        pdf(LETTER, [tmp_path / "no.ttf"])
    really = builtins.__import__

    def without_pango(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "weasyprint":
            print("advice")
            raise OSError("cannot load library 'libpango-1.0-0'")
        return really(name, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "__import__", without_pango)
        with pytest.raises(CannotPrint, match=r"needs Pango: apt-get install .*libpango-1\.0-0"):
            pdf(LETTER)
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(CannotPrint, match=r'needs WeasyPrint: pip install "sscard\[office\]'):
        pdf(LETTER)
