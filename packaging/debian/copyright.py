"""debian/copyright (DEP-5) on stdout: of this program, and of every Python package that comes with it, by what each
says of itself in its metadata and in the licence files that it brings.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

ROOM = "usr/lib/sscard/lib/python*/site-packages"
OWN = "sscard"
HEADER = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sscard
Comment: Python packages that Debian has not, or not new enough, come with this one in a
 virtual environment of its own; each has a paragraph below.

Files: *
Copyright: the contributors of sscard
License: Apache-2.0
 On Debian systems the whole text is in /usr/share/common-licenses/Apache-2.0.
"""
HOLDER = re.compile(r"^\W*(?:Copyright|©)\s*(?:\(c\)|©)?:?\s*(?=.*\w)(.{4,})$", re.IGNORECASE)
NO_HOLDER = re.compile(r"\[|<|\{|license|notice|holder|owner|statement|law", re.IGNORECASE)


def licence_files(package: metadata.Distribution) -> list[Path]:
    """The licence files of an installed package, beside its metadata or below it."""
    found = [
        Path(str(one.locate()))
        for one in package.files or ()
        if ".dist-info/" in str(one) and re.match(r"(licen[cs]e|copying|notice|authors)", one.name, re.IGNORECASE)
    ]
    return sorted(found)


def holders(package: metadata.Distribution, texts: list[str]) -> list[str]:
    """Who holds the copyright: lines that say so, else whom the metadata name."""
    said = [found[1].strip() for text in texts for line in text.splitlines() if (found := HOLDER.match(line))]
    named = [one for one in said if not NO_HOLDER.search(one)]
    known = package.metadata
    return list(dict.fromkeys(named)) or [
        known.get("Author-email") or known.get("Author") or f"the authors of {known['Name']}"
    ]


def licence(package: metadata.Distribution) -> str:
    """The licence's name as the package says it. SystemExit where it says none."""
    known = package.metadata
    by_class = [
        one.rpartition(" :: ")[2]
        for one in known.get_all("Classifier") or ()
        if one.startswith("License :: OSI Approved ::")
    ]
    name = known.get("License-Expression") or " and ".join(by_class) or (known.get("License") or "").partition("\n")[0]
    if not name:
        raise SystemExit(f"{known['Name']} says no licence: add what it is under to debian/copyright.py")
    return name


def indented(text: str) -> str:
    """A text as a field goes on with it."""
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.strip().splitlines())


def paragraph(package: metadata.Distribution) -> str:
    """A package's paragraph: its files, whose they are, and the whole text that it brings."""
    name = package.metadata["Name"]
    tops = sorted({str(one).partition("/")[0] for one in package.files or () if not str(one).startswith("..")})
    texts = [one.read_text(encoding="utf-8", errors="replace") for one in licence_files(package)]
    files = "".join(
        f"\n {ROOM}/{top}{'' if top.endswith(('.py', '.so')) else '/*'}" for top in tops if top != "__pycache__"
    )
    body = (
        indented("\n\n".join(texts))
        if texts
        else f" {name} brings no text of its own; see {package.metadata.get('Home-page') or name} ."
    )
    whose = "".join(f"\n {one}" for one in holders(package, texts))
    return f"Files:{files}\nCopyright:{whose}\nLicense: {tagged(package)}\n{body}\n"


def tagged(package: metadata.Distribution) -> str:
    """The licence's name, apart from the same of other packages, whose texts have other holders."""
    return f"{re.sub(r'[^A-Za-z0-9.+-]+', '-', licence(package)).strip('-')}-of-{package.metadata['Name']}"


def main() -> None:
    """Writes all of it."""
    packages = sorted(metadata.distributions(), key=lambda one: one.metadata["Name"].lower())
    print(HEADER)
    print("\n".join(paragraph(one) for one in packages if one.metadata["Name"] != OWN), end="")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    main()
