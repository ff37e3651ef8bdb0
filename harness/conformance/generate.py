"""Vectors that follow from the layouts and the command list: every file, item, access condition, key and parameter.

They are written out as data (`sscard vectors generate`) and kept in the repository, so that a chip that is broken later
is held against what was true when they were written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from emulator import catalogue
from emulator.apdu.command import CommandAPDU, has_bits
from emulator.apdu.instructions import INSTRUCTIONS, Instruction
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.blocks import ApplicationBlock
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.filesystem.layouts.paths import FilePath
from emulator.filesystem.layouts.specs import Basis, FileSpec, ItemSpec, KeySpec, Layout
from emulator.filesystem.layouts.terms import KeyUse, Structure
from emulator.filesystem.memory.files import messaging_of
from emulator.security import PIN, AllOf, Always, Condition, Never, Right, names_in
from emulator.sources import mark
from emulator.textfiles import writing

VERSIONS = ("1.00", "2.00", "3.00")
NATIONAL = ("SSSE", "DF01", "DF02", "DF03", "DF04", "DF05", "DF06", "DF07")
Document = dict[str, Any]
Steps = list[dict[str, Any]]

REFUSED = {"sw": "6982"}
NEVER_LOCKS = {"sw": "63Cx"}
"""A wrong proof of a key that never locks: which x, the text does not say."""
KEY_TRIES_SOURCE = "how many tries a key has [1: reference:card §5]"
NEVER_LOCKS_SOURCE = "63Cx [T: part5:table 5]; which x of a key that never locks [D]"


def documents(layout: Layout) -> Iterator[tuple[str, Document]]:
    """Every vector of one layout, with the file that it belongs into."""
    for spec in layout.files.values():
        if spec.application in NATIONAL:
            for document in (*_records(spec), *_safety(layout, spec), *_tears(spec)):
                yield f"{spec.application.lower()}.yaml", document
    for key in layout.keys.values():
        if key.application in NATIONAL and key.use is KeyUse.EXTERNAL:
            yield from (("keys.yaml", one) for one in _keys(key))
    yield from (("firewall.yaml", one) for one in _firewall(layout))
    for kind in INSTRUCTIONS:
        if kind.offered(layout):
            yield from (("commands.yaml", one) for one in _parameters(layout, kind))


def merged(names: Iterable[str] = VERSIONS) -> dict[str, list[Document]]:
    """All layouts' vectors by file; what is the same for several versions is one vector of several versions."""
    found: dict[str, dict[tuple[str, str], Document]] = {}
    for name in names:
        layout = catalogue.layout(name)
        for file, document in documents(layout):
            same = json.dumps(document, sort_keys=True, ensure_ascii=False)
            there = found.setdefault(file, {}).setdefault((document["id"], same), {**document, "versions": []})
            there["versions"].append(layout.version)
    result = {}
    for file, known in found.items():
        newest = {one["id"]: one for one in sorted(known.values(), key=lambda one: one["versions"][-1])}
        for document in known.values():
            # The newest version's vector has the plain id.
            if newest[document["id"]] is not document:
                document["id"] += "-V" + document["versions"][0].replace(".", "")
        result[file] = list(known.values())
    return result


class Dumper(yaml.SafeDumper):
    """YAML as people write it: steps on a line each."""


def _flat(dumper: yaml.SafeDumper, data: dict[str, Any]) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style="id" not in data)


Dumper.add_representer(dict, _flat)


