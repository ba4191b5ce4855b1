"""Add conversations and their messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KINDS = "ck_deletions_kind"


def upgrade() -> None:
    """Create the tables; receipts of deletions may be of conversations."""
    op.create_table(
        "conversations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("metadata", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("message_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_number", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("archived_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("message_count >= 0 AND last_number >= message_count", name=op.f("ck_conversations_counts")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_conversations_users")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_conversations")),
    )
    op.create_index("ix_conversations_listing", "conversations", ["tenant_id", "user_id", "updated_at", "id"])
    op.create_index("ix_conversations_updated", "conversations", ["updated_at"])
    op.create_table(
        "messages",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("citations", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("rewritten_query", sa.Text(), nullable=True),
        sa.Column("details", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("rating", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("rated_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('user', 'assistant', 'system', 'developer')", name=op.f("ck_messages_role")),
        sa.CheckConstraint("rating IN ('up', 'down')", name=op.f("ck_messages_rating")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_messages_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_messages")),
        sa.UniqueConstraint("tenant_id", "conversation_id", "number", name="uq_messages_number"),
    )
    _allow("'file', 'collection', 'tenant', 'conversation'")


def downgrade() -> None:
    """Drop the tables and the receipts of deleted conversations."""
    op.execute("DELETE FROM deletions WHERE kind = 'conversation'")
    _allow("'file', 'collection', 'tenant'")
    op.drop_table("messages")
    op.drop_table("conversations")


def _allow(kinds: str) -> None:
    op.drop_constraint(op.f(_KINDS), "deletions", type_="check")
    op.create_check_constraint(op.f(_KINDS), "deletions", f"kind IN ({kinds})")
