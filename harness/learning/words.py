"""Differences between two layouts in words, Chinese and English: what ``layout diff`` says with dotted keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.apdu.instructions import INSTRUCTIONS
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _, chinese_first

PART = re.compile(r'"([^"]*)"|([^.]+)')
HEADER = re.compile(r"(?:(?P<place>[\w/]+) )?(?P<header>\*|[0-9A-Fx]+):(?P<found>[0-9A-Fx]{4})")

KEYS: Mapping[str, tuple[str, str]] = {
    "fid": ("文件标识符", "file id"),
    "dfname": ("应用名称", "name"),
    "dfname_sm4": ("SM4终端所选名称", "name for terminals that want SM4"),
    "label": ("标签", "label"),
    "by_label": ("可按标签选择", "selected by its label"),
    "parent": ("上级目录", "parent"),
    "fci": ("选择应答（FCI）", "what SELECT answers (FCI)"),
    "proprietary": ("FCI专用数据", "the FCI's proprietary data"),
    "discretionary": ("FCI自定义数据", "the FCI's discretionary data"),
    "directory": ("目录文件", "directory file"),
    "tells_algorithm": ("FCI中有算法标识", "the FCI tells the algorithm"),
    "processing": ("取处理选项的应答", "answer to GET PROCESSING OPTIONS"),
    "structure": ("结构", "structure"),
    "size": ("字节数", "size in bytes"),
    "records": ("记录数", "records"),
    "read": ("读取条件", "who may read"),
    "update": ("修改条件", "who may write"),
    "length": ("长度（字节）", "length in bytes"),
    "count": ("个数", "how many of them"),
    "format": ("格式", "format"),
    "name": ("中文名", "Chinese name"),
    "name_en": ("英文名", "English name"),
    "header": ("复位应答首部", "the answer to reset's header"),
    "maker": ("复位应答厂商字节", "the maker's bytes in the answer to reset"),
    "tries": ("可尝试次数", "tries"),
    "id": ("标识", "id"),
    "asked_when_locked": ("锁定后查询的应答", "answer to asking once locked"),
    "spare": ("备用空间（字节）", "room for more, in bytes"),
}
"""Keys of layouts, for people."""
WAYS: Mapping[str, tuple[str, str]] = {
    "number-sfi": ("按SFI和记录号读", "reading by SFI and record number"),
    "number-current": ("按记录号读当前文件", "reading the current file by record number"),
    "tag-sfi": ("按SFI和标签读", "reading by SFI and tag"),
    "tag-current": ("按标签读当前文件", "reading the current file by tag"),
    "last": ("读最后一个", "reading the last one of a tag"),
    "next": ("读下一个", "reading the next one of a tag"),
    "previous": ("读上一个", "reading the previous one of a tag"),
    "to-last": ("从某记录读到末尾", "reading from a record to the last"),
    "from-last": ("从末尾读到某记录", "reading from the last record to one"),
    "binary-sfi": ("按SFI读二进制文件", "reading bytes by SFI"),
    "binary-current": ("读当前二进制文件", "reading bytes of the current file"),
    "name": ("按名称选择", "SELECT by name"),
    "part-of-name": ("按名称前部选择", "SELECT by the beginning of a name"),
    "next-name": ("选择下一个同名应用", "SELECT of the next one of a name"),
    "mf": ("按标识符选择主文件", "SELECT of the MF by id"),
    "self": ("按标识符选择当前目录", "SELECT of the current DF by id"),
    "child": ("按标识符选择下级目录", "SELECT of a DF below by id"),
    "parent": ("按标识符选择上级目录", "SELECT of the DF above by id"),
    "sibling": ("按标识符选择同级目录", "SELECT of a DF beside by id"),
    "ef": ("按标识符选择基本文件", "SELECT of an EF by id"),
    "child-01": ("以P1=01选择下级目录", "SELECT of a DF below with P1 01"),
    "ef-02": ("以P1=02选择基本文件", "SELECT of an EF with P1 02"),
}
LES: Mapping[str, tuple[str, str]] = {
    "absent": ("不带Le", "without Le"),
    "zero": ("Le为00", "with Le 00"),
    "short": ("Le偏小", "with too small an Le"),
    "long": ("Le偏大", "with too large an Le"),
}
CHECKS: Mapping[str, tuple[str, str]] = {
    "structure": ("命令结构", "the command's structure"),
    "class": ("类别", "the class"),
    "instruction": ("指令", "the instruction"),
    "parameters": ("参数", "the parameters"),
    "length": ("长度", "the length"),
    "file": ("文件是否存在", "whether the file is there"),
    "kind": ("文件类型", "the file's kind"),
    "security": ("权限", "the right"),
    "record": ("记录是否存在", "whether the record is there"),
    "le": ("Le", "Le"),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """The same in both languages."""

    zh: str
    en: str

    def __str__(self) -> str:
        return chinese_first(self.en, self.zh)


def in_words(where: str, before: Any, after: Any, base: Layout) -> Sentence:
    """One difference: the dotted key as ``layout diff`` has it, what ``base`` says, what the other one says; None for
    nothing.
    """
    section, *path = [quoted or plain for quoted, plain in PART.findall(where)]
    if section == "application" and path:
        return _joined(_application(path[0], base), path[1:], before, after)
    if section == "file" and path:
        return _joined(*_file(path, base), before, after)
    if section == "key" and path:
        key = base.keys.get(path[0])
        named = Sentence(
            f"密钥{path[0]}{key.title if key else ''}", f"key {path[0]}{_after(key.title_en if key else '')}"
        )
        return _joined(named, path[1:], before, after)
    if section == "habits" and path:
        return _habit(path, after)
    own = {
        "atr": Sentence("复位应答", "answer to reset"),
        "pin": Sentence("个人密码", "PIN"),
        "algorithms": Sentence("算法", "algorithms"),
        "version": Sentence("规范版本", "specification version"),
        "get_response_class": Sentence("GET RESPONSE的类别", "the class of GET RESPONSE"),
    }
    return _joined(own.get(section, Sentence(section, section)), path, before, after)


def _application(name: str, base: Layout) -> Sentence:
    spec = base.applications.get(name)
    return Sentence(
        f"应用{name}{spec.name if spec else ''}", f"application {name}{_after(spec.name_en if spec else '')}"
    )


def _file(path: list[str], base: Layout) -> tuple[Sentence, list[str]]:
    """A file, or an item or element in it, and what of it the rest of the key names."""
    name, *rest = path
    spec = base.files.get(name)
    zh = [f"文件{name}{spec.name if spec else ''}"]
    en = [f"file {name}{_after(spec.name_en if spec else '')}"]
    entries = spec.items if spec else ()
    while len(rest) > 1 and rest[0] in ("items", "fields", "elements"):
        kind, label, *rest = rest
        item = next((one for at, one in enumerate(entries, 1) if label in (one.label, str(at))), None)
        words = {"items": ("数据项", "item"), "fields": ("字段", "field"), "elements": ("元素", "element")}[kind]
        zh.append(f"{words[0]}{label}{item.name if item else ''}")
        en.append(f"{words[1]} {label}{_after(item.name_en if item else '')}")
        entries = item.elements if item else ()
    return Sentence("，".join(zh), ", ".join(en)), rest


def _after(name: str) -> str:
    return f" ({name})" if name else ""


def _joined(named: Sentence, path: list[str], before: Any, after: Any) -> Sentence:
    zh, en = named.zh, named.en
    for key in path:
        words = KEYS.get(key, (key, key))
        zh, en = f"{zh}的{words[0]}", f"{en}: {words[1]}"
    if before is None and not path:
        return Sentence(f"{zh}：国家布局中没有，此卡有", f"{en}: not in the national layout, this card has it")
    if after is None and not path:
        return Sentence(f"{zh}：此卡没有", f"{en}: this card has none")
    if before is None:
        return Sentence(f"{zh}：此卡为{told(after)}", f"{en}: {told(after)} on this card, not stated before")
    if after is None:
        return Sentence(f"{zh}：此卡没有（本为{told(before)}）", f"{en}: none on this card, {told(before)} otherwise")
    return Sentence(f"{zh}：此卡为{told(after)}，而非{told(before)}", f"{en}: {told(after)}, not {told(before)}")


def told(value: Any) -> str:
    """A value of a layout on one line: a table by its name, a list by its members, true and false as yes and no."""
    if isinstance(value, bool):
        return chinese_first("yes", "是") if value else chinese_first("no", "否")
    if isinstance(value, dict):
        named = chinese_first(str(value.get("name_en", "")), str(value.get("name", "")))
        return named or _("{count} keys").format(count=len(value))
    if isinstance(value, list):
        return ", ".join(told(one) for one in value)
    return str(value) if value != "" else "–"


# ---- habits ----------------------------------------------------------------------------------------------------------


def instruction(ins: str) -> str:
    """The name of an instruction byte in hex: ``READ RECORD``; the byte itself where no card of ours has it."""
    names = {f"{one.ins:02X}": one.name for one in reversed(INSTRUCTIONS)}
    return names.get(ins, f"INS {ins}")


def _habit(path: list[str], after: Any) -> Sentence:
    kind, rest, answer = path[0], path[1:], told(after)
    if kind == "status" and rest and (found := HEADER.fullmatch(rest[0])):
        return _status(found, answer)
    if kind == "before" and rest:
        ins, _, check = rest[0].rpartition(" ")
        first, second = CHECKS.get(check, (check, check)), CHECKS.get(answer, (answer, answer))
        at = instruction(ins) if ins else "*"
        return Sentence(
            f"{at}：先检查{first[0]}，再检查{second[0]}", f"{at}: {first[1]} is looked at before {second[1]}"
        )
    if kind == "le" and len(rest) > 1:
        words = LES.get(rest[1], (rest[1], rest[1]))
        name = instruction(rest[0])
        return Sentence(f"{name}{words[0]}时：{_data(answer)[0]}", f"{name} {words[1]}: {_data(answer)[1]}")
    if kind == "waiting" and rest:
        name, words = instruction(rest[0]), _data(answer)
        return Sentence(f"{name}的数据：{words[0]}", f"the data of {name}: {words[1]}")
    if kind in ("addressing", "selection") and rest:
        place, _, way = rest[0].rpartition(" ")
        words = WAYS.get(way, (way, way))
        at_zh, at_en = (f"{place}：", f" in {place}") if place else ("", "")
        return Sentence(f"{at_zh}不能{words[0]}，应答{answer}", f"{words[1]}{at_en} is not taken: {answer}")
    if kind == "commands" and rest:
        name = instruction(rest[0][2:])
        if answer == "absent":
            return Sentence(f"没有指令{name}（{rest[0]}）", f"there is no {name} ({rest[0]})")
        return Sentence(f"指令{name}为{answer}，而非{rest[0]}", f"{name} is {answer}, not {rest[0]}")
    if kind == "classes" and rest:
        return Sentence(f"类别{rest[0]}视同{answer}", f"class {rest[0]} is taken as {answer}")
    if kind == "challenge":
        return Sentence(f"可取随机数的长度：{answer}", f"lengths of challenges that are given: {answer}")
    if kind == "challenge_unasked":
        return Sentence(f"不指定长度时随机数为{answer}字节", f"a challenge of no stated length has {answer} bytes")
    if kind == "fci" and rest:
        return Sentence(f"选择{rest[0]}的应答为{answer}", f"SELECT of {rest[0]} answers {answer}")
    where = ".".join(path)
    return Sentence(f"习惯{where}：{answer}", f"habit {where}: {answer}")


def _status(found: re.Match[str], answer: str) -> Sentence:
    header, place = found["header"], found["place"]
    name = "任何命令" if header == "*" else instruction(header) if len(header) == 2 else header
    name_en = "any command" if header == "*" else name
    at_zh, at_en = (f"在{place}中", f" in {place}") if place else ("", "")
    return Sentence(
        f"{at_zh}对{name}应答{answer}，而非{found['found']}",
        f"{name_en}{at_en} is answered {answer}, not {found['found']}",
    )


def _data(answer: str) -> tuple[str, str]:
    return {
        "whole": ("给出全部数据", "all data come"),
        "part": ("给出所要的部分", "as many bytes as asked for come"),
        "6Cxx": ("应答6Cxx", "6Cxx"),
        "61xx": ("应答61xx", "61xx announces them"),
        "at once": ("立即给出", "they come at once"),
        "with Le": ("有Le时立即给出", "they come at once where there is an Le"),
    }.get(answer, (f"应答{answer}", answer))
