"""MF, DF and EF as the operating system finds them: by name, by id, by short id. Content stays in the memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from emulator.crypto.suite import Fold
from emulator.filesystem.layouts.specs import ApplicationSpec, FileSpec, KeySpec, Layout, MessagingSpec
from emulator.filesystem.layouts.terms import Fci, KeyUse, MacStart, MessagingKey
from emulator.filesystem.memory.cells import CellKey, state_cell

SM4_CODE = 3
UNLISTED = 0x1E
"""What an environment without a directory file names as its SFI. [S: prog-cardissue, reference:card §2]"""
PLAIN = MessagingSpec("ssse", MessagingKey.PROCESS, MacStart.ZERO, Fold.SUITE, "card", 8, "S")
"""The scheme of SSSE, where a layout names none."""


@dataclass(slots=True, eq=False)
class Directory:
    """A DF (or the MF) with what lies in it."""

    spec: ApplicationSpec
    parent: Directory | None
    fci: bytes
    fci_sm4: bytes = b""
    """The same under the environment's name for SM4, where it has one."""
    children: list[Directory] = field(default_factory=list)
    files: dict[int, FileSpec] = field(default_factory=dict)
    """By short file identifier. An environment also finds the directory that its FCI names, wherever that lies."""
    ids: dict[int, FileSpec] = field(default_factory=dict)
    """By file identifier."""
    keys: list[KeySpec] = field(default_factory=list)
    capacity: dict[str, int] = field(default_factory=dict)
    """Bytes that each record file may hold in all."""
    messaging: MessagingSpec = PLAIN
    messaging_key: KeySpec | None = None
    life: tuple[CellKey, ...] = ()
    """Cells of the life cycle that this directory depends on: its own, its parent's… but for the MF's."""

    def fci_under(self, name: bytes) -> bytes:
        """The FCI that answers to this name, or to the beginning of one; to a file id for none."""
        other = self.spec.dfname_sm4
        by_other = name and other.startswith(name) and not self.spec.dfname.startswith(name)
        return self.fci_sm4 if by_other else self.fci

    def line(self) -> Iterator[Directory]:
        """This directory, its parent, and so on up to the MF."""
        here: Directory | None = self
        while here is not None:
            yield here
            here = here.parent

    def key(self, identifier: int, use: KeyUse) -> KeySpec | None:
        """The key under a P2: with its high bit set one of this directory, else one from here up to the MF.
        [T: part5:table 14]
        """
        for directory in (self,) if identifier & 0x80 else self.line():
            for key in directory.keys:
                if key.id == identifier and key.use is use:
                    return key
        return None

    def walk(self) -> Iterator[Directory]:
        """This directory and all below it, in the layout's order."""
        yield self
        for child in self.children:
            yield from child.walk()


def tree(layout: Layout, algorithm_code: int) -> Directory:
    """The tree of a layout, made once: nothing in it ever changes. See ``build``."""
    name = layout.fingerprint, algorithm_code
    found = _TREES.get(name)
    if found is None:
        if len(_TREES) >= KEPT:
            _TREES.clear()
        found = _TREES[name] = build(layout, algorithm_code)
    return found


KEPT = 64
_TREES: dict[tuple[str, int], Directory] = {}
"""By the layout's fingerprint; at most ``KEPT``, as tests make layouts by the hundred."""


def build(layout: Layout, algorithm_code: int) -> Directory:
    """The tree of a layout; the algorithm's number goes into the environment's FCI (tag 9F0C)."""
    directories: dict[str, Directory] = {}
    for spec in layout.applications.values():
        if spec.id in layout.hidden:
            continue
        parent = directories.get(spec.parent)
        directory = Directory(spec, parent, fci(spec, layout, algorithm_code))
        if spec.dfname_sm4:
            directory.fci_sm4 = fci(replace(spec, dfname=spec.dfname_sm4), layout, SM4_CODE)
        directories[spec.id] = directory
        directory.messaging, directory.messaging_key = messaging_of(layout, spec.id)
        if parent is not None:
            parent.children.append(directory)
            directory.life = (state_cell(spec.id), *parent.life)
    for file in layout.files.values():
        if file.application in layout.hidden:
            continue
        home = directories[file.application]
        home.files[file.sfi] = home.ids[file.fid] = file
        declared = sum((2 + item.length) * item.count for item in file.items)
        home.capacity[file.path] = declared + home.spec.spare
    for directory in directories.values():
        if directory.spec.directory:
            listing = layout.files[directory.spec.directory]
            directory.files.setdefault(listing.sfi, listing)
    for key in layout.keys.values():
        if key.application not in layout.hidden:
            directories[key.application].keys.append(key)
    return next(directory for directory in directories.values() if directory.parent is None)


def by_name(everyone: list[Directory], name: bytes, after: Directory | None = None) -> Directory | None:
    """Of all directories the first of which a name begins so, or the next one after another. The whole name goes before
    one that only begins so. [P]
    """
    if after is not None:
        everyone = everyone[everyone.index(after) + 1 :]
    else:
        for one in everyone:
            if name in one.spec.names:
                return one
    return next((one for one in everyone if any(known.startswith(name) for known in one.spec.names)), None)


def by_id(root: Directory, here: Directory, target: bytes) -> Directory | None:
    """The directory of a file id, or of none, which means the MF: the MF; then the current DF, its children, its
    parent, its siblings. [P]
    """
    fid = int.from_bytes(target, "big")
    if not target or fid == root.spec.fid:
        return root
    around = [here, *here.children]
    if here.parent is not None:
        around += [here.parent, *here.parent.children]
    return next((one for one in around if one.spec.fid == fid), None)


def messaging_of(layout: Layout, application: str) -> tuple[MessagingSpec, KeySpec | None]:
    """The scheme and the key that hold in an application: its own, or those of what it lies in."""
    scheme, key = None, None
    here = layout.applications.get(application)
    while here is not None:
        scheme = scheme or layout.messaging.get(here.messaging)
        key = key or layout.keys.get(here.messaging_key)
        here = layout.applications.get(here.parent)
    return scheme or PLAIN, key


def fci(spec: ApplicationSpec, layout: Layout, algorithm_code: int) -> bytes:
    """What SELECT answers: ``6F 84 name`` for an ADF; an environment adds its directory's SFI (tag 88) and, where the
    layout says so, the algorithm (9F0C). [S: part5:6.11, reference:card §2]

    Applications of other standards have a template A5 of their own [P]; the certificate environment one of 73.
    [1: prog-z390]
    """
    if not spec.fci:
        return b""
    inner = b"\x84" + bytes((len(spec.dfname),)) + spec.dfname
    if spec.fci is Fci.DDF:
        own = bytes((0x88, 1, layout.files[spec.directory].sfi if spec.directory else UNLISTED))
        if spec.tells_algorithm:
            own += bytes((0x9F, 0x0C, 3, 0x86, 1, algorithm_code))
        inner += b"\xa5" + bytes((len(own),)) + own
    if spec.proprietary:
        inner += b"\xa5" + bytes((len(spec.proprietary),)) + spec.proprietary
    if spec.discretionary:
        inner += b"\x73" + bytes((len(spec.discretionary),)) + spec.discretionary
    return b"\x6f" + bytes((len(inner),)) + inner
