"""The operations, one class each: 申领 to 注销, and what goes with them."""

from typing import Any

from harness.office.operation import Operation
from harness.office.operations import applying, electronic, ending, issuing, looking, losing, supervising, using

_MODULES = (applying, issuing, using, losing, looking, ending, electronic, supervising)
ALL: dict[str, Operation[Any]] = {kind.request.operation: kind() for one in _MODULES for kind in one.OPERATIONS}
"""By name."""
