"""The wheel and the sdist: whole, and the same wherever they are built; the wheel as it is installed, beside packages
and folders of the user's that are called as ours are.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import emulator, harness, harness.cli
import pytest

def test_what_is_imported_is_theirs():
    assert (harness.VALUE, harness.cli.VALUE, emulator.VALUE) == ("theirs", "theirs too", "theirs")

@pytest.mark.sscard(layout="3.00", algorithm="sm4")
def test_the_plugin_is_ours(card, terminal, psam, clock, snapshot):
    assert terminal.read("SSSE/EF06/09") == "测试甲"
    assert psam.send(bytes.fromhex("BFEC00000151")) == b"\\x90\\x00"
    assert type(terminal).__module__.startswith("sscard.")
"""
VECTORS = ROOT / "vectors" / "reset.yaml"


@dataclass
class Installed:
    """A virtual environment that has the wheel, and all other packages of this one."""

    site: Path
    python: Path

    def run(self, *arguments: str, folder: Path, **environment: str) -> str:
        """What a Python process says on both streams; it must end with 0."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
        done = subprocess.run(
            [self.python, *arguments], cwd=folder, env=inherited | environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def sscard(self, *arguments: str, folder: Path, **environment: str) -> str:
        """The command, as pip's script calls it."""
        script = "import sys; from sscard.command import main; sys.exit(main())"
        return self.run("-c", script, *arguments, folder=folder, **environment)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as pip builds it from this tree."""
    folder = tmp_path_factory.mktemp("built")
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", ".", "--no-deps", "--no-build-isolation",
         "--no-cache-dir", "-q", "-w", str(folder)],
        cwd=ROOT, check=True,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    with zipfile.ZipFile(packed) as wheel:
        wheel.extractall(site)
    for entry in Path(str(metadata.distribution("pytest").locate_file(""))).iterdir():
        if "sscard" not in entry.name and entry.suffix != ".pth" and not (site / entry.name).exists():
            (site / entry.name).symlink_to(entry)
    return Installed(site, folder / "bin" / "python")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project with packages called ``harness`` and ``emulator``, and tests that use both theirs and ours."""
    for name in ("harness", "emulator"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('VALUE = "theirs"\n', encoding="utf-8")
    (tmp_path / "harness" / "cli.py").write_text('VALUE = "theirs too"\n', encoding="utf-8")
    (tmp_path / "conftest.py").write_text("", encoding="utf-8")
    (tmp_path / "test_own.py").write_text(TESTS, encoding="utf-8")
    return tmp_path


def hatchling(tree: Path, to: Path, *targets: str, mask: int = 0o022, **environment: str) -> Path:
    """What the build backend makes of a tree, with nothing of this environment but its path."""
    asked = [word for target in targets for word in ("-t", target)]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *asked, "-d", str(to)],
        cwd=tree, check=True, umask=mask, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return to


