"""By what a server knows the bytes of a generation again, and when it was last asked."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; what was fetched before has none, and is told by its bytes."""
    op.add_column("generations", sa.Column("etag", sa.Text(), nullable=True))
    op.add_column("generations", sa.Column("last_modified", sa.Text(), nullable=True))
    op.add_column("generations", sa.Column("checked_at", sa.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Forget them: what is fetched again is told by its bytes."""
    for name in ("checked_at", "last_modified", "etag"):
        op.drop_column("generations", name)
