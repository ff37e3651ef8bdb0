"""Virtual cards may be in the register itself; on PostgreSQL texts compare and sort as in a file, by their characters' numbers.

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "card_image",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_card_image")),
    )
    _collate('"C"')


def downgrade() -> None:
    """Back."""
    op.drop_table("card_image")
    _collate('"default"')


def _collate(name: str) -> None:
    link = op.get_bind()
    if link.dialect.name != "postgresql":
        return
    known = sa.inspect(link)
    for table in known.get_table_names():
        if table != "alembic_version":
            for column in known.get_columns(table):
                if isinstance(column["type"], sa.String):
                    written = column["type"].compile(link.dialect).partition(" COLLATE")[0]
                    op.execute(f"ALTER TABLE {table} ALTER COLUMN {column['name']} TYPE {written} COLLATE {name}")
