"""The demonstration: one terminal session on a card, told as it happens."""

from __future__ import annotations

from collections.abc import Callable

from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _, chinese_first
from harness.clock import Clock
from harness.keys.access import TerminalError
from harness.messages.visible import visible_line
from harness.readers.connection import Connection
from harness.terminal import region
from harness.terminal.terminal import PinRefused, Terminal
from harness.trace.decode import answer_words, command_hex, command_words, status_apart

Say = Callable[[str], None]
FROM, TO = "510100", "510700"


class Narrator:
    """A connection that tells each command and what came of it on one line. PINs stay masked.

    What only the T=0 shape needs, a repetition after 6Cxx and the fetching after 61xx, is folded into its command.
    """

    def __init__(self, connection: Connection, say: Say) -> None:
        self._connection = connection
        self._say = say
        self._fetched: bytes | None = None

    @property
    def atr(self) -> bytes:
        """Returns the card's ATR."""
        return self._connection.atr

    def reset(self) -> bytes:
        """Resets the card and says so."""
        atr = self._connection.reset()
        self._say(_("  reset          ATR {atr}").format(atr=atr.hex().upper()))
        return atr

    def send(self, command: bytes) -> bytes:
        """Sends a command on, and says in words what was asked and answered."""
        answer = self._connection.send(command)
        if answer[-2] == 0x61:
            self._fetched = self._fetched or command
        elif answer[-2] != 0x6C:
            told, self._fetched = self._fetched or command, None
            self._say(f"  → {command_hex(told)}  {command_words(told)}")
            self._say(f"  ← {status_apart(answer.hex().upper())} {answer_words(answer)}")
        return answer

    def close(self) -> None:
        """Lets the card go."""
        self._connection.close()


def run(connection: Connection, say: Say, *, pin: str, known: Layout | None = None, clock: Clock | None = None) -> bool:
    """Reset, selection, cardholder, the move of the insurance region, and the PIN; true if all of it worked.

    The PIN comes last: fresh cards have the initial one, with which nothing else may be done.
    """
    clock = clock or Clock()
    terminal = Terminal(Narrator(connection, say), known)
    try:
        say(_("\n1. Reset and selection of the social security environment 复位，选择社会保障系统环境"))
        terminal.begin()
        say(_("\n2. The card and its holder 卡与持卡人"))
        read = [one for path in ("SSSE/EF05", "SSSE/EF06") for one in terminal.read_file(path)]
        for one in read:
            say(visible_line(f"     {one.path}  {chinese_first(one.spec.name_en, one.spec.name)}: {one.words}"))
        end = terminal.valid_until()
        if end is not None and end < clock.today():
            say(_("     The card's validity ended on {end}: a terminal refuses it 卡已过有效期").format(end=end))
            say(_("\nThe session worked 会话成功"))
            return True
        say(_("\n3. The insurance region 参保地"))
        moved = _move(terminal, say)
        say(_("\n4. The cardholder's PIN 验证密码"))
        verified = _verify(terminal, pin, say)
    except (TerminalError, OSError) as error:
        say(_("\nThe session failed 会话失败: {error}").format(error=visible_line(str(error))))
        return False
    say(_("\nThe session worked 会话成功") if verified and moved else _("\nThe session did not work 会话未成功"))
    return verified and moved


def _verify(terminal: Terminal, pin: str, say: Say) -> bool:
    left = terminal.pin_state()
    if left == 0:
        say(_("     The PIN is locked; this session goes on without it 密码已锁定"))
        return True
    if left == 1:
        say(_("     One try is left; this session does not spend it 仅剩一次重试机会"))
        return True
    try:
        terminal.verify_pin(pin)
    except PinRefused as refused:
        say(f"     {visible_line(str(refused))}")
        return False
    return True


def _move(terminal: Terminal, say: Say) -> bool:
    held = region.read(terminal)
    if not held or any(one.code != FROM for one in held):
        said = ", ".join(sorted({one.code for one in held})) or _("none")
        say(
            _("     This card's region is {said}, not {expected}: nothing is moved 参保地未变更").format(
                said=said, expected=FROM
            )
        )
        return True
    region.move(terminal, TO, FROM)
    say(_("     Read back after a reset 复位后回读"))
    terminal.begin()
    after = region.read(terminal)
    for one in after:
        binding = one.binding
        names = f"{region.name(FROM)} {FROM} → {region.name(one.code) or '?'} {one.code}"
        insurance = chinese_first(binding.insurance_en, binding.insurance)
        say(visible_line(f"     {binding.item}  {insurance}: {names}"))
    return [one.code for one in after] == [TO] * len(held)
