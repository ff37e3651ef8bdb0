"""The pytest plugin that comes with the package: cards as fixtures, vectors as tests.

Fixtures: ``card`` (a fresh virtual card, or with ``--sscard-reader NAME`` the one in that PC/SC reader), ``psam``,
``terminal`` (a reference terminal's session on ``card``), ``reader`` (the reader's name, None in-process), ``clock``,
``snapshot``, ``injections`` (faults of the marker that came), and ``private_reader``, for programs that a test starts.
``--sscard-vectors PATH`` collects vectors. A failing test shows what went between terminal and card.

What is mistyped ends the run: a test that quietly gets the usual card instead of the one it asked for proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from emulator.guess import guess
from emulator.messages import _

if TYPE_CHECKING:  # each is imported by whoever uses it: a run that has no card pays for none
    from harness.clock import Clock
    from harness.faults.chip import Injection
    from harness.proving.pytest_readers import PrivateReader
    from harness.readers.connection import Connection
    from harness.terminal.terminal import Terminal
    from harness.verdicts.log import Log

LOG: pytest.StashKey[Log] = pytest.StashKey()
HELD = pytest.StashKey[set[Path]]()
"""The paths of --sscard-vectors that were found to hold some."""
PROFILE = "3.00-3des"
SYSTEMS = ("linux", "windows", "macos")
CHOICES: dict[str, tuple[str, ...]] = {
    "algorithm": ("3des", "sm4", "ssf33"),
    "interface": ("contact", "contactless"),
    "shape": ("t0", "apdu"),
    "system": SYSTEMS,
}
KEYWORDS = ("persona", "layout", "algorithm", "image", "faults", "seed", "interface", "shape", "system", "slow")
"""What the marker takes; of some only these values."""
OF_A_NEW_CARD = ("persona", "layout", "algorithm")
"""What an image has already."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the plugin's options."""
    group = parser.getgroup("sscard", _("virtual social security card"))
    group.addoption("--sscard-reader", metavar="NAME", help=_("talk to the card in this PC/SC reader"))
    group.addoption("--sscard-vectors", metavar="PATH", action="append", default=[], help=_("collect these vectors"))
    group.addoption("--sscard-profile", metavar="VERSION-ALGORITHM", default=PROFILE, help=_("cards of this kind"))
    group.addoption("--show-secrets", action="store_true", help=_("PINs and keys in traces"))


def pytest_configure(config: pytest.Config) -> None:
    """The marker that says which card a test wants."""
    config.stash[HELD] = set()
    taken = ", ".join(f"{one}=..." for one in KEYWORDS)
    config.addinivalue_line(
        "markers", _("sscard({taken}): the card that `card` is, and what is between").format(taken=taken)
    )
    if config.getoption("--sscard-profile") != PROFILE:
        _check_profile(*profile(config))
    for path in _wanted(config):
        if not path.exists():
            beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
            raise pytest.UsageError(
                _("--sscard-vectors: {path} is not there{guess}").format(path=path, guess=guess(path.name, beside))
            )
        if not any(path == one or one in path.parents for one in _collected(config)):
            config.args.append(str(path))


def _wanted(config: pytest.Config) -> list[Path]:
    """Returns the paths given with ``--sscard-vectors``."""
    return [(config.invocation_params.dir / one).resolve() for one in config.getoption("--sscard-vectors")]


def _collected(config: pytest.Config) -> Iterator[Path]:
    """The files and folders that pytest looks through."""
    for one in config.args:
        yield (config.invocation_params.dir / one.partition("::")[0]).resolve()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """UsageError for a marker that asks for what there is not, and for invalid vectors."""
    for item in items:
        for marker in item.iter_markers("sscard"):
            if wrong := _wrong(marker):
                raise pytest.UsageError(
                    _("{nodeid}: @pytest.mark.sscard: {wrong}").format(nodeid=item.nodeid, wrong=wrong)
                )
    for path in _wanted(config):
        if path not in config.stash[HELD]:
            raise pytest.UsageError(
                _("--sscard-vectors: {path} holds no vectors: expected .yaml files of them").format(path=path)
            )


def _wrong(marker: pytest.Mark) -> str:
    """What is wrong with a marker; empty if nothing is."""
    if marker.args:
        return _("expected keywords ({keywords}), found {found!r} without one").format(
            keywords=", ".join(KEYWORDS), found=marker.args[0]
        )
    for name, value in marker.kwargs.items():
        if name not in KEYWORDS:
            return _("no keyword {name!r}{guess}").format(name=name, guess=guess(name, KEYWORDS))
        if name in CHOICES and value not in CHOICES[name]:
            return f"{name}: no {value!r}{guess(str(value), CHOICES[name])}"
        if name == "slow" and not (isinstance(value, str) and value.endswith(".json")) and not isinstance(value, bool):
            return _("slow: expected True, False or a timing profile (.json), found {value!r}").format(value=value)
    if "seed" in marker.kwargs and "faults" not in marker.kwargs:
        return _("seed: there are no faults that it could be of")
    clash = [name for name in OF_A_NEW_CARD if name in marker.kwargs]
    if "image" in marker.kwargs and clash:
        return _("image: it says what the card is; leave {clash} out").format(clash=", ".join(clash))
    return ""


