"""The office as its user starts it: the service as a process, and cards in one go into a PC/SC reader."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from harness.office.register import seed
from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.terminal.terminal import Terminal
from harness.web.office.examples import FIRST, STORY
from tests.kit.served import DEADLINE, SSCARD, serving, sscard


@pytest.fixture
def register(tmp_path: Path) -> str:
    path = str(tmp_path / "office.db")
    sscard("office", "--register", path, "init")
    return path


@contextlib.contextmanager
def service(register: str, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`sscard office serve` at a free port; its URL. Ended afterwards, if the test did not."""
    command = [SSCARD, "office", "--register", register, "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line.startswith("listening http://127.0.0.1:"), (line, process.stderr and process.stderr.read())
            yield line.split()[1], process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(DEADLINE)


def told(*arguments: str) -> Any:
    return json.loads(sscard("office", *arguments, "--json"))


def test_the_service_from_start_to_end(register: str) -> None:
    token = sscard("office", "--register", register, "token", seed.MAKER).strip()
    with service(register) as (url, process):
        with httpx2.Client(base_url=url, timeout=DEADLINE) as client:
            assert client.get("/outlets").status_code == 200
            assert client.get("/pending").status_code == 401
            client.headers["Authorization"] = f"Bearer {token}"
            issue = next(one for one in STORY if one.operation == "issue")
            card = client.post("/issue", json=issue.body).json()["card"]
            assert card == FIRST
            query = {"shown": issue.body["request"]["shown"]}
            seen = client.post("/operations/query", json=query, params={"drawer": card}).json()
            assert seen["cards"][0]["usable"]
        # What the command line does meanwhile, the service sees: the register is one.
        frozen = told("--register", register, "freeze", "--number", card, "--why", "数据异常")
        assert frozen["card"] == card
        with httpx2.Client(base_url=url, timeout=DEADLINE, headers={"Authorization": f"Bearer {token}"}) as client:
            refused = client.post(
                "/operations/transfer", json={"to": "510700", "insurance": ["all"]}, params={"drawer": card}
            )
            assert refused.json()["error"]["rule"] == "FROZEN"
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
        assert process.stderr
        said = process.stderr.read()
        assert token not in said
        assert "135790" not in said


def test_a_port_that_is_taken(register: str) -> None:
    with service(register) as (url, _):
        port = url.rpartition(":")[2]
        sscard("office", "--register", register, "serve", "--port", port, expect=1)


@pytest.mark.pcsc
@pytest.mark.parametrize(("layout", "algorithm"), [("3.00", "sm4"), ("2.00", "3des")])
def test_a_blank_card_in_a_reader_is_issued_and_serves(register: str, layout: str, algorithm: str) -> None:
    blank = ("--persona", "blank", "--layout", layout, "--algorithm", algorithm)
    with serving(*blank) as served:
        reader = ("--reader", served.readers[0])
        one = told("--register", register, "issue", "--made-up", "--seed", "3", *reader,
                   "--layout", layout, "--algorithm", algorithm)  # fmt: skip
        assert one["card"] == FIRST
        moved = told("--register", register, "transfer", "--to", "510700", "--insurance", "all", *reader)
        assert moved["to"] == "510700"
        changed = subprocess.run(
            [SSCARD, "office", "--register", register, "change-pin", *reader],
            env={**os.environ, "SSCARD_PIN": "123456", "SSCARD_NEW_PIN": "246810"},
            capture_output=True, text=True, timeout=DEADLINE, check=False,
        )  # fmt: skip
        assert changed.returncode == 0, changed.stderr
        with Pcsc(served.readers[0]) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            assert terminal.read("SSSE/EF05/07") == FIRST
            assert terminal.read("SSSE/EF06/09") == one["name"]
            assert terminal.read("DF04/EF05/84") == "510700"
            terminal.verify_pin("246810")
        again = ["office", "--register", register, "issue", "--made-up", "--seed", "4", *reader]
        sscard(*again, "--layout", layout, "--algorithm", algorithm, expect=1)


@pytest.mark.pcsc
def test_the_service_with_a_card_in_a_reader(register: str) -> None:
    token = sscard("office", "--register", register, "token", seed.MAKER).strip()
    with serving("--persona", "blank") as served, service(register, "--reader", pcsc.READER_NAME) as (url, _):
        issue = next(one for one in STORY if one.operation == "issue")
        with httpx2.Client(base_url=url, timeout=DEADLINE, headers={"Authorization": f"Bearer {token}"}) as client:
            other = client.post("/issue", json=issue.body, params={"reader": "Other"})
            assert other.status_code == 403
            done = client.post("/issue", json=issue.body, params={"reader": pcsc.READER_NAME})
            assert done.status_code == 200, done.text
        with Pcsc(served.readers[0]) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            assert terminal.read("SSSE/EF05/07") == done.json()["card"]
