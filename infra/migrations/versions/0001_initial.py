"""Create the initial schema: tenants, users, API keys, collections, members, files, generations and usage."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UNFINISHED = "'awaiting_upload', 'queued', 'parsing', 'embedding', 'indexing'"
MOMENT = sa.TIMESTAMP(timezone=True)
TABLES = ("tenants", "users", "api_keys", "collections", "members", "files", "generations", "usage", "periods")


def upgrade() -> None:
    """Create all tables, referenced tables first."""
    _create_tenants()
    _create_users()
    _create_api_keys()
    _create_collections()
    _create_members()
    _create_files()
    _create_generations()
    _create_usage()
    _create_periods()


def downgrade() -> None:
    """Drop all tables and their data."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_tenants() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
    )


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("collection_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("storage_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("collection_count >= 0 AND storage_bytes >= 0", name=op.f("ck_users_counts")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_users_tenants")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_users")),
    )


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.CheckConstraint("scopes <@ ARRAY['read', 'write']", name=op.f("ck_api_keys_scopes")),
        sa.CheckConstraint("octet_length(secret_hash) = 32", name=op.f("ck_api_keys_secret_hash")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_api_keys_users")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_hash", name="uq_api_keys_secret_hash"),
    )


def _create_collections() -> None:
    op.create_table(
        "collections",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("embedding_model", JSONB(), nullable=False),
        sa.Column("chunking", JSONB(), nullable=False),
        sa.Column("dedicated", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("file_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("storage_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("purge_after", MOMENT, nullable=True),
        sa.Column("purged_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "deleted_at IS NOT NULL OR (purge_after IS NULL AND purged_at IS NULL)", name=op.f("ck_collections_purge")
        ),
        sa.CheckConstraint(
            "version >= 1 AND file_count >= 0 AND storage_bytes >= 0", name=op.f("ck_collections_counts")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"], ["users.tenant_id", "users.id"], name=op.f("fk_collections_users")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_collections")),
    )
    op.create_index(
        "ix_collections_purge",
        "collections",
        ["purge_after"],
        unique=False,
        postgresql_where=sa.text("purge_after IS NOT NULL"),
    )
    op.create_index(
        "uq_collections_name_key",
        "collections",
        ["tenant_id", "name_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _create_members() -> None:
    op.create_table(
        "members",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'editor', 'viewer')", name=op.f("ck_members_role")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "collection_id"],
            ["collections.tenant_id", "collections.id"],
            name=op.f("fk_members_collections"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_members_users")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "collection_id", "user_id", name=op.f("pk_members")),
    )
    op.create_index("ix_members_user", "members", ["tenant_id", "user_id", "collection_id"], unique=False)
    op.create_index(
        "uq_members_owner",
        "members",
        ["tenant_id", "collection_id"],
        unique=True,
        postgresql_where=sa.text("role = 'owner'"),
    )


def _create_files() -> None:
    op.create_table(
        "files",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("live_generation", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("purge_after", MOMENT, nullable=True),
        sa.Column("purged_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "deleted_at IS NOT NULL OR (purge_after IS NULL AND purged_at IS NULL)", name=op.f("ck_files_purge")
        ),
        sa.CheckConstraint(
            "generation >= 1 AND live_generation BETWEEN 1 AND generation", name=op.f("ck_files_generation")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "collection_id"],
            ["collections.tenant_id", "collections.id"],
            name=op.f("fk_files_collections"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"], ["users.tenant_id", "users.id"], name=op.f("fk_files_users")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_files")),
    )
    op.create_index("ix_files_listing", "files", ["tenant_id", "collection_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_files_purge", "files", ["purge_after"], unique=False, postgresql_where=sa.text("purge_after IS NOT NULL")
    )
    op.create_index(
        "uq_files_name",
        "files",
        ["tenant_id", "collection_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _create_generations() -> None:
    op.create_table(
        "generations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("checksum_sha256", sa.Text(), nullable=True),
        sa.Column("storage_limit", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.Boolean(), nullable=False),
        sa.Column("deadline", MOMENT, nullable=False),
        sa.Column("object_version", sa.Text(), nullable=True),
        sa.Column("claim_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pages_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pages_total", sa.Integer(), nullable=True),
        sa.Column("chunk_count", sa.Integer(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("document", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("problem", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.Column("purge_after", MOMENT, nullable=True),
        sa.Column("purged_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(claim_token IS NOT NULL) = (stage IN ('parsing', 'embedding', 'indexing'))",
            name=op.f("ck_generations_claim"),
        ),
        sa.CheckConstraint(
            "stage <> 'failed' OR (problem IS NOT NULL AND NOT charged)", name=op.f("ck_generations_failed")
        ),
        sa.CheckConstraint(
            "stage <> 'ready' OR (chunk_count IS NOT NULL AND chunk_count >= 0 AND content_hash IS NOT NULL)",
            name=op.f("ck_generations_ready"),
        ),
        sa.CheckConstraint(
            f"stage IN ({UNFINISHED}, 'ready', 'failed', 'deleting', 'deleted')",
            name=op.f("ck_generations_stage"),
        ),
        sa.CheckConstraint(
            "number >= 1 AND size_bytes >= 0 AND attempt >= 0 AND pages_done >= 0", name=op.f("ck_generations_counts")
        ),
        sa.CheckConstraint(
            "purged_at IS NULL OR (purge_after IS NULL AND NOT charged)", name=op.f("ck_generations_purge")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"], ["files.tenant_id", "files.id"], name=op.f("fk_generations_files")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "file_id", "number", name=op.f("pk_generations")),
        sa.UniqueConstraint("tenant_id", "draft_id", name="uq_generations_draft"),
    )
    op.create_index(
        "ix_generations_deadline",
        "generations",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text(f"stage IN ({UNFINISHED})"),
    )
    op.create_index(
        "ix_generations_lease",
        "generations",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text(f"stage IN ({UNFINISHED})"),
    )
    op.create_index(
        "ix_generations_purge",
        "generations",
        ["purge_after"],
        unique=False,
        postgresql_where=sa.text("purge_after IS NOT NULL"),
    )


def _create_usage() -> None:
    op.create_table(
        "usage",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("tokens_reserved", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tokens_used", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("tokens_reserved >= 0 AND tokens_used >= 0", name=op.f("ck_usage_counts")),
        sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_usage_users")),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "period", name=op.f("pk_usage")),
    )
    op.create_index("ix_usage_period", "usage", ["period"], unique=False)


def _create_periods() -> None:
    op.create_table(
        "periods",
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("opened_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("period", name=op.f("pk_periods")),
    )
