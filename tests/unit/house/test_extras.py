"""The weight: what the core needs, what each extra brings, and what is said where one is not there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from harness import extras
from harness.cli.table import records

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HELP = """
import contextlib, io, json, sys
from harness.cli import main
said = {}
for path in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main([*path.split(), "--help"], standalone_mode=False)
    said[path] = out.getvalue()
json.dump(said, sys.stdout)
"""
SESSION = str(ROOT / "tests" / "data" / "traces" / "schema-2.jsonl")
COMMAND = "from harness.cli import main; main(prog_name='sscard')"


def brought_by(requirements: list[str]) -> set[str]:
    """The distributions that these requirements install, theirs included."""
    found: set[str] = set()
    waiting = [Requirement(one) for one in requirements]
    while waiting:
        one = waiting.pop()
        if one.name == "sscard" or one.name.lower() in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(one.name.lower())
        waiting += [Requirement(text) for text in metadata.requires(one.name) or ()]
    return found


def modules_of(distribution: str) -> Iterator[str]:
    """What a distribution puts beside others: packages and single modules."""
    for file in metadata.files(distribution) or ():
        first = file.parts[0]
        if first not in ("..", "__pycache__") and not first.endswith((".pth", ".dist-info")):
            yield first


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment that has what the core installs, and this tree."""
    folder = tmp_path_factory.mktemp("core")
    venv.create(folder, symlinks=True)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    for distribution in brought_by(PROJECT["dependencies"]):
        root = Path(str(metadata.distribution(distribution).locate_file("")))
        for name in set(modules_of(distribution)):
            (site / name).symlink_to(root / name)
    (site / "sscard.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    return folder / "bin" / "python"


def said_by(python: Path, program: str, *arguments: str, given: str = "", folder: Path = ROOT) -> tuple[int, str, str]:
    done = subprocess.run(
        [python, "-I", "-c", program, *arguments], input=given, capture_output=True, text=True, check=False, cwd=folder
    )
    return done.returncode, done.stdout, done.stderr


def test_the_core_is_light(core: Path) -> None:
    heavy = {name for packages in extras.EXTRAS.values() for name in packages}
    _, found, _ = said_by(core, f"import importlib.util as u; print([n for n in {sorted(heavy)} if u.find_spec(n)])")
    assert found == "[]\n"
    assert brought_by(PROJECT["dependencies"]) == {"click", "construct", "cryptography", "cffi", "pycparser", "pyyaml"}


def test_every_command_has_its_help_with_the_core_alone(core: Path) -> None:
    code, out, error = said_by(core, HELP, given=json.dumps(list(records())))
    assert code == 0, error
    said = json.loads(out)
    assert said.keys() == records().keys()
    assert {path for path, text in said.items() if not text.startswith("Usage: ")} == set()


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["office", "init"], "office"),
        (["office", "apply"], "office"),
        (["vectors", "run"], "conformance"),
        (["scenarios", "list"], "conformance"),
        (["machine", "serve"], "web"),
    ],
)
def test_a_missing_extra_is_one_sentence_with_the_command_that_brings_it(
    core: Path, tmp_path: Path, arguments: list[str], extra: str
) -> None:
    for name in ("emulator", "harness", "sscard"):  # beside each other and nothing else, as an installation has them
        (tmp_path / name).symlink_to(ROOT / name)
    installed = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {COMMAND}"
    code, out, error = said_by(core, installed, *arguments, folder=tmp_path)
    assert (code, out) == (1, "")
    assert re.fullmatch(
        rf'sscard: sscard {arguments[0]} needs \w+, which is not installed: pip install "sscard\[{extra}\]"\n', error
    )


def test_a_missing_extra_of_a_group_with_defaults_is_told_by_its_name(core: Path, tmp_path: Path) -> None:
    defaults = tmp_path / "config.toml"
    defaults.write_text('[office.list]\nname = "测试甲"\n', encoding="utf-8")
    code, _, error = said_by(core, COMMAND, "--config", str(defaults), "office", "list", folder=tmp_path)
    assert code == 1
    assert error.startswith("sscard: sscard office needs ")


