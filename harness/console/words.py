"""Words that a person types for one step: those of the vectors, shorter ones for some, and commands in hex."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.paths import ItemPath
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.guess import guess
from emulator.messages import _, deferred
from harness.conformance.models import (
    Action,
    AskPin,
    Authenticate,
    By,
    Challenge,
    ChangePin,
    Given,
    Read,
    Reset,
    Select,
    Tpdu,
    Update,
    VerifyPin,
)

HEX = re.compile("[0-9A-Fa-f: ]+")
SHORTEST = 4
"""Bytes of the shortest command. [P: iso7816-3]"""


class WordError(SscardError, ValueError):
    """A line that is not a step: which word, and what was expected."""

    kind = ErrorKind.INPUT


@dataclass(frozen=True, slots=True)
class Word:
    """``usage``: the word and what may follow it; ``about``: what it does, a ``deferred`` message; ``parse`` makes the
    action of what follows; ``choices`` what may follow on a card of a layout; ``quiet``: nothing that follows it says
    anything of a person, so that a history may keep it.
    """

    usage: str
    about: str
    parse: Callable[[list[str], Layout], Action]
    choices: Callable[[Layout], Iterator[str]] = lambda _layout: iter(())
    quiet: bool = True


def parsed(line: str, layout: Layout, application: str = "") -> Action:
    """The action that a line means on a card of this layout; WordError. ``application``: the current one, in which
    paths of items begin that name none.
    """
    raw = command_of(line)
    if raw is not None:
        return Tpdu(raw.hex().upper())
    name, *rest = line.split()
    word = WORDS.get(name.lower())
    if word is None:
        raise WordError(
            _("unknown word {name!r}{guess}: `help` lists them; commands are in hex").format(
                name=name, guess=guess(name, WORDS)
            )
        )
    if word in PATHS and rest:
        rest[0] = str(item_path(rest[0], layout, application))
    return word.parse(rest, layout)


def command_of(line: str) -> bytes | None:
    """The command that a line states in hex, with spaces and colons or without; None for a line that is a word."""
    digits = line.replace(":", "").replace(" ", "")
    if not HEX.fullmatch(line) or len(digits) < 2 * SHORTEST or len(digits) % 2:
        return None
    return bytes.fromhex(digits)


def item_path(text: str, layout: Layout, application: str) -> ItemPath:
    """An item's path: ``SSSE/EF06/09``, or ``EF06/09`` in the current application, else in SSSE. WordError."""
    told = text.upper() if text.count("/") > 1 else f"{application or HOME}/{text.upper()}"
    path = ItemPath.parse(told)
    if layout.item(path) is None:
        known = list(_items(layout))
        raise WordError(
            _("layout {name} has no item {path!r}{guess}; they look like SSSE/EF06/09").format(
                name=layout.name, path=told, guess=guess(told, known)
            )
        )
    return path


HOME = "SSSE"


# --- what follows a word ---------------------------------------------------------------------------------------------


def _nothing(action: Callable[[], Action]) -> Callable[[list[str], Layout], Action]:
    def parse(rest: list[str], layout: Layout) -> Action:
        del layout
        _end(rest)
        return action()

    return parse


def _end(rest: list[str]) -> None:
    if rest:
        raise WordError(_("nothing was expected after it, found {rest!r}").format(rest=" ".join(rest)))


def _one(rest: list[str], what: str) -> str:
    if not rest:
        raise WordError(_("expected {what}").format(what=_(what)))
    return rest.pop(0)


def _named(name: str, known: Mapping[str, object], what: str) -> str:
    """A name of the layout's, in whatever case it was typed."""
    found = {one.upper(): one for one in known}.get(name.upper())
    if found is None:
        raise WordError(
            _("{what} {name!r} is not of this card's layout{guess}").format(
                what=_(what), name=name, guess=guess(name.upper(), list(known))
            )
        )
    return found


def _select(rest: list[str], layout: Layout) -> Action:
    name = _named(_one(rest, deferred("an application")), layout.applications, deferred("application"))
    _end(rest)
    return Select(name)


def _authenticate(rest: list[str], layout: Layout) -> Action:
    name = _named(_one(rest, deferred("a key")), layout.keys, deferred("key"))
    version = _number(rest.pop(0), 1, 3) if rest else None
    _end(rest)
    return Authenticate(name, version)


