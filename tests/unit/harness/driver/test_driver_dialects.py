"""Local services as pages expect them: dialects as data, over the real HTTP and WebSocket server."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from openapi_spec_validator import validate
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from emulator.chip import Chip
from emulator.personas.bank import bank_card_number
from harness.cli import main
from harness.driver.clients import Clients
from harness.driver.dialects import dialect as dialects
from harness.driver.dialects.dialect import Dialect, DialectError
from harness.driver.readers import Given
from harness.hsm.machine import EncryptionMachine
from harness.readers.connection import InProcess
from harness.web import driver as front
from harness.web.app import background
from tests.kit.cards import new_card

NAME = "测试甲"
DOCS = Path(__file__).parents[4] / "docs"
FUNC_IN = """
title = "another vendor's"
port = 8899
paths = ["/card"]

[request]
function = "func"
arguments = "in"
numbers_as_text = true
ignored = ["seq"]

[answer]
code = "bizcode"
done = "0"
out = "body"
"""
"""A dialect that the package has not: arguments as an array of texts, the code as a text."""


def clients(*script: str, psam: bool = True) -> Clients:
    card, own = new_card().chip, Chip(new_card("psam", "3des", "psam").chip.image)
    return Clients(Given(lambda _: InProcess(card), lambda: InProcess(own) if psam else None), script)


@contextlib.contextmanager
def talking(spoken: Dialect, path: str = "/", *, psam: bool = True) -> Iterator[ClientConnection]:
    """A page's WebSocket to a service of this dialect."""
    with (
        background(front.create(clients("123456", psam=psam), dialect=spoken)) as url,
        connect(f"{url.replace('http', 'ws')}{path}") as link,
    ):
        yield link


def said(link: ClientConnection, message: object) -> dict[str, Any]:
    link.send(json.dumps(message))
    told: dict[str, Any] = json.loads(link.recv(20))
    return told


def made(tmp_path: Path, text: str = FUNC_IN) -> Dialect:
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    return dialects.from_file(file)


# --- those that come with the package ------------------------------------------------------------------------------


def test_three_dialects_come_with_the_package_at_the_ports_that_pages_expect() -> None:
    assert {name: dialects.load(name).port for name in dialects.names()} == {
        "own": 35992, "vendor-12342": 12342, "params-38088": 38088,
    }  # fmt: skip


def test_a_page_for_the_vendors_service_reads_a_card_without_a_psam_as_it_was_written() -> None:
    """Errors are numbers, as such a page tells them apart by `switch`; step 2 goes by a name of its own, and the page
    waits for the library's name in the answer.
    """
    with talking(dialects.load("vendor-12342"), psam=False) as link:
        refused = said(link, {"function": "iReadCardBas", "iType": 3})
        assert (refused["functionName"], refused["success"]) == ("iReadCardBas", -2201)
        first = said(link, {"function": "iReadCardBas_HSM_Step1", "iType": 3})
        assert (first["functionName"], first["success"]) == ("iReadCardBas_HSM_Step1", 1)
        key = EncryptionMachine().basic(first["pOutInfo"])
        last = said(link, {"function": "ReadCard_HSM_Step2", "pKey": key})
        assert (last["functionName"], last["success"]) == ("iReadCardBas_HSM_Step2", 1)
        assert last["pOutInfo"].split("|")[4] == NAME


def test_the_vendors_step_2_is_the_one_that_the_last_step_1_waits_for() -> None:
    with talking(dialects.load("vendor-12342"), psam=False) as link:
        asked = {"pCardInfo": "||", "pFileAddr": "SSSEEF06|09|$"}
        first = said(link, {"function": "iReadCard_HSM_Step1", "iType": 3, **asked})
        *head, address, factor, data, _, _ = first["pOutInfo"].split("|")[:-1]
        machine = EncryptionMachine()
        key = machine.external(address, machine.card(*head[:3]), factor, data)
        last = said(link, {"function": "ReadCard_HSM_Step2", "pkey": key})
        assert last == {"functionName": "iReadCard_HSM_Step2", "success": 1, "pOutInfo": f"SSSEEF06|{NAME}|$"}
        nothing = said(link, {"function": "ReadCard_HSM_Step2", "pkey": key})
        assert nothing["success"] == -12, "no step 1 came"


def test_the_vendors_pages_spell_pkey_in_small_letters_and_never_twice() -> None:
    with talking(dialects.load("vendor-12342")) as link:
        assert said(link, {"function": "iUnblockPIN_HSM_Step2", "pkey": "00"})["success"] == -12
        both = said(link, {"function": "iUnblockPIN_HSM_Step2", "pkey": "00", "pKey": "00"})
        assert both["success"] == -14


def test_the_vendors_service_reads_the_bank_cards_number() -> None:
    serial = new_card().chip.image.atr[-4:]
    with talking(dialects.load("vendor-12342")) as link:
        told = said(link, {"function": "iReadICCardNum"})
    assert told["success"] == 1
    assert told["pOutInfo"] == bank_card_number(serial)


