"""What reading basic information gives."""

from __future__ import annotations

from harness.driver import contents
from harness.driver.formats import joined
from harness.driver.open_card import OpenCard

FIELDS = (
    ("region", "地区代码"),
    ("social security number", "社会保障号码"),
    ("card number", "卡号"),
    ("card identification code", "卡识别码"),
    ("name", "姓名"),
    ("historical bytes", "历史字节"),
    ("version", "规范版本"),
    ("date of issue", "发卡日期"),
    ("valid until", "卡有效期"),
    ("terminal number", "终端机编号"),
    ("device number", "终端设备号"),
)


def information(card: OpenCard, terminal_number: str, device: str) -> str:
    """Region | social security number | card number | identification code | name | historical bytes | version | date of
    issue | valid until | terminal number | device number | [S: reference:terminal Functions]
    """
    read = card.terminal.read
    issued, until = (str(read(f"SSSE/EF05/{tag}")) for tag in ("05", "06"))
    holder = str(read("SSSE/EF06/08"))
    return joined(
        card.terminal.region,
        holder,
        card.number,
        card.identification,
        contents.name(card.terminal),
        card.history,
        card.terminal.version,
        issued,
        until,
        terminal_number,
        device,
    )
