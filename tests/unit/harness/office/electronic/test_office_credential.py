from __future__ import annotations

import base64
import re
import shutil
import string
import subprocess
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.clock import CHINA
from harness.office.electronic import qr
from harness.office.electronic.credential import PREFIX, TTL, Credential, CredentialError, Why, issue, verify

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=CHINA)
SECOND = timedelta(seconds=1)
HOLDER, CARD = "h-7d1f3c", "A00000001"


def refused(text: str, now: datetime = NOW, **options: object) -> Why:
    with pytest.raises(CredentialError) as error:
        verify(KEY.public_key(), text, now, **options)  # type: ignore[arg-type]
    return error.value.why


def test_it_says_whose_it_is_and_until_when() -> None:
    text = issue(KEY, HOLDER, CARD, NOW)
    said = verify(KEY.public_key(), text, NOW)
    assert (said.holder, said.card) == (HOLDER, CARD)
    assert said.issued == NOW
    assert said.expires == NOW + timedelta(seconds=60)
    assert text.startswith("SSCARD-TEST:")
    assert set(text) <= set(string.ascii_uppercase + string.digits + " $%*+-./:"), "a QR code's alphanumeric mode"


def test_no_two_are_alike() -> None:
    texts = {issue(KEY, HOLDER, CARD, NOW) for _ in range(50)}
    assert len({verify(KEY.public_key(), text, NOW).serial for text in texts}) == 50


@pytest.mark.parametrize(
    ("moment", "kind"),
    [
        (NOW - SECOND, Why.NOT_YET),
        (NOW, None),
        (NOW + TTL - SECOND, None),
        (NOW + TTL, Why.EXPIRED),
        (NOW.astimezone(UTC) + TTL, Why.EXPIRED),
    ],
)
def test_it_is_good_for_a_minute(moment: datetime, kind: Why | None) -> None:
    text = issue(KEY, HOLDER, CARD, NOW)
    assert (refused(text, moment) if kind else verify(KEY.public_key(), text, moment) and None) is kind


def test_its_life_can_be_chosen_within_an_hour() -> None:
    text = issue(KEY, HOLDER, CARD, NOW, timedelta(minutes=5))
    assert verify(KEY.public_key(), text, NOW + timedelta(minutes=4)).expires == NOW + timedelta(minutes=5)
    for ttl in (timedelta(0), timedelta(milliseconds=900), timedelta(hours=1, seconds=1), -TTL):
        with pytest.raises(ValueError, match="good for 1 second to 1:00:00"):
            issue(KEY, HOLDER, CARD, NOW, ttl)


def test_only_its_makers_signature_will_do() -> None:
    text = issue(OTHER, HOLDER, CARD, NOW)
    assert refused(text) is Why.SIGNATURE
    both = [KEY.public_key(), OTHER.public_key()]
    assert verify(both, text, NOW).holder == HOLDER
    with pytest.raises(CredentialError, match="not signed by a key known here"):
        verify([], text, NOW)


def test_no_bit_of_it_can_be_changed() -> None:
    text = issue(KEY, HOLDER, CARD, NOW).removeprefix(PREFIX)
    data = base64.b32decode(text + "=" * (-len(text) % 8))
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert refused(PREFIX + base64.b32encode(changed).decode().rstrip("=")) is Why.SIGNATURE


def test_a_signature_for_something_else_is_none_here() -> None:
    text = issue(KEY, HOLDER, CARD, NOW).removeprefix(PREFIX)
    payload = base64.b32decode(text + "=" * (-len(text) % 8))[:-64]
    bare = base64.b32encode(payload + KEY.sign(payload)).decode().rstrip("=")
    assert refused(PREFIX + bare) is Why.SIGNATURE


def test_what_is_none_is_told_apart() -> None:
    text = issue(KEY, HOLDER, CARD, NOW)
    signed = b"\x02" + bytes(30)
    future = base64.b32encode(signed + KEY.sign(PREFIX.encode() + signed)).decode().rstrip("=")
    for odd in ("", "https://example.org/", PREFIX, PREFIX + "A", PREFIX + "MFRGG", text.lower(), text + "=", text[:-1],
                f"{text} ", PREFIX + "测试", PREFIX + future):  # fmt: skip
        assert refused(odd) in (Why.FORMAT, Why.SIGNATURE), odd
    assert refused("https://example.org/") is Why.FORMAT
    assert refused(PREFIX + future) is Why.FORMAT, "of a version that is not ours, though signed"
    assert refused(text + "=") is Why.FORMAT


