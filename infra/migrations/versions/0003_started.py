"""When the ingestion of a generation began."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment; what is being ingested meanwhile has none."""
    op.add_column("generations", sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("generations", "started_at")
