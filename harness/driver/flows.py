"""The functions that work with an encryption machine, each as one flow in steps.

A flow yields what a step gives, and is sent what the next step is given. A card takes one challenge at a time, for one
use, and forgets it with its application [T: part5:6.5.1]: so each of several keys has a step 2 of its own. [D]
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

from emulator.apdu.command import MAC_SIZE, CommandAPDU
from emulator.apdu.instructions.pin import PinChangeUnblock
from emulator.apdu.status import SW
from emulator.crypto.suite import frame
from emulator.messages import _
from emulator.security import PIN, Condition, Right, names_in
from harness.driver import basic, contents, debit
from harness.driver.calls import Arguments, Flow
from harness.driver.codes import Code, DriverError, negated
from harness.driver.failures import READ_KEY
from harness.driver.formats import addresses, fields, hexadecimal, joined, values
from harness.driver.open_card import OpenCard
from harness.driver.pad import Pad
from harness.terminal import account
from harness.terminal.pin import bcd
from harness.terminal.terminal import Unauthorised
from harness.terminal.values import ItemValue

PROOF = 16
"""Bytes of a cryptogram and its data."""
RELOAD, UNBLOCK = PinChangeUnblock.command(b"").header, PinChangeUnblock.command().header
SEALED = {RELOAD: (12, 20), UNBLOCK: (4,)}
"""Bytes that go with these headers: one block of 3DES or SM4, and a MAC."""


def _request(card: OpenCard, *rest: str) -> str:
    """What every request of the machine begins with, and the rest."""
    return joined(card.terminal.region, card.history, card.algorithm, card.identification, *rest)


def _address(card: OpenCard, name: str) -> str:
    """Where the machine has a key; -27272 where that is not known."""
    address = card.terminal.layout.keys[name].hsm
    if not address:
        raise DriverError(
            negated(SW.REFERENCE_NOT_FOUND), _("加密机地址未知 no address of {name} is known").format(name=name)
        )
    return address


def _hex(value: bytes) -> str:
    return value.hex().upper()


# --- reading and writing -------------------------------------------------------------------------------------------


def read_basic(card: OpenCard, device: str) -> Flow:
    """Step 1: region | historical bytes | algorithm | identification code | internal process factor | internal data |
    external process factor | external data | device number | [S: reference:terminal Functions]; the four randoms are
    empty before 3.00.

    Step 2 takes ``internal cryptogram ‖ data | external cryptogram ‖ data |``; -25.
    """
    terminal = card.terminal
    if not card.needs_read_key:
        yield _request(card, "", "", "", "", device)
        return basic.information(card, "", device)
    data, factor = terminal.challenge(), terminal.challenge()
    own = terminal.internal(factor, data)
    outer, last = terminal.challenge(), terminal.challenge()
    (key,) = yield _request(card, *map(_hex, (factor, data, last, outer)), device)
    proofs = [hexadecimal(one, (PROOF,)) for one in fields(key)]
    if len(proofs) != 2:
        raise DriverError(Code.BAD_INPUT, _("pKey: 应为两个字段 expected two fields, each a cryptogram and its data"))
    if proofs[0] != own + data:
        raise DriverError(Code.DIFFERS_FROM_MACHINE)
    terminal.prove(READ_KEY, proofs[1])
    return basic.information(card, "", device)


class _Keys:
    """The keys that a flow needs. Each is a request of the machine: key address | process factor | data | how many keys
    come after it | device number | after what every request begins with. [D]
    """

    def __init__(self, card: OpenCard, jobs: Iterable[tuple[str, tuple[Condition, ...]]], pad: Pad, device: str):
        """``jobs``: applications, and what is asked for there; -2204 where no key is. Asks for the PIN where one is."""
        self._card, self._device = card, device
        missing = card.terminal.missing
        asked = [(application, condition) for application, conditions in jobs for condition in conditions]
        for __, condition in asked:
            if not names_in(condition) and not condition.satisfied(frozenset()):
                raise Unauthorised(_("nobody may do that by such commands"))
        if any(PIN in missing(condition) for __, condition in asked):
            card.verify_pin(pad)
        names = {(application, name) for application, condition in asked for name in missing(condition)}
        self._left = len(names)
        if not names:
            raise DriverError(Code.NO_MACHINE_NEEDED)
        for __, name in names:
            _address(card, name)

    def win(self, application: str, conditions: Iterable[Condition]) -> Generator[str, Arguments, list[Arguments]]:
        """Makes the application current, and wins what is missing there; the arguments of each step 2 that it took."""
        terminal = self._card.terminal
        terminal.enter(application)
        steps = []
        for condition in conditions:
            for name in terminal.missing(condition):
                self._left -= 1
                data, factor = terminal.challenge(), terminal.challenge()
                given = yield _request(
                    self._card,
                    _address(self._card, name),
                    _hex(factor),
                    _hex(data),
                    str(self._left),
                    self._device,
                )
                terminal.prove(name, hexadecimal(given[0], (PROOF,)))
                steps.append(given)
        return steps


def read_items(card: OpenCard, card_info: str, file_addr: str, pad: Pad, device: str) -> Flow:
    """Items under read keys; -2204 where none is needed. Step 2, the last: the items, mirrored."""
    wanted = addresses(file_addr)
    card.is_meant(fields(card_info))
    jobs: list[tuple[str, tuple[Condition, ...]]] = []
    for one in wanted:
        spec = contents.file(card.terminal, one)
        contents.parts(card.terminal, one)
        jobs.append((spec.application, (spec.read,)))
    keys = _Keys(card, jobs, pad, device)
    told: dict[int, list[ItemValue]] = {}
    for at in _order(card, jobs):
        yield from keys.win(*jobs[at])
        told[at] = contents.read(card.terminal, wanted[at])
    return contents.mirrored(card, [(one, told[at]) for at, one in enumerate(wanted)])


def write_items(card: OpenCard, card_info: str, file_addr: str, pad: Pad, device: str) -> Flow:
    """Items under update keys. Every step 2 brings the same data; all are checked before any is written."""
    wanted = addresses(file_addr)
    card.is_meant(fields(card_info))
    card.look_at_expiry()
    terminal = card.terminal
    jobs = [(contents.file(terminal, one).application, contents.to_write(terminal, one)) for one in wanted]
    keys = _Keys(card, jobs, pad, device)
    data: str | None = None
    for at in _order(card, jobs):
        for __, told in (yield from keys.win(*jobs[at])):
            if data is None:
                data = told
                planned = [
                    contents.plan(card, one, given) for one, given in zip(wanted, values(data, wanted), strict=True)
                ]
            elif told != data:
                raise DriverError(Code.BAD_INPUT, _("每次第二步的写入数据应相同 every step 2 brings the same data"))
        for write in planned[at]:
            contents.write(terminal, write)
    return ""


def _order(card: OpenCard, jobs: list[tuple[str, tuple[Condition, ...]]]) -> list[int]:
    """An order in which no application is left and entered again; what needs no key comes last."""
    missing = card.terminal.missing

    def place(at: int) -> tuple[bool, str]:
        application, conditions = jobs[at]
        return not any(map(missing, conditions)), application

    return sorted(range(len(jobs)), key=place)


# --- the PIN -------------------------------------------------------------------------------------------------------


def reload_pin(card: OpenCard, card_info: str, pad: Pad, device: str) -> Flow:
    """Step 1 asks for PUK, step 2 for STK, with the new PIN from the pad; step 3 takes its data and MAC.
    [S: reference:terminal flow 4]
    """
    yield from _unblocking(card, card_info, pad, device)
    new = card.new_pin(pad)
    size = len(frame(bcd(new), card.terminal.suite.block)) + MAC_SIZE
    yield from _sealed(card, RELOAD, size, new, device)
    return ""


def unblock_pin(card: OpenCard, card_info: str, pad: Pad, device: str) -> Flow:
    """Step 1 asks for PUK, step 2 for STK; step 3 takes the MAC. [S: reference:terminal flow 5]"""
    yield from _unblocking(card, card_info, pad, device)
    yield from _sealed(card, UNBLOCK, MAC_SIZE, "", device)
    return ""


def _unblocking(card: OpenCard, card_info: str, pad: Pad, device: str) -> Generator[str, Arguments, None]:
    card.is_meant(fields(card_info))
    card.look_at_expiry()
    pin = card.terminal.layout.pin
    job = pin.application, (Right(pin.unblock_key),)
    yield from _Keys(card, [job], pad, device).win(*job)


def _sealed(card: OpenCard, header: bytes, size: int, pin: str, device: str) -> Generator[str, Arguments, None]:
    """Asks the machine for a command's data and MAC: key address | process factor | header | PIN | device number |.

    It may answer the whole command instead. [S: reference:terminal flow 4]
    """
    terminal = card.terminal
    address = _address(card, terminal.layout.pin.messaging_key)
    head = header + bytes((size,))
    (key,) = yield _request(card, address, _hex(terminal.challenge()), _hex(head), pin, device)
    answer = hexadecimal(key, (*SEALED[header], *(len(head) + one for one in SEALED[header])))
    if len(answer) in SEALED[header]:
        answer = header + bytes((len(answer),)) + answer
    if answer[:4] != header or answer[4] != len(answer) - len(head):
        raise DriverError(Code.BAD_INPUT, _("pKey: 加密机返回的不是所需命令 the machine's command is another one"))
    terminal.exchange(CommandAPDU.parse(answer), "PIN CHANGE/UNBLOCK")


# --- debit ---------------------------------------------------------------------------------------------------------


def do_debit(card: OpenCard, card_info: str, pay_info: str, pad: Pad, number: str, device: str) -> Flow:
    """Step 1: key address | random | card's sequence | self-paid | pooled | time | terminal number | device number |;
    amounts as 8 hex digits. [1: reference:terminal flow 6] the contents, [D] their order. Step 2 takes ``terminal's
    sequence|time|MAC1|``.
    """
    paid = debit.payment(pay_info)
    card.is_meant(fields(card_info))
    debit.ready(card, pad, paid)
    begun = account.begin(card.terminal, paid, number)
    (key,) = yield _request(
        card,
        _address(card, account.purse(card.terminal).debit_key),
        _hex(begun.random),
        _hex(begun.sequence),
        f"{paid.self_paid:08X}",
        f"{paid.pooled:08X}",
        paid.time,
        number,
        device,
    )
    told = fields(key)
    if len(told) != 3:
        raise DriverError(Code.BAD_INPUT, _("pKey: 应为三个字段 expected terminal's sequence, time, MAC1"))
    sequence, mac1 = (hexadecimal(one, (4,)) for one in told[::2])
    return debit.settled(account.debit(card.terminal, begun, sequence, debit.moment(told[1]), mac1))
