"""The pytest plugin, used as a stranger's project would use it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator import catalogue

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[3]
VECTOR = (ROOT / "vectors" / "pin.yaml").read_text(encoding="utf-8").partition("---")[0]


def test_the_example_in_the_docs(pytester: pytest.Pytester) -> None:
    text = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example
    assert len(example.group(1).splitlines()) <= 10
    pytester.makepyfile(example.group(1))
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_a_failing_test_shows_its_trace_without_the_pin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_wrong(card):
            card.send(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF"))
            assert card.send(bytes.fromhex("0020000003999999")) == b"\\x90\\x00"
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*sscard: terminal and card*", "*VERIFY*", "*the PIN is wrong; 2 tries left*"])
    assert "0020000003999999  VERIFY" not in result.stdout.str()


def test_vectors_are_collected(pytester: pytest.Pytester) -> None:
    vectors = str(ROOT / "vectors" / "pin.yaml")
    result = pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "--sscard-vectors", vectors, "--sscard-profile", "3.00-sm4", vectors
    )
    result.assert_outcomes(passed=13)
    own = pytester.path / "broken.yaml"
    text = (ROOT / "vectors" / "pin.yaml").read_text(encoding="utf-8").partition("---")[0]
    own.write_text(text.replace("tries_left: PIN-1", "tries_left: PIN-2"), encoding="utf-8")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--sscard-vectors", str(own), str(own))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*failed: step 4 (verify_pin: wrong): expected 1 tries left, got 63C2*"])


def test_a_vector_with_a_name_that_nobody_has_is_an_error_and_not_skipped(pytester: pytest.Pytester) -> None:
    own = pytester.path / "typo.yaml"
    text = (ROOT / "vectors" / "pin.yaml").read_text(encoding="utf-8").partition("---")[0]
    own.write_text(text.replace("select: SSSE", "select: SSE"), encoding="utf-8")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--sscard-vectors", str(own), str(own))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*unknown application 'SSE'; did you mean SSSE?*"])


def test_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import datetime
        import pytest

        @pytest.mark.sscard(persona="pin-locked", layout="2.00")
        def test_marked(terminal, reader):
            assert reader is None
            assert terminal.layout.version == "2.00"
            assert terminal.pin_state() == 0

        def test_snapshot(terminal, snapshot):
            back = snapshot()
            terminal.update("SSSE/EF05/06", "20990101")
            back()
            terminal.begin()
            assert terminal.read("SSSE/EF05/06") == "20300914"

        def test_the_rest(psam, clock):
            assert psam.send(bytes.fromhex("BFEC00000151")) == b"\\x90\\x00"
            clock.set(datetime.datetime(2026, 1, 1))
            assert clock.today().year == 2026
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


def test_faults_by_marker_and_by_file(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", plan="format: 1\nfaults:\n  - kind: status\n    sw: 6A82\n    instruction: SELECT\n")
    pytester.makepyfile(
        """
        import pytest

        SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")

        @pytest.mark.sscard(faults="status,sw=6581,instruction=SELECT,once=yes")
        def test_text(card, injections):
            assert card.send(SSSE).hex() == "6581"
            assert card.send(SSSE).hex() == "611e"
            assert [one.fault.kind for one in injections] == ["status"]

        @pytest.mark.sscard(faults="plan.yaml", seed=3)
        def test_file(card):
            assert card.send(SSSE).hex() == "6a82"

        def test_none(card, injections):
            assert card.send(SSSE).hex() == "611e"
            assert not injections
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


