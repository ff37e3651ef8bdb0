"""The bank's application beside the social security one: read, with what it asks for, and never paid with."""

from __future__ import annotations

from emulator.apdu.instructions.bank import GenerateAc, GetProcessingOptions
from emulator.messages import _
from harness.monitor.rule import WARNING, Rule
from harness.monitor.view import Step

HEAD = 2
"""Tag and length of the template that the values come in."""


class Options(Rule):
    """A card that is asked with other values than its list names has been asked by a terminal that did not look."""

    id = "BANK-OPTIONS"
    title = "GET PROCESSING OPTIONS carries the values that the FCI's PDOL asks for, all of them"
    title_zh = "取处理选项命令须带齐FCI中PDOL所列数据"
    source = "PDOL 9F38, template 83 [P: pboc]"

    def step(self, step: Step) -> str | None:
        spec = step.place.directory.spec
        if step.kind is not GetProcessingOptions or not spec.processing:
            return None
        self.seen = True
        wanted, came = sum(length for __, length in spec.options), len(step.data) - HEAD
        if came == wanted:
            return None
        return _("{application} asks for {wanted} bytes of values, {came} came").format(
            application=spec.id, wanted=wanted, came=max(came, 0)
        )


class Payment(Rule):
    """What the bank's side is read for is a number and a name; a cryptogram begins a payment."""

    id = "BANK-PAYMENT"
    title = "The bank's application is read, no cryptogram is asked for"
    title_zh = "只读银行应用，不请求应用密文"
    source = (
        "GENERATE AC counts against the card's limits [P: pboc]; that social security terminals have no use for it [D]"
    )
    severity = WARNING

    def step(self, step: Step) -> str | None:
        if step.kind is not GenerateAc:
            self.seen = self.seen or bool(step.place.directory.spec.processing)
            return None
        self.seen = True
        return _("GENERATE AC was sent to {application}").format(application=step.place.directory.spec.id)


RULES = (Options, Payment)