def write(folder: Path) -> int:
    """Writes all generated vectors into files of this folder; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    files = merged()
    for name, known in files.items():
        text = "# Generated from the layouts by `sscard vectors generate`; a test fails when the two differ.\n"
        text += yaml.dump_all(known, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=120)
        with writing.named(folder / name):
            (folder / name).write_text(text, encoding="utf-8")
    return sum(map(len, files.values()))


def _document(identifier: str, standard: str, title: str, title_zh: str, source: str, steps: Steps,
              **more: Any) -> Document:  # fmt: skip
    return {
        "schema": 1,
        "id": identifier,
        "standard": standard,
        "title": title,
        "title_zh": title_zh,
        "grade": "own" if source.endswith("[D]") else "inferred",
        "source": source,
        "proof": "own",
        **more,
        "steps": steps,
    }


def _source(what: str, declared: FileSpec | Basis | ItemSpec | KeySpec) -> str:
    """What a vector on a declared thing rests on: what the layout says of it."""
    return f"{what} {mark(declared.grade, declared.sources)}"


# --- files -------------------------------------------------------------------------------------------------------


def _win(condition: Condition) -> Steps:
    """Steps that satisfy a condition, in its application: all of several, or the first of one."""
    names = names_in(condition) if isinstance(condition, AllOf) else names_in(condition)[:1]
    return [{"verify_pin": "right"} if name == PIN else {"authenticate": name} for name in names]


def _mask(item: ItemSpec) -> str:
    return f"{item.label}{item.length:02X}" + ".." * item.length


def _label(spec: FileSpec) -> str:
    return FilePath.parse(spec.path).name


def _records(spec: FileSpec) -> Iterator[Document]:
    """Every item by number and by tag; every cyclic record; a transparent file's bytes."""
    if isinstance(spec.read, Never):
        return
    begin: Steps = [{"select": spec.application}, *_win(spec.read)]
    standard, source = f"{spec.application}_RECORD", _source(spec.path, spec)
    if spec.structure is Structure.TRANSPARENT:
        read = {"apdu": _hex(ReadBinary.command(spec.sfi, le=16)), "expect": {"sw": "9000", "length": 16}}
        beyond = {"apdu": _hex(ReadBinary.command(spec.sfi, 0xFF, 1)), "expect": {"sw": ["9000", "6B00"]}}
        yield _document(f"{standard}-{_label(spec)}", standard, f"{spec.path} {spec.name_en}: its bytes",
                        f"{spec.path}{spec.name}：按字节读", source, [*begin, read, beyond])  # fmt: skip
        return
    if spec.structure is Structure.CYCLIC:
        read = {"apdu": _hex(ReadRecord.command(spec.sfi, number=1, le=spec.record_length)),
                "expect": {"sw": ["9000", "6A83"]}}  # fmt: skip
        yield _document(f"{standard}-{_label(spec)}", standard, f"{spec.path} {spec.name_en}: the newest record",
                        f"{spec.path}{spec.name}：最新记录", source, [*begin, read])  # fmt: skip
        return
    for item in spec.items:
        expect = {"sw": "9000", "data": _mask(item)}
        name = f"{spec.path}/{item.label}"
        steps = [*begin, {"read": {"item": name, "by": "number"}, "expect": expect}, {"read": name, "expect": expect}]
        words, words_zh = item.name_en or "item", item.name or "数据项"
        yield _document(f"{standard}-{_label(spec)}_{item.label}", standard, f"{name} {words}: by number and by tag",
                        f"{name}{words_zh}：按记录号和标签读", _source(name, item), steps)  # fmt: skip
    number = len(spec.items) and sum(item.count for item in spec.items)
    short = spec.items[0].length + 1
    steps = [*begin, {"tpdu": _hex(ReadRecord.command(spec.sfi, number=1, le=short)),
                      "expect": {"sw": f"6C{spec.items[0].length + 2:02X}"}},
             {"apdu": _hex(ReadRecord.command(spec.sfi, number=number + 1)), "expect": {"sw": "6A83"}},
             {"apdu": _hex(ReadBinary.command(spec.sfi, le=1)), "expect": {"sw": "6981"}}]  # fmt: skip
    yield _document(f"{standard}-{_label(spec)}_EDGES", standard, f"{spec.path}: wrong Le, no such record, no bytes",
                    f"{spec.path}：Le错误、无此记录、非二进制文件", "[T: part5:6.9, part5:6.10]", steps,
                    features=["t0", "virtual"])  # fmt: skip


def _hex(command: CommandAPDU) -> str:
    """A command as vectors have it."""
    return bytes(command).hex().upper()


def _read_step(spec: FileSpec) -> dict[str, Any]:
    if spec.structure is Structure.TRANSPARENT:
        return {"apdu": _hex(ReadBinary.command(spec.sfi, le=1))}
    if spec.structure is Structure.CYCLIC:
        return {"apdu": _hex(ReadRecord.command(spec.sfi, number=1))}
    return {"read": f"{spec.path}/{spec.items[0].label}"}


def _update_step(spec: FileSpec) -> dict[str, Any]:
    """An update that changes nothing where it is let through, or the newest record of a cyclic file."""
    if spec.structure is Structure.TRANSPARENT:
        return {"apdu": _hex(UpdateBinary.command(b"\0", spec.sfi))}
    if spec.structure is Structure.CYCLIC:
        return {"apdu": _hex(UpdateRecord.newest(bytes(spec.record_length), spec.sfi))}
    return {"update": {"item": f"{spec.path}/{spec.items[0].label}"}}


