"""Store who uploads a generation, so that a form ends with the membership of the user it was given to."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; generations of before have no uploader, and are not checked."""
    op.add_column("generations", sa.Column("uploaded_by", sa.Uuid(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("generations", "uploaded_by")
