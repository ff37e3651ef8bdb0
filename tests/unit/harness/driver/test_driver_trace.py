"""`driver serve --trace`: the commands to the cards and the calls that they were for, masked, for every reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from emulator.chip import Chip
from harness.cli import main
from harness.driver.backend import BackEnd
from harness.driver.clients import Client, Clients
from harness.driver.interface import EXPORTED
from harness.driver.library import SSCardDriver
from harness.driver.readers import Given
from harness.driver.server import called
from harness.driver.traced import CallTrace, TracedReaders
from harness.driver.wire import frame
from harness.hsm.machine import EncryptionMachine
from harness.monitor.monitor import Monitor
from harness.monitor.rule import Situation
from harness.readers.connection import InProcess
from harness.trace import calls, copy, diff, pcapng, read
from harness.trace.record import TraceFile
from harness.trace.show import Reader
from harness.web import driver as front
from tests.kit.cards import new_card

PIN, OWN, HOLDER, NAME, NUMBER = "123456", "246802", "519900199003070011", "测试甲", "A00000011"
MEANT = f"510100D15600000551010001C4A06E3C|{NUMBER}|"


class Desk:
    """Clients over cards in this process, with a trace; ``send`` is one request over the socket's wire."""

    def __init__(self, path: Path, **options: bool) -> None:
        self.path = path
        self.trace = TraceFile(path, **options)
        card, own = new_card().chip.image, new_card("psam", "3des", "psam").chip.image
        self.card = Chip(card, observer=self.trace.slot(0, card))
        self.own = Chip(own, observer=self.trace.slot(1, own))
        given = Given(lambda _: InProcess(self.card), lambda: InProcess(self.own))
        self.clients = Clients(given, calls=CallTrace(self.trace))

    def lines(self) -> list[dict[str, Any]]:
        self.trace.__exit__(None, None, None)
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]


def send(client: Client, name: str, *values: int | str) -> int:
    return called(client, frame(name.encode(), *(str(one).encode("gbk") for one in values))[4:])[0]


def everything(desk: Desk) -> None:
    """Each function that takes or gives something, a PIN of one's own, and what is refused before it is called."""
    with desk.clients.one() as client:
        send(client, "iScriptPad", f"{PIN},{OWN},{OWN}")
        assert send(client, "iChangePIN", 1) == 0
        assert send(client, "iReadCardBas", 3) == 0
        assert send(client, "iReadCard", 3, 2, MEANT, "SSSEEF05|07|$SSSEEF06|08|09|$") == 0
        assert send(client, "iWriteCard", 3, "||", "SSSEEF06|09|$", "SSSEEF06|欧阳样例|$") == 0
        send(client, "iScriptPad", "999999")
        assert send(client, "iVerifyPIN", 3) == -51
        send(client, "iScriptPad", OWN)
        assert send(client, "iDoDebit", 3, "||", "700|1500|20261125093000|") == 0
        assert send(client, "iReadCard", 3, 2, "||", f"{HOLDER}|") < 0
        assert send(client, "iReadCardBas", "three") == -14
        assert send(client, "iReadCardBas_HSM_Step2", "00") == -12
        send(client, "iScriptPad", "111222,111222")
        machine = EncryptionMachine()
        back = BackEnd(_Wired(client), machine)  # type: ignore[arg-type]
        assert back.reload_pin(3, "||") == (0, "")


