"""What the page asks of a run's slots: each request a model of its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from emulator import catalogue
from emulator.messages import _
from harness.studio.readers import ready_faults, shelf, uploads
from harness.studio.readers.drafts import LONGEST_TEXT
from harness.web.refusals import Problem

LONGEST_PLAN = 64 * 1024
"""Characters of a plan of faults. [D]"""


class _Slot(BaseModel):
    model_config = ConfigDict(extra="forbid")
    slot: int = Field(ge=0)
    expects: int | None = Field(default=None, ge=0)
    """The slot's count of changes as the browser has seen it; None: whatever it is by now."""

    def asked(self) -> dict[str, Any]:
        """As a run takes it. Problem, FaultError, UnknownCard."""
        told = {"op": getattr(self, "op"), "slot": self.slot}  # noqa: B009 — each request has its own
        return told if self.expects is None else told | {"expects": self.expects}


class _Card(_Slot):
    persona: str = Field(default="", max_length=100)
    text: str = Field(default="", max_length=LONGEST_TEXT)
    """A persona's TOML."""
    image: str = Field(default="", max_length=40)
    """The name of a copy that was dropped on the page."""
    layout: str = Field(default="", max_length=40)
    algorithm: Literal["", "3des", "sm4", "ssf33"] = ""
    interface: Literal["", "contact", "contactless", "both"] = ""

    def asked(self) -> dict[str, Any]:
        """With the card that it names."""
        if len([one for one in (self.persona, self.text, self.image) if one]) > 1:
            raise Problem(422, "input", _("expected one card: a persona, a text or an image"))
        if self.layout and self.layout not in catalogue.layouts():
            raise Problem(404, "missing", _("no such layout"))
        told = {
            "persona": self.persona and shelf.named(self.persona),
            "persona_text": self.text,
            "image": self.image and str(uploads.kept(self.image)),
            "layout": self.layout,
            "algorithm": self.algorithm,
            "interface": self.interface,
        }
        return super().asked() | {name: value for name, value in told.items() if value}


class Insert(_Card):
    """插卡 A card into an empty slot: the one that was there before, or the one that is named."""

    op: Literal["insert"]


class Swap(_Card):
    """换卡 Another card in place of the one that is there."""

    op: Literal["swap"]


class Remove(_Slot):
    """拔卡 The card out of its reader."""

    op: Literal["remove"]


class Reset(_Slot):
    """复位 Out and in again."""

    op: Literal["reset"]


class Tear(_Slot):
    """写中断电 Power goes once after the k-th write from now; None: it does not after all."""

    op: Literal["tear"]
    k: int | None = Field(ge=1, le=1_000_000)

    def asked(self) -> dict[str, Any]:
        """With the number of the write."""
        return super().asked() | {"k": self.k}


class Faults(_Slot):
    """故障 A plan of faults from now on, as ``ready_faults.read`` takes it; empty: none any more."""

    op: Literal["faults"]
    text: str = Field(default="", max_length=LONGEST_PLAN)
    seed: int | None = Field(default=None, ge=0, le=2**63 - 1)

    def asked(self) -> dict[str, Any]:
        """With the plan."""
        if not self.text.strip():
            return super().asked()
        seed = {} if self.seed is None else {"seed": self.seed}
        return super().asked() | ready_faults.read(self.text) | seed


Steer = Annotated[Insert | Swap | Remove | Reset | Tear | Faults, Field(discriminator="op")]


class Entered(BaseModel):
    """密码输入 Digits, ``cancel`` or ``timeout`` at the pad of this name. The digits are shown and kept nowhere."""

    model_config = ConfigDict(extra="forbid", title="PadEntered")
    pad: str = Field(max_length=40)
    entry: SecretStr = Field(max_length=40)
