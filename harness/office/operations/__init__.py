"""The operations, one class each: 申领 to 注销, and what goes with them."""

from typing import Any

from harness.office.operation import Operation
from harness.office.operations import ending, issuing, looking, losing, using

ALL: dict[str, Operation[Any]] = {
    kind.request.operation: kind() for module in (issuing, using, losing, looking, ending) for kind in module.OPERATIONS
}
"""By name."""
