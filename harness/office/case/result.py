"""What an operation found or made, for whoever asked: a model of its own for each that has something to say."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Result(BaseModel):
    """Of an operation that has no more to say than that it is done. A field that was not given is not told."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    untrailed: ClassVar[frozenset[str]] = frozenset()
    """Fields that are not for the trail: whoever reads them may use them as the holder does."""

    def data(self) -> dict[str, Any]:
        """Returns the result as JSON takes it."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def for_trail(self) -> dict[str, Any]:
        """The plain values, and where somebody moved from: people's data are named on the trail, not quoted."""
        return {
            name: value
            for name, value in self.data().items()
            if (isinstance(value, str | int | bool) or name == "from") and name not in self.untrailed
        }
