"""A back end: it takes what a step of the library gives to the encryption machine, and the answer to the next step."""

from __future__ import annotations

from collections.abc import Callable

from emulator.apdu.status import SW, describe
from harness.driver.calls import Answer
from harness.driver.codes import negated
from harness.driver.formats import fields, joined
from harness.driver.library import SSCardDriver
from harness.hsm.machine import Card, Machine

HEAD = 4
"""Fields that every request begins with: region, historical bytes, algorithm, identification code."""


class BackEnd:
    """Runs the library's functions in steps from first to last, with a machine. ``sequence``: of its next debit."""

    def __init__(self, driver: SSCardDriver, machine: Machine, *, sequence: int = 1) -> None:
        self._driver, self._machine = driver, machine
        self._sequence = sequence

    def basic(self, kind: int) -> Answer:
        """Does what iReadCardBas does, with the machine between its steps."""
        code, told = self._driver.iReadCardBas_HSM_Step1(kind)
        if code:
            return code, told
        *request, device = fields(told)
        # Cards before 3.00 give no randoms, and need no machine.
        key = self._machine.basic(joined(*request, device)) if request[HEAD] else ""
        return self._driver.iReadCardBas_HSM_Step2(key)

    def read(self, kind: int, card_info: str, file_addr: str) -> Answer:
        """Does what iReadCard does, with the machine between its steps."""
        first = self._driver.iReadCard_HSM_Step1(kind, card_info, file_addr)
        return self.keys(first, self._driver.iReadCard_HSM_Step2)

    def write(self, kind: int, card_info: str, file_addr: str, data: str) -> Answer:
        """Does what iWriteCard does, with the machine between its steps."""
        first = self._driver.iWriteCard_HSM_Step1(kind, card_info, file_addr)
        return self.keys(first, lambda key: self._driver.iWriteCard_HSM_Step2(key, data))

    def reload_pin(self, kind: int, card_info: str) -> Answer:
        """Does what iReloadPIN does, with the machine between its steps."""
        first = self._driver.iReloadPIN_HSM_Step1(kind, card_info)
        return self._sealed(self.keys(first, self._driver.iReloadPIN_HSM_Step2), self._driver.iReloadPIN_HSM_Step3)

    def unblock_pin(self, kind: int, card_info: str) -> Answer:
        """Does what iUnblockPIN does, with the machine between its steps."""
        first = self._driver.iUnblockPIN_HSM_Step1(kind, card_info)
        return self._sealed(self.keys(first, self._driver.iUnblockPIN_HSM_Step2), self._driver.iUnblockPIN_HSM_Step3)

    def debit(self, kind: int, card_info: str, pay_info: str) -> Answer:
        """iDoDebit; the card's MAC2 is held against the machine's: -37634."""
        code, told = self._driver.iDoDebit_HSM_Step1(kind, card_info, pay_info)
        if code:
            return code, told
        *head, address, random, sequence, own, pooled, time, terminal, _ = fields(told)
        own_sequence = f"{self._sequence % 2**32:08X}"
        self._sequence += 1
        asked = (address, self._card(head), random, sequence, own, pooled, time, terminal, own_sequence)
        mac1 = self._machine.debit(*asked)
        code, told = self._driver.iDoDebit_HSM_Step2(joined(own_sequence, time, mac1))
        if not code and not self._machine.debit_proof(*asked, fields(told)[-1]):
            return negated(SW.MAC_INVALID), "MAC2: {1} {0}".format(*describe(SW.MAC_INVALID))
        return code, told

    def _card(self, head: list[str]) -> Card:
        return self._machine.card(*head[:3])

    def keys(self, answer: Answer, step: Callable[[str], Answer]) -> Answer:
        """Answers requests for keys until none is left: what the step for the last one gave."""
        code, told = answer
        left = 1
        while not code and left:
            *head, address, factor, data, more, _ = fields(told)
            left = int(more)
            code, told = step(self._machine.external(address, self._card(head), factor, data))
        return code, told

    def _sealed(self, answer: Answer, step: Callable[[str], Answer]) -> Answer:
        code, told = answer
        if code:
            return code, told
        *head, address, factor, header, pin, _ = fields(told)
        return step(self._machine.pin(address, self._card(head), factor, header, pin))
