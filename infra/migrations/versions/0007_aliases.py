"""Add aliases of files, and an index to find files by checksum."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table `aliases` and the checksum index."""
    op.create_table(
        "aliases",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "collection_id"],
            ["collections.tenant_id", "collections.id"],
            name=op.f("fk_aliases_collections"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"], ["files.tenant_id", "files.id"], name=op.f("fk_aliases_files")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "collection_id", "name", name=op.f("pk_aliases")),
    )
    op.create_index("ix_aliases_file", "aliases", ["tenant_id", "file_id"])
    op.create_index("ix_generations_checksum", "generations", ["tenant_id", "checksum_sha256"])


def downgrade() -> None:
    """Drop the table and the index; aliases are lost."""
    op.drop_index("ix_generations_checksum", table_name="generations")
    op.drop_table("aliases")
