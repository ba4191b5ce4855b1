"""Make collection names unique for their owner: a tenant's users must not learn of each other's collections by name."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the index; names that were unique in the tenant are unique for each owner."""
    op.create_index(
        "uq_collections_owner_name_key",
        "collections",
        ["tenant_id", "owner_id", "name_key"],
        unique=True,
        postgresql_where="deleted_at IS NULL",
    )
    op.drop_index("uq_collections_name_key", "collections")


def downgrade() -> None:
    """Restore the index; fails where two owners use a name."""
    op.create_index(
        "uq_collections_name_key",
        "collections",
        ["tenant_id", "name_key"],
        unique=True,
        postgresql_where="deleted_at IS NULL",
    )
    op.drop_index("uq_collections_owner_name_key", "collections")
