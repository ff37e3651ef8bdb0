"""What tests share: a card at hand, commands in hex, and the terminal's side of a proof."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.crypto import Suite, suite
from emulator.crypto.keys import card_key, pin_key, test_root
from emulator.filesystem.layouts.terms import KeyUse
from emulator.filesystem.memory.cells import tries_cell
from emulator.interface import Interface
from emulator.security import PIN

SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
DF = {
    f"DF0{n}": f"00A4040006D156000005{aid}"
    for n, aid in zip("1234567", ("00", "01", "02", "03", "05", "06", "04"), strict=True)
}
HOME = DF | {
    "MF": "00A40000023F00",
    "SSSE": SSSE,
    "PSE": "00A404000E315041592E5359532E4444463031",
    "PPSE": "00A404000E325041592E5359532E4444463031",
    "BANK": "00A4040008A000000333010101",
    "PKI": "00A404000C504B492EC9E7BBE1B1A3D5CF",
    "CERT": "00A404000C53532E434552542E41444631",
}
"""How each application of a user card is selected, PPSE in a field alone."""
VERIFY = "0020000003123456"
WRONG_PIN = "0020000003999999"


@dataclass
class Card:
    """A powered chip with shorthands."""

    chip: Chip

    def send(self, command: str) -> str:
        """Hex to hex."""
        return self.chip.transmit(bytes.fromhex(command)).hex().upper()

    def sw(self, command: str) -> str:
        """The status word alone."""
        return self.send(command)[-4:]

    def ok(self, *commands: str) -> str:
        """All must answer 9000 or 61xx; the last one's data."""
        answer = ""
        for command in commands:
            answer = self.send(command)
            assert answer[-4:] == "9000" or answer[-4:-2] == "61", f"{command}: {answer}"
        return answer[:-4]

    @property
    def suite(self) -> Suite:
        """The card's algorithms."""
        return suite(self.chip.image.algorithm)

    def key(self, name: str, version: int = 1) -> bytes:
        """A card key as the terminal's side derives it."""
        key, factor = self.chip.image.layout.keys[name], self.chip.image.chip_factor
        if key.pin:
            return pin_key(key.pin, text=key.use is not KeyUse.PIN)
        algorithms = suite("sm4") if key.application == "CERT" else self.suite
        return card_key(algorithms, test_root(name, version), "510100", factor, key.levels)

    def process_key(self, name: str, size: int = 8, version: int = 1) -> bytes:
        """Asks for a challenge and makes the key of one use from it."""
        challenge = bytes.fromhex(self.ok(f"00840000{size:02X}"))
        return self.suite.process_key(self.key(name, version), challenge)

    def sealed(self, header: str, data: str, name: str, *, cipher: bool = False, wrong: int = 0) -> str:
        """A command under secure messaging as SSSE does it; ``wrong`` is XORed into the MAC."""
        process_key = self.process_key(name)
        body = bytes.fromhex(data)
        if cipher:
            body = self.suite.encipher(process_key, body)
        head = bytes.fromhex(header) + bytes((len(body) + 4,))
        mac = self.suite.mac(process_key, head + body)
        return (head + body + mac[:3] + bytes((mac[3] ^ wrong,))).hex().upper()

    def proof(self, name: str, data: str = "0011223344556677", size: int = 8, version: int = 1) -> str:
        """EXTERNAL AUTHENTICATION with a right cryptogram, as a command."""
        key = self.chip.image.layout.keys[name]
        if key.application == "CERT":
            challenge = bytes.fromhex(self.ok("0084000010"))
            header = "002001" if key.use is KeyUse.PIN else "008200"
            return f"{header}{key.id:02X}10{suite('sm4').crypt(self.key(name), challenge).hex()}"
        process_key = self.process_key(name, size, version)
        cryptogram = self.suite.cryptogram(process_key, bytes.fromhex(data))
        return f"008200{key.id:02X}10{cryptogram.hex()}{data}"

    def authenticate(self, name: str) -> str:
        """Status word of a right EXTERNAL AUTHENTICATION."""
        return self.sw(self.proof(name))

    def reload(self, pin: str | None, wrong: int = 0) -> str:
        """PIN CHANGE/UNBLOCK as a command; ``wrong`` is XORed into the MAC."""
        if pin is None:
            return self.sealed("84240000", "", "STK", wrong=wrong)
        return self.sealed("84240001", pin, "STK", cipher=True, wrong=wrong)

    def tries(self, name: str = PIN) -> int:
        """Tries left, from the memory."""
        return self.chip.image.memory.counter(tries_cell(name))


def new_card(
    layout: str = "3.00",
    algorithm: str = "3des",
    persona: str = personas.DEFAULT,
    interface: Interface = Interface.CONTACT,
) -> Card:
    """A fresh card, powered."""
    chip = Chip(catalogue.card(persona, layout, algorithm), interface=interface)
    chip.power_on()
    return Card(chip)
