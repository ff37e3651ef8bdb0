"""The strings that go in and out: fields ended by ``|``, files by ``$``; GBK where they are bytes.
[S: reference:terminal Functions]

``pCardInfo``: ``identification code|card number|``. ``pFileAddr``: ``SSSEEF05|06|07|$SSSEEF06|08|$``: file and tags;
records of a cyclic file as ``DF02EF07:01$``; a transparent file whole as ``SSSEEF08|$``; ``44:02`` is the second item
with tag 44, ``44:33`` the element 33 of the first [D]. ``pWriteData`` has values for the tags.

What goes out ends every field. In what goes in, the ``|`` after the last field may be missing, in every string alike:
machines and their clients leave it out or not, even by the algorithm. [1: reference:corrections H6]
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.messages import _
from harness.driver.codes import Code, DriverError

_FILE = re.compile(r"(SSSE|DF[0-9A-F]{2}|MF)(EF[0-9A-F]{2})(?::([0-9]{2}))?")
_ITEM = re.compile(r"([0-9A-F]{2})(?::([0-9A-F]{2}))?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file with the items that are meant. ``tags``: each with its number or element, empty for the first as a whole.

    ``record``: of a cyclic file, from 1, else 0. Neither: a transparent file as a whole.
    """

    path: str
    tags: tuple[tuple[str, str], ...]
    record: int = 0

    @property
    def whole(self) -> bool:
        """True where the file as a whole is meant."""
        return not self.tags and not self.record

    @property
    def name(self) -> str:
        """Returns the path as pFileAddr writes it."""
        return self.path.replace("/", "") + (f":{self.record:02d}" if self.record else "")


def fields(text: str) -> list[str]:
    """``a|b|`` as its fields, the last one ended or not; -14 for bytes that are not text."""
    _text(text)
    return text.removesuffix("|").split("|") if text else []


def _text(value: object) -> None:
    if not isinstance(value, str):
        raise DriverError(Code.BAD_PARAMETER, _("参数应为字符串 expected a text"))


def hexadecimal(text: str, sizes: tuple[int, ...]) -> bytes:
    """Hex digits of so many bytes, a ``|`` after them or not; -23. The text is never quoted."""
    _text(text)
    digits = text.removesuffix("|")
    try:
        value = bytes.fromhex(digits) if digits.isalnum() else b""
    except ValueError:
        value = b""
    if len(value) not in sizes:
        wanted = " / ".join(str(2 * size) for size in sizes)
        raise DriverError(Code.BAD_INPUT, _("应为{count}位十六进制 expected {count} hex digits").format(count=wanted))
    return value


def joined(*values: str) -> str:
    """Returns fields as one string, each ended by ``|``."""
    return "".join(f"{value}|" for value in values)


def groups(text: str) -> list[list[str]]:
    """``F|a|b|$G|c|$`` as the fields of each file; -23, -14 for bytes that are not text."""
    _text(text)
    if not text.endswith("$"):
        raise DriverError(Code.BAD_INPUT, _("每个文件以$结束 every file ends with $"))
    return [fields(part) or [""] for part in text.split("$")[:-1]]


def addresses(text: str) -> list[Wanted]:
    """Returns what a pFileAddr names. DriverError -14 for a text that is not one."""
    found = []
    for name, *tags in groups(text):
        match = _FILE.fullmatch(name)
        items = [_ITEM.fullmatch(tag) for tag in tags]
        if match is None or not all(items):
            raise DriverError(Code.BAD_PARAMETER, _("文件地址错误 no file address: {name!r}").format(name=name[:20]))
        record = int(match.group(3) or 0)
        if (record and tags) or (match.group(3) and not record):
            raise DriverError(
                Code.BAD_PARAMETER, _("应给出数据项或记录号 items, or one record: {name!r}").format(name=name)
            )
        pairs = tuple((one.group(1), one.group(2) or "") for one in items if one)
        found.append(Wanted(f"{match.group(1)}/{match.group(2)}", pairs, record))
    if not found:
        raise DriverError(Code.BAD_PARAMETER, _("没有文件地址 no file is named"))
    return found


def values(text: str, wanted: list[Wanted]) -> list[list[str]]:
    """pWriteData: the values for each file's items, in order; -23 where it does not mirror pFileAddr."""
    found = groups(text)
    mirrors = [
        one[0] == file.name and (file.record > 0 or len(one) - 1 == (len(file.tags) or 1))
        for one, file in zip(found, wanted, strict=False)
    ]
    if len(found) != len(wanted) or not all(mirrors):
        raise DriverError(Code.BAD_INPUT, _("写入数据与文件地址不对应 the data do not mirror the addresses"))
    return [one[1:] for one in found]


def mirrored(parts: list[tuple[Wanted, list[str]]]) -> str:
    """pOutInfo of what was read: the files with values for their tags."""
    return "".join(joined(file.name, *told) + "$" for file, told in parts)
