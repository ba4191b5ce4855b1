"""Add receipts of deletions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table `deletions`; earlier deletions get no receipt."""
    op.add_column("generations", sa.Column("arrives_until", sa.TIMESTAMP(timezone=True), nullable=True))
    op.execute("UPDATE generations SET arrives_until = deadline WHERE stage = 'awaiting_upload'")
    op.create_table(
        "deletions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("open_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("part_of", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("removed", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("held", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("proved_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("completed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('file', 'collection', 'tenant')", name=op.f("ck_deletions_kind")),
        sa.CheckConstraint("completed_at IS NULL OR proved_at IS NOT NULL", name=op.f("ck_deletions_proof")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_deletions_tenants")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_deletions")),
    )
    for who in ("requested_by", "owner_id"):
        op.create_index(f"ix_deletions_{who}", "deletions", ["tenant_id", who, "requested_at", "id"])
    under_way, completed = sa.text("completed_at IS NULL"), sa.text("completed_at IS NOT NULL")
    op.create_index("ix_deletions_under_way", "deletions", ["tenant_id", "collection_id"], postgresql_where=under_way)
    op.create_index("ix_deletions_completed", "deletions", ["completed_at"], postgresql_where=completed)


def downgrade() -> None:
    """Drop the table; deletions in progress finish without a receipt."""
    op.drop_table("deletions")
    op.drop_column("generations", "arrives_until")
