"""The strings that go in and out: fields ended by ``|``, files by ``$``; GBK where they are bytes. [S]

``pCardInfo``: ``identification code|card number|``. ``pFileAddr``: ``SSSEEF05|06|07|$SSSEEF06|08|$``: file and tags;
records of a cyclic file as ``DF02EF07:01$``, an element of a B-TLV item as ``44:02``. ``pWriteData`` has values for the
tags.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.driver.codes import Code, DriverError

SSSE = "SSSE"
_FILE = re.compile(r"(SSSE|DF[0-9A-F]{2}|MF)(EF[0-9A-F]{2})(?::([0-9]{1,2}))?")
_ITEM = re.compile(r"([0-9A-F]{2})(?::([0-9A-F]{2}))?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file with the items that are meant. ``tags``: item and element, empty for the item as a whole.

    ``record``: of a cyclic file, from 1, else 0.
    """

    path: str
    tags: tuple[tuple[str, str], ...]
    record: int = 0

    @property
    def name(self) -> str:
        """As pFileAddr writes it."""
        return self.path.replace("/", "") + (f":{self.record:02d}" if self.record else "")


def fields(text: str) -> list[str]:
    """``a|b|`` as its fields; -23 if the last is not ended."""
    if text and not text.endswith("|"):
        raise DriverError(Code.BAD_INPUT, f"每个字段以|结束 every field ends with |: {len(text)} characters came")
    return text.split("|")[:-1]


def joined(*values: str) -> str:
    """Fields as one string."""
    return "".join(f"{value}|" for value in values)


def groups(text: str) -> list[list[str]]:
    """``F|a|b|$G|c|$`` as the fields of each file; -23."""
    if not text.endswith("$"):
        raise DriverError(Code.BAD_INPUT, "每个文件以$结束 every file ends with $")
    return [fields(part if part.endswith("|") else part + "|") for part in text.split("$")[:-1]]


def addresses(text: str) -> list[Wanted]:
    """pFileAddr; -14 for what is none."""
    found = []
    for name, *tags in groups(text):
        match = _FILE.fullmatch(name)
        items = [_ITEM.fullmatch(tag) for tag in tags]
        if match is None or not all(items):
            raise DriverError(Code.BAD_PARAMETER, f"文件地址错误 no file address: {name[:20]!r}")
        record = int(match.group(3) or 0)
        if bool(record) == bool(tags):
            raise DriverError(Code.BAD_PARAMETER, f"应给出数据项或记录号 items, or one record: {name!r}")
        pairs = tuple((one.group(1), one.group(2) or "") for one in items if one)
        found.append(Wanted(f"{match.group(1)}/{match.group(2)}", pairs, record))
    if not found:
        raise DriverError(Code.BAD_PARAMETER, "没有文件地址 no file is named")
    return found


def values(text: str, wanted: list[Wanted]) -> list[list[str]]:
    """pWriteData: the values for each file's items, in order; -23 where it does not mirror pFileAddr."""
    found = groups(text)
    mirrors = [len(one) - 1 == len(file.tags) and one[0] == file.name for one, file in zip(found, wanted, strict=False)]
    if len(found) != len(wanted) or not all(mirrors):
        raise DriverError(Code.BAD_INPUT, "写入数据与文件地址不对应 the data do not mirror the addresses")
    return [one[1:] for one in found]


def mirrored(parts: list[tuple[Wanted, list[str]]]) -> str:
    """pOutInfo of what was read: the files with values for their tags."""
    return "".join(joined(file.name, *told) + "$" for file, told in parts)
