"""``@override``: this method is another one's, whose docstring holds here too. Checked by mypy.

``typing`` has it from Python 3.12 on; before that it does nothing at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import override
else:
    Method = TypeVar("Method")

    def override(method: Method) -> Method:
        """Gives the method as it is."""
        return method


__all__ = ["override"]
