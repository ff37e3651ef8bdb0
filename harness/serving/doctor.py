"""``sscard doctor``: what stands between this machine and a card in a reader, each with its one-line remedy."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from emulator.crypto import sm2
from emulator.messages import _
from emulator.reader.line import HERE
from harness.readers import names, pcsc
from harness.serving import far_doctor
from harness.serving.far import Endpoint
from harness.serving.finding import Finding
from harness.serving.pcsc_service import known_places


def examine(port: int | None = None) -> list[Finding]:
    """All checks, in the order in which a reader comes to be. ``port``: of the run that is to come, if it is to have
    this one. Where the system has a PC/SC service of its own (Windows, macOS), vsmartcard's reader listens on this
    machine as on any other.
    """
    if not pcsc.LINUX:
        return [_pyscard(), _service(), far_doctor.reader(Endpoint(HERE, port or pcsc.DEFAULT_PORT)), _signatures()]
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
            _("vpcd listens on every network interface: who reaches its ports can pose as a card"),
            _("keep the ports behind a firewall, or run where there is no other interface: {alone}").format(
                alone=ALONE
            ),
        )
    )
    return findings


def _program() -> Finding:
    path = pcsc.pcscd_path()
    if path:
        return Finding("pcscd", "ok", path)
    return Finding("pcscd", "fault", _("not installed"), "apt-get install pcscd")


def _driver() -> Finding:
    path = pcsc.driver_path()
    if path:
        return Finding("vpcd driver", "ok", path)
    return Finding("vpcd driver", "fault", _("libifdvpcd.so not found"), "apt-get install vsmartcard-vpcd")


def _signatures() -> Finding:
    if sm2.available():
        return Finding("SM2", "ok", _("OpenSSL's libcrypto"))
    if pcsc.LINUX:
        remedy = _("apt-get install libssl3; without it only the certificate application's signatures are missing")
    else:
        remedy = _("install Python from python.org; only the certificate application's signatures are missing")
    return Finding("SM2", "warning", _("OpenSSL's libcrypto not found"), remedy)


def _pyscard() -> Finding:
    try:
        pcsc.scard()
    except pcsc.PcscError as error:
        # Elsewhere a card that is put in needs none.
        return Finding("pyscard", "fault" if pcsc.LINUX else "warning", error.what, error.remedy)
    return Finding("pyscard", "ok", _("importable"))


def _service() -> Finding:
    """The PC/SC service of a system that has its own."""
    name = "PC/SC service"
    try:
        readers = pcsc.reader_names()
    except pcsc.PcscError as error:
        remedy = _("once a reader is there, Windows has SCardSvr running (services.msc), macOS its own")
        return Finding(name, "warning", error.what, remedy)
    return Finding(name, "ok", ", ".join(readers) or _("it has no reader so far"))


def _socket(path: Path, reached: int) -> Finding:
    """The PC/SC socket. ``reached``: 0, or the errno of the attempt to connect."""
    name = "PC/SC socket"
    if reached == 0:
        return Finding(name, "ok", _("{path} is served").format(path=path))
    if reached in (errno.EACCES, errno.EPERM):
        remedy = _("as root: chmod 666 {path}; or use sscard run --private").format(path=path)
        return Finding(name, "fault", _("{path} is there, but you may not connect to it").format(path=path), remedy)
    named = os.environ.get(pcsc.SOCKET_VARIABLE)
    replaced = os.access(path.parent, os.W_OK)
    if path.exists():
        remedy = (
            _("sscard run replaces it")
            if replaced
            else _("as root: rm {path}; or use sscard run --private").format(path=path)
        )
        if named:
            remedy = _("the run that said so has ended: unset {variable}, or {remedy}").format(
                variable=pcsc.SOCKET_VARIABLE, remedy=remedy
            )
        return Finding(name, "warning", _("{path} is there, but nobody serves it").format(path=path), remedy)
    if replaced or (not path.parent.exists() and os.access(path.parent.parent, os.W_OK)):
        level, detail = (
            ("warning", _("nobody serves it")) if named else ("ok", _("sscard run will start a pcscd there"))
        )
        remedy = (
            _("unset {variable}, unless sscard run is to start a pcscd there").format(variable=pcsc.SOCKET_VARIABLE)
            if named
            else ""
        )
        return Finding(name, level, _("{path} is free: {detail}").format(path=path, detail=detail), remedy)
    if named:
        remedy = _("unset {variable}: what it names is no place where a pcscd of yours could be").format(
            variable=pcsc.SOCKET_VARIABLE
        )
        return Finding(name, "fault", _("{parent} is not there, or not writable").format(parent=path.parent), remedy)
    return Finding(
        name,
        "fault",
        _("{parent} is not writable").format(parent=path.parent),
        _("be root, or use sscard run --private"),
    )


def _readers(path: Path, port: int) -> Finding:
    """The virtual readers of the pcscd that runs: there, with a slot free, and within reach of this process's cards."""
    name = "virtual reader"
    try:
        every = pcsc.reader_names()
        places = known_places(path, port, every)
        free = [one for one in places if pcsc.wait_card(one.reader, present=False, timeout=0)]
    except pcsc.PcscError as error:
        return Finding(name, "fault", str(error), _denied(error.result))
    if not places:
        others = _("only {readers}").format(readers=", ".join(every)) if every else _("none")
        if pcsc.driver_path() is None:
            remedy = _("apt-get install vsmartcard-vpcd, then {restart}").format(restart=_restart())
        elif not configured():
            remedy = _(
                "apt-get install --reinstall vsmartcard-vpcd brings {configuration} back; then {restart}"
            ).format(configuration=CONFIGURATION, restart=_restart())
        else:
            remedy = _("it started before vpcd was there: {restart}").format(restart=_restart())
        return Finding(
            name,
            "fault",
            _("the pcscd that runs has {others}").format(others=others),
            _("{remedy}; or use sscard run --private").format(remedy=remedy),
        )
    if free and not pcsc.listening(free[0].port):
        detail = _("{reader} is free, but nobody listens at its port {port} here").format(
            reader=free[0].reader, port=free[0].port
        )
        remedy = _("name its first port with --port, or use sscard run --private if it is in another network namespace")
        return Finding(name, "fault", detail, remedy)
    told = ", ".join(one.reader for one in places)
    if not free:
        remedy = _("use sscard run --private, or take one out: sscard card list, sscard card remove SLOT")
        return Finding(name, "warning", _("{readers}: all hold cards").format(readers=told), remedy)
    detail = _("{readers}; free: {free}").format(readers=told, free=", ".join(one.reader for one in free))
    if not any(names.says_contactless(one.reader) for one in places):
        detail += _("; none says that it is contactless: for `--interface contactless` or `both` use --private")
    return Finding(name, "ok", detail)


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
    return _("end that pcscd (as root: kill its process, `pgrep -x pcscd` names it); sscard run starts its own")


