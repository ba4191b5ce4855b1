"""Store when a URL that could not be fetched is tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; it is set from the next failed try on."""
    op.add_column("generations", sa.Column("next_attempt_at", sa.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("generations", "next_attempt_at")
