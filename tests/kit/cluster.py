"""A real Dask cluster: a scheduler, and workers that each stand in a network namespace of their own, on one bridge."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import distributed

from harness.readers import pcsc

NET = "10.86.0"
OPTIONS = ("--no-dashboard", "--protocol", "tcp")
HIDDEN = "mount --bind /dev/null {pcscd} && "
WORKER = "read _; {hidden}ip link set lo up; ip addr add {address}/24 dev eth0; ip link set eth0 up; exec {command}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """``workers`` by the letter that stands for each."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: dict[str, subprocess.Popen[bytes]]

    def kill(self, worker: str) -> None:
        """The worker's machine loses its power."""
        os.killpg(self.workers[worker].pid, signal.SIGKILL)
        self.workers[worker].wait()


@contextlib.contextmanager
def cluster(*, without_pcscd: str = "", workers: str = "ab") -> Iterator[Cluster]:
    """The cluster, once all its workers have joined. ``without_pcscd``: workers whose machine has none."""
    with contextlib.ExitStack() as stack:
        _ip("link", "add", "sscard0", "type", "bridge")
        stack.callback(_ip, "link", "del", "sscard0")
        _ip("addr", "add", f"{NET}.1/24", "dev", "sscard0")
        _ip("link", "set", "sscard0", "up")
        address = f"tcp://{NET}.1:{_free_port()}"
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", address, *OPTIONS]
        scheduler = stack.enter_context(_running(command))
        started = {
            name: stack.enter_context(_worker(name, number, address, hidden=name in without_pcscd))
            for number, name in enumerate(workers, 2)
        }
        assert scheduler.stderr is not None
        next(line for line in scheduler.stderr if b"Scheduler at" in line)  # it listens
        with distributed.Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(len(workers), timeout=60)
        yield Cluster(address, scheduler, started)


@contextlib.contextmanager
def _worker(name: str, number: int, address: str, *, hidden: bool) -> Iterator[subprocess.Popen[bytes]]:
    own = f"{NET}.{number}"
    command = f"{sys.executable} -m distributed.cli.dask_worker {address} --name {name} --nthreads 1 --no-nanny"
    script = WORKER.format(
        hidden=HIDDEN.format(pcscd=pcsc.pcscd_path()) if hidden else "",
        address=own,
        command=f"{command} --no-dashboard",
    )
    started = ["unshare", "--net", "--mount", "sh", "-c", script]
    with _running(started, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        _until_apart(process.pid)
        _ip("link", "add", f"sscard-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(process.pid))
        _ip("link", "set", f"sscard-{name}", "master", "sscard0", "up")
        process.stdin.write(b"\n")
        process.stdin.close()
        yield process


def _until_apart(process: int) -> None:
    """Returns once a process has entered a network namespace of its own."""
    ours = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{process}/ns/net").readlink() == ours:
        os.sched_yield()


@contextlib.contextmanager
def _running(command: list[str], stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """A program with a process group of its own, which ends with it."""
    process = subprocess.Popen(
        command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )  # what it says fits into the pipe
    with process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((f"{NET}.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
