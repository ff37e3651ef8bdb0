"""What a run tells the process of its page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from harness.studio.office.choice import OfficeChoice

USUAL_PORT = 8700
"""Where the page is, unless another program is there. [D]"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run tells the process of its page. ``run``: the run's id, empty where there is none; ``why``: then why.

    ``port``: None for the usual one or, where that is taken, any; 0 for any. ``show_secrets``, ``personal_data``: what
    the session shows, as traces have it. ``programs``: those that may be proven from the page, each as NAME=COMMAND.
    ``office``: the one that the page has too.
    """

    run: str = ""
    why: str = ""
    port: int | None = None
    show_secrets: bool = False
    personal_data: bool = False
    programs: tuple[str, ...] = ()
    office: OfficeChoice | None = None

    def as_json(self) -> str:
        """For the process that serves it."""
        return json.dumps(asdict(self) | {"office": self.office.as_table() if self.office else None})

    @classmethod
    def of_json(cls, text: str) -> Settings:
        """What ``as_json`` gave."""
        table = json.loads(text)
        read = {"programs": tuple(table["programs"]), "office": OfficeChoice.of(table["office"])}
        return cls(**{**table, **read})
