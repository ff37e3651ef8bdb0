"""What a bank's side of a card says that no persona has to: numbers, track 2, service code, counters.

Nothing here is a bank's: numbers are made up, in a range that nobody issues.
"""

from __future__ import annotations

from typing import Any

from emulator import ber
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.paths import ItemPath
from emulator.filesystem.layouts.specs import ApplicationSpec, ItemSpec, Layout
from emulator.filesystem.memory.cells import Cell, CellKey, data_cell
from emulator.messages import _
from emulator.personas import Persona
from emulator.personas.numbers import LENGTH, luhn_check

BANK, STRIPE, ACCOUNT, LISTS = "BANK", "BANK/EF01", "BANK/EF02", "BANK/EF03"
DIRECTORY = "PSE/EF01"
NOBODYS, LONGEST_NUMBER = "9999", 19
CREDIT = bytes.fromhex("02")
"""How the AID of a bank's credit application ends. [S: prog-quickpass, prog-perso-check]"""
DEBIT_SERVICE, CREDIT_SERVICE = "220", "201"
"""Service codes: a debit card asks its issuer, with a PIN; a credit card need not. [1: prog-perso-check]"""
CITIZENS, OTHERS = "00", "05"
"""Kinds of document under 9F62: the identity card, and any other. [P: pboc]"""
TRANSACTIONS, LAST_ONLINE = 0x9F36, 0x9F13


def bank_card_number(serial: bytes, digits: int = LONGEST_NUMBER) -> str:
    """A made-up bank card number: it passes its Luhn digit, but begins with 9999, which is industry 9 (for national
    bodies) and country 999, which ISO 3166 gives to nobody. ``digits``: how many it has, 19 at most.
    """
    free = digits - len(NOBODYS) - 1
    body = f"{NOBODYS}{int.from_bytes(serial, 'big') % 10**free:0{free}}"
    return body + luhn_check(body)


def bank_number_of(layout: Layout, serial: bytes) -> str:
    """The bank card number on a card of a layout: as many digits as its item 5A has room for. Empty without a bank's
    application.
    """
    parts = _parts(layout, ACCOUNT)
    return bank_card_number(serial, min(LONGEST_NUMBER, 2 * parts["5A"].length)) if "5A" in parts else ""


def records(persona: Persona, layout: Layout) -> dict[str, Any]:
    """What the bank's records say that follows from elsewhere: the card's number, track 2 with expiry and service code,
    the service code by the kind of card, the holder's document, and the directory's entry. Where nothing says when the
    card ends there is no track 2. Elements that the layout has not are left out.
    """
    number = bank_number_of(layout, persona.serial)
    if not number:
        return {}
    account = {"5A": number, **_held(persona, ACCOUNT)}
    credit = layout.applications[BANK].dfname.endswith(CREDIT)
    lists = {"5F30": f"0{CREDIT_SERVICE if credit else DEBIT_SERVICE}", **_held(persona, LISTS)}
    service = lists["5F30"][-3:] if lists["5F30"].isdigit() else DEBIT_SERVICE
    track = f"{number}D{account.get('5F24', '')[:4]}{service}"
    track += "F" * (len(track) % 2)
    stripe, holder = [*_records(persona, STRIPE), {}, {}][:2]
    document = persona.values.get("SSSE/EF06", {}).get("08", "")
    own = {"9F61": document, "9F62": CITIZENS if _is_citizens(document) else OTHERS} if document else {}
    records = [{**({"57": track} if account.get("5F24") else {}), **stripe}, {**own, **holder}]
    directory = _records(persona, DIRECTORY)
    if not any(directory):
        directory = [{"61": _listed(layout.applications[BANK])}]
    return {
        f"{path}/70": [{tag: one for tag, one in record.items() if tag in _parts(layout, path)} for record in found]
        for path, found in ((STRIPE, records), (ACCOUNT, [account]), (LISTS, [lists]), (DIRECTORY, directory))
        if path in layout.files
    }


def _listed(app: ApplicationSpec) -> dict[str, str]:
    """An application's entry in the directory: its name, and label and priority as its FCI has them."""
    own = dict(ber.objects(app.proprietary))
    label, priority = own.get(0x50, b"").decode("ascii", "replace"), own.get(0x87, b"").hex()
    return {"4F": app.dfname.hex().upper(), "50": label, **({"87": priority} if priority else {})}


def _parts(layout: Layout, path: str) -> dict[str, ItemSpec]:
    """The elements of a file's template 70, by tag; none where the layout has no such file."""
    found = layout.item(ItemPath(path, "70"))
    return {part.label: part for part in found[1].elements} if found else {}


def _records(persona: Persona, path: str) -> list[dict[str, Any]]:
    """What a persona says of a file's templates 70, one or several."""
    given = persona.values.get(path, {}).get("70", {})
    return list(given) if isinstance(given, list) else [given]


def _held(persona: Persona, path: str) -> dict[str, Any]:
    """The first of them."""
    return (_records(persona, path) or [{}])[0]


def _is_citizens(document: str) -> bool:
    """True for the number of an identity card, not of a permanent residence card or another document."""
    return len(document) == LENGTH and document[:1] in "12345678"


def objects(persona: Persona, layout: Layout) -> dict[CellKey, Cell]:
    """The data objects of applications: the persona's, else those that the log tells, else the layout's.

    ItemError for one that is not as long as the layout's.
    """
    cells: dict[CellKey, Cell] = {}
    for app in layout.applications.values():
        given = {int(tag, 16): bytes.fromhex(value) for tag, value in persona.data.get(app.id, {}).items()}
        for tag, value in {**app.data, **_counted(persona, layout, app), **given}.items():
            if tag not in app.data or not value:
                continue
            if len(value) != len(app.data[tag]):
                raise items.ItemError(
                    _("persona {name}, {place}").format(name=persona.name, place=f"data.{app.id}.{tag:04X}"),
                    _("expected {size} bytes, found {count}").format(size=len(app.data[tag]), count=len(value)),
                )
            cells[data_cell(app.id, tag)] = value
    return cells


def _counted(persona: Persona, layout: Layout, app: ApplicationSpec) -> dict[int, bytes]:
    """The transaction counters of an application, as the newest record of its log has left them; none without one."""
    spec = layout.files.get(f"{app.id}/EF{app.log:02X}") if app.log else None
    records = persona.values.get(spec.path, {}).get("records") if spec else None
    if spec is None or not records:
        return {}
    newest = (one for one, item in zip(records[0], spec.items, strict=False) if item.kind == "number")
    return dict.fromkeys((TRANSACTIONS, LAST_ONLINE), bytes.fromhex(next(newest, "")))
