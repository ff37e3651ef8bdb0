"""``sscard doctor --connect``: what stands between this machine and a card in another machine's reader."""

from __future__ import annotations

from emulator.messages import _
from emulator.reader.line import Dialled
from emulator.reader.slot import Slot
from harness.serving.far import TAKEN, Endpoint, FarError, addresses, troubled
from harness.serving.finding import Finding

ATR = bytes.fromhex("3B00")
"""The shortest that there can be."""


class Probe:
    """A card that knows no command: it notices whether a driver asks for its ATR and powers it."""

    def __init__(self) -> None:
        self.asked = 0

    @property
    def atr(self) -> bytes:
        """Returns the answer to reset."""
        self.asked += 1
        return ATR

    @atr.setter
    def atr(self, atr: bytes) -> None:
        del atr

    def power_on(self) -> bytes:
        """Returns the ATR."""
        return ATR

    def reset(self) -> bytes:
        """Returns the ATR."""
        return ATR

    def power_off(self) -> None:
        """Nothing is lost."""

    def taken_out(self) -> None:
        """Nothing is lost."""

    def transmit(self, command: bytes) -> bytes:
        """6D00: there is no such instruction."""
        del command
        return b"\x6d\x00"


def examine(at: Endpoint) -> list[Finding]:
    """Whether the host is known and a driver there powers a card, which is put in for a moment."""
    try:
        known = addresses(at.host)
    except FarError as error:
        return [Finding("host", "fault", str(error), _("name an address, or a name that this machine can look up"))]
    open_to_all = Finding(
        "network",
        "warning",
        _("nothing on that way is encrypted, and vpcd asks nobody who he is: who reaches its port can pose as a card"),
        _("have a tunnel between the two machines, and the port closed to others: docs/remote.md"),
    )
    return [Finding("host", "ok", ", ".join(known)), reader(at), open_to_all]


def reader(at: Endpoint) -> Finding:
    """Whether a driver there powers a card, which is put in for a moment."""
    check, probe = _("reader {at}").format(at=at), Probe()
    slot = Slot(probe, Dialled(at.host, at.port))
    try:
        slot.insert()
        taken = slot.wait_powered(TAKEN)
        trouble = troubled(slot)
    finally:
        slot.close()
    if taken:
        return Finding(check, "ok", _("a driver there has powered a card"))
    if probe.asked:
        detail = _("a driver there asks for a card's ATR, but has not powered it within {seconds:g} s")
        remedy = _("see whether its PC/SC service runs: on Windows SCardSvr, on Linux pcscd")
    elif trouble:
        detail = trouble
        remedy = _(
            "start vsmartcard's reader there, take the card out that is in it, and open its port to this machine in "
            "the firewalls: docs/remote.md"
        )
    else:
        detail = _("somebody takes connections, but has not asked for a card's ATR within {seconds:g} s")
        remedy = _("take the card out that is in that reader, name the port of a free one, or see what listens there")
    return Finding(check, "fault", detail.format(seconds=TAKEN), remedy)
