"""Add uploads of user files in parts."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the tables `part_uploads` and `upload_parts`, and the column `user_files.arriving`."""
    op.add_column("user_files", sa.Column("arriving", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "part_uploads",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("file_seconds", sa.Integer(), nullable=True),
        sa.Column("completing_until", MOMENT, nullable=True),
        sa.Column("completed_at", MOMENT, nullable=True),
        sa.Column("purge_after", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["user_files.tenant_id", "user_files.id"],
            name=op.f("fk_part_uploads_user_files"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_part_uploads")),
    )
    op.create_index(
        "ix_part_uploads_purge", "part_uploads", ["purge_after"], postgresql_where="purge_after IS NOT NULL"
    )
    op.create_table(
        "upload_parts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_upload_parts_size")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "upload_id"],
            ["part_uploads.tenant_id", "part_uploads.id"],
            name=op.f("fk_upload_parts_part_uploads"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "upload_id", "id", name=op.f("pk_upload_parts")),
    )


def downgrade() -> None:
    """Drop them; objects of uploads under way stay until their tenant is deleted."""
    op.drop_table("upload_parts")
    op.drop_table("part_uploads")
    op.drop_column("user_files", "arriving")
