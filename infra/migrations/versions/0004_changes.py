"""Add an index to find recent changes of a tenant, for subscriptions."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_generations_changes", "generations", ["tenant_id", "updated_at", "file_id"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_generations_changes", table_name="generations")
