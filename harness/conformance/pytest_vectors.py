"""Vectors as tests of pytest's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import ErrorKind, SscardError
from emulator.messages import both
from harness.conformance import names, runner
from harness.conformance import vector as vectors
from harness.conformance.targets.virtual import Virtual
from harness.conformance.vector import holds_vectors
from harness.messages.visible import visible
from harness.sources.register import register
from harness.verdicts.report import exchanges
from harness.verdicts.verdict import Result, Verdict

__all__ = ["VectorFailed", "VectorFile", "VectorItem", "holds_vectors"]


class VectorItem(pytest.Item):
    """One vector as a test."""

    def __init__(self, *, vector: vectors.Vector, profile: tuple[str, str], **more: Any) -> None:
        super().__init__(**more)
        self.vector, self.profile = vector, profile

    def runtest(self) -> None:
        """Runs it on a virtual card of the profile."""
        result = runner.run_one(self.vector, Virtual(*self.profile))
        if result.verdict in (Verdict.NOT_APPLICABLE, Verdict.MISSING):
            pytest.skip(result.reason)
        if result.verdict is not Verdict.PASSED:
            raise VectorFailed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The verdict, the case and its trace instead of a traceback."""
        error = excinfo.value
        if not isinstance(error, VectorFailed):
            return super().repr_failure(excinfo, style)
        one = error.result
        basis = register().readable(one.subject.source)
        head = f"{both(one.subject.title, one.subject.title_zh, chr(10))}\n{one.subject.standard}, {basis}"
        secrets = bool(self.config.getoption("--show-secrets"))
        return visible(f"{head}\n{one.verdict}: {one.reason}\n") + exchanges(one.trace, show_secrets=secrets)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is written, and its id."""
        return Path(self.vector.path), 0, self.vector.id


class VectorFailed(SscardError):
    """A vector that did not pass."""

    kind = ErrorKind.BROKEN

    def __init__(self, result: Result) -> None:
        super().__init__(result.reason)
        self.result = result


class VectorFile(pytest.File):
    """A file of vectors, for cards of this profile."""

    def __init__(self, *, profile: tuple[str, str], **more: Any) -> None:
        super().__init__(**more)
        self.profile = profile

    def collect(self) -> Iterator[pytest.Item]:
        """Its vectors; VectorError for a name in one that no layout, program or driver has."""
        found = vectors.load(self.path)
        names.check(found)
        for one in found:
            yield VectorItem.from_parent(self, name=one.id, vector=one, profile=self.profile)
