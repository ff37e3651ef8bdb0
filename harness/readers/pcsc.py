"""pcscd on this machine: what it needs, instances of our own, and waiting for what PC/SC sees."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from emulator.errors import CardFailure, ErrorKind
from emulator.messages import _
from emulator.messages.system_errors import strerror
from harness.extras import brought
from harness.readers import names
from harness.readers.waiting import LONGEST_WAIT, READER_WAIT, WAIT_VARIABLE

DEFAULT_SOCKET = Path("/run/pcscd/pcscd.comm")
SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
DEFAULT_PORT = 35963
READER_NAME = names.VIRTUAL
"""How virtual readers' names begin, unless whoever started pcscd named them otherwise."""
Arrangement = names.Arrangement
MOST_SLOTS = names.MOST_ENTRIES * names.PER_ENTRY
LAST_PORT = 65535
UNKNOWN_READER, NO_SMARTCARD, NOT_TRANSACTED = 0x80100009, 0x8010000C, 0x80100016
SHARING_VIOLATION = 0x8010000B
UNRESPONSIVE_CARD, UNPOWERED_CARD, REMOVED_CARD = 0x80100066, 0x80100067, 0x80100069
"""SCARD codes that say what became of a card."""
NO_BLOCKING = "PCSCLITE_NO_BLOCKING"
"""pcsc-lite's own variable, set for this program: its client would wait for others itself, and for ever."""
PAUSE = 0.02
"""Seconds between two tries: programs that look at a card leave it free for tenths of a second."""
POWER_TIMEOUT = 20.0
"""Seconds within which a reader must have powered a card that was put in."""
DRIVERS = ("/usr/lib/pcsc/drivers/serial/libifdvpcd.so", "/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so")

LINUX = sys.platform.startswith("linux")
"""Elsewhere the system has a PC/SC service of its own, and vsmartcard another driver for it."""
# Runs in the new process: pcscd takes its listening socket the systemd way (fd 3, and its own pid in LISTEN_PID), and
# dies with the program that started it.
_TRAMPOLINE = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


PCSC_LIBRARY = "libpcsclite.so.1"


class PcscError(CardFailure, RuntimeError):
    """PC/SC cannot be had: what is wrong, and what to do. ``result``: the SCARD code of a call that failed, else 0."""

    kind = ErrorKind.BROKEN
    word = "reader"
    answered = False

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, result: int = 0, *, remedy: str = "") -> None:
        super().__init__(f"{what}: {remedy}" if remedy else what)
        self.what, self.remedy = what, remedy
        self.result = result & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Missing:
    """Something this machine lacks, and the one-line remedy."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return _("{what} is missing: {remedy}").format(what=self.what, remedy=self.remedy)


def pcscd_path() -> str | None:
    """Returns the path of pcscd, None where it is not installed."""
    return shutil.which("pcscd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def driver_path() -> str | None:
    """Returns the path of vpcd's driver, None where it is not installed."""
    return next((path for path in DRIVERS if Path(path).exists()), None)


def missing() -> list[Missing]:
    """What keeps a virtual reader from working here; empty if nothing does."""
    if not LINUX:
        what = _("a pcscd of its own ({platform})").format(platform=sys.platform)
        return [Missing(what, _("install vsmartcard's reader, and put cards into it with --connect 127.0.0.1"))]
    found = []
    if pcscd_path() is None:
        found.append(Missing("pcscd", "apt-get install pcscd"))
    if driver_path() is None:
        found.append(Missing(_("the vpcd driver (libifdvpcd.so)"), "apt-get install vsmartcard-vpcd"))
    if importlib.util.find_spec("smartcard") is None:
        found.append(Missing("pyscard", pyscard_had()))
    return found


def pyscard_had() -> str:
    """How pyscard is had: on Linux it is compiled."""
    if not LINUX:
        return "pip install pyscard"
    return f"apt-get install gcc libpcsclite-dev python3-dev; {brought('pcsc')}"


def socket_path() -> Path:
    """The socket that PC/SC programs of this environment use."""
    return Path(os.environ.get(SOCKET_VARIABLE) or DEFAULT_SOCKET)


def reach(path: Path) -> int:
    """0 if a pcscd accepts connections there, else the errno that says why not."""
    if sys.platform == "win32":
        return errno.EAFNOSUPPORT
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError as error:
            return error.errno or errno.ETIMEDOUT
        return 0


def answers(path: Path) -> bool:
    """True if a pcscd accepts connections there."""
    return reach(path) == 0


