"""The Debian package in a clean Debian, as root: installed over an older one, used, and purged."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator.version import VERSION
from harness.cli.man_pages import name_of, paths

ROOT = Path(__file__).parents[2]
CLEAN = ROOT / "build/debian-root"
"""What scripts/debian_root.sh made."""
LONG = 900
"""Seconds that dpkg may take on a busy machine."""
USER = "1000"
# In namespaces of its own, so that mounts, network and processes end with it.
ENTER = """
ip link set lo up
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/changed,workdir=$2/work" "$2/all"
at=$2/all user=$3; shift 3
mount -t proc proc "$at/proc"
mount --rbind /dev "$at/dev"
mount -t tmpfs tmpfs "$at/run"
mkdir -m 1777 "$at/run/pcscd"
exec chroot "$at" setpriv --reuid "$user" --regid "$user" --clear-groups env -i --chdir=/tmp \\
    PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="/tmp/home-$user" LC_ALL=C.UTF-8 "$@"
"""
ELSEWHERE = ("proc", "run", "dev", "tmp", "var/lib/dpkg", "var/log", "var/cache", "etc/ld.so.cache", "var/lib/systemd")
"""What dpkg, the linker and man's index keep for all packages."""


@dataclass
class Machine:
    """A Debian that is the clean one, with what is changed in a folder beside it."""

    folder: Path

    def run(self, *command: str, user: str = "0", expect: int = 0) -> str:
        """What a command says there on both streams; it must end so."""
        done = subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-ec",
             ENTER, "sh", str(CLEAN.resolve()), str(self.folder), user, *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=LONG, check=False,
        )  # fmt: skip
        said = done.stdout.decode()
        assert done.returncode == expect, said
        return said

    def put(self, file: Path) -> str:
        """Copies a file there; its path there."""
        place = self.folder / "changed/tmp"
        place.mkdir(exist_ok=True)
        place.chmod(0o1777)
        shutil.copy(file, place)
        return f"/tmp/{file.name}"

    def files(self) -> set[str]:
        """What is there beyond the clean Debian; folders too."""
        changed = self.folder / "changed"
        found = {
            path.relative_to(changed).as_posix()
            for path in changed.rglob("*")
            if not path.is_char_device()  # what overlayfs marks as gone
        }
        return {
            one
            for one in found
            if not one.startswith(ELSEWHERE) and not ((CLEAN / one).is_dir() or (CLEAN / one).exists())
        }


@pytest.fixture(scope="module")
def package() -> Path:
    """The package of ``make deb``."""
    found = sorted((ROOT / "dist").glob(f"sscard_{VERSION}_*.deb"))
    assert found, "make deb"
    return found[-1]


def older(package: Path, folder: Path) -> Path:
    """The package as an older one, with a module that there is no more."""
    unpacked = folder / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", package, unpacked], check=True)
    control = unpacked / "DEBIAN/control"
    control.write_text(control.read_text().replace(f"\nVersion: {VERSION}\n", "\nVersion: 0.0.1\n"), encoding="utf-8")
    (module,) = unpacked.glob("usr/lib/sscard/lib/python3*/site-packages/sscard/command.py")
    module.with_name("gone.py").write_text("GONE = True\n", encoding="utf-8")
    made = folder / "sscard_0.0.1_older.deb"
    subprocess.run(
        ["dpkg-deb", "-Znone", "--root-owner-group", "--build", unpacked, made], check=True, stdout=subprocess.DEVNULL
    )
    shutil.rmtree(unpacked)
    return made


