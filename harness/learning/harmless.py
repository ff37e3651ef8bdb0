"""The commands by which a card is learned: none of them can change anything in it.

All that a learning sends is held against this list before it is sent. What the standards give no meaning is tried in
classes and with instruction bytes that neither ISO/IEC 7816-4 and -9 nor PBOC assign, never in 80 to 9F and B0, where a
maker's own instructions may lie. [D]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from emulator.apdu.command import HEADER
from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge
from emulator.apdu.instructions.binary import ReadBinary
from emulator.apdu.instructions.pin import Verify
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.errors import SscardError
from emulator.messages import _, deferred

GET_DATA = 0xCA
PUBLIC_DATA = (0x9F13, 0x9F17, 0x9F36)
"""What GET DATA is asked for: counters, as PBOC has them [P: pboc]. Nothing that names the chip."""
UNKNOWN_CLASSES = (0x20, 0x60, 0xC0, 0xF0)
UNKNOWN_INSTRUCTIONS = (0x0A, 0xA6)
RESPONSE_CLASSES = (0x00, 0x80, 0xB0)
"""Programs and readers fetch answers in the class of the command before, too."""


class Proof(Enum):
    """What the user has given: only then is it proved."""

    PIN = "PIN"
    KEY = "key"


class Harmful(SscardError, RuntimeError):
    """A command that is not on the list: a fault of this program's, which stops before it is sent."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Commands of one kind. ``fits`` tells them by their bytes; ``proof``: only with what the user gave."""

    name: str
    code: str
    """CLA INS, and P1 P2 where they are bound, in words of hex."""
    why: str
    why_zh: str
    fits: Callable[[bytes], bool]
    proof: Proof | None = None


def _plain(kind: type[Select | ReadRecord | ReadBinary | GetChallenge]) -> Callable[[bytes], bool]:
    start = bytes((kind.cla, kind.ins))
    return lambda raw: raw[:2] == start


def _data(raw: bytes) -> int:
    """Bytes of data, where Lc says how many."""
    return raw[4] if len(raw) > HEADER else 0


ALLOWED: tuple[Allowed, ...] = (
    Allowed("SELECT", "00 A4", "finds files, changes none", "只选择文件，不作修改", _plain(Select)),
    Allowed("READ RECORD", "00 B2", "reads", "读取", _plain(ReadRecord)),
    Allowed("READ BINARY", "00 B0", "reads", "读取", _plain(ReadBinary)),
    Allowed("GET CHALLENGE", "00 84", "a random number", "随机数", _plain(GetChallenge)),
    Allowed(
        "GET RESPONSE", "00 C0, 80 C0, B0 C0", "fetches what waits already", "取回已在等待的数据",
        lambda raw: raw[1:2] == bytes((GetResponse.ins,)) and raw[0] in RESPONSE_CLASSES,
    ),
    Allowed(
        "GET DATA", "00 CA, 80 CA; 9F13, 9F17, 9F36", "public counters", "公开的计数器",
        lambda raw: raw[:1] in (b"\x00", b"\x80")
        and raw[1:2] == bytes((GET_DATA,))
        and int.from_bytes(raw[2:4], "big") in PUBLIC_DATA
        and not _data(raw),
    ),
    Allowed(
        deferred("VERIFY without data"), "00 20 00", "asks how many tries are left, costs none",
        "只询问剩余次数，不消耗次数",
        lambda raw: raw[:3] == bytes((Verify.cla, Verify.ins, 0)) and len(raw) <= HEADER and not any(raw[4:]),
    ),
    Allowed(
        deferred("SELECT of the MF in a class that nothing has"),
        "20 A4, 60 A4, C0 A4, F0 A4; 3F00", "a card that ignores the class selects", "忽略类别字节的卡也只是选择文件",
        lambda raw: raw[1:] == bytes.fromhex("A40000023F00") and raw[0] in UNKNOWN_CLASSES,
    ),
    Allowed(
        deferred("an instruction that nothing has"), "00 0A, 00 A6, 20 A6; 0000", "no standard gives it a meaning",
        "各标准均未赋予含义",
        lambda raw: raw in (*(bytes((0, ins, 0, 0)) for ins in UNKNOWN_INSTRUCTIONS), bytes.fromhex("20A60000")),
    ),
    Allowed(
        deferred("VERIFY with the PIN"), "00 20 00 00", "only with --pin, and only while three tries or more are left",
        "仅在给出--pin且剩余次数不少于三次时", lambda raw: raw[:4] == bytes((Verify.cla, Verify.ins, 0, 0)), Proof.PIN,
    ),
    Allowed(
        "EXTERNAL AUTHENTICATION", "00 82 00", "only with --keys, each key once", "仅在给出--keys时，每个密钥一次",
        lambda raw: raw[:3] == bytes((ExternalAuthentication.cla, ExternalAuthentication.ins, 0)), Proof.KEY,
    ),
)  # fmt: skip
"""The published list, in docs/learn.md too."""


def kind_of(raw: bytes) -> Allowed | None:
    """The entry of the list that a command is of, None for one that may not be sent."""
    return next((one for one in ALLOWED if one.fits(raw)), None)


def check(raw: bytes, proofs: frozenset[Proof]) -> Allowed:
    """What a command is on the list. Harmful for one that is not there, or that proves what the user did not give."""
    kind = kind_of(raw)
    if kind is None or (kind.proof is not None and kind.proof not in proofs):
        raise Harmful(_("{header}: not a command that cards are learned by").format(header=raw[:4].hex().upper()))
    return kind
