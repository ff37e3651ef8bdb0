"""The office over HTTP."""

from harness.web.office.service import create

__all__ = ["create"]
