from __future__ import annotations

from datetime import date
from hashlib import sha256

import pytest

from harness.office.measures.articles import Citation, Kind, measures

# Over the regulation's paragraphs and the annex's promise, in order, one a line, as compared with the print.
WORDS = "1fd9da4c783ea1a76518aab96856ccfbfcee923a2ba764294f6c253b5f4ecc5d"


def test_not_a_word_of_it_was_changed() -> None:
    rules = measures()
    lines = [each.zh for article in rules.articles for each in article.paragraphs]
    assert sha256("\n".join([*lines, rules.annex.promise]).encode()).hexdigest() == WORDS


def test_articles_are_where_they_belong() -> None:
    rules = measures()
    assert [article.number for article in rules.articles] == list(range(1, 35))
    first: dict[int, int] = {}
    for article in rules.articles:
        first.setdefault(article.chapter.number, article.number)
    assert first == {1: 1, 2: 8, 3: 14, 4: 17, 5: 20, 6: 22, 7: 25, 8: 29, 9: 32}
    assert rules.article(24).chapter.title == "第六章 查询、信息变更与参保地转移"
    several = {article.number: len(article.paragraphs) for article in rules.articles if len(article.paragraphs) > 1}
    assert several == dict.fromkeys((2, 9, 11, 12, 13, 15, 21, 32), 2)


def test_a_citation_is_a_name_and_the_words() -> None:
    fee = Citation(12, 2)
    assert (fee.zh, fee.en) == ("首次申领社会保障卡免费。", "The first card is free of charge.")
    assert (str(fee), fee.label_zh, fee.label_en) == ("第十二条第二款", "第十二条第二款", "article 12, paragraph 2")
    assert (Citation(24).label_zh, Citation(24).label_en) == ("第二十四条", "article 24")
    names = [Citation(number).label_zh for number in (7, 10, 17, 20, 30, 34)]
    assert names == ["第七条", "第十条", "第十七条", "第二十条", "第三十条", "第三十四条"]
    assert measures().article(9).citations == (Citation(9), Citation(9, 2))


@pytest.mark.parametrize(("article", "paragraph"), [(0, 1), (35, 1), (24, 2), (9, 0), (9, 3), (-1, 1)])
def test_what_does_not_exist_cannot_be_cited(article: int, paragraph: int) -> None:
    with pytest.raises(LookupError, match=r"Measures ha(ve|s)"):
        Citation(article, paragraph)


def test_every_paragraph_is_rendered_and_what_binds_people_alone_says_why() -> None:
    every = [each for article in measures().articles for each in article.paragraphs]
    assert all(each.en.endswith(".") for each in every)
    assert all(bool(each.reason) == (each.kind is Kind.PEOPLE_ONLY) for each in every)
    assert Citation(31).text.kind is Kind.PEOPLE_ONLY
    assert Citation(24).text.kind is Kind.OPERATION


@pytest.mark.parametrize(
    ("day", "binding"),
    [
        (date(2023, 8, 31), False),
        (date(2023, 9, 1), True),
        (date(2028, 8, 31), True),
        (date(2028, 9, 1), False),
    ],
)
def test_they_are_in_force_for_five_years(day: date, binding: bool) -> None:
    assert measures().in_force(day) is binding


def test_the_head_is_quoted_too() -> None:
    rules = measures()
    assert (rules.title, rules.number) == ("四川省社会保障卡经办管理办法", "川人社规〔2023〕6号")
    assert rules.issued == date(2023, 7, 17)
    assert rules.title in rules.notice
    assert rules.repeals == "川人社办发〔2018〕77号"
    assert rules.repeals.removesuffix("号") in Citation(34).zh
    assert rules.annex.title == "四川省社会保障卡业务代理承诺书"