def _denied(result: int) -> str:
    """What mends a PC/SC call that failed with this SCARD code."""
    if result in DENIED:
        return _("pcscd's access rules (polkit) refuse you: be root, or use sscard run --private")
    return _("{restart}; or use sscard run --private").format(restart=_restart())


DENIED = (0x8010006A, 0x8010001D)
"""SCARD_W_SECURITY_VIOLATION; SCARD_E_NO_SERVICE, as pcsc-lite tells a client that its rules refuse."""


def _ports(port: int | None) -> list[Finding]:
    """The ports of the run that is to come. That the usual ones are taken is no fault: others are found."""
    if port is None:
        try:
            found = pcsc.free_port(2)
        except pcsc.PcscError as error:
            return [Finding("ports", "fault", str(error), _("end what takes them"))]
        return [
            Finding(
                "ports",
                "ok",
                _("{first} and {second} are free: sscard run takes them").format(first=found, second=found + 1),
            )
        ]
    findings = []
    for number in (port, port + 1):
        if pcsc.port_free(number):
            findings.append(Finding(f"port {number}", "ok", _("free")))
        else:
            remedy = _("leave --port out, and free ones are found; --port {port} is one").format(port=pcsc.free_port(2))
            findings.append(Finding(f"port {number}", "fault", _("taken by another program"), remedy))
    return findings
