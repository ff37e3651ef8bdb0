from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.filesystem.memory import image as images
from emulator.filesystem.memory.cells import UNBLOCKING, tries_cell
from emulator.filesystem.memory.image import Image, ImageError
from emulator.filesystem.memory.nvm import PowerCut
from tests.kit.cards import DF, SSSE, VERIFY, WRONG_PIN, Card


def fresh(algorithm: str = "3des") -> Image:
    return catalogue.card(personas.DEFAULT, "3.00", algorithm)


def powered(image: Image) -> Card:
    chip = Chip(image)
    chip.power_on()
    return Card(chip)


@pytest.mark.parametrize("name", catalogue.personas())
def test_text_there_and_back(name: str) -> None:
    image = catalogue.card(name, "3.00", "sm4")
    again = Image.from_text(image.to_text(), "x")
    assert again.memory.snapshot() == image.memory.snapshot()
    assert (again.atr, again.algorithm, again.layout) == (image.atr, image.algorithm, image.layout)


def test_every_acknowledged_write_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    with images.held(path, fresh()) as image:
        card = powered(image)
        card.ok(DF["DF03"])
        card.authenticate("UK3DF03")
        before = path.read_text()
        card.ok("00DC71380571" + "03510700")
        assert path.read_text() != before
        assert bytes.fromhex("7103510700") in images.load(path).memory.records("DF03/EF07")
        card.send(WRONG_PIN)
        assert images.load(path).memory.counter(tries_cell("PIN")) == 2
    with images.held(path) as image:
        card = powered(image)
        card.ok(SSSE)
        assert card.send("0020000000") == "63C2"
        assert card.send(VERIFY) == "9000"
    assert list(tmp_path.iterdir()) == [path], "neither lock nor half-written file is left"


def test_a_try_is_on_disk_before_the_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "card.json"
    with images.held(path, fresh()) as image:
        card = powered(image)
        card.ok(SSSE)
        monkeypatch.setattr("hmac.compare_digest", lambda *_: 1 / 0)
        assert card.send(VERIFY) == "6F00"
        assert images.load(path).memory.counter(tries_cell("PIN")) == 2


def test_a_disk_that_fails_is_a_memory_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "card.json"
    with images.held(path, fresh()) as image:
        card = powered(image)
        card.ok(SSSE)
        card.authenticate("UKSSSE")
        before = path.read_bytes()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        assert card.send("00DC05280605" + "0420260101") == "6581"
        assert card.ok("00B2052C06") == "050420200915", "the card shows what is on disk"
        monkeypatch.undo()
        assert path.read_bytes() == before
        assert card.send("00DC05280605" + "0420260101") == "9000"