def test_a_persona_of_ones_own_lies_beside_the_test(pytester: pytest.Pytester) -> None:
    text = 'name = "mine"\nextends = "adult-chengdu"\n[values."SSSE/EF06"]\n09 = "测试己方"\n'
    pytester.makefile(".toml", mine=text)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.sscard(persona="mine.toml", layout="2.00")
        def test_mine(terminal):
            assert terminal.read("SSSE/EF06/09") == "测试己方"
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_shapes_and_systems_by_marker(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")

        @pytest.mark.sscard(shape="apdu")
        def test_apdu(card):
            assert card.send(SSSE)[:2] == bytes((0x6F, 0x1C))

        @pytest.mark.sscard(interface="contactless", shape="t0")
        def test_in_a_field(card):
            assert card.atr[:4] == bytes((0x3B, 0x8D, 0x80, 0x01))
            assert card.send(SSSE)[:2] == bytes((0x6F, 0x1C))

        @pytest.mark.sscard(interface="contactless", faults="status,sw=6581,nth=1")
        def test_at_fault_in_a_field(card):
            assert card.atr[:2] == bytes((0x3B, 0x8D))
            assert card.send(SSSE) == bytes((0x65, 0x81))

        @pytest.mark.sscard(system="windows")
        def test_windows_leaves_the_selection(card):
            card.send(SSSE)
            card.close()
            assert card.send(bytes.fromhex("00B207280B"))[-2:] == bytes((0x90, 0x00))
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=4)


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ('persna="pin-locked"', """no keyword 'persna'; did you mean "persona"?"""),
        ('shape="adpu"', """shape: no 'adpu'; did you mean "apdu"?"""),
        ('interface="contacless"', """interface: no 'contacless'; did you mean "contactless"?"""),
        ('system="windoze"', """system: no 'windoze'; did you mean "windows"?"""),
        ('algorithm="sm-4"', """algorithm: no 'sm-4'; did you mean "sm4"?"""),
        ('slow="no"', "slow: expected True, False or a timing profile (.json), found 'no'"),
        ("seed=7", "seed: there are no faults that it could be of"),
        ('"pin-locked"', "expected keywords"),
        ('image="card.json", persona="expired"', "image: it says what the card is; leave persona out"),
    ],
)
def test_a_marker_that_is_mistyped_ends_the_run(pytester: pytest.Pytester, marker: str, told: str) -> None:
    """None of these tests asks for what the marker says, so that nothing else would notice."""
    pytester.makepyfile(f"import pytest\n\n@pytest.mark.sscard({marker})\ndef test_it(card):\n    assert card.atr\n")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in result.stderr.str()


def test_a_card_in_a_field_is_behind_a_reader_that_answers_for_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.sscard(interface="contactless")
        def test_in_a_field(card):
            assert card.send(bytes.fromhex("FFCA000000"))[-2:] == b"\\x90\\x00"

        def test_by_contacts(card):
            assert card.send(bytes.fromhex("FFCA000000")) == b"\\x6e\\x00"
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_vectors_that_are_not_there_end_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it():\n    pass\n")
    (pytester.path / "pins.yaml").write_text(VECTOR, encoding="utf-8")
    (pytester.path / "empty").mkdir()
    for arguments, told in (
        (("--sscard-vectors", "pin.yaml"), 'pin.yaml is not there; did you mean "pins.yaml"?'),
        (("--sscard-vectors", "empty"), "empty holds no vectors"),
        (("--sscard-vectors", "pins.yaml", "--sscard-profile", "3.00-sm5"), """has no 'sm5'; did you mean "sm4"?"""),
        (("--sscard-vectors", "pins.yaml", "--sscard-profile", "9.00-3des"), "no such layout"),
    ):
        result = pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert told in result.stderr.str()


def test_vectors_are_collected_wherever_they_lie(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile("def test_it():\n    pass\n")
    (pytester.mkdir("elsewhere") / "pins.yaml").write_text(VECTOR, encoding="utf-8")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--sscard-vectors", "elsewhere", str(path))
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    "asked", ["image='card.json'", "persona='expired'", "layout='2.00'", "algorithm='sm4'", "shape='apdu'", "slow=True"]
)
def test_a_card_in_a_reader_is_never_taken_for_the_one_that_was_asked_for(
    pytester: pytest.Pytester, asked: str
) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.sscard({asked})
        def test_it(card):
            pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--sscard-reader", "ACS")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [f"*--sscard-reader: the card in 'ACS' is what it is, and the marker asks for {asked}: run this test without*"]
    )


def test_a_card_from_an_image_that_stays_as_it_is(pytester: pytest.Pytester) -> None:
    image = catalogue.card("pin-one-try", "2.00", "3des")
    (pytester.path / "card.json").write_text(image.to_text(), encoding="utf-8")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.sscard(image="card.json")
        @pytest.mark.parametrize("again", range(2))
        def test_it(terminal, again):
            assert terminal.version == "2.00"
            assert terminal.pin_state() == 1
            with pytest.raises(Exception, match="0 tries left|6983|locked"):
                terminal.verify_pin("000000")
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
    assert (pytester.path / "card.json").read_text(encoding="utf-8") == image.to_text()


@pytest.mark.pcsc
def test_a_program_that_a_test_starts_finds_a_reader_of_its_own(pytester: pytest.Pytester) -> None:
    text = (ROOT / "docs" / "proving.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example
    pytester.makepyfile(example.group(1))
    pytester.makefile(
        ".py",
        terminal="""
        import sys
        from smartcard.System import readers

        card = readers()[0].createConnection()
        card.connect()
        card.transmit(list(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")))
        pin = sys.argv[2]
        *_, first, second = card.transmit([0, 0x20, 0, 0, len(pin) // 2, *bytes.fromhex(pin)])
        sys.exit(0 if (first, second) == (0x90, 0) else "refused")
        """,
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
