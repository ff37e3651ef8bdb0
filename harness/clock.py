"""Time. The chip has no clock; whoever judges dates by the harness asks this one, which tests set and step."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from emulator.messages import _

CHINA = timezone(timedelta(hours=8), "CST")
"""China has one time, and no summer time."""


class Clock:
    """China's time. Follows the system until it is set; then it stands, and moves only when stepped."""

    def __init__(self, moment: datetime | None = None) -> None:
        self._moment: datetime | None = None
        if moment is not None:
            self.set(moment)

    def now(self) -> datetime:
        """The present moment, in China's time."""
        return self._moment or datetime.now(CHINA)

    def today(self) -> date:
        """Returns the present day in China."""
        return self.now().date()

    def set(self, moment: datetime) -> None:
        """Stands still at a moment; one without a time zone is China's."""
        self._moment = moment.replace(tzinfo=CHINA) if moment.tzinfo is None else moment.astimezone(CHINA)

    def step(self, span: timedelta) -> None:
        """Moves a clock that was set; ValueError for one that follows the system."""
        if self._moment is None:
            raise ValueError(_("a clock that follows the system cannot be stepped: set it first"))
        self._moment += span
