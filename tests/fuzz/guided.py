"""Fuzzes one target under Atheris: ``python -m tests.fuzz.guided TARGET SECONDS FOLDER``.

New inputs are left in FOLDER/found, one that broke in FOLDER; it ends with another code than 0 then.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import atheris

LOOKED_AT = {
    "chip": ("emulator.apdu", "emulator.chip", "emulator.filesystem.memory", "emulator.ber"),
    "vpcd": ("emulator.reader",),
    "image": ("emulator.filesystem.memory", "emulator.textfiles"),
    "layout": ("emulator.filesystem.layouts", "emulator.textfiles"),
    "trace": ("harness.trace", "emulator.textfiles", "emulator.messages.reasons"),
    "driver": ("harness.driver",),
    "planted": ("emulator.ber", "tests.fuzz.planted"),
}
"""The modules whose coverage leads; all would take a minute to prepare."""


def main() -> None:
    """Does not come back: libFuzzer ends the process."""
    target, seconds, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    with atheris.instrument_imports(include=[*LOOKED_AT.get(target, ())]):
        targets = importlib.import_module(os.environ.get("SSCARD_FUZZ_TARGETS", "tests.fuzz.targets")).TARGETS
        targets[target](b"")  # what it imports late
    found = folder / "found"
    found.mkdir(parents=True, exist_ok=True)
    corpus = Path(__file__).with_name("corpus") / target
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", "-print_final_stats=1", "-timeout=30"]
    atheris.Setup([sys.argv[0], *options, str(found), *([str(corpus)] if corpus.is_dir() else [])], targets[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