def _safety(layout: Layout, spec: FileSpec) -> Iterator[Document]:
    """Who may read and update a file: nobody's right, the PIN's, each key's of its application."""
    standard, source = f"{spec.application}_SAFETY", _source(spec.path, spec.access)
    reach = [key.name for key in layout.keys.values()
             if key.application in {spec.application, "SSSE"} and key.use is KeyUse.EXTERNAL]  # fmt: skip
    named = {*names_in(spec.read), *names_in(spec.update)}
    own = [name for name in reach if layout.keys[name].application == spec.application or name in named]
    for right in ("NONE", PIN, *own):
        won: Steps = [] if right == "NONE" else [{"verify_pin": "right"}] if right == PIN else [{"authenticate": right}]
        held = set() if right == "NONE" else {right}
        begin: Steps = [{"select": spec.application}, *won]
        if spec.read.satisfied(held):
            read = {**_read_step(spec), "expect": {"sw": ["9000", "6A83"]}}
        else:
            read = {**_read_step(spec), "expect": REFUSED}
        words = {"NONE": ("without any right", "无任何权限"), PIN: ("after the PIN", "验证密码后")}
        english, chinese = words.get(right, (f"after {right}", f"{right}外部认证后"))
        allowed = spec.update.satisfied(held)
        steps = [*begin, read]
        if not allowed:
            steps.append({**_update_step(spec), "expect": REFUSED})
        yield _document(f"{standard}-{_label(spec)}_{right}", standard, f"{spec.path} {english}",
                        f"{spec.path}：{chinese}", source, steps)  # fmt: skip
    if isinstance(spec.read, AllOf):
        yield _document(f"{standard}-{_label(spec)}_ALL", standard, f"{spec.path} with all that {spec.read} asks for",
                        f"{spec.path}：同时满足{spec.read}", source,
                        [{"select": spec.application}, *_win(spec.read),
                         {**_read_step(spec), "expect": {"sw": "9000"}}])  # fmt: skip
    if isinstance(spec.update, Right):
        update: Steps = [{**_update_step(spec), "expect": {"sw": "9000"}}]
        more: dict[str, Any] = {"destructive": True}
        if spec.structure is Structure.RECORDS and not isinstance(spec.read, Never):
            update, more = [{"update": {"item": f"{spec.path}/{spec.items[0].label}", "same": True}}], {}
        reading = [] if isinstance(spec.read, Always) else _win(spec.read)
        yield _document(f"{standard}-{_label(spec)}_WRITTEN", standard, f"{spec.path} is updated with {spec.update}",
                        f"{spec.path}：{spec.update}外部认证后可更新", source,
                        [{"select": spec.application}, *reading, {"authenticate": spec.update.name}, *update],
                        **more)  # fmt: skip


def _tears(spec: FileSpec) -> Iterator[Document]:
    """Power lost in mid-write leaves old or new."""
    if not isinstance(spec.update, Right):
        return
    step = _update_step(spec)
    if spec.structure is Structure.TRANSPARENT:
        step = {"apdu": _hex(UpdateBinary.command(b"\x5a" * 64, spec.sfi))}
    elif spec.structure is Structure.RECORDS:
        item = spec.items[0]
        tag = item.tag or 0
        record = bytes((tag, item.length)) + b"\x5a" * item.length
        step = {"apdu": _hex(UpdateRecord.command(record, spec.sfi, tag=tag))}
    yield _document(f"ANTI_TEAR-{spec.application}_{_label(spec)}", "ANTI_TEAR",
                    f"{spec.path}: power cut after every write of an update leaves old or new",
                    f"{spec.path}：更新过程中任意一次写后断电，内容为旧值或新值", _source(spec.path, spec),
                    [{"select": spec.application}, {"authenticate": spec.update.name}, {"tear": step}],
                    features=["virtual"], destructive=True)  # fmt: skip


# --- keys --------------------------------------------------------------------------------------------------------


