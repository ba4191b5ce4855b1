"""Allow deleting tenants."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tombstones to tenants."""
    for name in ("deleted_at", "purge_after", "purged_at"):
        op.add_column("tenants", sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=True))
    consistent = "deleted_at IS NOT NULL OR (purge_after IS NULL AND purged_at IS NULL)"
    op.create_check_constraint(op.f("ck_tenants_purge"), "tenants", consistent)
    due = sa.text("purge_after IS NOT NULL")
    op.create_index("ix_tenants_purge", "tenants", ["purge_after"], postgresql_where=due)


def downgrade() -> None:
    """Drop the tombstones; tenants that are being deleted reappear without their data already purged."""
    for name in ("deleted_at", "purge_after", "purged_at"):
        op.drop_column("tenants", name)
