"""What is fuzzed: each takes bytes from elsewhere and raises where something is wrong, whatever the bytes."""

from __future__ import annotations

import random
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import sscard
from emulator import catalogue
from emulator.chip import Chip
from emulator.errors import SscardError
from emulator.filesystem.memory import image as images
from emulator.messages import CHINESE, ENGLISH, in_language
from emulator.reader.wire import Wire, WireError
from harness.campaign import effects
from harness.campaign.deeds import Reset, Send
from harness.campaign.session import Kind, Session
from harness.conformance.coverage import PROFILES
from harness.driver import wire
from harness.driver.clients import Client
from harness.driver.codes import DriverError
from harness.driver.interface import WHOLE_MOST
from harness.driver.server import called
from harness.trace import read, show
from harness.trace.copy import masked_copy

PARTS = 2
"""Of an answer on the driver's wire, each ended by a zero."""


class Wrong(AssertionError):
    """What an input showed."""


def chip(data: bytes) -> None:
    """The first byte is the kind of card; then commands, each after its length; length 0 is a reset. Every answer is
    held against the campaign's model and the memory.
    """
    if not data:
        return
    layout, algorithm = PROFILES[data[0] % len(PROFILES)]
    session = Session(Kind(layout, algorithm), random.Random(0))
    for command in _pieces(data[1:]):
        wrong = session.do(Send(command) if command else Reset())
        if wrong is not None:
            raise Wrong(wrong.words)


def _pieces(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        yield data[at + 1 : end]
        at = end


def vpcd(data: bytes) -> None:
    """A stream of vpcd's frames, cut in two at a place that the first byte says: what comes out is what a simple
    reading of the same bytes finds.
    """
    cut, stream = (data[0], data[1:]) if data else (0, b"")
    here, there = socket.socketpair()
    with closing(here), closing(there):
        there.settimeout(5)
        found: list[bytes] = []
        here.sendall(stream[:cut])
        here.sendall(stream[cut:])
        here.shutdown(socket.SHUT_WR)
        reading, broken = Wire(there), False
        try:
            while (payload := reading.receive()) is not None:
                found.append(payload)
        except WireError:
            broken = True
    if (found, broken) != frames(stream):
        raise Wrong("other frames than were sent")


def frames(stream: bytes) -> tuple[list[bytes], bool]:
    """The payloads of a stream, and whether it ends inside a frame or holds an empty one."""
    found: list[bytes] = []
    while stream:
        size = int.from_bytes(stream[:2], "big")
        if len(stream) < 2 or not size or len(stream) < 2 + size:
            return found, True
        found.append(stream[2 : 2 + size])
        stream = stream[2 + size :]
    return found, False


def image(data: bytes) -> None:
    """The body of an image file, sealed as it is: it is refused in a sentence, or is a card that is written as it was
    read, and answers.
    """
    text = data.decode("utf-8", "replace")
    body = text.rpartition(images.SEAL)[0] or text
    try:
        found = images.Image.from_text(images.sealed(body), "fuzzed")
    except SscardError:
        return
    again = images.Image.from_text(found.to_text(), "again")
    if again.memory.snapshot() != found.memory.snapshot():
        raise Wrong("an image is not what was written")
    made = Chip(found)
    made.power_on()
    if len(made.transmit(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF"))) < 2:
        raise Wrong("no answer")


@lru_cache(maxsize=1)
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="sscard-fuzz-"))


def layout(data: bytes) -> None:
    """A layout file: it is refused in a sentence, or is a layout of which a card is made."""
    path = _folder() / "fuzzed.toml"
    path.write_bytes(data)
    try:
        found = catalogue.layout(path)
        made = catalogue.card("adult-chengdu", found)
    except (SscardError, ValueError):  # ValueError: persona and layout do not go together
        return
    powered = Chip(made)
    powered.power_on()
    if len(powered.transmit(bytes.fromhex("00A40000023F00"))) < 2:
        raise Wrong("no answer")


def trace(data: bytes) -> None:
    """A trace: it is refused in a sentence as it is read, or shown line by line in either language, and copied for a
    report.
    """
    path = _folder() / "fuzzed.jsonl"
    path.write_bytes(data)
    try:
        events = list(read.events(path))
        layout = read.layout_of(path)
    except SscardError:
        return
    for language in (ENGLISH, CHINESE):
        with in_language(language):
            reader = show.Reader(layout)
            "".join(line for event in events for line in reader.lines(event)).encode()
    list(masked_copy(events, layout))


def driver(data: bytes) -> None:
    """The body of a request to the driver: a code that is none above 0, and a text that an answer holds."""
    try:
        wire.request(data)
    except DriverError:
        return
    client = Client(sscard.driver(sscard.card(), sscard.psam(), pins=["123456"]))
    code, text = called(client, data)
    if code > 0 or wire.answer(code, text, WHOLE_MOST).count(b"\0", 4) != PARTS:
        raise Wrong(f"the code {code}")


__all__ = ["TARGETS", "Chip", "Wrong", "called", "effects", "frames", "show"]
TARGETS: dict[str, Callable[[bytes], None]] = {
    "chip": chip, "vpcd": vpcd, "image": image, "layout": layout, "trace": trace, "driver": driver,
}  # fmt: skip
