"""A pcscd of our own: how it is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.readers import pcsc


@pytest.mark.parametrize(
    ("help_text", "options"),
    [("  --disable-polkit\tdisable polkit support", ("--disable-polkit",)), ("  --foreground", ())],
)
def test_a_pcscd_that_asks_polkit_is_told_not_to(help_text: str, options: tuple[str, ...], tmp_path: Path) -> None:
    program = tmp_path / "pcscd"
    program.write_text(f"#!/bin/sh\necho '{help_text}'\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    assert pcsc._without_polkit(str(program)) == options
