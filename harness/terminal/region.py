"""Moving the insurance region (参保地) in the card: article 24 of the Measures asks for it, within the province.

The chip groups nothing: each item is written for good when it is written. That all move or none is done here.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.filesystem.layouts.codes import Words
from emulator.filesystem.layouts.specs import RegionBinding
from emulator.messages import _
from harness.keys.access import TerminalError
from harness.terminal.terminal import Terminal

PROVINCE = "519900"
SICHUAN = {
    "510100": Words("成都市", "Chengdu"),
    "510300": Words("自贡市", "Zigong"),
    "510400": Words("攀枝花市", "Panzhihua"),
    "510500": Words("泸州市", "Luzhou"),
    "510600": Words("德阳市", "Deyang"),
    "510700": Words("绵阳市", "Mianyang"),
    "510800": Words("广元市", "Guangyuan"),
    "510900": Words("遂宁市", "Suining"),
    "511000": Words("内江市", "Neijiang"),
    "511100": Words("乐山市", "Leshan"),
    "511300": Words("南充市", "Nanchong"),
    "511400": Words("眉山市", "Meishan"),
    "511500": Words("宜宾市", "Yibin"),
    "511600": Words("广安市", "Guang'an"),
    "511700": Words("达州市", "Dazhou"),
    "511800": Words("雅安市", "Ya'an"),
    "511900": Words("巴中市", "Bazhong"),
    "512000": Words("资阳市", "Ziyang"),
    "513200": Words("阿坝藏族羌族自治州", "Aba"),
    "513300": Words("甘孜藏族自治州", "Garze"),
    "513400": Words("凉山彝族自治州", "Liangshan"),
    PROVINCE: Words("四川省省本级", "the province itself"),
}
"""The prefectures of Sichuan by GB/T 2260, and the code that who is insured with the province itself has."""


@dataclass(frozen=True, slots=True)
class Region:
    """The region of one insurance that the card holds."""

    binding: RegionBinding
    code: str


def check_code(code: str) -> None:
    """TerminalError unless six digits; in Sichuan the prefecture must exist."""
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise TerminalError(_("a region has six digits (GB/T 2260), found {code!r}").format(code=code))
    if code[:2] == "51" and (code[:4] + "00" not in SICHUAN or (code[:4] == PROVINCE[:4] and code != PROVINCE)):
        raise TerminalError(_("GB/T 2260 has no prefecture {code}00 in Sichuan").format(code=code[:4]))


def name(code: str) -> str:
    """What the prefecture of a region is called; empty outside Sichuan."""
    return str(SICHUAN.get(code[:4] + "00", ""))


def read(terminal: Terminal) -> list[Region]:
    """The regions of the insurances that this card holds, in the layout's order."""
    found = []
    for binding in terminal.layout.insurance_region:
        code = terminal.read_if_there(binding.item)
        if code is not None:
            found.append(Region(binding, str(code)))
    return found


def move(terminal: Terminal, code: str, origin: str) -> list[Region]:
    """Moves every insurance from ``origin`` to ``code``, reads back, and gives what the card then says.

    Items that are at ``code`` already, left so by an interrupted move, are taken as moved. TerminalError, before
    anything is written, for other regions; after a failure what was written is put back as it was.
    """
    check_code(code)
    check_code(origin)
    if code[:2] != origin[:2]:
        raise TerminalError(
            _("a card moves within its province only (article 24): {origin} to {code}").format(origin=origin, code=code)
        )
    before = read(terminal)
    if not before:
        raise TerminalError(_("the card holds no insurance to move"))
    strangers = [
        _("{item} is {code}").format(item=region.binding.item, code=region.code)
        for region in before
        if region.code not in (origin, code)
    ]
    if strangers:
        raise TerminalError(
            _("expected {origin} everywhere: {strangers}; nothing was written").format(
                origin=origin, strangers="; ".join(strangers)
            )
        )
    if all(region.code == code for region in before):
        raise TerminalError(
            _("every insurance is at {code} already, none at {origin}; nothing was written").format(
                code=code, origin=origin
            )
        )
    written: list[Region] = []
    try:
        for region in before:
            if region.code != code:
                written.append(region)
                terminal.update(region.binding.item, code)
        after = read(terminal)
        if any(region.code != code for region in after):
            raise TerminalError(_("the card does not read back what was written"))
    except Exception as failure:
        _restore(terminal, written, failure)
        raise
    return after


def _restore(terminal: Terminal, written: list[Region], failure: Exception) -> None:
    try:
        terminal.begin()
        for region in written:
            terminal.update(region.binding.item, region.code)
    except Exception as second:
        items = ", ".join(region.binding.item for region in written)
        raise TerminalError(
            _("{failure}; and putting back failed too ({second}): check {items}, then run the same move again").format(
                failure=failure, second=second, items=items
            )
        ) from failure
