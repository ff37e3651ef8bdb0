"""Makes a release of the commit that is checked out, into dist/, and publishes nothing: ``make release``.

``--trial`` takes an uncommitted tree's last commit, an open changelog and tests that were not run, and says so.
``--without deb,site`` leaves out what takes long. ``tested`` notes that this tree has passed `make test`.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
STAMP = ROOT / "build" / "tested"
PLACES = [
    {"umask": "022", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"},
    {"umask": "077", "TZ": "Asia/Shanghai", "LC_ALL": "POSIX", "PYTHONHASHSEED": "1"},
]
"""Where the packages are built, apart from each other, to be compared."""
SHOWN = 10
"""How many lines of what git says are repeated."""


class NotReleased(Exception):
    """What stands in the way."""


def git(*arguments: str) -> str:
    """What git says of this tree, without the last newline."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.rstrip("\n")


def version() -> str:
    """As ``emulator/version.py`` has it."""
    return str(runpy.run_path(str(ROOT / "emulator" / "version.py"))["VERSION"])


def obstacles() -> Iterator[str]:
    """What of tree, changelog and tests forbids a release, a trial excepted."""
    if changed := git("status", "--porcelain").splitlines():
        yield "the tree is not what is committed:\n" + "\n".join(changed[:SHOWN])
    yield from heading((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version())
    if f"v{version()}" in git("tag", "--list").split() and git("rev-list", "-1", f"v{version()}") != git(
        "rev-parse", "HEAD"
    ):
        yield f"the tag v{version()} names another commit: a version is released once"
    if not STAMP.is_file() or STAMP.read_text(encoding="ascii") != tree():
        yield "make test has not passed on this tree: run it"


def heading(changelog: str, number: str) -> Iterator[str]:
    """What is wrong with the changelog's first heading, which must be this version with its day."""
    found = re.search(r"^## (\S+) \((.+)\)$", changelog, re.MULTILINE)
    if found is None or found[1] != number:
        yield f"CHANGELOG.md begins with {found[1] if found else 'no version'}, and emulator/version.py says {number}"
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", found[2]):
        yield f"CHANGELOG.md says that {number} is {found[2]}: write the day, as (2026-01-31)"


def tree() -> str:
    """The id of what is committed, files and not history."""
    return git("rev-parse", "HEAD^{tree}")


def tested() -> None:
    """Notes the tree, if it is what is committed; nothing where there is no git to tell."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        if (ROOT / ".git").exists() and not git("status", "--porcelain"):
            STAMP.parent.mkdir(exist_ok=True)
            STAMP.write_text(tree(), encoding="ascii")


def build(to: Path) -> list[Path]:
    """Wheel and sdist of the commit, built in two places, the same in both; NotReleased where they differ."""
    made = []
    for number, place in enumerate(PLACES):
        folder = to / str(number) / "tree"
        folder.mkdir(parents=True)
        archive = folder.with_suffix(".tar")
        git("archive", "--output", str(archive), "HEAD")
        with tarfile.open(archive) as content:
            content.extractall(folder, filter="data")
        out = to / str(number) / "dist"
        environment = {name: value for name, value in place.items() if name != "umask"} | {"PATH": os.environ["PATH"]}
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-d", str(out)],
            cwd=folder, env=environment, umask=int(place["umask"], 8), check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        made.append({path.name: path for path in out.iterdir()})
    first, second = made
    differing = [name for name in first if name not in second or first[name].read_bytes() != second[name].read_bytes()]
    if differing or first.keys() != second.keys():
        raise NotReleased(f"not the same when built twice: {', '.join(differing) or 'the names'}")
    return sorted(first.values())


def locked(name: str) -> None:
    """NotReleased where the lock is not what `make lock` makes of pyproject.toml today, newer releases apart."""
    before = (ROOT / name).read_bytes()
    subprocess.run(["make", "--no-print-directory", "--silent", "lock", "ARGS="], cwd=ROOT, check=True)
    if (ROOT / name).read_bytes() != before:
        raise NotReleased(f"{name} was not what pyproject.toml asks for: make lock has written it anew, commit it")


def bill(wheel: Path, to: Path, scratch: Path) -> None:
    """The bill of materials, of an environment with the wheel and all its extras at the locked releases."""
    uv, python = [sys.executable, "-m", "uv", "--quiet"], scratch / "env" / "bin" / "python"
    subprocess.run([*uv, "venv", "--python", sys.executable, str(scratch / "env")], check=True)
    asked = f"sscard[all] @ {wheel.absolute().as_uri()}"
    subprocess.run(
        [*uv, "pip", "install", "--python", str(python), "--constraint", "requirements-dev.txt", asked],
        cwd=ROOT,
        check=True,
    )
    subprocess.run([sys.executable, "scripts/sbom.py", str(python), str(wheel), str(to)], cwd=ROOT, check=True)


def targets() -> set[str]:
    """What the Makefile can make."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def more(target: str, number: str) -> None:
    """What another target makes, beside the packages: `deb` writes into dist/ itself, `site` is packed."""
    if target not in targets():
        say(f"make {target}: there is no such target, left out")
        return
    subprocess.run(["make", "--no-print-directory", target, "ARGS="], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    if target == "site":
        with (
            (DIST / f"sscard-{number}-docs.tar.gz").open("wb") as packed,
            gzip.GzipFile("", "wb", fileobj=packed, mtime=0) as file,
            tarfile.open(fileobj=file, mode="w") as archive,
        ):
            archive.add(ROOT / "build" / "site", f"sscard-{number}-docs", filter=_nobodys)
    say(f"make {target}: done")


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The entry without who made it and when."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def sums() -> Path:
    """SHA-256 of each file in dist/, as `sha256sum --check` reads it."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(DIST.iterdir())
        if path.is_file() and path.name != "SHA256SUMS"
    ]
    file = DIST / "SHA256SUMS"
    file.write_text("".join(lines), encoding="utf-8")
    return file


def say(text: str) -> None:
    """A line of what was done."""
    print(f"release: {text}", flush=True)


def release(trial: bool, without: set[str]) -> None:
    """All of it, into dist/, which is emptied first. NotReleased, CalledProcessError at the first that fails."""
    found = list(obstacles())
    if found and not trial:
        raise NotReleased("\n".join(found))
    for one in found:
        say(f"trial, in spite of: {one}")
    number = version()
    subprocess.run([sys.executable, "scripts/licences.py", "check"], cwd=ROOT, check=True)
    if "lock" not in without:
        locked("requirements-dev.txt")
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with tempfile.TemporaryDirectory(prefix="sscard-release-") as scratch:
        for path in build(Path(scratch)):
            shutil.copyfile(path, DIST / path.name)
        say("wheel and sdist: the same from two places")
        packages = sorted(DIST.iterdir())
        subprocess.run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", *packages], check=True)
        (wheel,) = DIST.glob("*.whl")
        bill(wheel, DIST / f"sscard-{number}.cdx.json", Path(scratch))
        say("bill of materials: holds to CycloneDX's schema")
    for target in ("deb", "site"):
        if target not in without:
            more(target, number)
    say(f"{sums().relative_to(ROOT)}:\n{(DIST / 'SHA256SUMS').read_text(encoding='utf-8').rstrip()}")
    say("a trial: nothing to hand out" if trial else next_steps(number))


def next_steps(number: str) -> str:
    """What is left to a human, who has the key."""
    return (
        f"what is left to you:\n"
        f"  git tag --sign v{number} --message 'sscard {number}' {git('rev-parse', 'HEAD')}\n"
        f"  gpg --armor --detach-sign dist/SHA256SUMS\n"
        f"  push the tag, and put the files of dist/ where your users find them\n"
        f"Nothing was published or signed."
    )


def main() -> None:
    """A release, or the note that this tree is tested."""
    parser = argparse.ArgumentParser(prog="make release", description="A release of the commit, into dist/.")
    parser.add_argument("what", nargs="?", choices=["release", "tested"], default="release")
    parser.add_argument("--trial", action="store_true", help="go on where a release may not be made")
    parser.add_argument("--without", default="", metavar="deb,site,lock", help="leave these out")
    asked = parser.parse_args()
    if asked.what == "tested":
        tested()
        return
    try:
        release(asked.trial, set(filter(None, asked.without.split(","))))
    except NotReleased as error:
        raise SystemExit(f"release: {error}") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"release: {' '.join(map(str, error.cmd))} ended with {error.returncode}") from None


if __name__ == "__main__":
    main()