def profile(config: pytest.Config) -> tuple[str, str]:
    """Layout and algorithm of the cards that tests get."""
    version, _, algorithm = str(config.getoption("--sscard-profile")).rpartition("-")
    return version, algorithm


def _check_profile(version: str, algorithm: str) -> None:
    from emulator import catalogue
    from emulator.filesystem.layouts.specs import LayoutError

    try:
        there = catalogue.layout(version).algorithms
    except LayoutError as error:
        raise pytest.UsageError(_("--sscard-profile: {error}").format(error=error)) from None
    if algorithm not in there:
        raise pytest.UsageError(
            _("--sscard-profile: layout {version} has no {algorithm!r}{guess}").format(
                version=version, algorithm=algorithm, guess=guess(algorithm, there)
            )
        )


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> str | None:
    """The PC/SC reader's name that was asked for, None in-process."""
    name: str | None = request.config.getoption("--sscard-reader")
    return name


@pytest.fixture
def card(request: pytest.FixtureRequest, reader: str | None) -> Iterator[Connection]:
    """A powered card: ``send(bytes) -> bytes``, ``reset()``, ``atr``. Marker ``sscard`` chooses it."""
    from harness.conformance import pytest_cards
    from harness.verdicts.log import Log

    log = request.node.stash[LOG] = Log()
    marker = request.node.get_closest_marker("sscard")
    asked: dict[str, Any] = marker.kwargs if marker else {}
    if reader is None:
        yield pytest_cards.virtual(request.path.parent, asked, profile(request.config), log)
    elif "faults" in asked:
        pytest.skip(_("faults are put into virtual cards only"))
    elif told := [f"{name}={value!r}" for name, value in asked.items()]:
        pytest.fail(
            _(
                "--sscard-reader: the card in {reader!r} is what it is, and the marker asks for "
                "{told}: run this test without --sscard-reader, or without its marker"
            ).format(reader=reader, told=", ".join(told)),
            pytrace=False,
        )
    else:
        with pytest_cards.in_reader(reader, log) as connection:
            yield connection


@pytest.fixture
def injections(card: Connection) -> Sequence[Injection]:
    """The faults that have come so far, with ``@pytest.mark.sscard(faults=...)``; none on a card without."""
    from harness.conformance import pytest_cards

    return pytest_cards.injections(card)


@pytest.fixture
def private_reader(request: pytest.FixtureRequest) -> Iterator[PrivateReader]:
    """A PC/SC reader with the card that the marker asks for, and another with a PSAM, for programs that a test starts:
    ``subprocess.run(program, env=private_reader.environment)``. Nobody else sees them.
    """
    from harness.proving import pytest_readers
    from harness.verdicts.log import Log

    log = request.node.stash[LOG] = Log()
    marker = request.node.get_closest_marker("sscard")
    asked: dict[str, Any] = marker.kwargs if marker else {}
    with pytest_readers.private_reader(request.path.parent, asked, profile(request.config), log) as found:
        yield found


@pytest.fixture
def psam(request: pytest.FixtureRequest) -> Connection:
    """A fresh PSAM in this process."""
    del request
    from harness.conformance import pytest_cards

    return pytest_cards.psam()


@pytest.fixture
def terminal(card: Connection) -> Terminal:
    """A reference terminal that has begun a session with ``card``, with the published test keys."""
    from harness.conformance import pytest_cards

    return pytest_cards.terminal(card)


@pytest.fixture
def clock() -> Clock:
    """A clock to be set and stepped; it stands still otherwise."""
    from harness.clock import Clock

    return Clock()


@pytest.fixture
def snapshot(card: Connection) -> Callable[[], Callable[[], None]]:
    """``back = snapshot()`` remembers the card; ``back()`` makes it so again, and resets it. Virtual cards only."""

    from harness.conformance import pytest_cards

    def take() -> Callable[[], None]:
        back = pytest_cards.snapshot(card)
        if back is None:
            pytest.skip(_("only a virtual card can go back in time"))
        return back

    return take


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Adds what went over the card to a failed test's report."""
    del call
    outcome = yield
    report = outcome.get_result()
    log = item.stash.get(LOG, None)
    if report.when == "call" and report.failed and log is not None and log.lines:
        from harness.verdicts.report import exchanges

        secrets = bool(item.config.getoption("--show-secrets"))
        report.sections.append((_("sscard: terminal and card"), exchanges(log.lines, show_secrets=secrets)))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """YAML files under the paths of --sscard-vectors."""
    if not parent.config.getoption("--sscard-vectors") or file_path.suffix != ".yaml":
        return None
    try:
        from harness.conformance import pytest_vectors
    except ModuleNotFoundError as error:
        from harness.extras import missing

        raise pytest.UsageError(str(missing(error, "--sscard-vectors") or error)) from error

    within = [one for one in _wanted(parent.config) if one == file_path or one in file_path.parents]
    holding = [one for one in within if pytest_vectors.holds_vectors(file_path, one)]
    parent.config.stash[HELD].update(holding)
    if not holding:
        return None
    found: pytest.Collector = pytest_vectors.VectorFile.from_parent(
        parent, path=file_path, profile=profile(parent.config)
    )
    return found
