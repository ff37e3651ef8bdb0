"""A register on a server that asks for TLS and a password: who is let in, what the others are told, and that nobody
is told the password.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from harness.cli import main
from harness.office.register.address import parsed
from harness.office.register.store import Register
from tests.kit.guarded import HOST, LOGIN, PASSWORD, Guarded, guarded, nobody_logged_in
from tests.kit.offices import HASH_COST

__all__ = ["guarded", "nobody_logged_in"]
pytestmark = pytest.mark.usefixtures("nobody_logged_in")

WRONG = "ganz-falsch"
CHINESE, ENGLISH = "zh", "en"


def run(guarded: Guarded, *arguments: str, lang: str = ENGLISH, **other: str) -> Result:
    address = str(guarded.address(**other))
    given = ["--lang", lang, "office", "--register", address, "--secret", str(guarded.cluster.secret), *arguments]
    return CliRunner().invoke(main, given)


@pytest.mark.parametrize("where", ["PGPASSWORD", "PGPASSFILE", "~/.pgpass", "address"])
def test_the_password_is_taken_from_where_libpq_takes_it(
    guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    address = guarded.address()
    if where == "PGPASSWORD":
        monkeypatch.setenv(where, PASSWORD)
    elif where == "PGPASSFILE":
        monkeypatch.setenv(where, str(guarded.password_file(tmp_path / "passwords")))
    elif where == "~/.pgpass":
        guarded.password_file(tmp_path / ".pgpass")
    else:
        address = guarded.address(password=PASSWORD)
    register = Register(address, durable=False, hash_cost=HASH_COST, secret_file=guarded.cluster.secret, make=False)
    with contextlib.closing(register), register.transaction() as session:
        (own,) = session.execute(text("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
        assert (own.ssl, own.version) == (True, "TLSv1.3")
        assert session.scalar(text("SELECT current_user")) == LOGIN


REFUSED: list[tuple[str, dict[str, str], dict[str, str], str, str]] = [
    (
        "wrong password",
        {},
        {"PGPASSWORD": WRONG},
        f'password authentication failed for user "{LOGIN}"; the password was the one in PGPASSWORD',
        "所用密码取自PGPASSWORD",
    ),
    (
        "wrong password in the address",
        {"password": WRONG},
        {},
        f'password authentication failed for user "{LOGIN}"; the password was the one in the address',
        "所用密码取自地址",
    ),
    (
        "no password",
        {},
        {},
        "no password supplied; the password is taken from PGPASSWORD, or from ~/.pgpass (PGPASSFILE)",
        "密码取自PGPASSWORD",
    ),
    (
        "another's certificate",
        {"sslrootcert": "stranger"},
        {"PGPASSWORD": PASSWORD},
        "certificate verify failed; no TLS came about, which sslmode=verify-full asks for",
        "未能建立sslmode=verify-full所要求的TLS连接",
    ),
    (
        "another's name",
        {"host": "other.example"},
        {"PGPASSWORD": PASSWORD},
        f'server certificate for "{HOST}" does not match host name "other.example"; no TLS came about',
        "未能建立sslmode=verify-full所要求的TLS连接",
    ),
    (
        "in the clear",
        {"sslmode": "disable", "sslrootcert": ""},
        {"PGPASSWORD": PASSWORD},
        'database "{database}", no encryption',
        "无法连接登记库服务器",
    ),
]


@pytest.mark.parametrize(("other", "environment", "english", "chinese"), [one[1:] for one in REFUSED],
                         ids=[one[0] for one in REFUSED])  # fmt: skip
def test_who_is_not_let_in_reads_why_in_either_language(
    guarded: Guarded,
    monkeypatch: pytest.MonkeyPatch,
    other: Mapping[str, str],
    environment: Mapping[str, str],
    english: str,
    chinese: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    given = {**other, "sslrootcert": str(guarded.stranger)} if other.get("sslrootcert") == "stranger" else dict(other)
    given.pop("password", None)
    address = guarded.address(**given)
    typed = str(address).replace(f"{LOGIN}@", f"{LOGIN}:{other['password']}@") if "password" in other else str(address)
    for lang, told in ((ENGLISH, english), (CHINESE, chinese)):
        done = CliRunner().invoke(main, ["--lang", lang, "office", "--register", typed, "check"])
        assert done.exit_code == 1
        assert told.format(database=guarded.database) in done.stderr
        assert str(address) in done.stderr
        assert done.stderr.count("sscard: ") == 1
        assert PASSWORD not in done.output
        assert WRONG not in done.output


def test_a_server_without_tls_is_not_taken_where_tls_is_asked_for(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with guarded.in_the_clear():
        for mode in ("require", "verify-full"):
            told = run(guarded, "check", sslmode=mode)
            assert told.exit_code == 1
            assert "server does not support SSL, but SSL was required" in told.stderr
            assert f"no TLS came about, which sslmode={mode} asks for" in told.stderr
    assert run(guarded, "outlets", sslmode="require").exit_code == 0


def test_a_server_whose_name_nobody_knows_is_told_by_its_name(guarded: Guarded) -> None:
    told = run(guarded, "check", host="nowhere.invalid", hostaddr="")
    assert told.exit_code == 1
    assert "nowhere.invalid" in told.stderr.split("server: ", 1)[1], "libpq's own sentence"


def test_the_doctor_says_whether_it_is_let_in_and_how(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    def doctor(address: str) -> tuple[str, str]:
        done = CliRunner().invoke(main, ["doctor", "--register", address, "--json"])
        assert PASSWORD not in done.output
        assert WRONG not in done.output
        (told,) = [one for one in json.loads(done.stdout) if one["check"] == "register"]
        assert done.exit_code == 1 or told["level"] != "fault"
        return told["level"], told["detail"]

    address = str(guarded.address())
    assert doctor(address)[0] == "fault"
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    level, detail = doctor(address)
    assert (level, detail.startswith(f"{address}: PostgreSQL "), detail.endswith(", TLSv1.3")) == ("ok", True, True)
    level, detail = doctor(str(guarded.address(dbname="postgres")))
    assert (level, "there is no register" in detail) == ("warning", True)
    monkeypatch.setenv("PGPASSWORD", WRONG)
    assert doctor(address)[0] == "fault"


@pytest.mark.parametrize(
    "name", ["password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"]
)
def test_nothing_of_an_address_that_is_secret_is_told(name: str) -> None:
    address = parsed(f"postgresql://{LOGIN}@{HOST}/x?{name}={PASSWORD}&sslmode=require")
    assert PASSWORD not in f"{address} {address!r}"
    assert address.has_password  # type: ignore[union-attr]
