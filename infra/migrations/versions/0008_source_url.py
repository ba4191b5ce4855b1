"""Add the URL from which a generation is fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; uploaded generations have NULL."""
    op.add_column("generations", sa.Column("source_url", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the column; pending fetches fail at their deadline."""
    op.drop_column("generations", "source_url")
