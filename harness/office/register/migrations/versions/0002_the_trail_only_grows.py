"""The audit trail only grows: the database itself refuses to change or take away a line.

Revision: 0002, after 0001.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    for deed in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{deed.lower()} BEFORE {deed} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END"
        )


def downgrade() -> None:
    """Back."""
    for deed in ("update", "delete"):
        op.execute(f"DROP TRIGGER audit_no_{deed}")
