"""What a layout says beyond its files: the PIN, secure messaging, blocking, activation, the purse, the roles."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.crypto.suite import Fold
from emulator.filesystem.layouts.node import Node
from emulator.filesystem.layouts.paths import FilePath, ItemPath
from emulator.filesystem.layouts.specs import (
    NO_PIN,
    PUBLIC_KEY,
    ApplicationSpec,
    BlockingSpec,
    CertificateSpec,
    CommandSpec,
    FileSpec,
    KeySpec,
    MessagingSpec,
    PersonalisationSpec,
    PinSpec,
    PurseSpec,
    RegionBinding,
)
from emulator.filesystem.layouts.terms import AskedWhenLocked, ItemFormat, KeyUse, MacStart, MessagingKey, Structure
from emulator.messages import _
from emulator.security import Condition, Never

Keys = Mapping[str, KeySpec]
HIGHEST_BALANCE = 0xFFFFFFFF
LOG_RECORD = 28
"""Number 2, type 1, terminal 6, time 7, three amounts of 4 bytes. [S: v2:table 9, reference:items.json]"""


def _table(root: Node, name: str) -> Node | None:
    """A table of the root, None where the layout leaves it out."""
    return Node(root.source, name, root.rest.pop(name)) if name in root.rest else None


def messaging(node: Node, name: str) -> MessagingSpec:
    """Reads ``[messaging.NAME]``, a scheme of secure messaging. LayoutError."""
    scheme = MessagingSpec(
        name=name,
        key=node.member("key", MessagingKey, MessagingKey.PROCESS),
        start=node.member("start", MacStart, MacStart.ZERO),
        fold=node.member("fold", Fold, Fold.SUITE),
        algorithm=node.choice("algorithm", ("card", "3des", "sm4"), "card"),
        cryptogram=node.number("cryptogram", 8, 16, 8),
        grade=node.grade(),
        sources=node.sources(),
    )
    if scheme.cryptogram not in (8, 16):
        raise node.error("cryptogram", _("expected 8 or 16, found {cryptogram}").format(cryptogram=scheme.cryptogram))
    node.done()
    return scheme


def pin(root: Node, applications: Mapping[str, ApplicationSpec], keys: Keys) -> PinSpec:
    """``[pin]``; without it the card has none."""
    node = _table(root, "pin")
    if node is None:
        return NO_PIN
    minimum = node.number("min_digits", 1, 16)
    spec = PinSpec(
        application=node.choice("application", applications),
        min_digits=minimum,
        max_digits=node.number("max_digits", minimum, 16),
        tries=node.number("tries", 1, 15),
        initial=node.text("initial", ""),
        unblock_key=node.choice("unblock_key", keys),
        messaging_key=node.choice("messaging_key", keys),
        asked_when_locked=node.member("asked_when_locked", AskedWhenLocked, AskedWhenLocked.LOCKED),
        grade=node.grade(),
        sources=node.sources(),
    )
    if spec.initial and not (spec.initial.isdecimal() and minimum <= len(spec.initial) <= spec.max_digits):
        raise node.error(
            "initial",
            _("expected {minimum} to {max_digits} digits, or nothing for no PIN").format(
                minimum=minimum, max_digits=spec.max_digits
            ),
        )
    node.done()
    return spec


def insurance_region(root: Node, files: Mapping[str, FileSpec]) -> tuple[RegionBinding, ...]:
    """``[roles] insurance_region``: the items that a transfer of the insurance region writes."""
    roles = Node(root.source, "roles", root.take("roles", dict, "a table", {}))
    bindings = []
    for node in roles.nodes("insurance_region") if "insurance_region" in roles.rest else ():
        item = node.text("item")
        path = ItemPath.parse(item)
        spec = files.get(path.file)
        found = spec.item(path.tag) if spec and path.tag is not None else None
        if spec is None or found is None or path.tag is None:
            raise node.error(
                "item", _("expected an item of this layout like DF03/EF05/61, found {item!r}").format(item=item)
            )
        if (found.format, found.length) != (ItemFormat.CN, 3):
            raise node.error(
                "item",
                _("a region is cn of 3 bytes, {item} is {format} of {length}").format(
                    item=item, format=found.format, length=found.length
                ),
            )
        if isinstance(spec.update, Never):
            raise node.error("item", _("nothing may update {file}").format(file=path.file))
        bindings.append(RegionBinding(path.file, path.tag, node.text("insurance"), node.text("insurance_en", "")))
        node.done()
    roles.done()
    return tuple(bindings)


def blocking(root: Node, keys: Keys) -> BlockingSpec:
    """Reads ``[blocking]``; without it any card may be blocked, and for good only. LayoutError."""
    node = _table(root, "blocking") or Node(root.source, "blocking", {})
    spec = BlockingSpec(
        card=node.condition("card", keys, "free"),
        temporary=node.truth("temporary", False),
        grade=node.grade(),
        sources=node.sources(),
    )
    node.done()
    return spec


def activation(root: Node, keys: Keys) -> CommandSpec | None:
    """``[activation]``; without it (or with ``enabled = false``) cards are active from the first."""
    node = _table(root, "activation")
    if node is None:
        return None
    enabled = node.truth("enabled", True)
    spec = CommandSpec(
        cla=node.hexadecimal("cla", range(1, 2))[0],
        ins=node.hexadecimal("ins", range(1, 2))[0],
        needs=node.condition("needs", keys),
        grade=node.grade(),
        sources=node.sources(),
    )
    if spec.cla & 0x0F or spec.ins >> 4 in (6, 9):
        raise node.error("cla", _("expected a class with low bits 0, and an INS of neither 6x nor 9x"))
    node.done()
    return spec if enabled else None


def personalisation(root: Node, keys: Keys) -> PersonalisationSpec | None:
    """``[personalisation]``; without it there are no blank cards of this layout."""
    node = _table(root, "personalisation")
    if node is None:
        return None
    spec = PersonalisationSpec(key=node.choice("key", keys), grade=node.grade(), sources=node.sources())
    node.done()
    return spec


def purse(
    root: Node, applications: Mapping[str, ApplicationSpec], files: Mapping[str, FileSpec], keys: Keys
) -> PurseSpec | None:
    """``[purse]``: the medical account; without it the card has none."""
    node = _table(root, "purse")
    if node is None:
        return None
    switch = node.text("switch", "")
    spec = PurseSpec(
        application=node.choice("application", applications),
        log=node.choice("log", files),
        switch=ItemPath.parse(switch) if switch else None,
        value=node.text("value", ""),
        debit_key=node.choice("debit_key", keys),
        load_key=node.choice("load_key", keys),
        tac_key=node.choice("tac_key", keys),
        load=node.condition("load", keys),
        purchase=node.condition("purchase", keys),
        balance=node.condition("balance", keys),
        read_day=node.condition("read_day", keys),
        set_day=node.condition("set_day", keys),
        limit=node.number("limit", 1, HIGHEST_BALANCE, HIGHEST_BALANCE),
        grade=node.grade(),
        sources=node.sources(),
    )
    log = files[spec.log]
    if log.structure is not Structure.CYCLIC or log.record_length != LOG_RECORD:
        raise node.error(
            "log",
            _("expected a cyclic file with records of {log_record} bytes, found {log}").format(
                log_record=LOG_RECORD, log=spec.log
            ),
        )
    if spec.switch and (spec.switch.file not in files or spec.switch.tag is None):
        raise node.error(
            "switch", _("expected an item like DF04/EF05/8F, or nothing, found {switch!r}").format(switch=switch)
        )
    node.done()
    return spec


def certificate(
    root: Node, applications: Mapping[str, ApplicationSpec], files: Mapping[str, FileSpec], keys: Keys
) -> CertificateSpec | None:
    """``[certificate]``: the certificate application; without it the card has none."""
    node = _table(root, "certificate")
    if node is None:
        return None
    spec = CertificateSpec(
        application=node.choice("application", applications),
        private=node.choice("private", files),
        public=node.choice("public", files),
        header=node.hexadecimal("header", range(5), ""),
        sign=node.condition("sign", keys),
        generate=node.condition("generate", keys, "never"),
        grade=node.grade(),
        sources=node.sources(),
        user=node.choice("user", ("", *keys), ""),
        administrator=node.choice("administrator", ("", *keys), ""),
        signature=node.choice("signature", ("", *files), ""),
        encryption=node.choice("encryption", ("", *files), ""),
        encryption_public=node.choice("encryption_public", ("", *files), ""),
        encryption_private=node.choice("encryption_private", ("", *files), ""),
        imports=node.condition("imports", keys, "never"),
    )
    if bool(spec.encryption_public) != bool(spec.encryption_private):
        raise node.error("encryption_private", _("expected both files of the pair that is imported, or neither"))
    for name in ("user", "administrator"):
        pin = getattr(spec, name)
        if pin and keys[pin].use is not KeyUse.PIN:
            raise node.error(name, _('expected a key with use = "pin", found {pin}').format(pin=pin))
    for name, size in (
        ("private", 32),
        ("public", len(spec.header) + PUBLIC_KEY),
        ("encryption_private", 32),
        ("encryption_public", len(spec.header) + PUBLIC_KEY),
        ("signature", 1),
        ("encryption", 1),
    ):
        path = getattr(spec, name)
        if not path:
            continue
        if files[path].structure is not Structure.TRANSPARENT or files[path].size < size:
            raise node.error(
                name,
                _("expected a transparent file of {size} bytes or more, found {path}").format(size=size, path=path),
            )
    node.done()
    return spec


def key_files(root: Node, applications: Mapping[str, ApplicationSpec], keys: Keys) -> dict[str, Condition]:
    """``[key_files]``: who may write which of a PSAM's key files; without it none can be written."""
    node = _table(root, "key_files")
    if node is None:
        return {}
    node.grade()
    node.sources()
    result: dict[str, Condition] = {}
    for path in list(node.rest):
        application, name = FilePath.parse(path)
        if application not in applications or name not in ("0011", "0012", "0013"):
            raise node.error(
                path, _("expected APPLICATION/0011, 0012 or 0013: the national, provincial and city key file")
            )
        result[path] = node.condition(path, keys)
    node.done()
    return result
