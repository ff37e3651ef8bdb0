"""What a layout says: applications, files, items, keys, the PIN. Values only; ``layout_reader`` makes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator import ber
from emulator.crypto.suite import Fold
from emulator.errors import ErrorKind, NotFound, SscardError
from emulator.filesystem.layouts import text
from emulator.filesystem.layouts.habit_specs import HabitsSpec
from emulator.filesystem.layouts.paths import FilePath, ItemPath, PsamKey
from emulator.filesystem.layouts.terms import (
    AskedWhenLocked,
    CardKind,
    Fci,
    ItemFormat,
    KeyUse,
    MacStart,
    Messaging,
    MessagingKey,
    Structure,
    UidForm,
)
from emulator.messages import _
from emulator.security import PIN, Always, Condition, Never, names_in

Table = dict[str, Any]
PDOL = 0x9F38
"""Tag of the processing options' data object list in an application's FCI. [P]"""
ISSUERS, LOG_ENTRY = 0xBF0C, 0x9F4D
"""Tags of the issuer's own part of an FCI and, in it, of the log's file and its number of records. [P]"""


class LayoutError(SscardError, ValueError):
    """A layout that cannot be used: where (file and dotted key), and what was expected."""

    kind = ErrorKind.INPUT

    def __init__(self, source: str, key: str, problem: str) -> None:
        super().__init__(f"{source}: {key}: {problem}" if key else f"{source}: {problem}")
        self.source = source
        self.key = key


class NoLayoutError(LayoutError):
    """No layout has this name: it was mistyped, as any value of an option may be."""

    kind = ErrorKind.USAGE
    exit_code = 2


@dataclass(frozen=True, slots=True)
class ItemSpec:
    """An item, an element of a B-TLV item, or a field of a cyclic record (``tag`` None).

    ``length`` in bytes, 0 for a value of any length; where it is ``variable`` the most that it may have, and nothing is
    filled up, as in BER-TLV. ``kind``: what its value means (``date``, ``region`` …), ``codes`` the table it is from;
    ``usage`` its class (启用, 预设, 预留), empty where none is printed. ``sources``: ids in the register of sources.
    ``continues``: the tag of the item whose value goes on in this one.

    ``rewritten``: what the tag means on an old card brought up to date, where the layout's version is older than that
    meaning; that one is ``later``, and its ``after`` is the tag of the item that shows whether it holds, where its own
    form did not change.
    """

    tag: int | None
    format: ItemFormat
    length: int
    name: str
    name_en: str
    grade: str
    count: int = 1
    elements: tuple[ItemSpec, ...] = ()
    kind: str = ""
    codes: str = ""
    usage: str = ""
    sources: tuple[str, ...] = ()
    continues: int | None = None
    rewritten: ItemSpec | None = None
    after: int | None = None
    variable: bool = False
    later: bool = False

    @property
    def label(self) -> str:
        """The tag in two hex digits (four for a BER-TLV element's longer one), or empty."""
        return "" if self.tag is None else f"{self.tag:0{4 if self.tag > 0xFF else 2}X}"


@dataclass(frozen=True, slots=True)
class Basis:
    """How sure a table's facts are, and on whose word: ids in the register of sources."""

    grade: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileSpec:
    """An EF. ``path`` like ``SSSE/EF05``, ``fid`` its file identifier (two bytes); ``size`` in bytes (transparent),
    ``records`` at most (cyclic). ``directory``: its records list the card's applications. ``access``: what its access
    conditions rest on.
    """

    path: str
    fid: int
    name: str
    name_en: str
    structure: Structure
    read: Condition
    update: Condition
    access: Basis
    grade: str
    usage: str
    items: tuple[ItemSpec, ...] = ()
    size: int = 0
    records: int = 0
    read_messaging: Messaging = Messaging.NONE
    update_messaging: Messaging = Messaging.NONE
    """What secure messaging a command must come under: none, ``mac``, or ``cipher`` (MAC and cipher)."""
    rewrite: bool = False
    """A record may be replaced by one of another tag or length."""
    directory: bool = False
    sources: tuple[str, ...] = ()
    free: bool = field(init=False, repr=False, compare=False)
    """Everybody may read it, in plain: said once, as every reading asks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "free", self.read == Always() and self.read_messaging is Messaging.NONE)

    @property
    def application(self) -> str:
        """The name of the DF it lies in."""
        return FilePath.parse(self.path).application

    @property
    def sfi(self) -> int:
        """Returns the short file identifier, 1 to 31."""
        return int(self.path[-2:], 16)

    @property
    def record_length(self) -> int:
        """Bytes in a record of a cyclic file."""
        return sum(item.length for item in self.items)

    @property
    def secret(self) -> bool:
        """No command may ever read it: what it holds is a key, like the certificate's private one. [D]"""
        return self.read == Never()

    def item(self, tag: int) -> ItemSpec | None:
        """The item declared under this tag."""
        return next((item for item in self.items if item.tag == tag), None)

    def number(self, item: ItemSpec, occurrence: int = 1) -> int:
        """The number of an item's record, the first or another of several, on a card that has every item: they lie in
        the layout's order. [S: reference:card §3]
        """
        return sum(one.count for one in self.items[: self.items.index(item)]) + occurrence

    def standing(self, number: int) -> ItemSpec | None:
        """The item whose record has a number, on a card that has every item; None beyond the last."""
        there = [item for item in self.items for __ in range(item.count)]
        return there[number - 1] if 0 < number <= len(there) else None


@dataclass(frozen=True, slots=True)
class ApplicationSpec:
    """A DF: MF, the environment SSSE, or an application in it. ``fci``: ``ddf``, ``adf`` or empty (no FCI).

    ``spare``: bytes that its record files leave for items added beyond the declared ones. ``proprietary``: content of
    the FCI's A5; ``discretionary``: of its 73. ``processing``: what GET PROCESSING OPTIONS answers (AIP, AFL).
    ``data``: the objects that GET DATA gives, by tag, and their first values; others are as long.
    ``messaging`` (a scheme) and ``messaging_key``: empty where the parent's hold. ``block``: what APPLICATION BLOCK
    asks for besides its MAC. ``label``: its name in the directory file, which also selects it where ``by_label``. Of an
    environment, ``dfname_sm4`` is its name among terminals that want SM4, where that is another; ``directory`` is the
    file that its FCI names, and ``tells_algorithm`` says whether it carries 9F0C.
    """

    id: str
    parent: str
    fid: int
    dfname: bytes
    fci: Fci
    name: str
    name_en: str
    grade: str
    spare: int
    proprietary: bytes
    discretionary: bytes
    processing: bytes
    messaging: str
    messaging_key: str
    block: Condition
    label: str = ""
    by_label: bool = False
    dfname_sm4: bytes = b""
    directory: str = ""
    tells_algorithm: bool = True
    sources: tuple[str, ...] = ()
    data: dict[int, bytes] = field(default_factory=dict)
    contactless_only: bool = False
    """By contacts it is not found."""

    @property
    def log(self) -> int:
        """The short id of the file that its FCI names as the log of transactions (9F4D), 0 for none. [P]"""
        issuers = dict(ber.objects(self.proprietary)).get(ISSUERS, b"")
        entry = dict(ber.objects(issuers)).get(LOG_ENTRY, b"")
        return entry[0] if entry else 0

    @property
    def options(self) -> tuple[tuple[int, int], ...]:
        """Tags and lengths that its FCI asks a terminal for (PDOL, 9F38); empty without such a list. [P]"""
        lists = [value for tag, value in ber.objects(self.proprietary) if tag == PDOL]
        return tuple(ber.wanted(lists[0])) if lists else ()

    @property
    def names(self) -> tuple[bytes, ...]:
        """What SELECT by name finds it under."""
        label = text.encode(self.label) if self.by_label else b""
        return (self.dfname, *filter(None, (label, self.dfname_sm4)))


@dataclass(frozen=True, slots=True)
class KeySpec:
    """A card key. ``levels`` of diversification 1 to 3; ``tries`` 0: it never locks; ``versions`` that a fresh card
    has; ``pin``: digits that the key is made from (SM3's first 16 bytes) instead of a root, which VERIFY proves where
    ``use`` is ``pin``; ``psam`` where a PSAM has its root (None: no usage and id is known), ``hsm`` address, where
    known.
    """

    name: str
    application: str
    id: int
    use: KeyUse
    levels: int
    tries: int
    versions: int
    pin: str
    psam: PsamKey | None
    hsm: str
    title: str
    title_en: str
    grade: str
    sources: tuple[str, ...] = ()

    @property
    def levels_left(self) -> int:
        """How many levels a PSAM that holds this root has still to diversify; 0 where none holds it."""
        return self.psam.levels if self.psam else 0


@dataclass(frozen=True, slots=True)
class PinSpec:
    """The one PIN: where it lies (empty: nowhere), its length in digits, its tries, the keys that reset it.

    ``asked_when_locked``: what VERIFY without data answers once it is locked, ``6983`` or ``63C0``.
    """

    application: str
    min_digits: int
    max_digits: int
    tries: int
    initial: str
    unblock_key: str
    messaging_key: str
    grade: str
    asked_when_locked: AskedWhenLocked = AskedWhenLocked.LOCKED
    sources: tuple[str, ...] = ()


NO_PIN = PinSpec("", 1, 1, 1, "", "", "", "D")


@dataclass(frozen=True, slots=True)
class MessagingSpec:
    """A scheme of secure messaging. ``key``: ``process`` (made from the challenge) or ``card`` (the key itself).

    ``start`` value of the MAC: ``zero`` or ``challenge``. ``fold`` of the last block to 4 bytes: ``left``, ``xor``, or
    ``suite`` (as the algorithm suite does it). ``algorithm``: ``3des``, ``sm4``, or ``card`` (the card's own).
    ``cryptogram`` of EXTERNAL AUTHENTICATION in bytes: 8, over the terminal's data, or 16, the challenge enciphered.
    """

    name: str
    key: MessagingKey
    start: MacStart
    fold: Fold
    algorithm: str
    cryptogram: int
    grade: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockingSpec:
    """``card``: the right that CARD BLOCK asks for; ``temporary``: PBOC's form and APPLICATION UNBLOCK exist."""

    card: Condition
    temporary: bool
    grade: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command of this project's own, which a layout may rename: its class and instruction, and the right it asks."""

    cla: int
    ins: int
    needs: Condition
    grade: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonalisationSpec:
    """How a blank card is filled: the transport key, whose right opens every file, and which LOAD KEY is enciphered
    under.
    """

    key: str
    grade: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PurseSpec:
    """The medical account: its DF, its log, the item and value that turn it on (None: it is always on), its keys, who
    may do what, and the highest balance in fen.
    """

    application: str
    log: str
    switch: ItemPath | None
    value: str
    debit_key: str
    load_key: str
    tac_key: str
    load: Condition
    purchase: Condition
    balance: Condition
    read_day: Condition
    set_day: Condition
    limit: int
    grade: str
    sources: tuple[str, ...] = ()


PUBLIC_KEY = 64
"""Bytes of a public key of SM2: x ‖ y."""


@dataclass(frozen=True, slots=True)
class CertificateSpec:
    """The certificate application: its PINs, the files of its SM2 key pairs and certificates, and the rights that
    signing, making a pair and importing one ask for.

    ``header``: what stands before the key in a public file. The pair that the card makes itself signs, the one that is
    imported deciphers. Names are empty where a layout has none.
    """

    application: str
    private: str
    public: str
    header: bytes
    sign: Condition
    generate: Condition
    grade: str
    sources: tuple[str, ...] = ()
    user: str = ""
    administrator: str = ""
    signature: str = ""
    encryption: str = ""
    encryption_public: str = ""
    encryption_private: str = ""
    imports: Condition = field(default_factory=Never)

    def public_key(self, content: bytes) -> bytes:
        """x ‖ y, 64 bytes, of a public file's content: without the header and what fills the file."""
        start = len(self.header)
        return content[start : start + PUBLIC_KEY]


@dataclass(frozen=True, slots=True)
class AccessSpec:
    """Who may read and who may update a file over one interface."""

    read: Condition
    update: Condition
    basis: Basis


@dataclass(frozen=True, slots=True)
class ContactlessSpec:
    """A card's contactless side, and where it differs from the other. ``parameters``: the ATS's T0 and interface bytes.

    ``unreachable``: applications that SELECT does not find there, with what lies in them; ``access``: other access
    conditions, by file; ``pin``: the cardholder's PIN may be verified and changed. ``get_response``: what GET RESPONSE
    answers, as nothing ever waits for it.
    """

    parameters: bytes
    uid: UidForm
    pin: bool
    unreachable: tuple[str, ...]
    access: dict[str, AccessSpec]
    get_response: int
    grade: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionBinding:
    """One insurance's region item, as the role ``insurance_region`` binds it."""

    file: str
    tag: int
    insurance: str
    insurance_en: str

    @property
    def item(self) -> str:
        """Returns the item's path, like ``DF03/EF05/61``."""
        return str(self.path)

    @property
    def path(self) -> ItemPath:
        """File and label of the item."""
        return ItemPath(self.file, f"{self.tag:02X}")


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole card's plan. ``card``: ``user``, or ``psam`` for the terminal's own.

    ``table`` is the merged TOML it was read from; ``fingerprint`` its SHA-256."""

    name: str
    version: str
    title: str
    title_zh: str
    card: CardKind
    algorithms: tuple[str, ...]
    atr_header: bytes
    atr_maker: bytes
    atr: Basis
    applications: dict[str, ApplicationSpec]
    files: dict[str, FileSpec]
    keys: dict[str, KeySpec]
    pin: PinSpec
    insurance_region: tuple[RegionBinding, ...]
    messaging: dict[str, MessagingSpec]
    blocking: BlockingSpec
    activation: CommandSpec | None
    personalisation: PersonalisationSpec | None
    purse: PurseSpec | None
    certificate: CertificateSpec | None
    key_files: dict[str, Condition]
    """A PSAM's key files by application and id (``DF01/0011``), and who may write them."""
    table: Table = field(repr=False, compare=False)
    fingerprint: str
    follows_class: bool = False
    """GET RESPONSE is taken in the class of any command of the card, as programs send it whose system follows 61xx in
    the class of the command that was answered so.
    """
    habits: HabitsSpec | None = None
    """Where it answers otherwise than this project's chip, None for a card that does not."""
    contactless: ContactlessSpec | None = None
    """Its contactless side, None for a card that has none."""
    hidden: frozenset[str] = frozenset()
    """Applications that are on the card, and not found over the interface that this layout is of."""

    def item(self, path: ItemPath) -> tuple[FileSpec, ItemSpec] | None:
        """The file and the item that a path names; None where cards of this layout have no such item."""
        spec = self.files.get(path.file)
        found = next((one for one in spec.items if one.label == path.label), None) if spec else None
        return (spec, found) if spec and found else None

    @property
    def unblockings(self) -> int:
        """How many unblockings of the PIN may fail in a row: as often as its key may. 0: any number. [D]"""
        key = self.keys.get(self.pin.unblock_key)
        return key.tries if key else 0

    def key_for(self, condition: Condition) -> str:
        """The first key that a condition names; LookupError where none can satisfy it."""
        for name in names_in(condition):
            if name != PIN:
                return name
        raise NotFound(_("no key satisfies {condition}").format(condition=condition))
