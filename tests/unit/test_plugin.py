"""The pytest plugin, used as a stranger's project would use it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[2]


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
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*sscard: terminal and card*", "*VERIFY*", "*the PIN is wrong; 2 tries left*"])
    assert "0020000003999999  VERIFY" not in result.stdout.str()


def test_vectors_are_collected(pytester: pytest.Pytester) -> None:
    vectors = str(ROOT / "vectors" / "pin.yaml")
    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "--sscard-vectors", vectors, "--sscard-profile", "3.00-sm4", vectors
    )
    result.assert_outcomes(passed=13)
    own = pytester.path / "broken.yaml"
    text = (ROOT / "vectors" / "pin.yaml").read_text(encoding="utf-8").partition("---")[0]
    own.write_text(text.replace("tries_left: PIN-1", "tries_left: PIN-2"), encoding="utf-8")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--sscard-vectors", str(own), str(own))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*failed: step 4 (verify_pin: wrong): expected 1 tries left, got 63C2*"])


def test_a_vector_with_a_name_that_nobody_has_is_an_error_and_not_skipped(pytester: pytest.Pytester) -> None:
    own = pytester.path / "typo.yaml"
    text = (ROOT / "vectors" / "pin.yaml").read_text(encoding="utf-8").partition("---")[0]
    own.write_text(text.replace("select: SSSE", "select: SSE"), encoding="utf-8")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--sscard-vectors", str(own), str(own))
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
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


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
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


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
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_shapes_and_systems_by_marker(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")

        @pytest.mark.sscard(shape="apdu")
        def test_apdu(card):
            assert card.send(SSSE)[:2] == bytes((0x6F, 0x1C))

        @pytest.mark.sscard(system="windows")
        def test_windows_leaves_the_selection(card):
            card.send(SSSE)
            card.close()
            assert card.send(bytes.fromhex("00B207280B"))[-2:] == bytes((0x90, 0x00))
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
