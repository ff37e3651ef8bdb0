"""A file holds to its rules whatever way it is written: REPLACE takes rows away past SQLite's triggers of DELETE, and
another program need not ask for foreign keys. A server needs nothing of this.

Revision: 0005, after 0004.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ONLY_GROWS, BELONGS = "the audit trail only grows", "FOREIGN KEY constraint failed"
TWICE = "UNIQUE constraint failed: person.document_type, person.document_number"
HAS_A_CARD = "EXISTS (SELECT 1 FROM card WHERE person_id = OLD.id)"
SAME = "document_type = NEW.document_type AND document_number = NEW.document_number"
TRIGGERS = {
    "audit_no_replace": ("INSERT ON audit", "EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)", ONLY_GROWS),
    "person_stays": ("DELETE ON person", HAS_A_CARD, BELONGS),
    "person_keeps_number": ("UPDATE OF id ON person", f"OLD.id <> NEW.id AND {HAS_A_CARD}", BELONGS),
    "person_no_replace": (
        "INSERT ON person",
        f"EXISTS (SELECT 1 FROM person WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM person WHERE {SAME})",
        TWICE,
    ),
    "person_no_takeover": (
        "UPDATE OF document_type, document_number ON person",
        f"EXISTS (SELECT 1 FROM person WHERE id <> OLD.id AND {SAME})",
        TWICE,
    ),
}
"""What is done, when it is refused, and with which words: SQLite's own where it would refuse it by itself."""


def upgrade() -> None:
    """Forward."""
    if op.get_bind().dialect.name == "sqlite":
        for name, (deed, when, said) in TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} BEFORE {deed} WHEN {when} BEGIN SELECT RAISE(ABORT, '{said}'); END")


def downgrade() -> None:
    """Back."""
    if op.get_bind().dialect.name == "sqlite":
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