class _Wired:
    """The driver's functions through a client, as the server calls them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return lambda *values: self._client.call(EXPORTED[name], values)


@pytest.fixture
def traced(tmp_path: Path) -> list[dict[str, Any]]:
    desk = Desk(tmp_path / "t.jsonl")
    everything(desk)
    return desk.lines()


def of_calls(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in lines if one["event"] == "call"]


# --- what is written -------------------------------------------------------------------------------------------------


def test_each_call_stands_after_its_commands_with_its_code(traced: list[dict[str, Any]]) -> None:
    told = [(one["function"], one["code"]) for one in of_calls(traced)]
    assert told[:7] == [
        ("iScriptPad", 0), ("iChangePIN", 0), ("iReadCardBas", 0), ("iReadCard", 0), ("iWriteCard", 0),
        ("iScriptPad", 0), ("iVerifyPIN", -51),
    ]  # fmt: skip
    assert ("iReadCardBas", -14) in told
    assert ("iReadCardBas_HSM_Step2", -12) in told
    assert {one["client"] for one in of_calls(traced)} == {1}
    at = next(at for at, one in enumerate(traced) if one.get("function") == "iVerifyPIN")
    before = [one for one in traced[:at] if one["event"] == "apdu" and one["instruction"] == "VERIFY"]
    assert before[-1]["answer"] == "63C2"
    assert traced[at]["reason"] == "密码错误，剩余N次 PIN wrong, N tries left"
    assert all(one["latency"] >= 0 for one in of_calls(traced))


def test_every_line_is_as_the_schema_says(traced: list[dict[str, Any]]) -> None:
    schema = json.loads((resources.files("harness.trace") / "schema-3.json").read_text(encoding="utf-8"))
    for line in traced:
        Draft202012Validator(schema).validate(line)


def test_numbers_and_addresses_stand_as_they_were_and_nothing_else(traced: list[dict[str, Any]]) -> None:
    read_, written = (
        next(one for one in of_calls(traced) if one["function"] == name) for name in ("iReadCard", "iWriteCard")
    )
    assert read_["arguments"] == {
        "iType": 3, "iAuthType": 2, "pCardInfo": "***", "pFileAddr": "SSSEEF05|07|$SSSEEF06|08|09|$",
    }  # fmt: skip
    assert (read_["out"], read_["masked"]) == ("***", True)
    assert written["arguments"]["pWriteData"] == "***"
    wrong = [one for one in of_calls(traced) if one["function"] == "iReadCard" and one["code"]]
    assert wrong[0]["arguments"]["pFileAddr"] == "***", "what is no address may be anything"


@pytest.mark.parametrize("options", [{}, {"personal_data": True}, {"show_secrets": True}], ids=str)
def test_what_was_entered_and_what_people_are_called_is_in_no_call_unless_asked_for(
    tmp_path: Path, options: dict[str, bool]
) -> None:
    desk = Desk(tmp_path / "t.jsonl", **options)
    everything(desk)
    told = json.dumps(of_calls(desk.lines()), ensure_ascii=False)
    for pin in (PIN, OWN, "999999", "111222"):
        assert pin not in told.replace("19900307", ""), "PINs: never"
    for personal in (HOLDER, NAME, NUMBER, "欧阳样例", "20261125093000"):
        assert (personal in told) is bool(options.get("personal_data")), personal


def test_with_both_options_the_request_that_holds_the_new_pin_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "t.jsonl", personal_data=True, show_secrets=True)
    everything(desk)
    (step,) = [one for one in of_calls(desk.lines()) if one["function"] == "iReloadPIN_HSM_Step2"]
    assert "|111222|" in step["out"]
    assert step["arguments"]["pKey"] != "***"


def test_a_web_page_s_calls_are_traced_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "t.jsonl")
    web = TestClient(front.create(desk.clients), base_url="http://127.0.0.1")
    with web.websocket_connect("ws://127.0.0.1/ws") as link:
        for message in (
            {"function": "pad", "entries": ["999999"]}, {"function": "iVerifyPIN", "iType": 1},
            {"function": "iReadCardBas"}, {"function": "iFoo", "secret": PIN},
        ):  # fmt: skip
            link.send_json(message)
            link.receive_json()
    told = of_calls(desk.lines())
    assert [(one["function"], one["code"]) for one in told] == [
        ("iScriptPad", 0),
        ("iVerifyPIN", -51),
        ("iReadCardBas", -14),
    ]
    assert PIN not in json.dumps(told)


def test_a_photograph_is_in_no_trace_unless_asked_for(tmp_path: Path) -> None:
    picture = bytes(range(1, 241)) * 2
    for options, there in (({}, False), ({"personal_data": True}, True)):
        desk = Desk(tmp_path / f"{there}.jsonl", **options)
        with desk.clients.one() as client:
            assert send(client, "iWriteCard", 3, "||", "SSSEEF08|$", f"SSSEEF08|{picture.hex()}|$") == 0
            assert send(client, "iReadCard", 3, 2, "||", "SSSEEF08|$") == 0
        told = json.dumps(desk.lines()).upper()
        assert (picture[:64].hex().upper() in told) is there


def test_a_trace_that_fails_changes_no_answer(tmp_path: Path) -> None:
    class Failing(CallTrace):
        def called(self, *_: object) -> None:
            raise OSError(28, "No space left on device")

    desk = Desk(tmp_path / "t.jsonl")
    desk.clients._calls = Failing(desk.trace)
    with desk.clients.one() as client:
        assert send(client, "iReadCardBas", 3) == 0
        assert send(client, "iReadCardBas", 3) == 0


def test_cards_in_readers_are_watched_and_masked_by_the_version_that_they_say(tmp_path: Path) -> None:
    """The readers here are in this process; PC/SC ones give the same connections."""
    path = tmp_path / "t.jsonl"
    card, own = new_card().chip, new_card("psam", "3des", "psam").chip
    given = Given(lambda _: InProcess(card), lambda: InProcess(own))
    with TraceFile(path) as trace:
        driver = SSCardDriver(TracedReaders(given, trace))
        assert driver.iReadCardBas(3)[0] == 0
    found = list(read.events(path))
    assert {one.slot for one in found} == {0, 1}
    assert {one.told("layout") for one in found if one.kind == "reset"} == {"3.00", "psam"}
    text = path.read_text(encoding="utf-8")
    assert NAME.encode("gbk").hex().upper() not in text
    assert next(one for one in found if one.kind == "off")
    version = [one for one in found if one.command.hex().startswith("00b20328")]
    assert version[-1].answer[2:6] == b"3.00", "what is known to be harmless passes"


# --- who reads it ----------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    desk = Desk(tmp_path / "t.jsonl", personal_data=True)
    everything(desk)
    desk.lines()
    return desk.path


def test_trace_show_tells_the_calls(file: Path) -> None:
    done = CliRunner().invoke(main, ["trace", "show", str(file)])
    assert done.exit_code == 0
    assert "⇒ iVerifyPIN(iType=3) → -51 密码错误" in done.stdout
    assert "⇒ iScriptPad() → 0" in done.stdout
    assert "⇒ iReadCard(iType=3, iAuthType=2, pCardInfo=" in done.stdout


def without_calls(file: Path) -> list[read.Event]:
    return [one for one in read.events(file) if one.kind is not read.EventKind.CALL]


def test_the_monitor_judges_the_commands_as_if_no_call_stood_there(file: Path) -> None:
    def judged(events: Iterator[read.Event]) -> list[str]:
        monitor = Monitor(read.layout_of(file), Situation(date(2026, 11, 25), frozenset()), psam=frozenset({1}))
        for event in events:
            monitor.hear(event)
        monitor.end()
        return [str(one) for one in monitor.findings] + [str(monitor.heard)]

    assert judged(read.events(file)) == judged(iter(without_calls(file)))


def test_a_trace_of_calls_alone_is_judged_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with TraceFile(path) as trace:
        CallTrace(trace).called(1, EXPORTED["iVerifyPIN"], (9,), -1, "", 0.0)
    done = CliRunner().invoke(main, ["monitor", str(path)])
    assert done.exit_code == 4
    assert "nothing was judged" in done.stderr
    assert CliRunner().invoke(main, ["trace", "show", str(path)]).exit_code == 0


def test_two_sessions_that_differ_in_a_call_differ(file: Path) -> None:
    events = list(read.events(file))
    assert not list(diff.differences(events, events))
    other = [one for one in events if one.told("function") != "iVerifyPIN"]
    ((side, event),) = diff.differences(events, other)
    assert side == "-"
    assert diff.words(event).startswith("⇒ iVerifyPIN(iType=3) → -51")


def test_an_export_has_the_calls_as_comments(file: Path) -> None:
    blocks = b"".join(pcapng.export(read.events(file)))
    assert "iVerifyPIN(iType=3) → -51 密码错误".encode() in blocks


def test_a_copy_to_hand_on_has_nothing_of_people_in_its_calls(file: Path) -> None:
    copied = [json.loads(one) for one in copy.masked_copy(read.events(file), read.layout_of(file))]
    assert len(copied) == len(list(read.events(file)))
    told = json.dumps(of_calls(copied), ensure_ascii=False)
    for personal in (HOLDER, NAME, NUMBER, "欧阳样例", "20261125093000"):
        assert personal not in told
    assert "iVerifyPIN" in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "x"}, "expected code"),
        ({"function": 7}, "expected function"),
        ({"event": "calls"}, "expected an event of"),
    ],
    ids=["code", "function", "event"],
)
def test_a_call_that_is_none_is_told(file: Path, change: dict[str, Any], said: str) -> None:
    (line,) = [one for one in read.events(file) if one.told("function") == "iVerifyPIN"]
    file.write_text(json.dumps({**line.table, **change}) + "\n", encoding="utf-8")
    with pytest.raises(read.TraceError, match=said):
        list(read.events(file))


def test_a_hostile_call_is_shown_as_text(tmp_path: Path, file: Path) -> None:
    (line,) = [one for one in read.events(file) if one.told("function") == "iVerifyPIN"]
    for arguments in (["x"], {"iType": {"a": 1}}, "x", {"a\x1b[31m": "b"}):
        path = tmp_path / "hostile.jsonl"
        path.write_text(json.dumps({**line.table, "arguments": arguments, "out": 7}) + "\n", encoding="utf-8")
        events = list(read.events(path))
        assert list(Reader(read.layout_of(path)).lines(events[0]))
        assert calls.masked(dict(events[0].table))
        done = CliRunner().invoke(main, ["trace", "show", str(path)])
        assert done.exit_code == 0
        assert "\x1b" not in done.output


# --- the command -----------------------------------------------------------------------------------------------------


def test_what_a_file_holds_is_not_overwritten_without_force(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("mine")
    done = CliRunner().invoke(
        main, ["driver", "serve", "--persona", "adult-chengdu", "--socket", f"{tmp_path}/s", "--trace", str(path)]
    )
    assert done.exit_code == 1
    assert "--force" in done.output
    assert path.read_text() == "mine"
    assert not (tmp_path / "s").exists()