@pytest.mark.parametrize(
    ("origin", "wanted"),
    [
        (None, "sscard[office]"),
        ({"url": "file:///tmp/sscard-1-py3-none-any.whl", "archive_info": {}},
         "sscard[office] @ file:///tmp/sscard-1-py3-none-any.whl"),
        ({"url": "ssh://git@example.org/sscard.git", "vcs_info": {"vcs": "git", "commit_id": "00"}},
         "sscard[office] @ git+ssh://git@example.org/sscard.git"),
    ],
)  # fmt: skip
def test_the_hint_names_where_this_install_came_from(
    origin: dict[str, object] | None, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PEP 610 has it: another package of this name may lie on an index that it did not come from."""
    folder = tmp_path / "sscard-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: sscard\nVersion: 1\n", encoding="utf-8")
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert extras.requirement("office") == wanted


@pytest.mark.parametrize(
    ("kept", "command"),
    [
        ("pyvenv.cfg", "pip install"),
        ("pipx_metadata.json", "pipx runpip sscard install"),
        ("uv-receipt.toml", 'uv pip install --python "{home}"'),
    ],
)
def test_the_hint_is_for_what_made_the_environment(
    kept: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "sscard"
    home.mkdir()
    (home / kept).touch()
    monkeypatch.setattr(sys, "prefix", str(home))
    assert extras.brought("web") == f'{command.format(home=home)} "{extras.requirement("web")}"'


def test_in_a_checkout_the_hint_is_the_target_that_brings_everything(core: Path, tmp_path: Path) -> None:
    code, out, error = said_by(core, COMMAND, "office", "init", folder=tmp_path)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"sscard: sscard office needs \w+, which is not installed: make all\n", error)


@pytest.mark.parametrize(
    "arguments",
    [
        ["show"],
        ["apdu", "reset"],
        ["keys"],
        ["personas"],
        ["layout", "check", "3.00"],
        ["terminal", "basic"],
        ["trace", "html", SESSION, "-o", "session.html"],
        ["commands"],
    ],
)
def test_what_a_card_needs_works_with_the_core_alone(core: Path, tmp_path: Path, arguments: list[str]) -> None:
    code, out, error = said_by(core, COMMAND, *arguments, folder=tmp_path)
    assert (code, error) == (0, "")
    assert out


def test_the_library_works_with_the_core_alone(core: Path) -> None:
    program = (
        "import sscard; card = sscard.card(algorithm='sm4'); print(sscard.terminal(card).read('SSSE/EF06/09'), "
        "sscard.driver(card, sscard.psam()).iReadCardBas(1)[0])"
    )
    assert said_by(core, program) == (0, "测试甲 0\n", "")


def test_each_extra_brings_what_it_is_asked_for() -> None:
    optional = PROJECT["optional-dependencies"]
    for extra, names in extras.EXTRAS.items():
        there = {module.partition(".")[0] for one in brought_by(optional[extra]) for module in modules_of(one)}
        assert set(names) <= there, extra
    assert set(re.findall(r"\w+", optional["all"][0])) - {"sscard"} == set(extras.EXTRAS)


def test_a_module_that_no_extra_brings_is_no_missing_extra() -> None:
    assert extras.missing(ModuleNotFoundError(name="anything.else")) is None
    assert extras.missing(ModuleNotFoundError()) is None
    several = ModuleNotFoundError(name="pydantic")
    found = [extras.missing(several, likely=likely) for likely in ("", "office", "pcsc")]
    assert [one.extra for one in found if one] == ["conformance", "office", "conformance"]
    told = extras.missing(ModuleNotFoundError(name="sqlalchemy.orm"), "the office")
    assert told is not None
    assert (told.package, told.extra, str(told.kind)) == ("sqlalchemy", "office", "missing")


def test_the_readmes_say_which_commands_need_an_extra() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert all(f"[{extra}]" in text for extra in (*extras.EXTRAS, "all")), name
        assert "make all" in text
