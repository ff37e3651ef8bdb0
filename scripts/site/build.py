#!/usr/bin/env python3
"""The documentation as a site that is read from disk: English and Chinese beside each other, nothing from elsewhere.

    python scripts/site/build.py [--out build/site]

Every Markdown file stands where a forge shows it, `X.md` and `X.zh-CN.md` beside each other. From there each language
is staged into a tree of its own, in which links lead to the page of the same language (or to the English one, where
there is no other), and links to files that are no pages lead to copies of them; MkDocs makes pages of each tree. A link
that leads nowhere, or to no heading, fails the build.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHINESE = ".zh-CN.md"
SOURCES = ("*.md", "docs/**/*.md", "examples/**/*.md", "vectors/*.md")
OWN = {"README": "overview.md"}
"""Pages outside docs/ whose name in the site is another: an index would be its section's page, and no entry there."""
FILES = "files"
"""Where in the site copies of files stand that are no pages."""
FENCE = re.compile(r"^( *)(```+|~~~+)")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
CODE = re.compile(r"(`+)(?:(?!\1).)+?\1")
ITEM = re.compile(r"(?:[-*]|\d+\.) ")
BEGINS = re.compile(r" *(?:[-*+] |\d+\. |[#>|<]|$)")
"""A line that begins something of its own, as Markdown has it."""
STANDS_ALONE = re.compile(r" *(?:[#|<>]|$)|.*(?:  |\\)$")
"""A line with which what it began ends."""
BESIDE = re.compile("[\u2014\u2018-\u201d\u2026\u3000-\u9fff\uff00-\uffef]")
"""A character or mark of Chinese."""
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
SWITCH = "\1"
"""Stands for a link to the other language of the same page: the site has a switch for that."""
MORE = ("More", "其他")
IN_ENGLISH = "> 本页只有英文。\n\n"


class BrokenLink(Exception):
    """A link of a page that leads nowhere: which page, which link."""


@dataclass(frozen=True)
class Language:
    """A language of the site: its folder there, which is Material's name of it too; HTML's name, and people's."""

    folder: str
    tag: str
    name: str

    def source(self, page: Path) -> Path:
        """The file of a page, named by its English one, that is shown in this language."""
        own = page.with_name(page.name.removesuffix(".md") + CHINESE)
        return own if self.folder == "zh" and own.exists() else page


LANGUAGES = (Language("en", "en", "English"), Language("zh", "zh-CN", "中文"))


def english(path: Path) -> Path:
    """A page's file as its English one is named."""
    return path.with_name(path.name.removesuffix(CHINESE) + ".md") if path.name.endswith(CHINESE) else path


def placed(page: PurePosixPath) -> str:
    """Where a page stands in the site, by its English file's place in the project."""
    if len(page.parts) == 1:
        return OWN.get(page.stem, page.name.lower())
    if page.parts[0] != "docs":
        return str(page.with_name(OWN.get(page.stem, page.name)))
    inside = PurePosixPath(*page.parts[1:])
    return str(inside.with_name("index.md") if inside.stem == "README" else inside)


def pages(root: Path = ROOT) -> dict[str, Path]:
    """Every page there is, by its place in the site: its English file."""
    found = sorted({english(path) for source in SOURCES for path in root.glob(source)})
    return {placed(PurePosixPath(page.relative_to(root).as_posix())): page for page in found}


