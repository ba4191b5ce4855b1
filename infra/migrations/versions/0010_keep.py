"""Add the time for which a replaced index is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, in seconds."""
    op.add_column("indexes", sa.Column("keep_seconds", sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("indexes", "keep_seconds")
