"""The documentation's command table says what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator import catalogue
from emulator.apdu.instructions import INSTRUCTIONS
from emulator.messages import CHINESE, ENGLISH, in_language
from harness.cli.monitor import rules_markdown
from harness.cli.terminal import codes_markdown
from harness.office.desk import lookup
from harness.scenarios import matrix, model
from harness.sources import page as sources
from harness.sources.register import register
from harness.trace import reference

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
LISTS = json.loads((Path(__file__).parents[2] / "data" / "commands.json").read_text(encoding="utf-8"))
PAGES: dict[str, Callable[[], str]] = {
    "articles": lambda: matrix.markdown(model.find([ROOT / "vectors" / "office"])),
    "commands": reference.markdown,
    "office-rules": lookup.markdown,
    "return-codes": codes_markdown,
    "rules": rules_markdown,
    "sources": lambda: sources.markdown(register()),
}
"""The generated pages by their names, as their commands make them."""
COMMANDS, PSAM_COMMANDS = LISTS["commands"], LISTS["psam_commands"]


def test_the_table_in_the_docs_is_the_code() -> None:
    assert (DOCS / "reference/commands.md").read_text(encoding="utf-8") == reference.markdown(), (
        "sscard commands --markdown"
    )


@pytest.mark.parametrize("name", PAGES)
def test_the_page_in_chinese_is_the_code_and_chinese(name: str) -> None:
    with in_language(CHINESE):
        page = PAGES[name]()
    written = (DOCS / f"reference/{name}.zh-CN.md").read_text(encoding="utf-8")
    assert written == page, "make messages, then the page's own command with --lang zh"
    assert re.findall(r"\b(?:the|of|and|is|are|a|by|for|that)\b", page) == [], "a text without Chinese"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_in_english_has_no_chinese_but_names(name: str) -> None:
    with in_language(ENGLISH):
        heads = [line for line in PAGES[name]().splitlines() if line.startswith(("#", "| "))]
    assert not any(re.search("[\u4e00-\u9fff]", line) for line in heads if line.startswith("#"))
    assert any(line.startswith("| ---") for line in heads)


def test_no_two_commands_share_their_bytes() -> None:
    seen: dict[tuple[str, int, int, object], object] = {}
    for kind in INSTRUCTIONS:
        for card in kind.cards:
            for cla in (kind.cla, *kind.secured):
                for p1p2 in kind.p1p2 if kind.by_p1 else ("",):
                    key = (card, cla, kind.ins, p1p2)
                    assert seen.setdefault(key, kind) is kind


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row["name"])
def test_the_standards_own_list_is_covered(row: dict[str, str]) -> None:
    """Header bytes and status words as the standard's family lists them. [T]"""
    kind = next(kind for kind in INSTRUCTIONS if kind.name == row["name"])
    assert f"{kind.ins:02X}" == row["INS"]
    assert {f"{cla:02X}" for cla in (kind.cla, *kind.secured)} >= set(row["CLA"].replace(" or ", " ").split())
    listed = {word.replace("63Cx", "63C0").replace("6Cxx", "6C00") for word in row["status"]} - {"61xx", "6E00"}
    assert listed <= {f"{word:04X}" for word in kind.status}, "every status word that the standard lists"


@pytest.mark.parametrize("row", PSAM_COMMANDS, ids=lambda row: row["name"])
def test_the_list_of_the_terminals_own_card_is_covered(row: dict[str, str]) -> None:
    """Header bytes and status words of part 9. [T]"""
    psam = catalogue.layout("psam")
    kind = next(kind for kind in INSTRUCTIONS if kind.name == row["name"] and kind.offered(psam))
    assert (f"{kind.cla:02X}", f"{kind.ins:02X}") == (row["CLA"], row["INS"])
    listed = set(row["status"]) - {"61xx", "6E00"}
    if "user" in kind.cards:
        listed -= {"6982", "6985"}  # of a key's own conditions and of no current application: there is always one
    assert listed <= {f"{word:04X}" for word in kind.status}, "every status word that the standard lists"


def test_every_layout_offers_what_it_should() -> None:
    names = {
        name: {kind.name for kind in INSTRUCTIONS if kind.offered(catalogue.layout(name))}
        for name in catalogue.layouts()
    }
    assert names["3.00"] == names["regional"]
    assert names["3.00"] - names["2.00"] == {
        "VERIFY CERTIFICATE PIN", "CHANGE CERTIFICATE PIN", "HASH", "GENERATE KEY PAIR", "EXPORT PUBLIC KEY",
        "DECIPHER SESSION KEY", "IMPORT SESSION KEY", "IMPORT KEY",
        "COMPUTE DIGITAL SIGNATURE", "VERIFY DIGITAL SIGNATURE",
    }  # fmt: skip
    assert names["2.00"] - names["1.00"] == {"GET PROCESSING OPTIONS", "GET DATA", "GENERATE AC"}
    assert "APPLICATION UNBLOCK" not in names["3.00"]
    assert names["psam"] & names["3.00"] == {
        "SELECT", "READ RECORD", "READ BINARY", "UPDATE BINARY", "GET CHALLENGE", "EXTERNAL AUTHENTICATION",
        "GET RESPONSE",
    }  # fmt: skip