class Stage:
    """One language's tree of Markdown, links and all."""

    def __init__(self, language: Language, root: Path = ROOT) -> None:
        self.language, self.root = language, root
        self.pages = pages(root)
        self.places = {page: place for place, page in self.pages.items()}
        self.copies: dict[str, Path] = {}
        """Files that are no pages and that links lead to, by their place in the site."""
        self.listings: dict[str, Path] = {}
        """Folders without pages that links lead to, by the place of the page that names their files."""

    def text(self, place: str) -> str:
        """A page as MkDocs is to read it. BrokenLink."""
        page = self.language.source(self.pages[place])
        told = joined(told_apart(page)) if self.language.folder == "zh" else told_apart(page)
        lines = [self._line(line, page, place) if prose else line for line, prose in told]
        foreign = self.language.folder == "zh" and page == self.pages[place] and not bilingual(page)
        return (IN_ENGLISH if foreign else "") + "\n".join(deeper(lines)) + "\n"

    def listing(self, place: str) -> str:
        """A page that names the files of a folder, each with its copy."""
        folder = self.listings[place]
        files = [one for one in sorted(folder.iterdir()) if one.is_file()]
        names = [f"- [{one.name}]({relative(self._copy(one), place)})" for one in files]
        return "\n".join((f"# `{folder.relative_to(self.root).as_posix()}`", "", *names, ""))

    def _line(self, line: str, page: Path, place: str) -> str:
        """A line with its links led within the site, but for what stands in code."""
        codes: list[str] = []
        row = line.lstrip().startswith("|")

        def hidden(code: re.Match[str]) -> str:
            # In a table a forge wants the bar escaped within code too.
            codes.append(code.group().replace(r"\|", "|") if row else code.group())
            return f"\0{len(codes) - 1}\0"

        line = CODE.sub(hidden, line)
        line = LINK.sub(lambda link: self._link(link, page, place), line)
        line = re.sub(f"{SWITCH} · | · {SWITCH}|{SWITCH}", "", line)
        # Of two pairs of brackets with a blank between, Python's Markdown would make a link.
        line = re.sub(r"\] \[(?=[^\]]*\](?!\())", r"] \\[", line)
        return re.sub("\0(\\d+)\0", lambda at: codes[int(at[1])], line)

    def _link(self, link: re.Match[str], page: Path, place: str) -> str:
        image, text, target = link.groups()
        path, mark, anchor = target.partition("#")
        if ELSEWHERE.match(target) or not path:
            return link.group()
        there = Path(os.path.normpath(page.parent / path))
        if not there.exists():
            raise BrokenLink(f"{page.relative_to(self.root)}: {target} leads to no file")
        if not there.is_relative_to(self.root):
            raise BrokenLink(f"{page.relative_to(self.root)}: {target} leads out of the project")
        if there != page and english(there) == self.pages[place]:
            return SWITCH
        where = self._place(there)
        if where in self.pages and there.is_file() and self.language.source(self.pages[where]) != there:
            mark = anchor = ""  # a heading of another language's page
        return f"{image}[{text}]({relative(where, place)}{mark}{anchor})"

    def _place(self, there: Path) -> str:
        """Where in the site that is what a link leads to."""
        for page in (english(there), there / "README.md"):
            if page in self.places:
                return self.places[page]
        if there.is_file():
            return self._copy(there)
        inside = sorted(place for page, place in self.places.items() if page.parent == there)
        if inside:
            return inside[0]
        place = f"{FILES}/{there.relative_to(self.root).as_posix()}/index.md"
        self.listings[place] = there
        return place

    def _copy(self, file: Path) -> str:
        own = file.relative_to(self.root).as_posix()
        place = own.removeprefix("docs/") if own.startswith("docs/") else f"{FILES}/{own}"
        self.copies[place] = file
        return place


def told_apart(page: Path) -> Iterator[tuple[str, bool]]:
    """The lines of a file, and of each whether it is prose, not code."""
    fence = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        found = FENCE.match(line)
        yield line, not fence and not found
        if found and not fence:
            fence = found[2]
        elif found and found[2].startswith(fence):
            fence = ""


