"""What fuzzing begins with, made of vectors and of the field's flows: ``python -m tests.fuzz.seeds`` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from emulator import catalogue
from harness.campaign import chance, shard
from harness.campaign.shard import Flow
from harness.conformance.coverage import PROFILES
from harness.driver import wire
from harness.driver.interface import EXPORTED, Kind

CORPUS = Path(__file__).with_name("corpus")
ROOT = Path(__file__).parents[2]
FLOWS, COMMANDS = 6, 12
"""Of each profile: flows, and commands of a flow that are kept."""
SMALL_LAYOUT = """extends = "3.00"
schema = 1
name = "fuzzed"
version = "3.00"
title = "x"
title_zh = "x"
algorithms = ["3des"]

[file."DF01/EF05"]
read = "free"
access_grade = "D"

[habits]
grade = "D"
sources = []

[habits.status]
"B2:6A83" = "6A82"
"""


def _flows() -> Iterator[tuple[int, Flow]]:
    for number, kind in enumerate(shard.kinds()):
        found = sorted(shard.flows(kind), key=lambda one: len(one.commands))
        for flow in found[:: max(1, len(found) // FLOWS)]:
            yield number, flow


def _chip() -> Iterator[bytes]:
    for number, flow in _flows():
        commands = flow.commands[:COMMANDS]
        yield bytes((number,)) + b"".join(bytes((len(one),)) + one for one in commands if len(one) < 256)
    for number in range(len(PROFILES)):
        yield bytes((number,)) + b"".join(bytes((len(one),)) + one for one in chance.SEEDS)


def _vpcd() -> Iterator[bytes]:
    for number, flow in _flows():
        frames = [b"\x01", b"\x04", *flow.commands[:COMMANDS]]
        yield bytes((number,)) + b"".join(len(one).to_bytes(2, "big") + one for one in frames if one)


def _image() -> Iterator[bytes]:
    yield catalogue.card("psam", "psam", "3des").to_text().encode()


def _layout() -> Iterator[bytes]:
    yield SMALL_LAYOUT.encode()
    for path in sorted((ROOT / "vectors/field/layouts").glob("*.toml")):
        yield path.read_bytes()


def _trace() -> Iterator[bytes]:
    for path in sorted((ROOT / "tests/data/traces").glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        yield b"".join(lines[:COMMANDS])


def _driver() -> Iterator[bytes]:
    texts = {"pCardInfo": b"||", "pFileAddr": b"SSSEEF05|03|07|$DF01EF05|01|$"}
    for function in EXPORTED.values():
        given = [b"1" if one.kind is Kind.INT else texts.get(one.name, b"1234") for one in function.arguments]
        yield b"".join(part + b"\0" for part in (function.name.encode(), *given))


def _library() -> Iterator[bytes]:
    texts = [(0, "SSSEEF05|07|5101|$"), (-1, "\u5361\u65e0\u5e94\u7b54"), (0, "x" * 4095), (-2201, "y" * 200)]
    for number, (code, text) in enumerate(texts):
        yield bytes((number,)) + wire.answer(code, text)


MADE = {
    "chip": _chip, "vpcd": _vpcd, "image": _image, "layout": _layout, "trace": _trace, "driver": _driver,
    "library": _library,
}  # fmt: skip


def name_of(data: bytes) -> str:
    """The name of an input's file."""
    return sha256(data).hexdigest()[:16]


def inputs(target: str) -> list[Path]:
    """The files of a target's corpus, crashes that once were among them."""
    return sorted((CORPUS / target).iterdir())


def main() -> None:
    for target in MADE:
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for data in MADE[target]():
            (folder / name_of(data)).write_bytes(data)


if __name__ == "__main__":
    main()
