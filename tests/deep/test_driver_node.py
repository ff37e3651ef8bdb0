"""libSSCardDriver.so from Node, through koffi."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests import native
from tests.e2e.served import DEADLINE

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "build/node/node_modules"


@pytest.mark.parametrize("page", ["driver-library.md", "driver-library.zh-CN.md"])
def test_the_example_reads_a_card(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"```js\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    library = native.built(tmp_path / "build") / "libSSCardDriver.so"
    (tmp_path / "read.js").write_text(found.group(1), encoding="utf-8")
    with native.serving(*native.CARD, "--socket", f"{tmp_path}/s") as (_, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        monkeypatch.setenv("NODE_PATH", str(MODULES))
        done = subprocess.run(
            ["node", "read.js"], cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
    assert library.exists()
    assert (done.returncode, done.stdout) == (0, "0 测试甲 A00000011\n"), done.stderr
