"""What the operating system refuses, in words: which file, what is wrong, and what mends it."""

from __future__ import annotations

import errno
import os

from emulator.messages import _, deferred

SAID = {
    errno.ENOSPC: deferred("the disk is full: what was written until now may be cut off"),
    errno.EDQUOT: deferred("your share of the disk is used up: what was written until now may be cut off"),
    errno.EFBIG: deferred("the file would be larger than this system allows"),
    errno.EROFS: deferred("the disk can only be read: name a file elsewhere"),
    errno.EACCES: deferred("you may not do that there: look at the rights of the file and of its folder"),
    errno.EPERM: deferred("you may not do that there: look at the rights of the file and of its folder"),
    errno.ENOENT: deferred("no such file or folder"),
    errno.EEXIST: deferred("it is there already: name another file, or remove it first"),
    errno.EISDIR: deferred("a folder is there, expected a file"),
    errno.ENOTDIR: deferred("a part of this path is no folder"),
    errno.ENAMETOOLONG: deferred("the name is too long"),
    errno.ELOOP: deferred("its symbolic links go round in a circle"),
    errno.EIO: deferred("reading or writing failed: the disk may be broken"),
    errno.EMFILE: deferred("too many files are open: raise the limit (ulimit -n)"),
    errno.ENFILE: deferred("too many files are open on this machine"),
    errno.ENOMEM: deferred("there is not enough memory"),
    errno.EADDRNOTAVAIL: deferred("this machine has no such address"),
    errno.EADDRINUSE: deferred("another program listens there: name another port"),
    errno.ECONNREFUSED: deferred("nobody listens there"),
    errno.ECONNRESET: deferred("the other side broke the connection off"),
    errno.ETIMEDOUT: deferred("no answer came in time"),
    errno.EHOSTUNREACH: deferred("no way leads to that machine"),
    errno.ENETUNREACH: deferred("no way leads to that network"),
}
"""By the number that the system gives; what stands nowhere here is told in the system's own words."""


def said(error: OSError) -> str:
    """One sentence, the file first where it is known. An error of ours has words of its own already."""
    if error.errno is None:
        return str(error) or type(error).__name__
    own, its = SAID.get(error.errno), error.strerror or os.strerror(error.errno)
    what = _(own) if own else _(its).lower()
    return f"{os.fsdecode(error.filename)}: {what}" if error.filename not in (None, "") else what