def test_what_the_vendor_has_besides_our_own_service_has_not() -> None:
    with talking(dialects.load("own")) as link:
        for name in ("iReadICCardNum", "ReadCard_HSM_Step2"):
            assert said(link, {"function": name, "iType": 3})["success"] == "-13"
        assert said(link, {"function": "iReadCardBas_HSM_Step2", "pkey": "x"})["success"] == "-14"


@pytest.mark.parametrize("params", [{"iType": 3}, {"iType": "3"}, [3], ["3"]], ids=str)
def test_a_page_with_params_gives_them_by_name_or_in_order_as_numbers_or_texts(params: object) -> None:
    with talking(dialects.load("params-38088")) as link:
        told = said(link, {"function": "iReadCardBas", "params": params})
        assert (told["code"], told["function"], told["pOutInfo"].split("|")[4]) == (0, "iReadCardBas", NAME)
        assert set(told) == {"code", "function", "pOutInfo"}


@pytest.mark.parametrize(
    "message",
    [
        {"function": "iReadCardBas"}, {"function": "iReadCardBas", "iType": 3},
        {"function": "iReadCardBas", "params": 3}, {"function": "iReadCardBas", "params": ["3", "3"]},
        {"function": "iReadCardBas", "params": {"iType": "three"}}, {"function": "iReadCardBas", "params": {"type": 3}},
        {"function": "iReadCardBas", "params": {"iType": 3}, "other": 1},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_in_params_is_a_bad_parameter_and_the_connection_lives_on(message: object) -> None:
    with talking(dialects.load("params-38088")) as link:
        told = said(link, message)
        assert (told["code"], told["function"]) == (-14, "iReadCardBas")
        assert said(link, {"function": "iReadCardBas", "params": [1]})["code"] == 0


def test_the_pad_is_scripted_in_every_dialect(tmp_path: Path) -> None:
    with talking(dialects.load("params-38088")) as link:
        assert said(link, {"function": "pad", "params": {"entries": ["cancel", "123456"]}})["code"] == 0
        assert said(link, {"function": "iVerifyPIN", "params": [1]})["code"] == -31
        assert said(link, {"function": "iVerifyPIN", "params": [1]})["code"] == -35
        assert said(link, {"function": "iVerifyPIN", "params": [1], "pad": ["cancel"]})["code"] == -31
    with talking(made(tmp_path), "/card") as link:
        assert said(link, {"func": "pad", "in": ["cancel"]})["bizcode"] == "0"
        assert said(link, {"func": "iVerifyPIN", "in": ["1"]})["bizcode"] == "-31"


# --- a file ----------------------------------------------------------------------------------------------------------


def test_func_and_in_with_bizcode_and_body_are_a_file_and_no_code(tmp_path: Path) -> None:
    with talking(made(tmp_path), "/card") as link:
        told = said(link, {"func": "iReadCardBas", "in": ["3"], "seq": 7})
        assert told["bizcode"] == "0"
        assert told["body"].split("|")[4] == NAME
        assert set(told) == {"bizcode", "body"}
        address = ["3", "2", "||", "SSSEEF05|07|$"]
        assert said(link, {"func": "iReadCard", "in": address})["body"] == "SSSEEF05|A00000011|$"
        assert said(link, {"func": "iReadCardBas", "in": ["9"]})["bizcode"] == "-1"
        assert said(link, {"func": "iFoo"})["bizcode"] == "-13"
        assert said(link, [])["bizcode"] == "-23"


def test_an_answer_may_be_nested_carry_its_text_apart_and_bring_back_what_was_asked(tmp_path: Path) -> None:
    spoken = made(
        tmp_path,
        """
        port = 9000
        [request]
        function = "head.func"
        arguments = "data"
        [answer]
        function = "head.func"
        code = "head.code"
        done = 0
        out = "out"
        out_as = "list"
        message = "head.msg"
        repeated = ["head.seq"]
        always = { "head.v" = 1 }
        """,
    )
    with talking(spoken, "/ws") as link:
        told = said(link, {"head": {"func": "iReadCard", "seq": "a1"}, "data": [3, 2, "||", "SSSEEF05|07|$"]})
        assert told == {
            "head": {"func": "iReadCard", "code": 0, "msg": "", "seq": "a1", "v": 1},
            "out": ["SSSEEF05|A00000011|$"],
        }
        failed = said(link, {"head": {"func": "iReadCardBas", "seq": 2}, "data": {"iType": 9}})
        assert (failed["head"]["code"], failed["head"]["seq"], failed["out"]) == (-1, 2, [])
        assert failed["head"]["msg"].startswith("卡类型错误")
        assert said(link, {"head": {"func": "iReadCardBas"}, "data": {"iType": "3"}})["head"]["code"] == -14


@pytest.mark.parametrize("page", ["driver-library.md", "driver-library.zh-CN.md"])
def test_the_pages_example_is_a_dialect_and_answers_as_the_page_says(tmp_path: Path, page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    with talking(made(tmp_path, example)) as link:
        told = said(link, {"func": "iReadCardBas", "in": ["3"]})
        assert (told["bizcode"], told["body"].split("|")[4]) == ("0", NAME)
        assert said(link, {"func": "readCard", "in": {"cardType": 3}})["body"] == told["body"]
        assert said(link, {"func": "iVerifyPIN"})["bizcode"] == "-35"
    whole = made(tmp_path, re.sub(r"(?m)^# ", "", example))
    assert (whole.answer.out_as, whole.answer.message, whole.answer.repeated) == ("list", "msg", ("id",))
    for name in dialects.names():
        assert f"| `{name}` | {dialects.load(name).port} |" in text


WRONG = {
    "an unknown key": ("porte = 1", "unknown key 'porte'; did you mean \"port\"?"),
    "an unknown key below": (
        'port = 1\n[request]\nfunction = "f"\nargument = "a"',
        "unknown key 'request.argument'; did you mean",
    ),
    "no request": ("port = 1", "request: expected a table"),
    "no port": ("", "is empty"),
    "a port that is none": ("port = 70000", "port: expected a number from 1 to 65535"),
    "no code": ('port = 1\n[request]\nfunction = "f"\n[answer]\nout = "o"', "answer.code: expected a text"),
    "a code for success that is neither": (
        'port = 1\n[request]\nfunction = "f"\n[answer]\ncode = "c"\nout = "o"\ndone = true',
        "answer.done: expected a number or a text",
    ),
    "two parts in one place": (
        'port = 1\n[request]\nfunction = "f"\n[answer]\ncode = "a"\nout = "a.b"\ndone = 0',
        "'a' and 'a.b' are in one place",
    ),
    "no function of the library": (FUNC_IN + '[functions]\nx = "iReadCardBase"', 'did you mean "iReadCardBas"?'),
    "no argument of the library": (FUNC_IN + '[arguments]\nx = "pkey"', 'did you mean "pKey"?'),
    "a default of the wrong kind": (FUNC_IN + '[defaults]\niReadCardBas = { iType = "3" }', "iType: expected a number"),
    "a path of ours": (FUNC_IN.replace('"/card"', '"/call"'), "none of /call"),
    "no TOML": ("port", "not TOML"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_dialect_file_that_is_wrong_says_where_and_ends_with_2(tmp_path: Path, kind: str) -> None:
    text, expected = WRONG[kind]
    file = tmp_path / "d.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DialectError):
        dialects.from_file(file)
    done = CliRunner().invoke(main, ["driver", "serve", "--persona", "adult-chengdu", "--dialect-file", str(file)])
    assert done.exit_code == 2
    assert "d.toml" in done.output
    assert expected in " ".join(done.output.split())


def test_a_dialect_that_is_none_is_told_with_those_that_are() -> None:
    done = CliRunner().invoke(main, ["driver", "serve", "--persona", "adult-chengdu", "--dialect", "vendor-1234"])
    assert done.exit_code == 2
    assert "no dialect 'vendor-1234'; did you mean \"vendor-12342\"?" in " ".join(done.output.split())
    both = CliRunner().invoke(main, ["driver", "serve", "--dialect", "own", "--dialect-file", "x.toml"])
    assert both.exit_code == 2


# --- HTTP ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", dialects.names())
def test_http_speaks_the_dialect_too_and_documents_it(name: str) -> None:
    spoken = dialects.load(name)
    with background(front.create(clients(), dialect=spoken)) as url:
        with urllib.request.urlopen(f"{url}/openapi.json") as answer:
            document = json.load(answer)
        validate(document)
        post = document["paths"]["/call"]["post"]
        asked = post["requestBody"]["content"]["application/json"]["example"]
        answers = []
        for path in ("/call", *spoken.paths):
            request = urllib.request.Request(f"{url}{path}", json.dumps(asked).encode())
            with urllib.request.urlopen(request) as answer:
                answers.append(json.load(answer))
    told = answers[0]
    assert answers == [told] * 3
    assert told[spoken.answer.code] == spoken.answer.done
    assert told["pOutInfo"].split("|")[4] == NAME
    schema = post["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) == set(told)


def test_the_test_page_talks_in_our_own_dialect_whatever_the_services_is() -> None:
    with talking(dialects.load("params-38088"), "/test/ws") as link:
        assert said(link, {"function": "iReadCardBas", "iType": 3})["success"] == "1"


def test_a_foreign_pages_origin_is_refused_in_every_dialect_and_a_named_one_taken() -> None:
    spoken = dialects.load("vendor-12342")
    service = front.create(clients(), ["https://counter.example"], spoken)
    with background(service) as url:
        address = url.replace("http", "ws")
        with connect(address, origin=Origin("https://counter.example")) as link:
            assert said(link, {"function": "iReadCardBas", "iType": "3"})["success"] == 1
        with pytest.raises(InvalidStatus):
            connect(address, origin=Origin("https://evil.example"))
        request = urllib.request.Request(f"{url}/call", b"{}", {"Origin": "https://evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request)
