"""Store what users say of their files as typed attributes, and which of them are dates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, empty, and an index for equality."""
    for name in ("attributes", "attribute_dates"):
        op.add_column("files", sa.Column(name, JSONB(), nullable=False, server_default=sa.text("'{}'")))
    op.create_index(
        "ix_files_attributes",
        "files",
        ["attributes"],
        postgresql_using="gin",
        postgresql_ops={"attributes": "jsonb_path_ops"},
    )


def downgrade() -> None:
    """Drop the columns with their index."""
    op.drop_column("files", "attribute_dates")
    op.drop_column("files", "attributes")
