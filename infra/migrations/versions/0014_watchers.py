"""Add subscriptions to collections over API Gateway WebSockets."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table `watchers`."""
    op.create_table(
        "watchers",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closes_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("looked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.Column("told_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("(lease IS NOT NULL) = (lease_until IS NOT NULL)", name=op.f("ck_watchers_lease")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "collection_id"],
            ["collections.tenant_id", "collections.id"],
            name=op.f("fk_watchers_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_watchers_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_watchers")),
    )
    op.create_index("ix_watchers_collection", "watchers", ["tenant_id", "collection_id"])
    op.create_index("ix_watchers_user", "watchers", ["tenant_id", "user_id"])


def downgrade() -> None:
    """Drop the table; clients subscribe again when their connections end."""
    op.drop_table("watchers")
