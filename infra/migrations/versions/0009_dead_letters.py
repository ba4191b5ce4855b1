"""Add dead letters: messages whose delivery attempts all failed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table `dead_letters`."""
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("function", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("part", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("problem", JSONB(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("buried_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("retried_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(tenant_id IS NULL) = (collection_id IS NULL)", name=op.f("ck_dead_letters_place")),
        sa.CheckConstraint("file_id IS NULL OR tenant_id IS NOT NULL", name=op.f("ck_dead_letters_file")),
        sa.CheckConstraint(
            "(generation IS NULL OR file_id IS NOT NULL) AND (part IS NULL OR generation IS NOT NULL)",
            name=op.f("ck_dead_letters_part"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "collection_id"],
            ["collections.tenant_id", "collections.id"],
            name=op.f("fk_dead_letters_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["files.tenant_id", "files.id"],
            name=op.f("fk_dead_letters_files"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
    )
    op.create_index("ix_dead_letters_buried", "dead_letters", ["buried_at", "id"], unique=False)
    op.create_index(
        "ix_dead_letters_listing", "dead_letters", ["tenant_id", "collection_id", "buried_at", "id"], unique=False
    )


def downgrade() -> None:
    """Drop the table and its data."""
    op.drop_table("dead_letters")