def joined(lines: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Lines of prose whose end within a sentence stands beside Chinese as one line: a browser would show a blank."""
    before: tuple[str, bool] | None = None
    for line, prose in lines:
        if before and prose and before[1] and _one_sentence(before[0], line):
            before = before[0] + line.lstrip(), True
            continue
        if before:
            yield before
        before = line, prose
    if before:
        yield before


def _one_sentence(line: str, more: str) -> bool:
    if STANDS_ALONE.match(line) or BEGINS.match(more):
        return False
    return bool(BESIDE.match(line.rstrip("*`")[-1:]) or BESIDE.match(more.lstrip(" *`[")[:1]))


def bilingual(page: Path) -> bool:
    """Whether a page tells both languages by itself: a heading of it is Chinese."""
    return bool(re.search("^#+ .*[\u4e00-\u9fff]", page.read_text(encoding="utf-8"), re.MULTILINE))


def deeper(lines: Iterable[str]) -> Iterator[str]:
    """Lists as Python's Markdown wants them: what belongs to an item stands four blanks in, not two or three, a block
    of code with all its lines; and after a block of its own the next item has a blank line before it.
    """
    fence, more = "", 0
    before, inner, was_inner = "", False, False
    for line in lines:
        found = FENCE.match(line)
        if not fence:
            blanks = len(line) - len(line.lstrip(" "))
            more = 4 - blanks if blanks in (2, 3) else 0
            inner = bool(line and more) and (inner or not before)
        if found and not fence:
            fence = found[2]
        elif found and found[2].startswith(fence):
            fence = ""
        if ITEM.match(line) and before and was_inner:
            yield ""
        was_inner, before = inner, line
        yield " " * more + line if line else line


def relative(target: str, place: str) -> str:
    """A link from one place in the site to another."""
    return Path(os.path.relpath(target, Path(place).parent)).as_posix()


def heading(text: str) -> str:
    """The first heading of a page, without its marks."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return re.sub(r"[`*]", "", found[1]) if found else ""


def navigation(texts: dict[str, str], plan: list[dict[str, Any]], language: Language) -> list[Any]:
    """What stands where, with titles in this language: as the plan has it, and what it has not under "More"."""
    which = LANGUAGES.index(language)
    left = {place: place for place in texts if not place.startswith(f"{FILES}/")}
    found: list[Any] = []
    for section in plan:
        entries: list[Any] = []
        for place, titles in section.get("pages", {}).items():
            if left.pop(place, None):
                entries.append({titles[which]: place})
        if folder := section.get("folder"):
            inside = sorted(
                (one for one in left if one.startswith(f"{folder}/")),
                key=lambda one: (not one.endswith("index.md"), one),
            )
            entries += [{heading(texts[one]) or one: left.pop(one)} for one in inside]
        if entries:
            found.append({section["titles"][which]: entries})
    if left:
        found.append({MORE[which]: [{heading(texts[one]) or one: one} for one in sorted(left)]})
    return found


def stage(language: Language, folder: Path, root: Path = ROOT) -> Path:
    """Writes a language's tree and its configuration into a folder; the configuration's file. BrokenLink."""
    staged = Stage(language, root)
    texts = {place: staged.text(place) for place in staged.pages}
    texts |= {place: staged.listing(place) for place in staged.listings}
    texts["api.md"] = language.source(HERE / "api.md").read_text(encoding="utf-8")
    for place, text in texts.items():
        file = folder / "pages" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for place, source in {
        **staged.copies,
        **{f"assets/{one.name}": one for one in (HERE / "assets").iterdir()},
    }.items():
        file = folder / "pages" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, file)
    own = yaml.safe_load((HERE / "nav.yml").read_text(encoding="utf-8"))
    settings: dict[str, Any] = {
        "INHERIT": str(HERE / "mkdocs.yml"),
        "nav": navigation(texts, own, language),
        "not_in_nav": f"/{FILES}/",
        "theme": {"language": language.folder, "custom_dir": str(HERE / "theme")},
        "plugins": {"mkdocstrings": {"handlers": {"python": {"paths": [str(root)]}}}},
        "extra": {
            "alternate": True,  # that there is a switch; were it a list, the page would look for a site map
            "languages": [{"folder": one.folder, "tag": one.tag, "name": one.name} for one in LANGUAGES],
        },
    }
    file = folder / "mkdocs.yml"
    file.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file


def build(out: Path, root: Path = ROOT) -> str:
    """Makes the site anew in a folder; what is wrong with a page or a link, empty if nothing is."""
    work = out.with_name(f"{out.name}-sources")
    for folder in (out, work):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        for language in LANGUAGES:
            settings = stage(language, work / language.folder, root)
            # The search's dictionary of Chinese keeps its cache where temporary files are.
            surroundings = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "TMPDIR": str(work)}
            # Not --quiet: with it, MkDocs hears of no warning, and --strict lets all pass.
            command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
            command += ["--config-file", str(settings), "--site-dir", str(out / language.folder)]
            done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
            if done.returncode:
                found = [one for one in done.stderr.splitlines() if one.startswith(("WARNING", "ERROR"))]
                return "\n".join(found) or done.stderr
            for left in ("404.html", "sitemap.xml", "sitemap.xml.gz", "objects.inv"):
                (out / language.folder / left).unlink(missing_ok=True)  # a server's, which needs to know its address
    except BrokenLink as broken:
        return str(broken)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    shutil.copyfile(HERE / "index.html", out / "index.html")
    return ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="where to (default: build/site)")
    arguments = parser.parse_args()
    wrong = build(arguments.out.resolve())
    sys.exit(f"site: {wrong}" if wrong else print(arguments.out / "index.html"))
