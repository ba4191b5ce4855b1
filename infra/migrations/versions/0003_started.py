"""Add the time at which the ingestion of a generation started."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; generations already being ingested keep NULL."""
    op.add_column("generations", sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("generations", "started_at")
