"""Services over a register on a server: of two one is killed, and nothing is lost; none tells the password."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.chip import Chip
from emulator.filesystem.memory.image import Image
from harness.readers.connection import InProcess
from harness.scenarios import model, rows, runner
from harness.terminal import region as regions
from harness.terminal.terminal import Terminal
from harness.verdicts.verdict import Verdict
from tests.kit.guarded import LOGIN, PASSWORD, Guarded, guarded, nobody_logged_in
from tests.kit.postgres import Cluster, cluster
from tests.kit.served import DEADLINE, Served, sscard, started

__all__ = ["cluster", "guarded", "nobody_logged_in"]
CARDS, EACH = 4, 12
REGIONS = ("510700", "513400")
SCENARIOS = model.find([Path(__file__).parents[2] / "vectors" / "office"])


def post(url: str, token: str, body: object) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)
    except (OSError, ValueError):  # its service was killed
        return 0, None


@contextlib.contextmanager
def service(register: list[str]) -> Iterator[tuple[str, int]]:
    with started("office", *register, "serve", "--port", "0", "--rate", "1000000/minute") as one:
        yield one.line().split()[-1], one.process.pid


@pytest.mark.timeout(900)
def test_of_two_services_over_one_server_one_is_killed_and_nothing_is_lost(cluster: Cluster) -> None:
    with cluster.database() as name:
        register = ["--register", str(cluster.address(name)), "--secret", str(cluster.secret)]
        issued = json.loads(sscard("office", *register, "issue", "--made-up", str(CARDS), "--seed", "7", "--json"))
        cards = [str(one["card"]) for one in issued]
        token = json.loads(sscard("office", *register, "token", "clerk-maker", "--json"))["token"]
        said: Counter[int] = Counter()
        guard = threading.Lock()
        half = threading.Event()
        with service(register) as (first, pid), service(register) as (second, __):

            def client(at: int) -> None:
                for turn in range(EACH):
                    url = f"{(first, second)[(at + turn) % 2]}/operations/transfer?drawer={cards[at % CARDS]}"
                    status, told = post(url, token, {"to": REGIONS[(at + turn) % 2], "insurance": ["all"]})
                    with guard:
                        said[status] += 1
                        if sum(said.values()) >= CARDS * EACH // 2:
                            half.set()
                    assert status in (0, 200, 409, 503), told

            threads = [threading.Thread(target=client, args=(at,)) for at in range(2 * CARDS)]
            for one in threads:
                one.start()
            assert half.wait(300)
            os.kill(pid, signal.SIGKILL)
            for one in threads:
                one.join(300)
            waiting = json.loads(sscard("office", *register, "pending", "--json"))
            for one in waiting:
                status, told = post(f"{second}/pending/{one['pending']}/resume?drawer={one['card']}", token, {})
                assert status == 200, told
        assert said[200] > CARDS
        assert said[0], "some were at the one that was killed"
        told = json.loads(sscard("office", *register, "check", "--json"))
        assert told["faults"] == []
        assert json.loads(sscard("office", *register, "pending", "--json")) == []
        for number in cards:  # the chip says what the register says
            of_card = f"JOIN card ON person_id = person.id WHERE number = '{number}'"
            ((region,),) = cluster.sql(name, f"SELECT insured ->> 'DF03/EF05/61' FROM person {of_card}")
            ((content,),) = cluster.sql(name, f"SELECT content FROM card_image WHERE number = '{number}'")
            with contextlib.closing(InProcess(Chip(Image.from_text(content, number)))) as connection:
                terminal = Terminal(connection)
                terminal.begin()
                assert {one.code for one in regions.read(terminal)} == {region}
        ended = "operation = 'transfer' AND outcome IN ('done', 'resumed')"
        ((done,),) = cluster.sql(name, f"SELECT count(*) FROM audit WHERE {ended}")
        assert done >= said[200]


# --- scenarios ---


@pytest.mark.timeout(1800)
def test_the_measures_scenarios_pass_over_a_register_on_a_server(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.scenarios.stage.fresh", cluster.of)
    # A report's rows, which judge nothing, are read in SQLite's own words.
    monkeypatch.setattr("harness.scenarios.rows.of", lambda _: {name: {} for name in rows.TABLES})
    wrong = []
    for at, one in enumerate(SCENARIOS):
        told = runner.run_one(one, one.cards[at % len(one.cards)])
        if told.verdict is not Verdict.PASSED:
            wrong.append((one.id, told.profile, told.reason))
        cluster.forget()
    assert wrong == []


# --- a server that asks for a password ---

ANOTHER = "eben-geaendert"


@pytest.mark.usefixtures("nobody_logged_in")
def test_a_service_tells_nobody_the_password_and_goes_on_once_it_is_right_again(
    guarded: Guarded, tmp_path: Path
) -> None:
    file, log = guarded.password_file(tmp_path / "passwords"), tmp_path / "requests"
    given = ("office", "--register", str(guarded.address()), "--secret", str(guarded.cluster.secret))
    with started(
        *given, "serve", "--port", "0", "--request-log", str(log), environment={"PGPASSFILE": str(file)}
    ) as one:
        url = one.line().split()[-1]
        said = [*command_lines(one.process.pid), until(f"{url}/readyz", 200)]
        guarded.set_password(ANOTHER)
        try:
            refused = until(f"{url}/readyz", 503)
            said += [refused, got(f"{url}/metrics")[1], got(f"{url}/outlets")[1]]
        finally:
            guarded.set_password(PASSWORD)
        assert json.loads(refused)["parts"] == {"register": "busy", "cards": "busy"}
        said += [until(f"{url}/readyz", 200), got(f"{url}/metrics")[1], *ended(one), log.read_text()]
    nowhere(said, PASSWORD, ANOTHER, str(file))


@pytest.mark.pcsc
@pytest.mark.usefixtures("nobody_logged_in")
def test_the_page_hands_the_password_on_where_nobody_sees_it(guarded: Guarded) -> None:
    address = str(guarded.address())
    given = ("studio", "--private", "--port", "0", "--office-secret", str(guarded.cluster.secret), "--office")
    with started(*given, address.replace(f"{LOGIN}@", f"{LOGIN}:{PASSWORD}@")) as one:
        while not (line := one.line()).startswith("listening "):
            pass
        url = line.removeprefix("listening ")
        typed, *children = command_lines(one.process.pid)
        assert PASSWORD in typed, "as it was typed"
        assert children, "the page is a program of its own"
        said = [*children, until(f"{url}/office/readyz", 200), got(f"{url}/office/metrics")[1], *ended(one)]
    nowhere(said, PASSWORD)
    assert "put it into PGPASSWORD or ~/.pgpass" in "".join(said)


def command_lines(pid: int) -> list[str]:
    """As whoever lists processes sees it: a program's, and those of all that it started."""
    found = [Path(f"/proc/{pid}/cmdline").read_text()]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += command_lines(int(child))
    return found


def ended(one: Served) -> list[str]:
    """What it has written, once it has ended."""
    one.end()
    assert one.process.stderr is not None
    return [*one.seen, one.process.stderr.read()]


def nowhere(said: list[str], *secrets: str) -> None:
    for text in said:
        for secret in secrets:
            assert secret not in text


def got(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def until(url: str, status: int) -> str:
    """The first answer of this status."""
    deadline = time.monotonic() + DEADLINE
    while True:
        found, told = got(url)
        if found == status:
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