@pytest.fixture(scope="module")
def machine(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """One on which the package was installed over an older one, whose default somebody had changed."""
    assert CLEAN.is_dir(), "scripts/setup.sh deep, as root"
    folder = tmp_path_factory.mktemp("debian")
    for name in ("changed", "work", "all"):
        (folder / name).mkdir()
    machine = Machine(folder)
    machine.run("dpkg", "--install", machine.put(older(package, folder)))
    gone = "import sscard.gone; print(sscard.gone.__cached__)"
    compiled = machine.run("/usr/lib/sscard/bin/python", "-c", gone).strip()
    machine.run("test", "-e", compiled)
    machine.run("sh", "-c", "echo SSCARD_RUN_OPTIONS=--psam >> /etc/default/sscard")
    machine.run("dpkg", "--install", machine.put(package))
    machine.run("test", "!", "-e", compiled)
    return machine


def test_what_was_there_before_is_gone_and_what_somebody_changed_stays(machine: Machine) -> None:
    machine.run("/usr/lib/sscard/bin/python", "-c", "import sscard.gone", expect=1)
    assert "SSCARD_RUN_OPTIONS=--psam" in machine.run("cat", "/etc/default/sscard")
    assert machine.run("sscard", "--version") == f"sscard, version {VERSION}\n"
    assert machine.run("dpkg", "--verify", "sscard").splitlines() == ["??5?????? c /etc/default/sscard"]


@pytest.mark.parametrize("user", ["0", USER])
def test_a_card_is_read_through_pcscd(machine: Machine, user: str) -> None:
    assert "fault " not in machine.run("sscard", "doctor", user="0")
    said = machine.run("sscard", "run", "--private", "--demo", "--once", user=user)
    assert "姓名 name: 测试甲" in said
    assert "ready 0 3B6D00000081544C908684510151010001 Virtual PCD 00 00" in said


def test_every_extra_is_in_it(machine: Machine) -> None:
    vectors = machine.run("sscard", "vectors", "run", "--only", "PIN*", "--report", "/tmp/report")
    assert "passed" in vectors
    assert machine.run("head", "-c", "5", "/tmp/report/report.pdf") == "%PDF-"
    machine.run("sh", "-ec", "cd /tmp && sscard office init && sscard office list people >/dev/null")
    assert "Usage: sscard studio" in machine.run("sscard", "studio", "--help")
    program = "import sscard; print(sscard.terminal(sscard.card()).read('SSSE/EF06/09'))"
    assert machine.run("/usr/lib/sscard/bin/python", "-c", program, user=USER) == "测试甲\n"


def test_sigterm_ends_a_run_as_the_unit_ends_it(machine: Machine) -> None:
    script = """
        mkfifo /tmp/said
        sscard run --private --image /tmp/card.img >/tmp/said & run=$!
        exec 3</tmp/said
        while read -r line <&3; do case $line in ready*) break;; esac; done
        kill -TERM $run; wait $run; echo "ended $?"
        sscard image show /tmp/card.img >/dev/null && echo "whole"
        ls -d /tmp/sscard-*/pcscd.comm
    """
    said = machine.run("bash", "-c", script, expect=2)
    assert "\nended 0\nwhole\n" in f"\n{said}"
    assert "cannot access" in said.splitlines()[-1], "its PC/SC is gone"


def test_every_command_has_a_page_that_man_shows(machine: Machine) -> None:
    names = [name_of(path) for path in paths()]
    script = 'for page; do man --warnings "$page" >/dev/null || echo "no $page"; done 2>&1'
    assert machine.run("sh", "-c", script, "sh", *names) == ""
    listed = machine.run("whatis", "sscard", "sscard-office-apply")
    assert "A virtual Chinese social security card" in listed
    assert re.search(r"^sscard-office-apply .* - application$", listed, re.MULTILINE), "English alone"
    here = machine.run("man", "--locale=zh_CN", "--where", *names).splitlines()
    assert all(one.startswith("/usr/share/man/zh_CN/man1/sscard") for one in here)


@pytest.mark.parametrize("language", ["", "zh_CN/"])
def test_pages_are_as_mandoc_wants_them(machine: Machine, language: str, tmp_path: Path) -> None:
    folder = machine.folder / f"changed/usr/share/man/{language}man1"
    pages = {path.stem: gzip.decompress(path.read_bytes()) for path in folder.glob("sscard*.1.gz")}
    assert len(pages) == len(paths())
    for name, page in pages.items():
        (tmp_path / name).write_bytes(page)
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", *pages], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""


COMPLETIONS = {
    "bash": """
        . /usr/share/bash-completion/bash_completion
        _completion_loader sscard
        COMP_WORDS=(sscard vect) COMP_CWORD=1
        _sscard_completion sscard
        echo "${COMPREPLY[@]}"
    """,
    "fish": "complete --do-complete 'sscard vect'",
}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_completes_commands_as_it_is_installed(machine: Machine, shell: str) -> None:
    assert machine.run(shell, "-c", COMPLETIONS[shell]).split()[0] == "vectors"


def test_the_unit_is_one_that_systemd_understands(machine: Machine) -> None:
    unit = "/usr/lib/systemd/user/sscard.service"
    machine.run("env", "XDG_RUNTIME_DIR=/run", "systemd-analyze", "--user", "--man=no", "verify", unit)
    machine.run("test", "!", "-e", "/etc/systemd/user/default.target.wants/sscard.service")


def test_lintian_finds_no_error(package: Path) -> None:
    done = subprocess.run(
        ["lintian", "--allow-root", "--no-cfg", "--fail-on", "error", package],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_nothing_is_left_of_it(machine: Machine) -> None:
    """The last: the others need it."""
    machine.run("dpkg", "--purge", "sscard")
    assert "sscard" not in machine.run("dpkg-query", "--list")
    assert machine.files() == set()