def _keys(key: KeySpec) -> Iterator[Document]:
    """Every version of a key, an unknown version, and what a wrong proof costs."""
    begin: Steps = [{"select": key.application}]
    source = _source(f"key {key.name}", key)
    for version in range(1, key.versions + 1):
        yield _document(f"KEY_VER{version}-{key.name}", f"KEY_VER{version}", f"{key.name}, version {version}",
                        f"{key.name}第{version}版密钥", source,
                        [*begin, {"authenticate": {"key": key.name, "version": version}}])  # fmt: skip
    unknown = [*begin, {"authenticate": {"key": key.name, "version": 4}, "expect": {"sw": "6A88"}}]
    yield _document(f"EXTERNAL_AUTHENTICATION-VERSION_{key.name}", "EXTERNAL AUTHENTICATION",
                    f"{key.name}: a version that is not loaded", f"{key.name}：未装载的密钥版本",
                    "unknown key 6A88 [S: part5:6.4, reference:card §7]", unknown)  # fmt: skip
    wrong = {"authenticate": {"key": key.name, "cryptogram": "wrong"}}
    left = {"tries_left": f"{key.name}-1"} if key.tries else NEVER_LOCKS
    again = {"tries_left": f"{key.name}-2"} if key.tries else NEVER_LOCKS
    steps = [*begin, {**wrong, "expect": left}, {"authenticate": key.name}, {**wrong, "expect": left},
             {"reset": True}, *begin, {**wrong, "expect": again}, {"authenticate": key.name}]  # fmt: skip
    tries = KEY_TRIES_SOURCE if key.tries else NEVER_LOCKS_SOURCE
    yield _document(f"EXTERNAL_AUTHENTICATION-TRIES_{key.name}", "EXTERNAL AUTHENTICATION",
                    f"{key.name}: a wrong proof costs a try, a right one restores them, a reset does not",
                    f"{key.name}：认证失败减少次数，成功恢复，复位不恢复", tries, steps, costs_tries=True)  # fmt: skip
    if key.tries:
        locked = [*begin, {**wrong, "times": key.name, "expect": {"tries_left": f"{key.name}-n"}},
                  {"authenticate": key.name, "expect": {"sw": "6983"}}, {"reset": "cold"}, *begin,
                  {"authenticate": key.name, "expect": {"sw": "6983"}}]  # fmt: skip
        yield _document(f"EXTERNAL_AUTHENTICATION-LOCK_{key.name}", "EXTERNAL AUTHENTICATION",
                        f"{key.name} locks for good", f"{key.name}：次数用完后锁定",
                        "[S: part7:6.6, reference:card §7]", locked,
                        costs_tries=True, destructive=True)  # fmt: skip


def _firewall(layout: Layout) -> Iterator[Document]:
    """No right of one application is worth anything in another, whatever their order."""
    updates = {
        spec.application: (spec, spec.update.name)
        for spec in reversed(layout.files.values())
        if spec.application in NATIONAL and isinstance(spec.update, Right)
    }
    for first in NATIONAL:
        for second in NATIONAL:
            if first == second or first not in updates or second not in updates:
                continue
            (_, key), (spec, _) = updates[first], updates[second]
            steps: Steps = [{"select": first}, {"authenticate": key}, {"select": second},
                            {**_update_step(spec), "expect": REFUSED}]  # fmt: skip
            if not spec.read.satisfied(set()):
                steps.append({**_read_step(spec), "expect": REFUSED})
            steps += [{"select": first}, {**_update_step(updates[first][0]), "expect": REFUSED}]
            yield _document(f"FIREWALL-{first}_{second}", "FIREWALL", f"{key} of {first} opens nothing in {second}",
                            f"{first}的{key}在{second}中无效", "a key's right belongs to its DF [T: part7:6.6]",
                            steps)  # fmt: skip


# --- commands ----------------------------------------------------------------------------------------------------

BLOCK = ApplicationBlock.command().header.hex().upper()
BAD_P1P2 = {
    "READ RECORD": "012F", "UPDATE RECORD": "012D", "READ BINARY": "E000", "UPDATE BINARY": "E000",
    "EXTERNAL AUTHENTICATION": "0104", "LOAD KEY": "0404",
}  # fmt: skip


