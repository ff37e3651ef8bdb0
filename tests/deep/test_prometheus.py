"""What the services count, before Debian's Prometheus: its own checker, and a server that scrapes once."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.web import app as web
from harness.web.office import create
from tests.kit.offices import Desk

UNTIL = 60.0
pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="Debian's prometheus is not installed")


@contextmanager
def office(folder: Path) -> Iterator[str]:
    """An office's service that was asked some things already; its URL."""
    desk = Desk(folder)
    with closing(desk.register), web.background(create(desk.office)) as url:
        for path in ("/healthz", "/readyz", "/rules", "/nobody", "/pending"):
            got(url + path)
        yield url


def got(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())
    except urllib.error.URLError:
        return ""


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def test_promtool_has_nothing_to_say(tmp_path: Path) -> None:
    with office(tmp_path) as url:
        text = got(url + "/metrics")
    assert "sscard_http_requests_total" in text
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_prometheus_scrapes_what_was_counted(tmp_path: Path) -> None:
    at = f"127.0.0.1:{free()}"
    with office(tmp_path) as url:
        target = url.removeprefix("http://")
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: office, static_configs: [{{targets: ['{target}']}}]}}]\n",
            encoding="utf-8",
        )
        with subprocess.Popen(
            [
                "prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address={at}",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as server:  # fmt: skip
            try:
                asked = "sscard_http_requests_total{route='/pending',status='401'}"
                found = scraped(f"http://{at}/api/v1/query?query={urllib.parse.quote(asked)}")
            finally:
                server.terminate()
                server.wait(30)
    assert [one["value"][1] for one in found] == ["1"]


def scraped(query: str) -> list[dict[str, Any]]:
    """What the server answers, once it has scraped; nothing where it never does."""
    until = time.monotonic() + UNTIL
    while time.monotonic() < until:
        said = got(query)
        found = json.loads(said)["data"]["result"] if said.startswith("{") else []
        if found:
            return list(found)
        time.sleep(0.2)
    return []
