"""Add user files, the origin of their copies, and what collections are described by and expire after."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the table `user_files`, and columns to `files` and `collections`."""
    op.create_table(
        "user_files",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("purge_after", MOMENT, nullable=True),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_user_files_size")),
        sa.CheckConstraint("deleted_at IS NOT NULL OR purge_after IS NULL", name=op.f("ck_user_files_purge")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_user_files_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user_files")),
    )
    op.create_index("ix_user_files_listing", "user_files", ["tenant_id", "user_id", "created_at", "id"])
    op.create_index("ix_user_files_expiry", "user_files", ["expires_at"], postgresql_where="deleted_at IS NULL")
    op.create_index("ix_user_files_purge", "user_files", ["purge_after"], postgresql_where="purge_after IS NOT NULL")
    op.add_column("files", sa.Column("origin_id", sa.Uuid(), nullable=True))
    op.create_index(
        "uq_files_origin",
        "files",
        ["tenant_id", "origin_id", "collection_id"],
        unique=True,
        postgresql_where="deleted_at IS NULL AND origin_id IS NOT NULL",
    )
    op.add_column("collections", sa.Column("description", sa.Text(), nullable=True))
    op.add_column(
        "collections", sa.Column("metadata", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    op.add_column("collections", sa.Column("expires_after_days", sa.Integer(), nullable=True))
    op.add_column("collections", sa.Column("last_active_at", MOMENT, nullable=True))
    op.create_index(
        "ix_collections_expiry",
        "collections",
        ["last_active_at"],
        postgresql_where="deleted_at IS NULL AND expires_after_days IS NOT NULL",
    )


def downgrade() -> None:
    """Drop them; objects of user files stay until their tenant is deleted."""
    op.drop_index("ix_collections_expiry", "collections")
    for column in ("last_active_at", "expires_after_days", "metadata", "description"):
        op.drop_column("collections", column)
    op.drop_index("uq_files_origin", "files")
    op.drop_column("files", "origin_id")
    op.drop_table("user_files")
