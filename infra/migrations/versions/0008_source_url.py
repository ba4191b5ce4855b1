"""Where the bytes of a generation are fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the address; what was uploaded has none."""
    op.add_column("generations", sa.Column("source_url", sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget it: what waits for its bytes is never fetched, and fails at its deadline."""
    op.drop_column("generations", "source_url")
