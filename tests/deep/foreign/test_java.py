"""Java: javax.smartcardio. The driver library through JNA: test_examples.py."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deep.foreign.clients import SOURCES, followed, holds, said
from tests.deep.foreign.conftest import Reader, card
from tests.kit.cards import HOME

PROPERTIES = "-Dsun.security.smartcardio."
LIBRARY = f"{PROPERTIES}library=/usr/lib/{platform.machine()}-linux-gnu/libpcsclite.so.1"
OPTIONS = "80A800000B8309000000000000000156" + "00"
"""GET PROCESSING OPTIONS, with Le: of the commands whose answer waits, one that is not of class 00."""


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classes")
    said("javac", "-d", folder, SOURCES / "Talk.java")
    return folder


def test_smartcardio(classes: Path, either: Reader) -> None:
    """It follows 61xx and 6Cxx."""
    talk = followed(either.talk)
    holds(talk, said("java", LIBRARY, "-cp", classes, "Talk", either.name, *(one.command for one in talk)))


def test_smartcardio_that_does_not_follow(classes: Path, either: Reader) -> None:
    """These properties leave 61xx and 6Cxx to the program."""
    talk = either.talk
    left = [f"{PROPERTIES}t0GetResponse=false", f"{PROPERTIES}t1GetResponse=false"]
    commands = [one.command for one in talk if one.answer[:2] != "6C"]  # which it always follows
    told = said("java", LIBRARY, *left, "-cp", classes, "Talk", either.name, *commands)
    holds([one for one in talk if one.answer[:2] != "6C"], told)


def test_smartcardio_follows_with_the_commands_own_class(classes: Path, reader: Reader) -> None:
    """GET RESPONSE is CLA 00's alone on this card; 80 is a class that it knows, without that instruction."""
    told = said("java", LIBRARY, "-cp", classes, "Talk", reader.name, f"{HOME['BANK']}00", OPTIONS)
    assert told.split()[-1] == "6D00"


@pytest.fixture(scope="module")
def forgiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A card that answers GET RESPONSE in any class, by the layout that docs/terminals.md tells to make."""
    layout = tmp_path_factory.mktemp("layout") / "forgiving.toml"
    layout.write_text('schema = 1\nname = "forgiving"\nextends = "3.00"\nget_response_class = "any"\n')
    with card(layout=str(layout)) as found:
        yield found


@pytest.mark.parametrize("reader_that_helps", ["forgiving", "following"])
def test_smartcardio_where_card_or_reader_helps(
    classes: Path, reader_that_helps: str, request: pytest.FixtureRequest
) -> None:
    """Template 80 with the profile and the locator of the bank's records."""
    reader: Reader = request.getfixturevalue(reader_that_helps)
    told = said("java", LIBRARY, "-cp", classes, "Talk", reader.name, f"{HOME['BANK']}00", OPTIONS)
    assert told.split()[-1] == "800E1C000801020010010100180101009000"
