"""What the operating system refuses, in words: which file, what is wrong, and what mends it."""

from __future__ import annotations

import errno
import os

SAID = {
    errno.ENOSPC: "the disk is full: what was written until now may be cut off",
    errno.EDQUOT: "your share of the disk is used up: what was written until now may be cut off",
    errno.EFBIG: "the file would be larger than this system allows",
    errno.EROFS: "the disk can only be read: name a file elsewhere",
    errno.EACCES: "you may not do that there: look at the rights of the file and of its folder",
    errno.EPERM: "you may not do that there: look at the rights of the file and of its folder",
    errno.ENOENT: "no such file or folder",
    errno.EEXIST: "it is there already: name another file, or remove it first",
    errno.EISDIR: "a folder is there, expected a file",
    errno.ENOTDIR: "a part of this path is no folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "its symbolic links go round in a circle",
    errno.EIO: "reading or writing failed: the disk may be broken",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "there is not enough memory",
    errno.EADDRINUSE: "another program listens there: name another port",
    errno.ECONNREFUSED: "nobody listens there",
    errno.ECONNRESET: "the other side broke the connection off",
    errno.ETIMEDOUT: "no answer came in time",
    errno.EHOSTUNREACH: "no way leads to that machine",
    errno.ENETUNREACH: "no way leads to that network",
}
"""By the number that the system gives; what stands nowhere here is told in the system's own words."""


def said(error: OSError) -> str:
    """One sentence, the file first where it is known. An error of ours has words of its own already."""
    if error.errno is None:
        return str(error) or type(error).__name__
    what = SAID.get(error.errno) or (error.strerror or os.strerror(error.errno)).lower()
    return f"{os.fsdecode(error.filename)}: {what}" if error.filename not in (None, "") else what
