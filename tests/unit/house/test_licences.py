"""Every package that is needed has a licence that is known and fits, and the pages say which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import licences
from scripts.licences import TABLE, Use, fits, normal
from scripts.locked import PROJECT, TOOLS, installed, lock

ROOT = Path(__file__).parents[3]
DEBIAN = {"MIT": "MIT|Expat", "Arphic-1999": "(?i:arphic)", "ISC": "ISC"}
"""How Debian's copyright files name a licence, where that is not by what stands before its last figure."""


def test_all_that_is_needed_may_be_used_as_it_is() -> None:
    assert list(licences.wrong()) == []


def test_every_extra_that_is_not_locked_is_named_with_its_licence() -> None:
    direct = {re.split(r"[<>=;\[]", one)[0] for extra in TOOLS for one in PROJECT["optional-dependencies"][extra]}
    assert TABLE["tools"].keys() == direct


def test_what_we_say_is_what_the_packages_say() -> None:
    """Where the locked release is installed: `make test` installs the newest."""
    here = [one.name for one in lock() if installed(one)]
    said = {name: licences.said(name) for name in here}
    assert {name for name in here if not said[name]} <= TABLE["seen"].keys(), (
        "say in scripts/licences.toml what was read"
    )
    assert {name: normal(TABLE["python"][name]) for name in here if said[name]} == {
        name: licence for name, licence in said.items() if licence
    }
    if not here:
        pytest.skip("no locked release is installed")


@pytest.mark.parametrize("name", TABLE["debian"])
def test_debians_copyright_files_have_the_licences_that_we_name(name: str) -> None:
    file = Path("/usr/share/doc", name, "copyright")
    if not file.is_file():
        pytest.skip("not installed, or not Debian")
    text = file.read_text(encoding="utf-8")
    for licence in re.findall(r"[\w.-]+", re.sub(r"\b(AND|OR)\b", "", TABLE["debian"][name]["licence"])):
        family = DEBIAN.get(licence, re.escape(re.sub(r"(\.0)?(-or-later|-only|-Clause)?$", "", licence)))
        assert re.search(family, text), licence


def test_what_lies_in_the_wheel_lies_there_with_its_text() -> None:
    for one in TABLE["inside"]:
        assert (ROOT / one["file"]).is_file()
        assert re.search(rf"(?im)^{one['name']}$", (ROOT / one["text"]).read_text(encoding="utf-8"))
    vendored = [path for path in ROOT.glob("harness/**/vendor/*") if path.suffix != ".txt"]
    assert {path.relative_to(ROOT).as_posix() for path in vendored} == {one["file"] for one in TABLE["inside"]}


@pytest.mark.parametrize(
    ("expression", "use", "may"),
    [
        ("MIT", Use.INSIDE, True),
        ("LGPL-2.1-or-later", Use.INSIDE, False),
        ("LGPL-2.1-or-later", Use.LIBRARY, True),
        ("GPL-3.0-or-later", Use.LIBRARY, False),
        ("GPL-3.0-or-later", Use.PROGRAM, True),
        ("GPL-2.0-or-later OR LGPL-2.1-or-later OR MPL-1.1", Use.LIBRARY, True),
        ("MIT AND GPL-2.0-only", Use.LIBRARY, False),
        ("MIT AND (GPL-2.0-only OR Apache-2.0)", Use.INSIDE, True),
        ("AGPL-3.0-only", Use.PROGRAM, False),
        ("SSPL-1.0", Use.PROGRAM, False),
        ("Arphic-1999", Use.FONT, True),
        ("Arphic-1999", Use.INSIDE, False),
    ],
)
def test_the_rule(expression: str, use: Use, may: bool) -> None:
    assert fits(expression, use) is may


@pytest.mark.parametrize("expression", ["", "Unknown", "MIT AND", "MIT, BSD", "see LICENSE"])
def test_what_is_no_licence_is_none(expression: str) -> None:
    with pytest.raises(ValueError, match="no SPDX expression"):
        fits(expression, Use.PROGRAM)


def test_a_package_that_nobody_looked_at_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {name: licence for name, licence in TABLE["python"].items() if name != "click"}
    monkeypatch.setitem(TABLE, "python", known | {"pyyaml": "GPL-3.0-only", "nobody": "MIT"})
    assert list(licences.wrong()) == [
        "click: its licence is not known: enter it in scripts/licences.toml",
        "nobody: in scripts/licences.toml, and not locked",
        "pyyaml: GPL-3.0-only may not be used as library in a program under Apache-2.0",
    ]


@pytest.mark.parametrize("language", licences.PAGES)
def test_the_pages_are_what_the_script_writes(language: str) -> None:
    found = licences.PAGES[language].read_text(encoding="utf-8")
    assert found == licences.page(language), "python scripts/licences.py write"
