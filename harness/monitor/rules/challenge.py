"""Challenges: the card's own, asked for now, used once."""

from __future__ import annotations

from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge
from emulator.apdu.instructions.select import Select
from emulator.messages import _
from harness.monitor.rule import WARNING, Rule
from harness.monitor.view import NO_CHALLENGE, USED, Step

ENOUGH = 4
"""Challenges in a row that reading basic information asks for. [S: prog-z390, reference:terminal flow 1]"""


def uses(step: Step) -> bool:
    """It needs a challenge of the card's."""
    protected = step.kind is not None and step.kind.protected
    return step.proves or step.secured or protected


class Fresh(Rule):
    """No challenge, no proof."""

    id = "CHALLENGE-STALE"
    title = "A proof or a MAC uses a challenge asked for since the reset and in this DF"
    title_zh = "认证和MAC使用复位后、在当前应用中取得的随机数"
    source = "6984 without one [T: part5:6.4, part5:6.5.1]"

    def step(self, step: Step) -> str | None:
        if not uses(step) or step.kind is None:
            return None
        self.seen = True
        return (
            _("{name}, and no challenge was asked for").format(name=step.name)
            if step.challenge == NO_CHALLENGE
            else None
        )


class Once(Rule):
    """A challenge serves once."""

    id = "CHALLENGE-TWICE"
    title = "A challenge is used once"
    title_zh = "随机数只使用一次"
    source = "a challenge serves one use [T: part5:6.5.1]"

    def step(self, step: Step) -> str | None:
        if not uses(step) or step.kind is None:
            return None
        self.seen = True
        return (
            _("{name} with a challenge that was used already").format(name=step.name)
            if step.challenge == USED
            else None
        )


class Replayed(Rule):
    """A proof that was sent before proves nothing."""

    id = "CHALLENGE-REPLAYED"
    title = "No cryptogram is sent twice"
    title_zh = "同一密文不得发送两次"
    source = "a challenge serves one use [T: part5:6.5.1]"

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._sent: set[bytes] = set()

    def step(self, step: Step) -> str | None:
        if step.kind is not ExternalAuthentication or not step.data:  # a PIN's proof is masked
            return None
        self.seen = True
        again = step.data in self._sent
        self._sent.add(step.data)
        return _("EXTERNAL AUTHENTICATION with a cryptogram that was sent before") if again else None


class Idle(Rule):
    """Challenges are asked for to be used."""

    id = "CHALLENGE-IDLE"
    title = "Challenges are asked for to be used"
    title_zh = "取得的随机数应被使用"
    source = (
        f"the flows ask for {ENOUGH} at most before they use one [S: prog-z390, reference:terminal flow 1]; "
        "that more is a fault [D]"
    )
    severity = WARNING
    _idle = 0

    def step(self, step: Step) -> str | None:
        if step.kind is GetChallenge and step.ok:
            self.seen = True
            self._idle += 1
            if self._idle == ENOUGH + 1:
                return _("{idle} challenges in a row, and none was used").format(idle=self._idle)
        elif step.kind is Select or uses(step):
            self._idle = 0
        return None

    def reset(self) -> str | None:
        self._idle = 0
        return None


RULES = (Fresh, Once, Replayed, Idle)
