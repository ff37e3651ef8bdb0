"""Each insurance has its own region, a death stays known, suspending is told from freezing, and a bank has a region.

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from emulator.personas.countries import ALPHA_3

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
INSURED = sa.column("insured", sa.JSON())


def upgrade() -> None:
    """Forward."""
    op.add_column("bank", sa.Column("region", sa.String(), nullable=False, server_default=""))
    op.add_column("person", sa.Column("died_at", sa.String(20)))
    op.add_column("card", sa.Column("suspended_at", sa.String(20)))
    op.add_column("card", sa.Column("suspended_why", sa.String(), nullable=False, server_default=""))
    op.add_column("card", sa.Column("electronic_goes_on", sa.Boolean(), nullable=False, server_default=sa.false()))
    link = op.get_bind()
    people = sa.table("person", *map(sa.column, ("id", "region", "country")), INSURED)
    for number, region, country, insured in link.execute(sa.select(people)).all():
        values = {
            "insured": dict.fromkeys(insured, region),
            "country": ALPHA_3.get(country, country),  # letters, as a card takes them
        }
        link.execute(people.update().where(people.c.id == number).values(values))


def downgrade() -> None:
    """Back; insurances that are elsewhere than their holder are told with the holder's region from then on."""
    link = op.get_bind()
    people = sa.table("person", sa.column("id"), INSURED)
    for number, insured in link.execute(sa.select(people)).all():
        link.execute(people.update().where(people.c.id == number).values(insured=list(insured)))
    for table, column in (
        ("card", "electronic_goes_on"),
        ("card", "suspended_why"),
        ("card", "suspended_at"),
        ("person", "died_at"),
        ("bank", "region"),
    ):
        op.drop_column(table, column)
