"""Alembic runs this to bring a register's schema up to date, over the connection that it is given."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from harness.office.register import tables
from harness.office.register.base import Base, Moment


def render(kind: str, value: Any, _: Any) -> str | Literal[False]:
    """Migrations name plain types: what a column of today holds may be gone tomorrow."""
    if kind == "type" and isinstance(value, Moment | sa.Enum):
        return f"sa.String(length={20 if isinstance(value, Moment) else 32})"
    return False


assert tables  # what is declared there is what Base knows
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
