"""Allow several indexes of a collection, for re-embedding."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
MOMENT = sa.TIMESTAMP(timezone=True)
ORDERED = "generation >= 1 AND live_generation BETWEEN 1 AND generation"


def upgrade() -> None:
    """Create the table `indexes`; existing generations belong to index 1."""
    op.add_column("collections", sa.Column("index_number", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("collections", sa.Column("other_index", sa.Integer(), nullable=True))
    op.add_column("generations", sa.Column("source", sa.Integer(), nullable=True))
    op.add_column("generations", sa.Column("index_number", sa.Integer(), nullable=True))
    op.execute("UPDATE generations SET source = number, index_number = CASE WHEN attempt > 0 THEN 1 END")
    op.alter_column("generations", "source", nullable=False)
    op.drop_constraint(op.f("ck_files_generation"), "files")
    op.create_check_constraint(op.f("ck_files_generation"), "files", "generation >= 1 AND live_generation >= 1")
    op.create_table(
        "indexes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("embedding_model", JSONB(), nullable=False),
        sa.Column("chunking", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("draft_id", sa.Uuid(), nullable=True),
        sa.Column("replaces", sa.Integer(), nullable=True),
        sa.Column("auto_switch", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("switched_at", MOMENT, nullable=True),
        sa.Column("kept_until", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("number >= 1", name=op.f("ck_indexes_number")),
        sa.CheckConstraint(
            "state IN ('building', 'switched', 'rolled_back', 'cancelled')", name=op.f("ck_indexes_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "collection_id"],
            ["collections.tenant_id", "collections.id"],
            name=op.f("fk_indexes_collections"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "collection_id", "number", name=op.f("pk_indexes")),
    )
    op.create_index(
        "ix_indexes_open",
        "indexes",
        ["started_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL AND state IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop the indexes. No re-embedding may be in progress; searches continue with the current index."""
    op.drop_table("indexes")
    op.drop_constraint(op.f("ck_files_generation"), "files")
    op.execute("UPDATE files SET generation = greatest(generation, live_generation)")
    op.create_check_constraint(op.f("ck_files_generation"), "files", ORDERED)
    for table, column in (("generations", "index_number"), ("generations", "source")):
        op.drop_column(table, column)
    for column in ("other_index", "index_number"):
        op.drop_column("collections", column)
