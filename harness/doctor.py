"""``sscard doctor``: what stands between this machine and a card in a reader, each with its one-line remedy."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from emulator.crypto import sm2
from harness import pcsc


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. ``level``: ok, warning (works, but know this) or fault."""

    check: str
    level: str
    detail: str
    remedy: str = ""


def examine(port: int) -> list[Finding]:
    """All checks, in the order in which a reader comes to be."""
    findings = [_program(), _driver(), _pyscard(), _signatures()]
    path = pcsc.socket_path()
    running = pcsc.answers(path)
    findings.append(_socket(path, running=running))
    if running:
        findings.append(_readers())
    else:
        findings += [_port(number) for number in (port, port + 1)]
    findings.append(
        Finding(
            "network",
            "warning",
            "vpcd listens on every network interface: who reaches its ports can pose as a card",
            "keep the ports behind a firewall, or run in a network namespace (unshare -n)",
        )
    )
    return findings


def _program() -> Finding:
    path = pcsc.pcscd_path()
    return Finding("pcscd", "ok", path) if path else Finding("pcscd", "fault", "not installed", "apt-get install pcscd")


def _driver() -> Finding:
    path = pcsc.driver_path()
    if path:
        return Finding("vpcd driver", "ok", path)
    return Finding("vpcd driver", "fault", "libifdvpcd.so not found", "apt-get install vsmartcard-vpcd")


def _signatures() -> Finding:
    if sm2.available():
        return Finding("SM2", "ok", "OpenSSL's libcrypto")
    remedy = "apt-get install libssl3; without it only the certificate application's signatures are missing"
    return Finding("SM2", "warning", "OpenSSL's libcrypto not found", remedy)


def _pyscard() -> Finding:
    try:
        pcsc.scard()
    except pcsc.PcscError:
        return Finding(
            "pyscard", "fault", "not installed", "apt-get install gcc libpcsclite-dev; pip install 'sscard[pcsc]'"
        )
    return Finding("pyscard", "ok", "importable")


def _socket(path: Path, *, running: bool) -> Finding:
    if running:
        return Finding("PC/SC socket", "ok", f"{path} is served")
    if path.exists():
        remedy = "sscard run replaces it" if os.access(path.parent, os.W_OK) else f"as root: rm {path}"
        return Finding("PC/SC socket", "warning", f"{path} is there, but nobody serves it", remedy)
    folder = path.parent if path.parent.exists() else path.parent.parent
    if not os.access(folder, os.W_OK):
        return Finding("PC/SC socket", "fault", f"{folder} is not writable", "be root, or use sscard run --private")
    return Finding("PC/SC socket", "ok", f"{path} is free: sscard run will start a pcscd there")


def _readers() -> Finding:
    remedy = (
        "stop it (systemctl stop pcscd.socket pcscd) and let sscard start its own, or restart it after installing vpcd"
    )
    try:
        names = [name for name in pcsc.reader_names() if name.startswith(pcsc.READER_NAME)]
    except pcsc.PcscError as error:
        return Finding("virtual reader", "fault", str(error), remedy)
    if not names:
        return Finding("virtual reader", "fault", "the pcscd that runs has none", remedy)
    return Finding("virtual reader", "ok", ", ".join(names))


def _port(port: int) -> Finding:
    if pcsc.port_free(port):
        return Finding(f"port {port}", "ok", "free")
    return Finding(f"port {port}", "fault", "taken by another program", "name a free one with sscard run --port")
