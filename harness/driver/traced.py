"""Traces of the driver: what went to the cards, and the calls that it was for."""

from __future__ import annotations

from collections.abc import Sequence

from emulator import catalogue
from emulator.apdu.status import describe
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import chinese_first
from harness.driver.codes import Code, words
from harness.driver.interface import Function
from harness.driver.readers import Readers
from harness.readers.connection import Connection
from harness.readers.observed import Observed
from harness.terminal.terminal import layout_of
from harness.trace import calls
from harness.trace.read import PSAM
from harness.trace.record import Trace

USER_SLOT, PSAM_SLOT = 0, 1


class CallTrace:
    """Writes calls into a trace, each when it was answered: after the commands that it was made of."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def called(
        self, client: int, function: Function, values: Sequence[int | str], code: int, out: str, seconds: float
    ) -> None:
        """One call of one client, with what it was given and gave as far as that may stand there."""
        named = {one.name: value for one, value in zip(function.given, values, strict=False)}
        more = calls.told(
            function.name,
            named,
            out if code == Code.DONE else "",
            personal_data=self._trace.personal_data,
            show_secrets=self._trace.show_secrets,
        )
        event = {"event": "call", "function": function.name, "code": int(code), "reason": reason(code)}
        self._trace.write(USER_SLOT, {**event, "client": client, "latency": round(seconds, 6), **more})


def reason(code: int) -> str:
    """A code in words, Chinese first; of a negated status word its own. Never the text that a caller gets."""
    if code in Code.__members__.values():
        return words(Code(code), "N")
    english, chinese = describe(-code) if 0 < -code <= 0xFFFF else ("", "")
    return chinese_first(english, chinese)


class TracedReaders:
    """Cards in readers, watched: the user's as slot 0 of a trace, the PSAM as slot 1. Each card is asked once for the
    version that it says, so that the trace knows its files; ``layout``: where that does not tell.
    """

    def __init__(self, readers: Readers, trace: Trace, layout: Layout | None = None) -> None:
        self._readers, self._trace, self._layout = readers, trace, layout
        self._known: dict[bytes, Layout | None] = {}

    def card(self, kind: int) -> Connection:
        """Returns the readers' card, whose commands go into the trace."""
        connection = self._readers.card(kind)
        try:
            layout = self._layout or self._layout_of(connection)
        except BaseException:
            connection.close()
            raise
        return Observed(connection, self._trace.slot(USER_SLOT, layout=layout))

    def _layout_of(self, connection: Connection) -> Layout | None:
        if connection.atr not in self._known:
            self._known[connection.atr] = layout_of(connection)
        return self._known[connection.atr]

    def psam(self) -> Connection | None:
        """Returns the readers' PSAM, whose commands go into the trace; None where there is none."""
        connection = self._readers.psam()
        return connection and Observed(connection, self._trace.slot(PSAM_SLOT, layout=catalogue.layout(PSAM)))
