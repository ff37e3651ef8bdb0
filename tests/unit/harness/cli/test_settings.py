"""The user's file of defaults: what it sets, what stands above it, what it may not say, and who tells of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import main, places, settings
from harness.cli.settings import SECRET
from harness.cli.table_maker import walk


def ran(*arguments: str, file: Path | None = None) -> Result:
    """A command with this file of defaults."""
    return CliRunner().invoke(main, list(arguments), env={"SSCARD_CONFIG": str(file or ""), "NO_COLOR": "1"})


def written(folder: Path, text: str) -> Path:
    """A file of defaults."""
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def atr_of(*arguments: str, file: Path | None = None) -> str:
    """Which card `sscard show` shows."""
    result = ran("show", "--json", *arguments, file=file)
    assert result.exit_code == 0, result.output
    return str(json.loads(result.output)["atr"])


def test_no_password_of_an_address_is_shown(tmp_path: Path) -> None:
    file = written(tmp_path, '[office]\nregister = "postgresql://office:geheim@db.example/office?sslpassword=geheim"\n')
    for form in ((), ("--json",)):
        shown = ran("config", "show", *form, file=file)
        assert shown.exit_code == 0
        assert "postgresql://office@db.example/office" in shown.output
        assert "geheim" not in shown.output


def test_the_file_sets_what_the_command_line_leaves_open(tmp_path: Path) -> None:
    file = written(tmp_path, '[show]\npersona = "pin-locked"\nlayout = "2.00"\n')
    assert atr_of(file=file) == atr_of("--persona", "pin-locked", "--layout", "2.00") != atr_of()
    assert atr_of("--persona", "adult-chengdu", file=file) == atr_of("--layout", "2.00")


def test_options_of_groups_and_of_the_program_are_set_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSCARD_READER_WAIT", raising=False)
    file = written(tmp_path, 'reader-wait = 2.5\n[vectors.run]\nprofile = ["3.00-sm4"]\nonly = ["VERIFY-LC"]\n')
    told = ran("config", "show", "--json", file=file)
    assert told.exit_code == 0, told.output
    assert json.loads(told.output) == {
        "file": str(file),
        "place": places.config_file(),
        "defaults": {
            "sscard": {"reader_wait": 2.5},
            "vectors run": {"profile": ["3.00-sm4"], "only": ["VERIFY-LC"]},
        },
    }
    result = ran("vectors", "run", "--report", str(tmp_path / "report"), "--no-pdf", file=file)
    assert "1 passed" in result.output
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert "--profile" in report["environment"]["options"], "a report tells what the file gave"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[shw]\nlayout = "2.00"\n', 'shw: no command; did you mean "show"?'),
        ('[show]\npersna = "x"\n', '[show] persna: no such option; did you mean "persona"?'),
        ('[vectors.rnu]\nonly = ["X"]\n', 'rnu: no command; did you mean "vectors run"?'),
        ("[show]\nlayout = 3.00\n", "[show] layout: expected text in quotes, found 3.0"),
        ('[vectors.run]\nprofile = "3.00-sm4"\n', "[vectors.run] profile: expected a list of text in quotes"),
        ('[run]\nonce = "yes"\n', "[run] once: expected true or false, found 'yes'"),
        ('[run]\nport = "x"\n', "[run] port: expected a whole number, found 'x'"),
        ('[pin.verify]\npin = "123456"\n', "[pin.verify] pin: no secret stands in this file"),
        ("[show]\nshow-secrets = true\n", "[show] show-secrets: is asked for each time"),
        ("layot = 1\n", "layot: no option of `sscard`"),
        ("show = 1\n", "show: a command's options stand in a table: [show]"),
        ('config = "x"\n', "config.toml: config: is asked for each time, on the command line"),
        ("version = true\n", "version: is asked for each time, on the command line"),
        ('lang = "de"\n', "config.toml: lang: 'de' is not one of"),
        ("reader-wait = 9999\n", "config.toml: reader-wait: 9999.0 is not in the range"),
        ("[run]\nslots = 99\n", "[run] slots: 99 is not in the range"),
        ('[run]\nshape = "t9"\n', "[run] shape: 't9' is not one of"),
        ("[show\n", "config.toml, line 1: not TOML"),
    ],
)
def test_what_cannot_be_is_wrong_usage_and_says_where(text: str, said: str, tmp_path: Path) -> None:
    command = ["run"] if "[run]" in text else ["vectors", "run"] if "[vectors.run]" in text else ["show"]
    result = ran(*command, file=written(tmp_path, text))
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert "123456" not in result.output


def test_config_show_finds_values_that_no_option_takes(tmp_path: Path) -> None:
    for text in ("[run]\nslots = 99\n", '[run]\ninterface = ["nfc"]\n', 'lang = "de"\n'):
        result = ran("--lang", "en", "config", "show", file=written(tmp_path, text))
        assert result.exit_code == 2, result.output
        assert str(tmp_path / "config.toml") in result.output


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[vectors.run]\nlayout = "3.01"\n', "[vectors.run] layout: "),
        ('[run]\npersona = ["adult-chengdu", "adult-chengdo"]\n', "[run] persona: "),
        ('[run]\npsam = "psan"\n', "[run] psam: "),
        ('[driver.serve]\ndialect = "params-38089"\n', "[driver.serve] dialect: "),
        ('[show]\nlayout = "./none.toml"\n', "[show] layout: "),
    ],
)
def test_config_show_finds_names_of_what_is_not_there(text: str, where: str, tmp_path: Path) -> None:
    file = written(tmp_path, text)
    result = ran("config", "show", file=file)
    assert (result.exit_code, f"{file}: {where}" in result.output) == (2, True), result.output


def test_config_show_takes_names_of_what_is_there_and_slots(tmp_path: Path) -> None:
    file = written(tmp_path, '[run]\npsam = "psam-city"\npersona = ["psam"]\n[monitor]\npsam = [1]\nlayout = "2.00"\n')
    result = ran("config", "show", file=file)
    assert result.exit_code == 0, result.output


def test_no_file_is_not_told_as_one_that_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for result in (ran("--config", "", "config", "show"), ran("config", "show")):
        assert result.exit_code == 1
        assert result.output == "no file of defaults: --config or $SSCARD_CONFIG is empty\n"


def test_an_error_that_may_come_from_the_file_names_it(tmp_path: Path) -> None:
    file = written(tmp_path, '[show]\nlayout = "3.01"\n')
    result = ran("show", file=file)
    assert result.exit_code == 2
    assert f"(defaults of {file}: --layout)" in result.output
    assert "defaults of" not in ran("show", "--layout", "3.01").output


def test_a_file_that_is_named_must_be_there_the_usual_one_need_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = ran("show", file=tmp_path / "none.toml")
    assert gone.exit_code == 2
    assert "no such file" in gone.output
    made = ran("config", "new", file=tmp_path / "none.toml")
    assert (made.exit_code, ran("config", "show", file=tmp_path / "none.toml").exit_code) == (0, 0), "that makes it"
    monkeypatch.delenv("SSCARD_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    none = CliRunner().invoke(main, ["config", "show"])
    assert (none.exit_code, places.config_file() in none.output) == (1, True)
    assert CliRunner().invoke(main, ["config", "new"]).exit_code == 0
    assert CliRunner().invoke(main, ["config", "show"]).exit_code == 0
    again = CliRunner().invoke(main, ["config", "new"])
    assert again.exit_code != 0, "an existing file is never overwritten"


def test_no_option_that_takes_a_pin_may_stand_in_the_file() -> None:
    secret = {
        name.removeprefix("--")
        for _path, command in walk()
        for one in command.params
        if "PIN" in (one.metavar or "").split(",")[0].strip("[]").split("…")[0]
        for name in one.opts
        if name.startswith("--")
    }
    assert secret <= SECRET
    assert settings.EXAMPLE.startswith("#")
