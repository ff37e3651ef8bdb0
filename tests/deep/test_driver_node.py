"""libSSCardDriver.so from Node, through koffi."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import native
from tests.e2e.test_driver_docs import PAGES, example
from tests.e2e.test_driver_functions import Program, everything
from tests.kit.served import DEADLINE

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "build/node/node_modules"


@pytest.mark.parametrize("page", PAGES)
def test_the_example_reads_a_card(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = native.built(tmp_path / "build") / "libSSCardDriver.so"
    (tmp_path / "read.js").write_text(example(page, "js"), encoding="utf-8")
    with native.serving(*native.CARD, "--socket", f"{tmp_path}/s") as (_, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        monkeypatch.setenv("NODE_PATH", str(MODULES))
        done = subprocess.run(
            ["node", "read.js"], cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
    assert library.exists()
    assert (done.returncode, done.stdout) == (0, "0 测试甲 A00000011\n"), done.stderr


def test_every_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = native.built(tmp_path / "build")
    script = native.CALLS.with_suffix(".js")
    with native.serving(*native.CARD, "--socket", f"{tmp_path}/s") as (_, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        monkeypatch.setenv("NODE_PATH", str(MODULES))
        files = (str(built / name) for name in ("libSSCardDriver.so", "SSCardDriver.h"))
        with Program(["node", str(script), *files]) as call:
            everything(call)
