"""Store which parts an upload was completed with."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; uploads that were completed before are not asked for their parts."""
    op.add_column("part_uploads", sa.Column("completed_with", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("part_uploads", "completed_with")
