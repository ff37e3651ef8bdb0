"""What reading basic information gives."""

from __future__ import annotations

from harness.driver import contents
from harness.driver.formats import joined
from harness.driver.session import Session


def information(session: Session, terminal_number: str, device: str) -> str:
    """Region | social security number | card number | identification code | name | historical bytes | version | date of
    issue | valid until | terminal number | device number | [S]
    """
    read = session.terminal.read
    issued, until = (str(read(f"SSSE/EF05/{tag}")) for tag in ("05", "06"))
    holder = str(read("SSSE/EF06/08"))
    return joined(
        session.terminal.region,
        holder,
        session.number,
        session.identification,
        contents.name(session.terminal),
        session.history,
        session.terminal.version,
        issued,
        until,
        terminal_number,
        device,
    )
