"""layout and commands: what cards are made of, and what they understand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from emulator import catalogue
from emulator.apdu.instructions import INSTRUCTIONS
from emulator.filesystem.layouts.changes import Difference, differences, habits_of
from emulator.filesystem.layouts.paths import FilePath
from emulator.filesystem.layouts.specs import ContactlessSpec, ItemSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.messages import ENGLISH, _, asked, chinese_first, deferred
from emulator.security import PIN, Always, in_words
from harness.cli import card_options
from harness.cli.lines import say
from harness.keys.uses import use_told
from harness.sources.register import register
from harness.trace import reference


@click.group()
def layout() -> None:
    """Layouts: the versions of the specification, and your own."""


@layout.command()
@click.argument("file", metavar="FILE|NAME")
@card_options.json_option
def check(file: str, *, as_json: bool) -> None:
    """Read a layout and say what is wrong with it, where, and what was expected; then what differs from its base."""
    found, base = catalogue.layout(file), catalogue.base_of(file)
    changes = differences(base.table, found.table) if base else []
    counts = {
        "applications": len(found.applications),
        "files": len(found.files),
        "items": sum(len(spec.items) for spec in found.files.values()),
        "keys": len(found.keys),
    }
    if as_json:
        extends = {"extends": base.name, "differences": [_as_json(one) for one in changes]} if base else {}
        body = {"name": found.name, "fingerprint": found.fingerprint, **counts, **extends}
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    spoken = _("{applications} applications, {files} files, {items} items, {keys} keys").format(**counts)
    say(_("{file}: good 正确. {counts}").format(file=file, counts=spoken))
    click.echo(_("fingerprint {fingerprint}").format(fingerprint=found.fingerprint))
    if base:
        _tell_differences(changes, base.name)


@layout.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@card_options.json_option
def diff(before: str, after: str, *, as_json: bool) -> None:
    """What layout B says otherwise than layout A: dotted key, A's value, B's. Exit code 1 where they differ."""
    changes = differences(catalogue.layout(before).table, catalogue.layout(after).table)
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in changes], ensure_ascii=False, indent=1))
    else:
        _tell_differences(changes, before)
    if changes:
        sys.exit(1)


def _as_json(change: Difference) -> dict[str, Any]:
    return dict(zip(("where", "before", "after"), change, strict=True))


def _tell_differences(changes: list[Difference], base: str) -> None:
    say(_("{count} differences from 与其差异 {base}").format(count=len(changes), base=base))
    for where, before, after in changes:
        words = [_in_brief(one) for one in (before, after)]
        told = f"{words[0]} → {words[1]}"
        if before is None:
            told = _("new 新增 {value}").format(value=words[1])
        elif after is None:
            told = _("gone 删除 {value}").format(value=words[0])
        say(f"  {where}: {told}")


def _in_brief(value: Any) -> str:
    """A value on a line: a table by its names, where it has some, and its size."""
    if isinstance(value, dict):
        called = chinese_first(str(value.get("name_en", "")), str(value.get("name", "")))
        return called or _("a table of {count}").format(count=len(value))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return _("{count} entries").format(count=len(value))
    return json.dumps(value, ensure_ascii=False)


@layout.command()
@click.argument("name", metavar="NAME|FILE")
@card_options.json_option
def show(name: str, *, as_json: bool) -> None:
    """Print a layout as a tree: applications, files, items and keys, with access conditions and grades.

    Grades: S settled, T the standard's family, 1 one source, P ISO or PBOC, D decided here.
    """
    found = catalogue.layout(name)
    if as_json:
        click.echo(json.dumps({"fingerprint": found.fingerprint, "layout": found.table}, ensure_ascii=False, indent=1))
        return
    say(f"{found.name}  {chinese_first(found.title, found.title_zh)}  ({', '.join(found.algorithms)})")
    for app in found.applications.values():
        if not app.parent:
            _application(found, app.id, 0)
    for line in _features(found):
        say(line)


def _application(found: Layout, name: str, depth: int) -> None:
    app, indent = found.applications[name], "  " * depth
    named = f" {app.dfname.hex().upper()}" if app.dfname else ""
    block = "" if isinstance(app.block, Always) else _("  block {block}").format(block=in_words(app.block))
    key = _("  messaging {messaging_key}").format(messaging_key=app.messaging_key) if app.messaging_key else ""
    say(f"{indent}{name} {app.fid:04X}{named}  {chinese_first(app.name_en, app.name)}{key}{block}  ({app.grade})")
    for spec in found.files.values():
        if spec.application != name:
            continue
        kinds = {
            Structure.TRANSPARENT: _("{size} bytes").format(size=spec.size),
            Structure.CYCLIC: _("{records} cyclic records").format(records=spec.records),
            Structure.RECORDS: _("records"),
        }
        sealed = ((deferred("read"), spec.read_messaging), (deferred("update"), spec.update_messaging))
        demands = [_("{deed} under {how}").format(deed=_(deed), how=_(how)) for deed, how in sealed if how]
        how = "".join(f"; {one}" for one in demands)
        say(
            _("{indent}  {file} {fid:04X}  {name}  {kinds}  [read {read}; update {update}{how}]  ({grade})").format(
                indent=indent,
                file=FilePath.parse(spec.path).name,
                fid=spec.fid,
                name=chinese_first(spec.name_en, spec.name),
                kinds=kinds[spec.structure],
                read=in_words(spec.read),
                update=in_words(spec.update),
                how=how,
                grade=spec.grade,
            )
        )
        for item in spec.items:
            _item(item, depth + 2)
    for key_spec in found.keys.values():
        if key_spec.application == name:
            tries = _("{tries} tries").format(tries=key_spec.tries) if key_spec.tries else _("never locks")
            say(
                _(
                    "{indent}  key {id:02X} {name}  {title}  [{use}; {levels} levels; {tries}; "
                    "{versions} loaded]  ({grade})"
                ).format(
                    indent=indent,
                    id=key_spec.id,
                    name=key_spec.name,
                    title=chinese_first(key_spec.title_en, key_spec.title),
                    use=use_told(key_spec.use),
                    levels=key_spec.levels,
                    tries=tries,
                    versions=key_spec.versions,
                    grade=key_spec.grade,
                )
            )
    for child in found.applications.values():
        if child.parent == name:
            _application(found, child.id, depth + 1)


def _item(item: ItemSpec, depth: int) -> None:
    count = f" x{item.count}" if item.count > 1 else ""
    names = f"  {chinese_first(item.name_en, item.name)}".rstrip()
    say(f"{'  ' * depth}{item.label or '-'} {item.format} {item.length}{count}{names}  ({item.grade})")
    for part in item.elements:
        _item(part, depth + 1)


def _features(found: Layout) -> list[str]:
    """What holds for the card as a whole."""
    lines = []
    pin = found.pin
    if pin.application:
        lines.append(
            _("PIN in {application}  {min_digits}-{max_digits} digits, {tries} tries  ({grade})").format(
                application=pin.application,
                min_digits=pin.min_digits,
                max_digits=pin.max_digits,
                tries=pin.tries,
                grade=pin.grade,
            )
        )
    for scheme in found.messaging.values():
        lines.append(
            _("messaging {name}  key {key}, start {start}, fold {fold}  ({grade})").format(
                name=scheme.name, key=scheme.key, start=scheme.start, fold=scheme.fold, grade=scheme.grade
            )
        )
    temporary = _("also for a time") if found.blocking.temporary else _("for ever only")
    lines.append(
        _("blocking  card {card}; applications {temporary}  ({grade})").format(
            card=in_words(found.blocking.card), temporary=temporary, grade=found.blocking.grade
        )
    )
    if found.activation:
        named = found.activation
        lines.append(
            _("activation  {cla:02X} {ins:02X}, needs {needs}  ({grade})").format(
                cla=named.cla, ins=named.ins, needs=named.needs, grade=named.grade
            )
        )
    if found.personalisation:
        lines.append(
            _("personalisation  under {key}  ({grade})").format(
                key=found.personalisation.key, grade=found.personalisation.grade
            )
        )
    if found.purse:
        purse = found.purse
        rights = _("load {load}; purchase {purchase}; balance {balance}; starting day {set_day}").format(
            load=in_words(purse.load),
            purchase=in_words(purse.purchase),
            balance=in_words(purse.balance),
            set_day=in_words(purse.set_day),
        )
        where = _("in {application}, log {log}, on where {switch} is {value}").format(
            application=purse.application, log=purse.log, switch=purse.switch or "", value=purse.value
        )
        lines.append(_("purse  {where}  [{rights}]  ({grade})").format(where=where, rights=rights, grade=purse.grade))
    for binding in found.insurance_region:
        lines.append(
            _("insurance region  {item}  {insurance}").format(
                item=binding.item, insurance=chinese_first(binding.insurance_en, binding.insurance)
            )
        )
    if found.contactless:
        lines += _contactless(found.contactless)
    if found.habits:
        lines += [
            _("habit  {key}: {value}  ({grade})").format(key=key, value=value, grade=found.habits.grade)
            for key, value in habits_of(found.table).items()
        ]
    return lines


def _contactless(side: ContactlessSpec) -> Iterator[str]:
    """The contactless side, and where it differs."""
    kept = ", ".join((*side.unreachable, *(() if side.pin else (PIN,)))) or _("nothing")
    yield _(
        "contactless 非接触  ATS {ats}, UID {uid}; kept to the contacts: {kept}; GET RESPONSE {sw:04X}  ({grade})"
    ).format(ats=side.parameters.hex(" ").upper(), uid=side.uid, kept=kept, sw=side.get_response, grade=side.grade)
    for path, own in side.access.items():
        yield _("contactless 非接触  {path}  [read {read}; update {update}]  ({grade})").format(
            path=path, read=in_words(own.read), update=in_words(own.update), grade=own.basis.grade
        )


@click.command()
@click.option("--markdown", is_flag=True, help="As the project's docs/reference/commands.md has it.")
@card_options.json_option
def commands(*, markdown: bool, as_json: bool) -> None:
    """List every command that the cards understand: CLA, INS, P1 P2, lengths, status words, cards, source and grade."""
    rows: list[dict[str, Any]] = reference.rows()
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    elif markdown:
        click.echo(reference.markdown(), nl=False)
    else:
        for row, kind in zip(rows, INSTRUCTIONS, strict=True):
            name = row["name"] if asked() == ENGLISH else f"{row['name']} {row['name_zh']}"
            source = register().readable_to_people(kind.source)
            click.echo(f"{row['cla']:8} {row['ins']}  {name}  Lc {_(row['lc'])}  {source}")


COMMANDS = (layout, commands)