def shipped(tree: Path) -> dict[str, str]:
    """What code reads at run time or is: each file of the packages, by its name in the wheel, where a catalogue that
    translators write is one that programs read.
    """
    found = {}
    for room, to in [("sscard", "sscard"), ("emulator", "sscard/emulator"), ("harness", "sscard/harness"),
                     ("vectors", "sscard/harness/vectors")]:  # fmt: skip
        for path in (tree / room).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not re.search(r"\.(mo\b|pot$)", path.name):
                inside = path.with_suffix(".mo") if path.suffix == ".po" else path
                found[f"{to}/{inside.relative_to(tree / room).as_posix()}"] = path.relative_to(tree).as_posix()
    return found | {"sscard/harness/sources/sources.toml": "docs/sources.toml"}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of this tree."""
    (made,) = hatchling(ROOT, tmp_path_factory.mktemp("sdist"), "sdist").iterdir()
    return made


def test_the_same_bytes_come_from_the_tree_and_from_its_sdist_elsewhere(
    packed: Path, sdist: Path, tmp_path: Path
) -> None:
    """Elsewhere: another folder, umask, time zone, locale, order of hashes, modes and ages of files; without git."""
    with tarfile.open(sdist) as content:
        content.extractall(tmp_path / "there", filter="data")
    (tree,) = (tmp_path / "there").iterdir()
    for path in tree.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
        os.utime(path, (1_900_000_000, 1_900_000_000))
    again = hatchling(
        tree, tmp_path / "again", "sdist", "wheel",
        mask=0o077, TZ="Asia/Shanghai", LC_ALL="POSIX", LANG="zh_CN.GB18030", PYTHONHASHSEED="7",
    )  # fmt: skip
    for one in (sdist, packed):
        assert (again / one.name).read_bytes() == one.read_bytes(), one.name


def test_the_sdist_has_all_that_git_has_and_the_wheel_all_that_code_reads(packed: Path, sdist: Path) -> None:
    with tarfile.open(sdist) as content:
        there = {name.partition("/")[2] for name in content.getnames()}
    with zipfile.ZipFile(packed) as wheel:
        inside = set(wheel.namelist())
    files = shipped(ROOT)
    assert files.keys() - inside == set()
    assert set(files.values()) - there == set()
    catalogues = {name for name in inside if "/locale/" in name}
    compiled = {"sscard.mo", "reasons.txt"}
    assert {Path(name).name for name in catalogues} == compiled, "a catalogue is compiled where the wheel is built"
    if (ROOT / ".git").exists():
        kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        assert {name for name in kept.split("\0") if name and (ROOT / name).exists()} - there == set()


def test_the_plugin_and_the_users_own_packages_do_not_meet(installed: Installed, project: Path) -> None:
    for how in (["-m", "pytest"], ["-c", "import pytest; raise SystemExit(pytest.main())"]):
        said = installed.run(*how, "-q", "-p", "no:cacheprovider", "--sscard-vectors", str(VECTORS), folder=project)
        assert "6 passed" in said


def test_the_command_does_not_meet_them_either(installed: Installed, project: Path) -> None:
    own = {"PYTHONPATH": str(project), "COLUMNS": "80"}
    assert installed.sscard("--version", folder=project, **own).startswith("sscard, version ")
    assert "测试甲" in installed.sscard("show", "--show-secrets", folder=project, **own)
    assert "Usage: sscard office" in installed.sscard("office", "--help", folder=project, **own)
    installed.sscard("office", "init", folder=project, **own)
    vectors = [str(ROOT / "vectors" / f"{name}.yaml") for name in ("pin", "select", "account")]
    assert "passed" in installed.sscard("vectors", "run", *vectors, folder=project, **own)


def test_where_nobody_has_such_a_package_the_names_are_ours(installed: Installed, tmp_path: Path) -> None:
    program = """
import pickle
import emulator.chip, harness.cli, harness
from harness.terminal.terminal import Terminal
import sscard.emulator.chip, sscard.harness.terminal.terminal as ours
from emulator import catalogue
import sscard
assert emulator.chip is sscard.emulator.chip and Terminal is ours.Terminal
assert emulator.chip.__spec__.name == "sscard.emulator.chip"
assert isinstance(sscard.terminal(sscard.card()), Terminal)
assert pickle.loads(pickle.dumps(Terminal)) is Terminal
assert catalogue.layout("3.00") is sscard.emulator.catalogue.layout("3.00")
assert harness.__doc__ == sscard.harness.__doc__
try:
    import harness.nothing
except ModuleNotFoundError as error:
    print(error)
"""
    assert installed.run("-c", program, folder=tmp_path) == "No module named 'harness.nothing'\n"


def test_a_folder_without_init_is_theirs_too(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "harness").mkdir()
    (tmp_path / "harness" / "util.py").write_text('VALUE = "theirs"\n', encoding="utf-8")
    (tmp_path / "harness" / "clock.py").write_text('VALUE = "theirs"\n', encoding="utf-8")
    program = """
import harness.util, harness.clock, harness.extras, sscard
assert harness.util.VALUE == harness.clock.VALUE == "theirs"
assert harness.extras.__name__ == "sscard.harness.extras"
sscard.terminal(sscard.card())
"""
    installed.run("-c", program, folder=tmp_path)


def test_a_package_of_theirs_later_on_the_path_is_theirs_all_the_same(
    installed: Installed, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program = """
import sys
sys.path.append(sys.argv[1])
import harness, harness.cli
print(harness.VALUE, harness.cli.VALUE)
"""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert installed.run("-c", program, str(project), folder=elsewhere) == "theirs theirs too\n"


def test_nothing_in_the_wheel_imports_the_names_that_users_may_have(installed: Installed) -> None:
    wrong = [
        f"{path}: {line}"
        for path in (installed.site / "sscard").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(("from emulator", "from harness", "import emulator", "import harness"))
    ]
    assert wrong == []
    assert not (installed.site / "tests").exists()
