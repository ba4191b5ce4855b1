"""Let receipts of deletions be of users."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_KINDS = "ck_deletions_kind"


def upgrade() -> None:
    """Allow one kind more."""
    _allow("'file', 'collection', 'tenant', 'conversation', 'user'")


def downgrade() -> None:
    """Drop the receipts of deleted users."""
    op.execute("DELETE FROM deletions WHERE kind = 'user'")
    _allow("'file', 'collection', 'tenant', 'conversation'")


def _allow(kinds: str) -> None:
    op.drop_constraint(op.f(_KINDS), "deletions", type_="check")
    op.create_check_constraint(op.f(_KINDS), "deletions", f"kind IN ({kinds})")
