"""What the operating system says of a file or a connection, in the user's language: Python has it in English."""

from __future__ import annotations

import errno
import os

from emulator.messages import _, deferred

KNOWN = {
    errno.EACCES: deferred("you may not do that there"),
    errno.EADDRINUSE: deferred("another program listens there"),
    errno.EADDRNOTAVAIL: deferred("this machine has no such address"),
    errno.EBUSY: deferred("another program uses it"),
    errno.ECONNREFUSED: deferred("nobody listens there"),
    errno.ECONNRESET: deferred("the other side broke the connection off"),
    errno.EDQUOT: deferred("your share of the disk is used up"),
    errno.EEXIST: deferred("it is there already"),
    errno.EFBIG: deferred("the file would be larger than this system allows"),
    errno.EHOSTUNREACH: deferred("no way leads to that machine"),
    errno.EINVAL: deferred("the system does not take that"),
    errno.EIO: deferred("reading or writing failed"),
    errno.EISDIR: deferred("a folder is there, expected a file"),
    errno.ELOOP: deferred("its symbolic links go round in a circle"),
    errno.EMFILE: deferred("too many files are open"),
    errno.ENAMETOOLONG: deferred("the name is too long"),
    errno.ENETUNREACH: deferred("no way leads to that network"),
    errno.ENFILE: deferred("too many files are open on this machine"),
    errno.ENOENT: deferred("no such file or folder"),
    errno.ENOEXEC: deferred("it is no program that this system can run"),
    errno.ENOMEM: deferred("there is not enough memory"),
    errno.ENOSPC: deferred("the disk is full"),
    errno.ENOTDIR: deferred("a part of this path is no folder"),
    errno.ENOTEMPTY: deferred("the folder is not empty"),
    errno.ENXIO: deferred("no file that can be opened is there"),
    errno.EPERM: deferred("you may not do that there"),
    errno.EPIPE: deferred("the other side is gone"),
    errno.EROFS: deferred("the disk can only be read"),
    errno.ETIMEDOUT: deferred("no answer came in time"),
}
"""By the number that the system gives; what stands nowhere here is told in the system's own words."""
REMEDIES = {
    errno.EACCES: deferred("look at the rights of the file and of its folder"),
    errno.EADDRINUSE: deferred("name another port"),
    errno.EDQUOT: deferred("what was written until now may be cut off"),
    errno.EEXIST: deferred("name another file, or remove it first"),
    errno.EIO: deferred("the disk may be broken"),
    errno.EMFILE: deferred("raise the limit (ulimit -n)"),
    errno.ENOSPC: deferred("what was written until now may be cut off"),
    errno.EPERM: deferred("look at the rights of the file and of its folder"),
    errno.EROFS: deferred("name a file elsewhere"),
}
"""What mends it, or what it means, where the command line has nothing else to say."""
UNNUMBERED = (deferred("Name or service not known"), deferred("timed out"))
"""What Python says itself, or the resolver."""


def strerror(error: OSError) -> str:
    """What was wrong, without the file; an error's own words where the system gave it no number, or has others."""
    if (own := KNOWN.get(error.errno or 0)) and _is_the_systems(error):
        return _(own)
    own_words = error.strerror or str(error)
    return _(own_words) or type(error).__name__


def said(error: OSError) -> str:
    """One sentence: the file first where it is known, what was wrong, and what mends it."""
    what, own = strerror(error), REMEDIES.get(error.errno or 0)
    if own and _is_the_systems(error):
        what = _("{what}: {remedy}").format(what=what, remedy=_(own))
    return f"{os.fsdecode(error.filename)}: {what}" if error.filename not in (None, "") else what


def _is_the_systems(error: OSError) -> bool:
    """An error of ours may have a number of the system's and words of its own; Python adds some to the system's, and
    Windows words its errors apart.
    """
    its = (error.strerror or "").startswith(os.strerror(error.errno or 0))
    return its or getattr(error, "winerror", None) is not None