def _number(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise WordError(
            _("expected a number from {least} to {most}, found {text!r}").format(least=least, most=most, text=text)
        )
    return int(text)


def _challenge(rest: list[str], layout: Layout) -> Action:
    del layout
    told = rest.pop(0) if rest else "8"
    _end(rest)
    match told:
        case "4":
            return Challenge(4)
        case "8":
            return Challenge(8)
        case "16":
            return Challenge(16)
    raise WordError(_("expected 4, 8 or 16 bytes, found {told!r}").format(told=told))


def _verify(rest: list[str], layout: Layout) -> Action:
    del layout
    which = rest.pop(0) if rest else Given.RIGHT.value
    if which not in tuple(Given):
        # Not quoted: it may be a PIN.
        raise WordError(_("expected nothing or `wrong`: a PIN is asked for and never typed here"))
    _end(rest)
    return VerifyPin(Given(which))


def _read(rest: list[str], layout: Layout) -> Action:
    del layout
    path = ItemPath.parse(_one(rest, deferred("an item")))
    by = By.TAG
    if rest[:1] == [By.NUMBER]:
        by = By(rest.pop(0))
    _end(rest)
    return Read(path, by)


def _update(rest: list[str], layout: Layout) -> Action:
    del layout
    path = ItemPath.parse(_one(rest, deferred("an item")))
    return Update(item=path, value=" ".join(rest) if rest else None, same=None)


def _items(layout: Layout) -> Iterator[str]:
    for file in layout.files.values():
        if file.structure is Structure.RECORDS:
            for item in file.items:
                yield f"{file.path}/{item.label}"


def _words() -> dict[str, Word]:
    """Every word by its names."""
    found = {
        ("reset",): Word(
            "reset", deferred("reset the card: selection and rights are gone"), _nothing(lambda: Reset(True))
        ),
        ("select",): Word(
            "select NAME", deferred("select an application"), _select, lambda layout: iter(layout.applications)
        ),
        ("auth", "authenticate"): Word(
            "auth KEY [VERSION]",
            deferred("prove a key by EXTERNAL AUTHENTICATION, from --keys"),
            _authenticate,
            lambda layout: iter(layout.keys),
        ),
        ("verify", "verify_pin"): Word(
            "verify [wrong]", deferred("verify the PIN, which is asked for unless --pin says it"), _verify
        ),
        ("tries", "ask_pin"): Word(
            "tries", deferred("ask how many tries the PIN has left; costs none"), _nothing(lambda: AskPin(True))
        ),
        ("change_pin",): Word(
            "change_pin",
            deferred("change the PIN to one that is asked for"),
            _nothing(lambda: ChangePin(old=Given.RIGHT, new="")),
        ),
        ("challenge",): Word("challenge [4|8|16]", deferred("GET CHALLENGE, of 8 bytes"), _challenge),
        ("read",): Word(
            "read ITEM [number]", deferred("read an item by its tag, or by its record's number"), _read, _items
        ),
        ("update",): Word(
            "update ITEM [VALUE]",
            deferred("write an item; without a value it is filled as an empty one"),
            _update,
            _items,
            quiet=False,
        ),
    }
    return {name: word for names, word in found.items() for name in names}


WORDS = _words()
PATHS = (WORDS["read"], WORDS["update"])


def quiet(line: str) -> bool:
    """Whether a history may keep a line: it says nothing of a person, a PIN or a key."""
    word = WORDS.get(line.split()[0].lower()) if line.split() else None
    return word is not None and word.quiet


def completions(before: list[str], begun: str, layout: Layout) -> list[str]:
    """What may stand after these words of a line and begins so, whatever the case."""
    if not before:
        known: Iterator[str] = iter([word.usage.split()[0] for word in dict.fromkeys(WORDS.values())])
    else:
        word = WORDS.get(before[0].lower())
        known = word.choices(layout) if word is not None and len(before) == 1 else iter(())
    found = [one for one in known if one.lower().startswith(begun.lower())]
    if before and before[0].lower() in ("read", "update") and not found:
        found = [
            one.partition("/")[2] for one in _items(layout) if one.partition("/")[2].lower().startswith(begun.lower())
        ]
    return list(dict.fromkeys(found))
