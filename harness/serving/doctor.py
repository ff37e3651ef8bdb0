"""``sscard doctor``: what stands between this machine and a card in a reader, each with its one-line remedy."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from emulator.crypto import sm2
from harness.readers import pcsc
from harness.serving import control


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. ``level``: ok, warning (works, but know this) or fault."""

    check: str
    level: str
    detail: str
    remedy: str = ""


def examine(port: int | None = None) -> list[Finding]:
    """All checks, in the order in which a reader comes to be. ``port``: of the run that is to come, if it is to have
    this one.
    """
    findings = [_program(), _driver(), _pyscard(), _signatures()]
    path = pcsc.socket_path()
    reached = pcsc.reach(path)
    findings.append(_socket(path, reached))
    if reached == 0:
        findings.append(_readers(path, port or pcsc.DEFAULT_PORT))
    else:
        findings += _ports(port)
    findings.append(
        Finding(
            "network",
            "warning",
            "vpcd listens on every network interface: who reaches its ports can pose as a card",
            f"keep the ports behind a firewall, or run where there is no other interface: {ALONE}",
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
    except pcsc.PcscError as error:
        return Finding("pyscard", "fault", error.what, error.remedy)
    return Finding("pyscard", "ok", "importable")


def _socket(path: Path, reached: int) -> Finding:
    """The PC/SC socket. ``reached``: 0, or the errno of the attempt to connect."""
    name = "PC/SC socket"
    if reached == 0:
        return Finding(name, "ok", f"{path} is served")
    if reached in (errno.EACCES, errno.EPERM):
        remedy = f"as root: chmod 666 {path}; or use sscard run --private"
        return Finding(name, "fault", f"{path} is there, but you may not connect to it", remedy)
    named = os.environ.get(pcsc.SOCKET_VARIABLE)
    replaced = os.access(path.parent, os.W_OK)
    if path.exists():
        remedy = "sscard run replaces it" if replaced else f"as root: rm {path}; or use sscard run --private"
        if named:
            remedy = f"the run that said so has ended: unset {pcsc.SOCKET_VARIABLE}, or {remedy}"
        return Finding(name, "warning", f"{path} is there, but nobody serves it", remedy)
    if replaced or (not path.parent.exists() and os.access(path.parent.parent, os.W_OK)):
        level, detail = ("warning", "nobody serves it") if named else ("ok", "sscard run will start a pcscd there")
        remedy = f"unset {pcsc.SOCKET_VARIABLE}, unless sscard run is to start a pcscd there" if named else ""
        return Finding(name, level, f"{path} is free: {detail}", remedy)
    if named:
        remedy = f"unset {pcsc.SOCKET_VARIABLE}: what it names is no place where a pcscd of yours could be"
        return Finding(name, "fault", f"{path.parent} is not there, or not writable", remedy)
    return Finding(name, "fault", f"{path.parent} is not writable", "be root, or use sscard run --private")


def _readers(path: Path, port: int) -> Finding:
    """The virtual readers of the pcscd that runs: there, with a slot free, and within reach of this process's cards."""
    name = "virtual reader"
    try:
        every = pcsc.reader_names()
        names = [one for one in every if one.startswith(pcsc.READER_NAME)]
        free = [one for one in names if pcsc.wait_card(one, present=False, timeout=0)]
    except pcsc.PcscError as error:
        return Finding(name, "fault", str(error), _denied(error.result))
    if not names:
        others = f"only {', '.join(every)}" if every else "none"
        if pcsc.driver_path() is None:
            remedy = f"apt-get install vsmartcard-vpcd, then {_restart()}"
        elif not configured():
            remedy = f"apt-get install --reinstall vsmartcard-vpcd brings {CONFIGURATION} back; then {_restart()}"
        else:
            remedy = f"it started before vpcd was there: {_restart()}"
        return Finding(name, "fault", f"the pcscd that runs has {others}", f"{remedy}; or use sscard run --private")
    told = next((one.table.get("first_port") for one in control.runs() if one.table.get("pcsc") == str(path)), port)
    if isinstance(told, int) and free and not pcsc.listening(told + names.index(free[0])):
        detail = f"{free[0]} is free, but nobody listens at its port {told + names.index(free[0])} here"
        remedy = "name its first port with --port, or use sscard run --private if it is in another network namespace"
        return Finding(name, "fault", detail, remedy)
    if not free:
        remedy = "use sscard run --private, or take one out: sscard card list, sscard card remove SLOT"
        return Finding(name, "warning", f"{', '.join(names)}: all hold cards", remedy)
    return Finding(name, "ok", f"{', '.join(names)}; free: {', '.join(free)}")


CONFIGURATION = "/etc/reader.conf.d/vpcd"
ALONE = "unshare --net sh -c 'ip link set lo up; exec sscard run'"


def configured() -> bool:
    """True if the machine's pcscd is told of the virtual reader."""
    return Path(CONFIGURATION).exists()


def has_systemd() -> bool:
    """True if systemd runs this machine's services."""
    return Path("/run/systemd/system").is_dir()


def _restart() -> str:
    """How the machine's pcscd is started anew."""
    if has_systemd():
        return "systemctl restart pcscd.socket pcscd"
    return "end that pcscd (as root: kill its process, `pgrep -x pcscd` names it); sscard run starts its own"


def _denied(result: int) -> str:
    """What mends a PC/SC call that failed with this SCARD code."""
    if result in DENIED:
        return "pcscd's access rules (polkit) refuse you: be root, or use sscard run --private"
    return f"{_restart()}; or use sscard run --private"


DENIED = (0x8010006A, 0x8010001D)
"""SCARD_W_SECURITY_VIOLATION; SCARD_E_NO_SERVICE, as pcsc-lite tells a client that its rules refuse."""


def _ports(port: int | None) -> list[Finding]:
    """The ports of the run that is to come. That the usual ones are taken is no fault: others are found."""
    if port is None:
        try:
            found = pcsc.free_port(2)
        except pcsc.PcscError as error:
            return [Finding("ports", "fault", str(error), "end what takes them")]
        return [Finding("ports", "ok", f"{found} and {found + 1} are free: sscard run takes them")]
    findings = []
    for number in (port, port + 1):
        if pcsc.port_free(number):
            findings.append(Finding(f"port {number}", "ok", "free"))
        else:
            remedy = f"leave --port out, and free ones are found; --port {pcsc.free_port(2)} is one"
            findings.append(Finding(f"port {number}", "fault", "taken by another program", remedy))
    return findings