ANY_P1P2 = frozenset({"GET DATA"})
"""Commands of which P1 P2 name what is asked for, so that none is wrong."""
CLASS_BITS = ((0x01, "CHANNEL", "6881", "a logical channel", "逻辑信道"), (0x10, "CHAIN", "6884", "a chain", "命令链"))
"""Bits of the class that the text does not know, and what ISO 7816-4 answers to each instead of its 6E00."""
ALONE_AT_FAULT = frozenset({
    "SELECT", "READ RECORD", "READ BINARY", "GET CHALLENGE", "INTERNAL AUTHENTICATION", "EXTERNAL AUTHENTICATION",
    "VERIFY", "CHANGE PIN", "GET RESPONSE",
})  # fmt: skip
"""Commands that nothing else speaks against in the environment, so that a wrong parameter is what a card must tell."""


def _body(size: int) -> str:
    return f"{size:02X}{'11' * size}" if size else "00"


def _parameters(layout: Layout, kind: type[Instruction]) -> Iterator[Document]:
    """Wrong P1 P2, wrong length, channel and chain bits; blocked application, blocked card, not activated."""
    cla, ins = kind.code(layout)
    name, base = kind.name.replace(" ", "_").replace("/", "_"), f"{cla:02X}{ins:02X}"
    lengths = sorted(kind.lengths)
    usual = _body(lengths[-1] if lengths[-1] else 0)
    allowed = next(iter(kind.p1p2), None)
    good = f"{allowed:04X}" if allowed is not None else {"LOAD KEY": "0104"}.get(kind.name, "0004")
    wrong = BAD_P1P2.get(kind.name) or next(f"{one:04X}" for one in (0x4040, 0x5A5A) if one not in kind.p1p2)
    source = kind.source if "[" in kind.source else f"{kind.source} [D]"

    def one(aspect: str, english: str, chinese: str, steps: Steps, rests_on: str = source, **more: Any) -> Document:
        return _document(f"{name}-{aspect}", kind.name, f"{kind.name}: {english}",
                         f"{kind.name_zh}：{chinese}", rests_on, steps, **more)  # fmt: skip

    begin: Steps = [{"select": "SSSE"}]
    first = source if kind.name in ALONE_AT_FAULT else f"{source}; which of several faults is told [D]"
    if kind.name not in ANY_P1P2:
        yield one("P1P2", "wrong P1 P2", "P1、P2错误",
                  [*begin, {"apdu": f"{base}{wrong}{usual}", "expect": {"sw": "6A86"}}], first)  # fmt: skip
    size = next((n for n in (lengths[-1] + 1, lengths[0] - 1) if 0 < n <= 255 and n not in kind.lengths), None)
    if size is not None and kind.name not in ("GET RESPONSE",):
        yield one("LC", "wrong length of data", "数据长度错误",
                  [*begin, {"apdu": f"{base}{good}{_body(size)}", "expect": {"sw": "6700"}}], first)  # fmt: skip
    if has_bits(cla):
        for bit, aspect, sw, what, zh in CLASS_BITS:
            yield one(f"CLA_{aspect}", f"{what} is refused", f"拒绝{zh}",
                      [*begin, {"apdu": f"{cla | bit:02X}{ins:02X}{good}{usual}", "expect": {"sw": ["6E00", sw]}}],
                      f"6E00 [T: part5:table 5]; {sw} [P]")  # fmt: skip
    if kind.anywhere:
        return
    plain = f"{base}{good}{usual if lengths[-1] else '08'}"
    if "DF05" in layout.applications:
        _, sealing = messaging_of(layout, "DF05")
        key = sealing.name if sealing else ""
        # Of APPLICATION BLOCK on what is blocked already the text has both. [T: part5:6.1.5]
        answers = {"sw": ["9000", "9303"] if kind.when_blocked else "9303"}
        blocked: Steps = [{"select": "DF05"}, {"secured": {"header": BLOCK, "key": key}},
                          {"apdu": plain, "expect": answers}, {"reset": "cold"},
                          {"select": "DF05", "expect": {"sw": "9303"}}]  # fmt: skip
        yield one("BLOCKED_APPLICATION", "in an application blocked for ever", "应用永久锁定后", blocked,
                  features=["virtual"], destructive=True)  # fmt: skip
    yield one("BLOCKED_CARD", "on a blocked card", "卡片锁定后", [{"apdu": plain, "expect": {"sw": "6A81"}}],
              features=["virtual"], persona="card-blocked")  # fmt: skip
    yield one("NOT_ACTIVATED", "before activation, in DF01", "社会保障功能未启用时",
              [{"select": "DF01"}, {"apdu": plain, "expect": {"sw": "6985"}}],
              features=["virtual", "activation"], persona="not-activated")  # fmt: skip
