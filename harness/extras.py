"""Packages that come with an extra of this one, and the sentence that says how a missing one is had."""

from __future__ import annotations

import os

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

EXTRAS: dict[str, tuple[str, ...]] = {
    "adapter": ("httpx2", "jmespath", "xmltodict"),
    "cluster": ("distributed",),
    "conformance": ("jsonschema", "jinja2", "pydantic"),
    "office": ("pydantic", "sqlalchemy", "alembic", "chinese_calendar", "segno", "weasyprint"),
    "web": ("fastapi", "fastapi_offline", "h11", "limits", "prometheus_client", "starlette", "uvicorn", "websockets"),
    "pcsc": ("smartcard",),
    "postgres": ("psycopg",),
}
"""What is imported, by the extra that brings it; pyproject.toml has the packages' own names."""

CHECKOUT = os.path.isfile(os.path.join(os.path.dirname(os.path.dirname(__file__)), "Makefile"))  # noqa: PTH113, PTH118, PTH120
"""Whether this runs from the project's own tree, whose Makefile brings every extra into .venv."""


class MissingExtra(SscardError):
    """A package that this install has not, and the command that brings it. ``extra``: of this package."""

    kind = ErrorKind.MISSING

    def __init__(self, package: str, extra: str, what: str = "") -> None:
        text = (
            _("{what} needs {package}, which is not installed: make all")
            if CHECKOUT
            else _('{what} needs {package}, which is not installed: pip install "{requirement}"')
        )
        told = {"what": what or _("this"), "package": package, "requirement": requirement(extra)}
        super().__init__(text.format(**told))
        self.package, self.extra = package, extra


def requirement(extra: str) -> str:
    """This package with an extra, as pip takes it: from where this install came, as it may have come from no index."""
    import json
    from importlib import metadata

    name = f"sscard[{extra}]"
    try:
        recorded = metadata.distribution("sscard").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        recorded = None
    if not recorded:
        return name
    origin = json.loads(recorded)
    system = origin.get("vcs_info", {}).get("vcs", "")
    return f"{name} @ {system}{'+' if system else ''}{origin['url']}"


def missing(error: ModuleNotFoundError, what: str = "", likely: str = "") -> MissingExtra | None:
    """What an import that failed lacks; None where no extra brings it. ``what``: whatever needs it; ``likely``: the
    extra to name where several bring it.
    """
    package = (error.name or "").partition(".")[0]
    extras = [name for name, packages in EXTRAS.items() if package in packages]
    if not extras:
        return None
    return MissingExtra(package, likely if likely in extras else extras[0], what)
