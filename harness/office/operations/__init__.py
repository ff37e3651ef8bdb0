"""The operations, one class each: 申领 to 注销, and what goes with them."""

from typing import Any

from harness.office.case.operation import Operation
from harness.office.operations import (
    activate_and_pin,
    apply,
    cancel,
    electronic,
    information_and_region,
    issue,
    loss_and_reissue,
    supervise,
)

_MODULES = (apply, issue, activate_and_pin, loss_and_reissue, information_and_region, cancel, electronic, supervise)
ALL: dict[str, Operation[Any]] = {kind.request.operation: kind() for one in _MODULES for kind in one.OPERATIONS}
"""By name."""
