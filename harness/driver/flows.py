"""The functions that work with an encryption machine, each as one flow in steps.

A flow yields what a step gives, and is sent what the next step is given. A card takes one challenge at a time, for one
use, and forgets it with its application [T: part5:6.5.1]: so each of several keys has a step 2 of its own. [D]
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.pin import PinChangeUnblock
from emulator.apdu.status import SW
from emulator.crypto.suite import frame
from emulator.security import PIN, Condition, Right, names_in
from harness.driver import basic, contents, debit
from harness.driver.calls import Arguments, Flow
from harness.driver.codes import Code, DriverError, negated
from harness.driver.failures import READ_KEY
from harness.driver.formats import addresses, fields, hexadecimal, joined, values
from harness.driver.pad import Pad
from harness.driver.session import Session
from harness.keys.sealing import MAC_SIZE
from harness.terminal import account
from harness.terminal.pin import bcd
from harness.terminal.terminal import ItemValue, Unauthorised

PROOF = 16
"""Bytes of a cryptogram and its data."""
RELOAD, UNBLOCK = PinChangeUnblock.command(b"").header, PinChangeUnblock.command().header
SEALED = {RELOAD: (12, 20), UNBLOCK: (4,)}
"""Bytes that go with these headers: one block of 3DES or SM4, and a MAC."""


def _request(session: Session, *rest: str) -> str:
    """What every request of the machine begins with, and the rest."""
    return joined(session.terminal.region, session.history, session.algorithm, session.identification, *rest)


def _address(session: Session, name: str) -> str:
    """Where the machine has a key; -27272 where that is not known."""
    address = session.terminal.layout.keys[name].hsm
    if not address:
        raise DriverError(negated(SW.REFERENCE_NOT_FOUND), f"加密机地址未知 no address of {name} is known")
    return address


def _hex(value: bytes) -> str:
    return value.hex().upper()


# --- reading and writing -------------------------------------------------------------------------------------------


def read_basic(session: Session, device: str) -> Flow:
    """Step 1: region | historical bytes | algorithm | identification code | internal process factor | internal data |
    external process factor | external data | device number | [S: reference:terminal Functions]; the four randoms are
    empty before 3.00.

    Step 2 takes ``internal cryptogram ‖ data | external cryptogram ‖ data |``; -25.
    """
    terminal = session.terminal
    if not session.needs_read_key:
        yield _request(session, "", "", "", "", device)
        return basic.information(session, "", device)
    data, factor = terminal.challenge(), terminal.challenge()
    own = terminal.internal(factor, data)
    outer, last = terminal.challenge(), terminal.challenge()
    (key,) = yield _request(session, *map(_hex, (factor, data, last, outer)), device)
    proofs = [hexadecimal(one, (PROOF,)) for one in fields(key)]
    if len(proofs) != 2:
        raise DriverError(Code.BAD_INPUT, "pKey: 应为两个字段 expected two fields, each a cryptogram and its data")
    if proofs[0] != own + data:
        raise DriverError(Code.DIFFERS_FROM_MACHINE)
    terminal.prove(READ_KEY, proofs[1])
    return basic.information(session, "", device)


class _Keys:
    """The keys that a flow needs. Each is a request of the machine: key address | process factor | data | how many keys
    come after it | device number | after what every request begins with. [D]
    """

    def __init__(self, session: Session, jobs: Iterable[tuple[str, tuple[Condition, ...]]], pad: Pad, device: str):
        """``jobs``: applications, and what is asked for there; -2204 where no key is. Asks for the PIN where one is."""
        self._session, self._device = session, device
        missing = session.terminal.missing
        asked = [(application, condition) for application, conditions in jobs for condition in conditions]
        for _, condition in asked:
            if not names_in(condition) and not condition.satisfied(frozenset()):
                raise Unauthorised("nobody may do that by such commands")
        if any(PIN in missing(condition) for _, condition in asked):
            session.verify_pin(pad)
        names = {(application, name) for application, condition in asked for name in missing(condition)}
        self._left = len(names)
        if not names:
            raise DriverError(Code.NO_MACHINE_NEEDED)
        for _, name in names:
            _address(session, name)

    def win(self, application: str, conditions: Iterable[Condition]) -> Generator[str, Arguments, list[Arguments]]:
        """Makes the application current, and wins what is missing there; the arguments of each step 2 that it took."""
        terminal = self._session.terminal
        terminal.enter(application)
        steps = []
        for condition in conditions:
            for name in terminal.missing(condition):
                self._left -= 1
                data, factor = terminal.challenge(), terminal.challenge()
                given = yield _request(
                    self._session,
                    _address(self._session, name),
                    _hex(factor),
                    _hex(data),
                    str(self._left),
                    self._device,
                )
                terminal.prove(name, hexadecimal(given[0], (PROOF,)))
                steps.append(given)
        return steps


def read_items(session: Session, card_info: str, file_addr: str, pad: Pad, device: str) -> Flow:
    """Items under read keys; -2204 where none is needed. Step 2, the last: the items, mirrored."""
    wanted = addresses(file_addr)
    session.is_meant(fields(card_info))
    jobs: list[tuple[str, tuple[Condition, ...]]] = []
    for one in wanted:
        spec = contents.file(session.terminal, one)
        contents.parts(session.terminal, one)
        jobs.append((spec.application, (spec.read,)))
    keys = _Keys(session, jobs, pad, device)
    told: dict[int, list[ItemValue]] = {}
    for at in _order(session, jobs):
        yield from keys.win(*jobs[at])
        told[at] = contents.read(session.terminal, wanted[at])
    return contents.mirrored(session, [(one, told[at]) for at, one in enumerate(wanted)])


def write_items(session: Session, card_info: str, file_addr: str, pad: Pad, device: str) -> Flow:
    """Items under update keys. Every step 2 brings the same data; all are checked before any is written."""
    wanted = addresses(file_addr)
    session.is_meant(fields(card_info))
    session.look_at_expiry()
    terminal = session.terminal
    jobs = [(contents.file(terminal, one).application, contents.to_write(terminal, one)) for one in wanted]
    keys = _Keys(session, jobs, pad, device)
    data: str | None = None
    for at in _order(session, jobs):
        for _, told in (yield from keys.win(*jobs[at])):
            if data is None:
                data = told
                planned = [
                    contents.plan(session, one, given) for one, given in zip(wanted, values(data, wanted), strict=True)
                ]
            elif told != data:
                raise DriverError(Code.BAD_INPUT, "每次第二步的写入数据应相同 every step 2 brings the same data")
        for write in planned[at]:
            contents.write(terminal, write)
    return ""


def _order(session: Session, jobs: list[tuple[str, tuple[Condition, ...]]]) -> list[int]:
    """An order in which no application is left and entered again; what needs no key comes last."""
    missing = session.terminal.missing

    def place(at: int) -> tuple[bool, str]:
        application, conditions = jobs[at]
        return not any(map(missing, conditions)), application

    return sorted(range(len(jobs)), key=place)


# --- the PIN -------------------------------------------------------------------------------------------------------


def reload_pin(session: Session, card_info: str, pad: Pad, device: str) -> Flow:
    """Step 1 asks for PUK, step 2 for STK, with the new PIN from the pad; step 3 takes its data and MAC.
    [S: reference:terminal flow 4]
    """
    yield from _unblocking(session, card_info, pad, device)
    new = session.new_pin(pad)
    size = len(frame(bcd(new), session.terminal.suite.block)) + MAC_SIZE
    yield from _sealed(session, RELOAD, size, new, device)
    return ""


def unblock_pin(session: Session, card_info: str, pad: Pad, device: str) -> Flow:
    """Step 1 asks for PUK, step 2 for STK; step 3 takes the MAC. [S: reference:terminal flow 5]"""
    yield from _unblocking(session, card_info, pad, device)
    yield from _sealed(session, UNBLOCK, MAC_SIZE, "", device)
    return ""


def _unblocking(session: Session, card_info: str, pad: Pad, device: str) -> Generator[str, Arguments, None]:
    session.is_meant(fields(card_info))
    session.look_at_expiry()
    pin = session.terminal.layout.pin
    job = pin.application, (Right(pin.unblock_key),)
    yield from _Keys(session, [job], pad, device).win(*job)


def _sealed(session: Session, header: bytes, size: int, pin: str, device: str) -> Generator[str, Arguments, None]:
    """Asks the machine for a command's data and MAC: key address | process factor | header | PIN | device number |.

    It may answer the whole command instead. [S: reference:terminal flow 4]
    """
    terminal = session.terminal
    address = _address(session, terminal.layout.pin.messaging_key)
    head = header + bytes((size,))
    (key,) = yield _request(session, address, _hex(terminal.challenge()), _hex(head), pin, device)
    answer = hexadecimal(key, (*SEALED[header], *(len(head) + one for one in SEALED[header])))
    if len(answer) in SEALED[header]:
        answer = header + bytes((len(answer),)) + answer
    if answer[:4] != header or answer[4] != len(answer) - len(head):
        raise DriverError(Code.BAD_INPUT, "pKey: 加密机返回的不是所需命令 the machine's command is another one")
    terminal.exchange(CommandAPDU.parse(answer), "PIN CHANGE/UNBLOCK")


# --- debit ---------------------------------------------------------------------------------------------------------


def do_debit(session: Session, card_info: str, pay_info: str, pad: Pad, number: str, device: str) -> Flow:
    """Step 1: key address | random | card's sequence | self-paid | pooled | time | terminal number | device number |;
    amounts as 8 hex digits. [1: reference:terminal flow 6] the contents, [D] their order. Step 2 takes ``terminal's
    sequence|time|MAC1|``.
    """
    paid = debit.payment(pay_info)
    session.is_meant(fields(card_info))
    debit.ready(session, pad, paid)
    begun = account.begin(session.terminal, paid, number)
    (key,) = yield _request(
        session,
        _address(session, account.purse(session.terminal).debit_key),
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
        raise DriverError(Code.BAD_INPUT, "pKey: 应为三个字段 expected terminal's sequence, time, MAC1")
    sequence, mac1 = (hexadecimal(one, (4,)) for one in told[::2])
    return debit.settled(account.debit(session.terminal, begun, sequence, debit.moment(told[1]), mac1))
