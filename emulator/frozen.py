"""Dictionaries and lists that stay as they are: what the catalogue hands out is everyone's, so nobody may change it.

They are still ``dict`` and ``list``, so that JSON, pickle and ``isinstance`` take them for what they are.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NoReturn


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError(f"this {type(self).__bases__[0].__name__} is shared by all who loaded it: change a copy")


class FrozenDict(dict[str, Any]):
    """A dictionary whose changes are TypeErrors; ``dict(one)`` and what ``copy`` makes of it may be changed."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: deepcopy(value, memo) for key, value in self.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


class FrozenList(list[Any]):
    """A list whose changes are TypeErrors; ``list(one)`` and what ``copy`` makes of it may be changed."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __copy__(self) -> list[Any]:
        return list(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [deepcopy(value, memo) for value in self]

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenList, (list(self),)


def frozen(value: Any) -> Any:
    """The same, with every dictionary and list in it frozen, at any depth; anything else as it is."""
    if isinstance(value, dict):
        return FrozenDict((key, frozen(one)) for key, one in value.items())
    if isinstance(value, list):
        return FrozenList(map(frozen, value))
    return value
