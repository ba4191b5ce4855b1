"""Add parts, in which large files are ingested."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table `parts`."""
    op.add_column("generations", sa.Column("divided", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "parts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("claim_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pages_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("document", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            'number >= 0 AND first >= 0 AND "end" >= first AND attempt >= 0 AND pages_done >= 0',
            name=op.f("ck_parts_counts"),
        ),
        sa.CheckConstraint(
            "NOT done OR (chunk_count IS NOT NULL AND content_hash IS NOT NULL)", name=op.f("ck_parts_done")
        ),
        sa.CheckConstraint("(claim_token IS NOT NULL) = (lease_until IS NOT NULL)", name=op.f("ck_parts_claim")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id", "generation"],
            ["generations.tenant_id", "generations.file_id", "generations.number"],
            name=op.f("fk_parts_generations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "file_id", "generation", "number", name=op.f("pk_parts")),
    )


def downgrade() -> None:
    """Drop the table; files that are being ingested in parts must be uploaded again."""
    op.drop_table("parts")
    op.drop_column("generations", "divided")
