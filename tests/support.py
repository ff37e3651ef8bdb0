"""What tests share: a card at hand, commands in hex, and the terminal's side of a proof."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import personas
from emulator.chip import Chip
from emulator.crypto import suite
from emulator.crypto.keys import card_key, test_root
from emulator.filesystem import layout as layouts
from emulator.filesystem.memory import tries_cell
from emulator.personas.issue import issue
from emulator.security import PIN

SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
DF = {
    f"DF0{n}": f"00A4040006D156000005{aid}"
    for n, aid in zip("1234567", ("00", "01", "02", "03", "05", "06", "04"), strict=True)
}
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

    def process_key(self, name: str, size: int = 8) -> bytes:
        """Asks for a challenge and makes the key of one use from it."""
        image = self.chip.image
        challenge = bytes.fromhex(self.ok(f"00840000{size:02X}"))
        algorithms = suite(image.algorithm)
        region = image.memory.records("SSSE/EF05")[0][2:5].hex()
        key = card_key(algorithms, test_root(name), region, image.chip_factor, image.layout.keys[name].levels)
        return algorithms.process_key(key, challenge)

    def proof(self, name: str, data: str = "0011223344556677", size: int = 8) -> str:
        """EXTERNAL AUTHENTICATION with a right cryptogram, as a command."""
        process_key = self.process_key(name, size)
        cryptogram = suite(self.chip.image.algorithm).cryptogram(process_key, bytes.fromhex(data))
        return f"008200{self.chip.image.layout.keys[name].id:02X}10{cryptogram.hex()}{data}"

    def authenticate(self, name: str) -> str:
        """Status word of a right EXTERNAL AUTHENTICATION."""
        return self.sw(self.proof(name))

    def reload(self, pin: str | None, wrong: int = 0) -> str:
        """PIN CHANGE/UNBLOCK as a command; ``wrong`` is XORed into the MAC."""
        algorithms = suite(self.chip.image.algorithm)
        process_key = self.process_key("STK")
        body = b"" if pin is None else algorithms.encipher(process_key, bytes.fromhex(pin))
        header = bytes((0x84, 0x24, 0x00, 0x00 if pin is None else 0x01, len(body) + 4))
        mac = algorithms.mac(process_key, header + body)
        return (header + body + mac[:3] + bytes((mac[3] ^ wrong,))).hex()

    def tries(self, name: str = PIN) -> int:
        """Tries left, from the memory."""
        return self.chip.image.memory.counter(tries_cell(name))


def new_card(layout: str = "3.00", algorithm: str = "3des", persona: str = personas.DEFAULT) -> Card:
    """A fresh card, powered."""
    chip = Chip(issue(personas.load(persona), layouts.load(layout), algorithm))
    chip.power_on()
    return Card(chip)
