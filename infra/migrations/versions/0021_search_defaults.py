"""Store how a collection is searched where a request does not say."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which says nothing."""
    column = sa.Column("search_defaults", JSONB(), nullable=False, server_default=sa.text("'{}'"))
    op.add_column("collections", column)


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("collections", "search_defaults")
