"""Packages that come with an extra of this one, and the sentence that says how a missing one is had."""

from __future__ import annotations

import os
import sys

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
        command = "make all" if CHECKOUT else brought(extra)
        super().__init__(
            _("{what} needs {package}, which is not installed: {command}").format(
                what=what or _("this"), package=package, command=command
            )
        )
        self.package, self.extra = package, extra


def brought(extra: str) -> str:
    """The command that brings an extra into this environment: one that pipx or uv made may have no pip of its own."""
    home = sys.prefix
    if os.path.isfile(os.path.join(home, "pipx_metadata.json")):  # noqa: PTH113, PTH118
        command = f"pipx runpip {os.path.basename(home)} install"  # noqa: PTH119
    elif os.path.isfile(os.path.join(home, "uv-receipt.toml")):  # noqa: PTH113, PTH118
        command = f'uv pip install --python "{home}"'
    else:
        command = "pip install"
    return f'{command} "{requirement(extra)}"'


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
