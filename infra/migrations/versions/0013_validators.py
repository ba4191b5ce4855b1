"""Add HTTP validators of fetched generations, and the time of the last check."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; generations fetched earlier have none and are compared by checksum."""
    op.add_column("generations", sa.Column("etag", sa.Text(), nullable=True))
    op.add_column("generations", sa.Column("last_modified", sa.Text(), nullable=True))
    op.add_column("generations", sa.Column("checked_at", sa.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Drop the columns; refetched files are compared by checksum."""
    for name in ("checked_at", "last_modified", "etag"):
        op.drop_column("generations", name)