def test_one_process_holds_a_card(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    with (
        images.held(path, fresh()),
        pytest.raises(ImageError, match="another process holds this card"),
        images.held(path),
    ):
        pass
    with images.held(path) as image:
        assert image.algorithm == "3des"


def test_an_existing_file_wins(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    with images.held(path, fresh("sm4")):
        pass
    with images.held(path, fresh("3des")) as image:
        assert image.algorithm == "sm4"


def test_a_folder_that_cannot_be_synced_after_the_renaming_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "card.json"
    with images.held(path, fresh()) as image:
        card = powered(image)
        card.ok(SSSE)
        card.authenticate("UKSSSE")
        real = os.fsync

        def only_files(handle: int) -> None:
            if stat.S_ISDIR(os.fstat(handle).st_mode):
                raise OSError(22, "Invalid argument")
            real(handle)

        monkeypatch.setattr("os.fsync", only_files)
        assert card.send("00DC05280605" + "0420260101") == "9000", "card and file say the same"
        assert "050420260101" in path.read_text()


def test_through_a_symbolic_link_the_file_behind_it_is_held_and_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "card.json", tmp_path / "link.json"
    link.symlink_to(target)
    with images.held(link, fresh()) as image:
        card = powered(image)
        card.ok(SSSE)
        assert card.send(WRONG_PIN) == "63C2"
        with pytest.raises(ImageError, match="another process holds"), images.held(target):
            pass
    assert link.is_symlink()
    assert images.load(target).memory.counter(tries_cell("PIN")) == 2


def test_a_file_of_two_names_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "card.json", tmp_path / "other.json"
    with images.held(first, fresh()):
        pass
    second.hardlink_to(first)
    with pytest.raises(ImageError, match="hard links"), images.held(second):
        pass


def test_nothing_is_written_through_what_lies_where_the_new_file_goes(tmp_path: Path) -> None:
    path, victim = tmp_path / "card.json", tmp_path / "victim"
    victim.write_text("mine")
    with images.held(path, fresh()) as image:
        (tmp_path / "card.json.new").symlink_to(victim)
        card = powered(image)
        card.ok(SSSE)
        assert card.send(WRONG_PIN) == "63C2"
    assert victim.read_text() == "mine"
    assert images.load(path).memory.counter(tries_cell("PIN")) == 2


def tamper(path: Path, change: str, to: str, *, sign: bool) -> None:
    text = path.read_text().replace(change, to, 1)
    path.write_text(images.sealed(text.rpartition(images.SEAL)[0]) if sign else text)


@pytest.mark.parametrize(
    ("change", "to", "sign", "expected"),
    [
        ('"tries/PIN": 3', '"tries/PIN": 9', False, "sha256 does not match"),
        ('"format": "sscard image"', '"format": "other"', True, "no card image"),
        ('"version": 1,', '"version": 7,', True, "expected version 1, found 7"),
        ('"tries/PIN": 3', '"tries/PUN": 3', True, "cells.tries/PIN"),
        ('"pin": "123456"', '"pin": true', True, "no cell holds True"),
        ('"algorithm": "3des"', '"algorithm": "aes"', True, "unknown algorithm"),
        ('"atr": "3B6D', '"atr": "3B6E', True, "atr: expected 17 bytes"),
        ('"0304332E3030"', '"0305332E3030"', True, "tag, length and value"),
        ('"tries/PIN": 3', '"tries/PIN": 200', True, "tries/PIN: expected a number from 0 to 3"),
        ('"tries/PIN": 3', '"tries/PIN": -1', True, "parts of a card image"),
        ('"tries/UKSSSE": 3', '"tries/UKSSSE": 4', True, "tries/UKSSSE: expected a number from 0 to 3"),
        ('"tries/BK": 0', '"tries/BK": 1', True, "tries/BK: expected a number from 0 to 0"),
        ('"pin": "123456"', f'"pin": "{"1" * 60}"', True, "pin: expected at most 16 digits"),
        ('"pin": "123456"', '"pin": "12345六"', True, "pin: expected at most 16 digits"),
        ('"state/card": 0', '"state/card": 7', True, "state/card: expected a number from 0 to 2"),
        ('"state/activation": 0', '"state/activation": 2', True, "state/activation: expected a number from 0 to 1"),
        ('"state/DF04": 0', '"state/DF04": 3', True, "state/DF04: expected a number from 0 to 2"),
        ('"0304332E3030"', f'"03C8{"33" * 200}"', True, "SSSE/EF05: more than its .* bytes of memory"),
    ],
)
def test_damaged_and_foreign_images_are_refused(
    tmp_path: Path, change: str, to: str, sign: bool, expected: str
) -> None:
    path = tmp_path / "card.json"
    path.write_text(fresh().to_text())
    assert change in path.read_text()
    tamper(path, change, to, sign=sign)
    before = path.read_bytes()
    with pytest.raises(ImageError, match=expected) as error:
        images.load(path)
    assert "card.json" in str(error.value)
    assert path.read_bytes() == before


def test_truncated_and_binary_files(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    text = fresh().to_text()
    for size in range(0, len(text), 997):
        path.write_text(text[:size])
        with pytest.raises(ImageError):
            images.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ImageError, match="UTF-8"):
        images.load(path)


def test_a_fork_is_apart() -> None:
    image = fresh()
    card = powered(image.fork())
    card.ok(SSSE)
    card.send(WRONG_PIN)
    assert image.memory.counter(tries_cell("PIN")) == 3


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[4] / "data" / "images").iterdir()), ids=lambda path: path.stem
)
def test_images_of_every_release_load_for_ever(path: Path) -> None:
    release, version, algorithm = path.stem.split("-")
    image = images.load(path)
    assert (image.layout.version, image.algorithm) == (version, algorithm), release
    card = powered(image)
    card.ok(SSSE)
    if version == "psam":
        assert card.send("00B0960006") == "5101000000019000"
        return
    assert card.send(VERIFY) == "9000"
    assert card.authenticate("UKSSSE") == "9000"
    assert card.tries(UNBLOCKING) == 3, "a counter that it did not have yet is full"
    assert card.authenticate("PUK") == "9000"
    assert card.send(card.reload(None, wrong=1)) == "6988"
    assert card.tries(UNBLOCKING) == 2
    assert images.Image.from_text(image.to_text(), path).memory.counter(tries_cell(UNBLOCKING)) == 2
    card.ok(DF["DF04"])
    assert card.send("B026000104") == ("6E00" if release == "0.1.0" else "000027109000")


@pytest.mark.parametrize("cut", range(6))
def test_after_a_cut_the_file_says_what_the_card_says(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "card.json"
    with images.held(path, fresh()) as image:
        card = powered(image)
        card.ok(SSSE)
        card.authenticate("UKSSSE")
        image.memory.nvm.cut_after = cut
        with contextlib.suppress(PowerCut):
            card.send("00DC05280605" + "0420260101")
        card.chip.power_on()
        assert images.load(path).memory.snapshot() == image.memory.snapshot()