def test_a_revoked_one_is_refused_last() -> None:
    text = issue(KEY, HOLDER, CARD, NOW)
    asked: list[Credential] = []

    def revoked(credential: Credential) -> bool:
        asked.append(credential)
        return credential.card == CARD

    assert refused(text, revoked=revoked) is Why.REVOKED
    assert refused(text, NOW + TTL, revoked=revoked) is Why.EXPIRED
    assert len(asked) == 1, "of a credential that is not good anyway nobody is asked"
    assert verify(KEY.public_key(), issue(KEY, HOLDER, "A00000002", NOW), NOW, revoked=revoked).card == "A00000002"


def test_nothing_of_a_person_goes_in() -> None:
    with pytest.raises(ValueError, match="holder: a citizen's number has no place") as error:
        issue(KEY, "519900194905120018", CARD, NOW)
    assert "519900" not in str(error.value)
    for holder in ("", "张建国", "a b", "x" * 41):
        with pytest.raises(ValueError, match="holder: expected 1 to 40 letters"):
            issue(KEY, holder, CARD, NOW)
    with pytest.raises(ValueError, match="card: expected"):
        issue(KEY, HOLDER, "", NOW)


def test_a_moment_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="without time zone"):
        issue(KEY, HOLDER, CARD, datetime(2026, 11, 25))
    with pytest.raises(ValueError, match="without time zone"):
        verify(KEY.public_key(), issue(KEY, HOLDER, CARD, NOW), datetime(2026, 11, 25))


@pytest.mark.parametrize("text", ["X", issue(KEY, HOLDER, CARD, NOW), "sscard " * 100 + "."])
def test_a_scanner_reads_the_picture(tmp_path: Path, text: str) -> None:
    zbarimg = shutil.which("zbarimg")
    if zbarimg is None:
        pytest.skip("zbarimg is not installed")
    picture = tmp_path / "code.png"
    picture.write_bytes(qr.png(text))
    command = [zbarimg, "--quiet", "--raw", "-Sdisable", "-Sqr.enable", str(picture)]
    assert subprocess.run(command, capture_output=True, timeout=60, check=True).stdout.decode() == text + "\n"


def test_the_drawing_is_the_picture() -> None:
    text = issue(KEY, HOLDER, CARD, NOW)
    drawing = ElementTree.fromstring(qr.svg(text))
    width, height = int(drawing.attrib["width"]), int(drawing.attrib["height"])
    assert _drawn(drawing, width // qr.SCALE, height // qr.SCALE) == _pixels(qr.png(text), width, height)


def test_both_are_marked_as_tests() -> None:
    text = issue(KEY, HOLDER, CARD, NOW)
    title = ElementTree.fromstring(qr.svg(text)).find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == "测试 TEST"
    chunks = dict(_chunks(qr.png(text)))
    assert chunks[b"iTXt"].decode().split("\0")[::5] == ["Title", "测试 TEST"]
    # The letters, read from the picture's last rows.
    drawing = ElementTree.fromstring(qr.svg(text))
    width, height = (int(drawing.attrib[side]) // qr.SCALE for side in ("width", "height"))
    last = _drawn(drawing, width, height)[-qr.QUIET - 10 : -qr.QUIET : 2]
    lines = ["".join(" #"[square] for square in row[::2]) for row in last]
    assert [line.strip() for line in lines] == [line.strip() for line in qr.TEXT]


def _drawn(drawing: ElementTree.Element, width: int, height: int) -> list[list[int]]:
    """The modules of the SVG's one stroked path: M moves, m moves by, h draws to the right."""
    path = next(each.attrib["d"] for each in drawing.iter() if "stroke" in each.attrib)
    rows = [[0] * width for _ in range(height)]
    x, y = 0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        if command == "h":
            rows[int(y)][x : x + int(numbers)] = [1] * int(numbers)
            x += int(numbers)
        else:
            across, down = numbers.split()
            x, y = (int(across), float(down)) if command == "M" else (x + int(across), y + float(down))
    return rows


def _chunks(picture: bytes) -> list[tuple[bytes, bytes]]:
    place, found = 8, []
    while place < len(picture):
        size = int.from_bytes(picture[place : place + 4])
        kind, data = picture[place + 4 : place + 8], picture[place + 8 : place + 8 + size]
        assert picture[place + 8 + size : place + 12 + size] == zlib.crc32(kind + data).to_bytes(4)
        found.append((kind, data))
        place += size + 12
    return found


def _pixels(picture: bytes, width: int, height: int) -> list[list[int]]:
    """One bit a pixel, white is 1, each line after a filter byte."""
    data = zlib.decompress(b"".join(data for kind, data in _chunks(picture) if kind == b"IDAT"))
    size = 1 + (width + 7) // 8
    lines = [data[row * size : (row + 1) * size] for row in range(0, height, qr.SCALE)]
    assert {line[0] for line in lines} == {0}
    return [[1 - (line[1 + x // 8] >> (7 - x % 8) & 1) for x in range(0, width, qr.SCALE)] for line in lines]