def port_free(port: int) -> bool:
    """True if the driver could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True


def free_port(slots: int) -> int:
    """The first port from the usual one on from which a pcscd for so many slots can listen. PcscError."""
    count = slots + slots % names.PER_ENTRY
    for port in range(DEFAULT_PORT, LAST_PORT - count, count):
        if all(map(port_free, range(port, port + count))):
            return port
    raise PcscError(
        _("no {count} ports in a row are free from {default_port} on: name the first with --port").format(
            count=count, default_port=DEFAULT_PORT
        )
    )


def usual(slots: int) -> Arrangement:
    """Contact readers, named as Debian names its own. ReaderNameError for more than pcscd has."""
    return Arrangement.of([names.VIRTUAL] * slots)


@contextlib.contextmanager
def pcscd(readers: int | Arrangement, port: int, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A pcscd of our own on the socket ``path``, with these readers, or so many of the usual, from ``port`` on; gone at
    the end. PcscError where something it needs is missing or taken.
    """
    arranged = usual(readers) if isinstance(readers, int) else readers
    with starting(arranged, port, path) as process:
        wait_listening(process, [port + offset for _reader, offset in arranged.used])
        yield process


@contextlib.contextmanager
def starting(readers: int | Arrangement, port: int, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The same, not waited for: ``wait_listening`` does."""
    arranged = usual(readers) if isinstance(readers, int) else readers
    driver = driver_path()
    if pcscd_path() is None or driver is None:
        raise PcscError("; ".join(map(str, missing())))
    for taken in range(port, port + arranged.ports):
        if not port_free(taken):
            raise PcscError(
                _(
                    "port {taken} is taken by another program: leave --port out, and free ones are found "
                    "(--port {free_port} is one)"
                ).format(taken=taken, free_port=free_port(arranged.ports))
            )
    with tempfile.TemporaryDirectory(prefix="sscard-pcscd-") as folder:
        config = Path(folder, "reader.conf.d")
        config.mkdir()
        lines = []
        for number, name in enumerate(arranged.entries):
            # The driver keys its state by slot only, so every two slots more need a copy of it.
            copy = Path(folder, f"libifdvpcd{number}.so") if number else Path(driver)
            if number:
                shutil.copyfile(driver, copy)
            channel = port + names.PER_ENTRY * number
            lines.append(
                f'FRIENDLYNAME "{name}"\nDEVICENAME /dev/null:0x{channel:04X}\n'
                f"LIBPATH {copy}\nCHANNELID 0x{channel:04X}\n"
            )
        (config / "vpcd").write_text("\n".join(lines))
        with served(path, config) as process:
            yield process


@contextlib.contextmanager
def served(path: Path, config: Path, through: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """A pcscd of our own on the socket ``path``, with the readers of this folder of its configuration; it is not waited
    for. ``through``: a command that starts it, as ``nsenter`` does in another network. PcscError.
    """
    program = pcscd_path()
    if program is None:
        raise PcscError("; ".join(map(str, missing())))
    with _listening(path) as listener, _running([*through, sys.executable], program, config, listener) as process:
        yield process


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    if sys.platform == "win32":
        raise PcscError(
            _("no pcscd runs on Windows"), remedy=_("use the virtual reader (vpcd) of its own PC/SC service")
        )
    if answers(path):
        raise PcscError(_("another pcscd serves {path}").format(path=path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # nobody accepts there: left over
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
    except OSError as error:
        remedy = (
            _("be root, use --private, or set {variable} to a path of yours").format(variable=SOCKET_VARIABLE)
            if path == DEFAULT_SOCKET
            else _("choose a folder you may write to")
        )
        raise PcscError(
            _("cannot serve PC/SC at {path} ({strerror}): {remedy}").format(
                path=path, strerror=strerror(error), remedy=remedy
            )
        ) from None
    try:
        path.chmod(0o666)
        listener.listen(16)
        yield listener
    finally:
        listener.close()
        path.unlink(missing_ok=True)


def _without_polkit(program: str) -> tuple[str, ...]:
    """The option of pcscd 2 that lets whoever reaches the socket use it, as the folder's rights have it: polkit, which
    it asks else, refuses all where there is no D-Bus, as in a container.
    """
    option = "--disable-polkit"
    said = subprocess.run([program, "--help"], check=False, capture_output=True, stdin=subprocess.DEVNULL)
    return (option,) if option.encode() in said.stdout + said.stderr else ()


@contextlib.contextmanager
def _running(
    python: Sequence[str], program: str, config: Path, listener: socket.socket
) -> Iterator[subprocess.Popen[bytes]]:
    handle = listener.fileno()
    process = subprocess.Popen(
        [
            *python,
            "-I",
            "-S",
            "-c",
            _TRAMPOLINE,
            str(handle),
            program,
            "--foreground",
            "--error",
            *_without_polkit(program),
            "-c",
            str(config),
        ],
        pass_fds=(handle,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us; we end it
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listening_ports() -> set[int]:
    """Ports on which anything of this thread's network namespace listens, from the kernel's table."""
    ports = set()
    for line in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A":
            ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def listening(port: int) -> bool:
    """True if something of this network namespace listens there. Asks the kernel: a connection would be a card."""
    return port in _listening_ports()


def wait_listening(process: subprocess.Popen[bytes], ports: Sequence[int], timeout: float = 10.0) -> None:
    """Waits until the driver listens. A connection would be a card, so the kernel is asked instead."""
    deadline = time.monotonic() + timeout
    while not set(ports) <= _listening_ports():
        try:
            process.wait(0.005)
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
        raise PcscError(
            _("pcscd did not open its readers on ports {ports} to {ports_2}: see `sscard doctor`").format(
                ports=ports[0], ports_2=ports[-1]
            )
        )


# --- what PC/SC sees; pyscard is imported only here, so that all else works without it ---------------------------


def scard() -> Any:
    """pyscard's PC/SC functions; PcscError where it is not installed."""
    os.environ.setdefault(NO_BLOCKING, "1")
    try:
        from smartcard import scard
    except ImportError as error:
        if importlib.util.find_spec("smartcard") is None:
            raise PcscError(_("pyscard is not installed"), remedy=pyscard_had()) from None
        if LINUX and not _loads(PCSC_LIBRARY):
            raise PcscError(
                _("pyscard finds no {pcsc_library}").format(pcsc_library=PCSC_LIBRARY),
                remedy="apt-get install libpcsclite1",
            ) from None
        remedy = "pip install --force-reinstall --no-cache-dir pyscard"
        raise PcscError(_("pyscard does not load ({error})").format(error=error), remedy=remedy) from None
    return scard


def _loads(library: str) -> bool:
    """Whether this system has a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def check(result: int, doing: str) -> None:
    """PcscError unless a PC/SC call succeeded."""
    api = scard()
    if result != api.SCARD_S_SUCCESS:
        told = api.SCardGetErrorMessage(result)  # nothing, where Windows has no words for it
        raise PcscError(f"{doing}: {told.strip() if told else f'{result & 0xFFFFFFFF:#010x}'}", result)


def reader_wait() -> float:
    """Seconds to wait for a card that another program uses; PcscError for a variable that says nonsense."""
    text = os.environ.get(WAIT_VARIABLE, "")
    try:
        seconds = float(text) if text else READER_WAIT
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise PcscError(
            _("{wait_variable}: expected seconds from 0 to {longest_wait:g}, found {text!r}").format(
                wait_variable=WAIT_VARIABLE, longest_wait=LONGEST_WAIT, text=text
            )
        )
    return seconds


def waited(attempt: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
    """What a PC/SC call gives, its result first; again and again where another program uses the card, for as long as
    ``reader_wait`` says. The one place where that is waited for.
    """
    deadline = time.monotonic() + reader_wait()
    while True:
        given = attempt()
        if given[0] & 0xFFFFFFFF != SHARING_VIOLATION or time.monotonic() >= deadline:
            return given
        time.sleep(PAUSE)  # PC/SC tells of cards that come and go, not of programs


@contextlib.contextmanager
def context() -> Iterator[Any]:
    """A PC/SC context of its own."""
    api = scard()
    result, handle = api.SCardEstablishContext(api.SCARD_SCOPE_USER)
    if LINUX:
        doing = _(
            "no PC/SC service at {path}: start pcscd or `sscard run`; `sscard doctor` says what is missing"
        ).format(path=socket_path())
    else:
        doing = _("the system's PC/SC service does not answer: it may begin with the first reader; see `sscard doctor`")
    check(result, doing)
    try:
        yield handle
    finally:
        api.SCardReleaseContext(handle)


def reader_names() -> list[str]:
    """Every reader that PC/SC knows now."""
    api = scard()
    with context() as handle:
        result, listed = api.SCardListReaders(handle, [])
        return [] if result == api.SCARD_E_NO_READERS_AVAILABLE else sorted(listed)


def find_reader(beginning: str) -> str:
    """The first reader whose name begins so; PcscError, naming those that there are."""
    listed = reader_names()
    for name in listed:
        if name.startswith(beginning):
            return name
    raise PcscError(
        _("no reader's name begins with {beginning!r}; there are {value}").format(
            beginning=beginning, value=", ".join(map(repr, listed)) or _("none")
        ),
        UNKNOWN_READER,
    )


@dataclass(frozen=True, slots=True)
class ReaderState:
    """A reader as PC/SC sees it now. ``atr`` is empty where there is no card, or one that did not answer its reset
    (``mute``). ``used``: another program is connected to the card; ``exclusive``: for itself alone.
    """

    name: str
    card: bool
    atr: bytes
    mute: bool
    used: bool
    exclusive: bool


def states() -> list[ReaderState]:
    """Every reader and what is in it, in order of their names; nothing is sent to a card. PcscError."""
    api = scard()
    listed = reader_names()
    if not listed:
        return []
    with context() as handle:
        result, found = api.SCardGetStatusChange(handle, 0, [(name, api.SCARD_STATE_UNAWARE) for name in listed])
        check(result, _("looking for cards"))
    return [
        ReaderState(
            name,
            card=bool(state & api.SCARD_STATE_PRESENT),
            atr=bytes(atr) if state & api.SCARD_STATE_PRESENT else b"",
            mute=bool(state & api.SCARD_STATE_MUTE),
            used=bool(state & api.SCARD_STATE_INUSE),
            exclusive=bool(state & api.SCARD_STATE_EXCLUSIVE),
        )
        for name, state, atr in found
    ]


def present() -> dict[str, bytes]:
    """The ATRs of the cards that are there, by their readers' names; nothing is sent. PcscError."""
    return {one.name: one.atr for one in states() if one.card}


def virtual_readers(slots: int, timeout: float = 10.0, *, every: bool = False) -> list[str]:
    """The names of so many slots of virtual readers, in slot order, or of every one. PcscError if there are too few
    after ``timeout`` s.
    """
    found = _listed(lambda there: sum(one.startswith(READER_NAME) for one in there) >= slots, timeout)
    virtual = [name for name in found if name.startswith(READER_NAME)]
    if len(virtual) < slots:
        raise PcscError(
            _(
                "the pcscd at {socket_path} has {count} virtual slots, {slots} are needed: use --private "
                "for a pcscd of this run's own, or end that one and let sscard start it"
            ).format(socket_path=socket_path(), count=len(virtual), slots=slots)
        )
    return virtual if every else virtual[:slots]


def wait_readers(expected: Sequence[str], timeout: float = 10.0) -> None:
    """Waits until PC/SC lists all of these readers; PcscError, naming what it lists instead, after ``timeout`` s."""
    found = _listed(lambda there: set(expected) <= set(there), timeout)
    if lacking := [name for name in expected if name not in found]:
        raise PcscError(
            _("pcscd does not show the reader {reader!r} within {timeout:g} s; there are {found}").format(
                reader=lacking[0], timeout=timeout, found=", ".join(map(repr, found)) or _("none")
            )
        )


def _listed(enough: Callable[[list[str]], bool], timeout: float) -> list[str]:
    """The readers that PC/SC lists, once they are enough, or after ``timeout`` s; sorted."""
    api = scard()
    deadline = time.monotonic() + timeout
    with context() as handle:
        while True:
            result, listed = api.SCardListReaders(handle, [])
            found = [] if result else sorted(listed)
            left = deadline - time.monotonic()
            if enough(found) or left <= 0:
                return found
            # The pseudo-reader's state changes when readers come.
            api.SCardGetStatusChange(handle, int(left * 1000) + 1, [("\\\\?PnP?\\Notification", 0)])


def wait_card(name: str, *, present: bool = True, timeout: float = 10.0) -> bool:
    """True once PC/SC says that a card is (not) in the reader ``name``, false after ``timeout`` s; 0: as it is now."""
    api = scard()
    deadline = time.monotonic() + timeout
    wanted = api.SCARD_STATE_PRESENT if present else api.SCARD_STATE_EMPTY
    state = api.SCARD_STATE_UNAWARE
    with context() as handle:
        while (left := deadline - time.monotonic()) > 0 or state == api.SCARD_STATE_UNAWARE:
            left = max(left, 0)
            result, states = api.SCardGetStatusChange(handle, int(left * 1000) + 1, [(name, state)])
            if result == api.SCARD_E_TIMEOUT:
                break
            check(result, _("reader {name}").format(name=name))
            state = states[0][1]
            if state & wanted:
                return True
    return False
