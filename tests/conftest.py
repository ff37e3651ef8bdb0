from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import messages
from harness.readers import pcsc
from tests.kit import isolation, sampled
from tests.kit.cards import Card, new_card

E2E = Path(__file__).with_name("e2e")
_isolation = ""
_runtime = tempfile.TemporaryDirectory(prefix="sscard-")


def _isolated() -> str:
    """How far this process is apart; it goes apart when first asked."""
    global _isolation
    _isolation = _isolation or isolation.enter()
    return _isolation


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> None:
    """Every worker has a network and a pcscd of its own; without namespaces, one does all that needs them."""
    if _isolated() != isolation.WHOLE:
        config.option.dist = "loadgroup"


def pytest_configure(config: pytest.Config) -> None:
    _isolated()
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        os.environ[sampled.WHOLE] = "1"  # for the processes of tests too, which begin after this
    os.environ.pop(pcsc.SOCKET_VARIABLE, None)
    # What a killed program leaves behind goes when the tests end.
    os.environ["XDG_RUNTIME_DIR"] = os.environ["TMPDIR"] = tempfile.tempdir = _runtime.name
    os.environ[messages.OWN] = messages.BOTH  # whatever the system says
    os.environ["SSCARD_CONFIG"] = ""  # no defaults of whoever runs the tests
    os.environ["SSCARD_PDF"] = "no"  # whoever wants one says so: each takes seconds
    os.environ["SSCARD_STATE"] = f"{_runtime.name}/state"
    # A short path: that of a socket has 107 characters.
    if hasattr(config, "workerinput") or not config.option.basetemp:
        config.option.basetemp = f"{_runtime.name}/t"


def pytest_unconfigure() -> None:
    _runtime.cleanup()


def pytest_report_header() -> str:
    return f"namespaces: {_isolated()}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left = sampled.spared(items)
    if left:
        gone = set(left)
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=left)
    lacking = ", ".join(one.what for one in pcsc.missing())
    for item in items:
        if lacking and not os.environ.get("CI") and item.get_closest_marker("pcsc"):
            item.add_marker(pytest.mark.skip(reason=f"not installed: {lacking}"))
        if (
            E2E in item.path.parents
            and _isolated() != isolation.WHOLE
            and item.config.pluginmanager.has_plugin("xdist")
        ):
            item.add_marker(pytest.mark.xdist_group("one pcscd"))


def pytest_collection_finish() -> None:
    """All that was imported stays until the end: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if children.exists():
        assert children.read_text().split() == []
    assert not pcsc.DEFAULT_SOCKET.exists()


@pytest.fixture(params=["2.00-3des", "3.00-3des", "3.00-sm4"])
def card(request: pytest.FixtureRequest) -> Card:
    """The adult's card, powered, in every version and algorithm."""
    layout, _, algorithm = request.param.partition("-")
    return new_card(layout, algorithm)
