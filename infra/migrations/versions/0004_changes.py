"""What changed lately in a tenant is found at once, for those who watch its files."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_generations_changes", "generations", ["tenant_id", "updated_at", "file_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_generations_changes", table_name="generations")
