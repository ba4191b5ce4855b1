"""Add batches of files that are attached to a collection together."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the tables `file_batches` and `file_batch_entries`."""
    op.create_table(
        "file_batches",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("deadline", MOMENT, nullable=False),
        sa.Column("attached_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "collection_id"],
            ["collections.tenant_id", "collections.id"],
            name=op.f("fk_file_batches_collections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_file_batches")),
    )
    op.create_index("ix_file_batches_collection", "file_batches", ["tenant_id", "collection_id"])
    op.create_table(
        "file_batch_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("problem", JSONB(), nullable=True),
        sa.CheckConstraint("number >= 0", name=op.f("ck_file_batch_entries_number")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"],
            ["file_batches.tenant_id", "file_batches.id"],
            name=op.f("fk_file_batch_entries_file_batches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "batch_id", "file_id", name=op.f("pk_file_batch_entries")),
    )


def downgrade() -> None:
    """Drop them; the files that were attached stay."""
    op.drop_table("file_batch_entries")
    op.drop_table("file_batches")
