"""A network and mount namespace for the tests: vpcd listens on every interface, and the default socket is shared."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from pathlib import Path

NEWNS, NEWUSER, NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
RUN = Path("/run/pcscd")
WHOLE = "network and /run/pcscd"


def enter() -> str:
    """Moves this process apart; says how far that went. Comes before any thread, but for a user who is root here or
    in the namespace that a parent has entered so.
    """
    if not hasattr(os, "geteuid"):
        return "none on this system"
    import fcntl

    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    flags = NEWNET | NEWNS | (NEWUSER if user else 0)
    if user == 0:
        RUN.mkdir(exist_ok=True)
    if libc.unshare(flags) != 0:
        return f"none: {os.strerror(ctypes.get_errno())}"
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("16xh", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
    libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    if not RUN.is_dir() and libc.mount(b"tmpfs", bytes(RUN.parent), b"tmpfs", 0, None) == 0:
        RUN.mkdir()
    if not RUN.is_dir() or libc.mount(b"tmpfs", bytes(RUN), b"tmpfs", 0, None) != 0:
        return "network only"
    return WHOLE
