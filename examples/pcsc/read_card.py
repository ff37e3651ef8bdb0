"""Reads a social security card through PC/SC, by pyscard: the card number, then, after the PIN, the registered address.

pip install pyscard
CARD_PIN=123456 python read_card.py [READER]

123456, also without CARD_PIN, is the PIN of the virtual test card; a real cardholder enters their own.
The exit code is 0 when all was read, else 1 with the reason on stderr.
"""

from __future__ import annotations

import os
import sys

from smartcard.CardConnection import CardConnection
from smartcard.Exceptions import CardConnectionException, NoCardException
from smartcard.pcsc.PCSCExceptions import BaseSCardException
from smartcard.scard import SCARD_UNPOWER_CARD
from smartcard.System import readers

ENVIRONMENT = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
"""The name of the social security environment (SSSE): sx1.sh.社会保障, the last part in GBK."""
PUBLIC_DATA = bytes.fromhex("D15600000500")
"""The name of the area of public data (DF01)."""
EF05 = 0x05
CARD_NUMBER, ADDRESS = 0x07, 0x21
TEST_PIN = "123456"


class Failed(Exception):
    """The card was not read; the text says why."""


def connected(wanted: str) -> CardConnection:
    """The card in that reader, or in the first that has one."""
    found = [reader for reader in readers() if wanted in ("", reader.name)]
    for reader in found:
        connection: CardConnection = reader.createConnection()
        try:
            connection.connect(CardConnection.T0_protocol, disposition=SCARD_UNPOWER_CARD)
        except NoCardException:
            continue
        print(f"reader 读卡器: {reader.name}")
        return connection
    raise Failed("no card in a reader 读卡器中没有卡" if found else "no such reader 没有这个读卡器")


def send(card: CardConnection, command: bytes) -> tuple[bytes, int]:
    """The answer's data and status word. T=0: 6Cxx says which length is right, 61xx how much waits to be fetched.

    That is fetched once, as no answer here is longer.
    """
    data, sw1, sw2 = card.transmit(list(command))
    if sw1 == 0x6C:
        data, sw1, sw2 = card.transmit([*command[:4], sw2])
    if sw1 == 0x61:
        more, sw1, sw2 = card.transmit([0x00, 0xC0, 0x00, 0x00, sw2])
        data += more
    return bytes(data), sw1 << 8 | sw2


def done(card: CardConnection, doing: str, command: bytes) -> bytes:
    """The data of an answer that must be 9000."""
    data, sw = send(card, command)
    if sw != 0x9000:
        raise Failed(f"{doing}: {sw:04X}")
    return data


def select(card: CardConnection, doing: str, name: bytes) -> None:
    """SELECT by name."""
    done(card, doing, bytes((0x00, 0xA4, 0x04, 0x00, len(name))) + name)


def item(card: CardConnection, doing: str, file: int, tag: int) -> str:
    """READ RECORD by its tag: tag, length, value; the value is GBK, filled up with 00."""
    record = done(card, doing, bytes((0x00, 0xB2, tag, file << 3, 0x00)))
    if len(record) < 2 or record[0] != tag or record[1] != len(record) - 2:
        raise Failed(f"{doing}: a record that is none 记录格式错误")
    return record[2:].rstrip(b"\0").decode("gb18030")


def verify(card: CardConnection, pin: str) -> None:
    """VERIFY, once, after its tries were asked for; the last one is the cardholder's to use."""
    doing = "PIN 密码"
    _, sw = send(card, bytes.fromhex("0020000000"))
    if sw >> 4 != 0x63C:
        raise Failed(f"{doing}: {sw:04X}")
    print(f"PIN tries left 密码剩余次数: {sw & 0x0F}")
    if sw & 0x0F < 2:
        raise Failed(f"{doing}: not tried, too few tries left 剩余次数不足，未验证")
    digits = bytes.fromhex(pin + "F" * (len(pin) % 2))
    _, sw = send(card, bytes((0x00, 0x20, 0x00, 0x00, len(digits))) + digits)
    if sw >> 4 == 0x63C:
        raise Failed(f"{doing}: wrong, {sw & 0x0F} tries left 错误，剩余{sw & 0x0F}次")
    if sw != 0x9000:
        raise Failed(f"{doing}: {sw:04X}")


def read(wanted: str, pin: str) -> None:
    """All of the conversation; the card is without power afterwards, whatever happened."""
    if not (4 <= len(pin) <= 16 and pin.isascii() and pin.isdigit()):
        raise Failed("CARD_PIN: 4 to 16 digits 4至16位数字")
    card = connected(wanted)
    try:
        select(card, "environment 社会保障系统环境", ENVIRONMENT)
        print("card number 卡号:", item(card, "card number 卡号", EF05, CARD_NUMBER))
        verify(card, pin)
        select(card, "public data 公共应用信息区", PUBLIC_DATA)
        print("registered address 户口所在地地址:", item(card, "registered address 户口所在地地址", EF05, ADDRESS))
    finally:
        card.disconnect()
        card.release()


def main() -> int:
    """The exit code."""
    try:
        read("".join(sys.argv[1:2]), os.environ.get("CARD_PIN", TEST_PIN))
    except (Failed, CardConnectionException, BaseSCardException) as failed:
        print(f"read_card: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
