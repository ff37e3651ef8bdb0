"""The container image as ``make image`` builds it: cards in it, a report out of it, readers of outside in it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.version import VERSION
from harness.readers import pcsc
from tests.kit.served import serving

BUILDAH = shlex.split(os.environ.get("BUILDAH", "buildah"))
IMAGE = f"localhost/sscard:{VERSION}"
DEADLINE = 300
OF_IMAGE = 1000
"""The image's user."""


def buildah(*arguments: str) -> str:
    """What buildah says; it must succeed."""
    done = subprocess.run([*BUILDAH, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


@dataclass
class Container:
    """A container of the image, of which every command is a process of its own, isolated by chroot."""

    name: str

    def run(self, *command: str, volumes: dict[Path, str] | None = None) -> str:
        """What a command says in it. ``volumes``: folders of outside and where they are in it."""
        mounted = [f"--volume={outside}:{inside}" for outside, inside in (volumes or {}).items()]
        return buildah("run", "--isolation", "chroot", *mounted, self.name, "--", *command)


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    name = buildah("from", "--pull-never", IMAGE).strip()
    yield Container(name)
    buildah("rm", name)


def test_the_image_says_what_it_is_and_how_it_runs() -> None:
    table: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]
    config = table["config"]
    assert (config["User"], config["Entrypoint"], config["Cmd"]) == ("sscard", ["sscard"], ["run"])
    assert (config["WorkingDir"], list(config["Volumes"]), config["StopSignal"]) == ("/work", ["/work"], "SIGTERM")
    assert config["Healthcheck"]["Test"] == ["CMD", "sscard", "card", "state"]
    assert config["Labels"]["org.opencontainers.image.version"] == VERSION


def test_a_card_and_its_client_are_inside(container: Container) -> None:
    said = container.run("sscard", "run", "--private", "--demo", "--once")
    assert "姓名 name: 测试甲" in said
    assert "ready 0 " in said
    assert container.run("id", "-u").strip() == str(OF_IMAGE)


def test_a_report_comes_out_in_a_mounted_folder(container: Container, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    os.chown(work, OF_IMAGE, OF_IMAGE)
    command = ("vectors", "run", "--only", "PIN*", "--report", "/mnt/report")
    said = container.run("sscard", *command, volumes={work: "/mnt"})  # at /work buildah mounts the image's own volume
    assert "passed" in said
    written = work / "report" / "report.json"
    assert json.loads(written.read_text(encoding="utf-8"))["conclusion"]
    assert written.stat().st_uid == OF_IMAGE


def test_readers_of_outside_are_there_by_their_socket(container: Container) -> None:
    with serving("--private") as served:
        (told,) = (line for line in served.seen if line.startswith(pcsc.SOCKET_VARIABLE))
        socket = Path(told.partition("=")[2])
        socket.parent.chmod(0o711)  # it is the test user's alone
        shared = {socket.parent: "/run/pcscd"}
        assert served.readers[0] in container.run("sscard", "readers", volumes=shared)
        said = container.run("sscard", "apdu", "--reader", served.readers[0], "select:SSSE", volumes=shared)
        assert "9000" in said


def test_a_run_that_serves_is_healthy_and_ends_in_order(container: Container) -> None:
    script = """
        mkfifo /tmp/said
        sscard card state >/dev/null 2>&1; echo "without $?"
        sscard run --private >/tmp/said & run=$!
        exec 3</tmp/said
        while read -r line <&3; do case $line in ready*) break;; esac; done
        sscard card state >/dev/null; echo "healthy $?"
        kill -TERM $run; wait $run; echo "ended $?"
    """
    assert container.run("bash", "-c", script).split("\n")[:3] == ["without 1", "healthy 0", "ended 0"]
