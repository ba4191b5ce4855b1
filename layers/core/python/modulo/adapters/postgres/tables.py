"""The tables, as the migrations make them.

Every key but a dead letter's and a watcher's begins with the tenant, so that a reference across tenants cannot be
stored. Counters on users and collections exist so that a quota is checked and taken in one conditional update.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from modulo.adapters.postgres.utc_timestamp import Moment
from modulo.domain.collections.reembedding import ReembeddingState
from modulo.domain.conversations.conversation import MessageRole, Rating
from modulo.domain.files.file import STORED, UNFINISHED, WORKING
from modulo.domain.operations.deletion import DeletionKind
from modulo.domain.tenancy.identity import Role, Scope

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _column(name: str, kind: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, **{"nullable": False, **options})


def _tenant() -> Column[Any]:
    return _column("tenant_id", Uuid())


def _count(name: str, kind: Any = Integer) -> Column[Any]:
    return _column(name, kind(), server_default=text("0"))


def _reference(column: str, table: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key inside the tenant."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], **options)


tenants = Table(
    "tenants",
    metadata,
    _column("id", Uuid()),
    _column("name", Text()),
    _column("created_at", Moment(), server_default=func.now()),
    _column("deleted_at", Moment(), nullable=True),
    _column("purge_after", Moment(), nullable=True),
    _column("purged_at", Moment(), nullable=True),
    PrimaryKeyConstraint("id"),
    CheckConstraint("deleted_at IS NOT NULL OR (purge_after IS NULL AND purged_at IS NULL)", "purge"),
)
Index("ix_tenants_purge", tenants.c.purge_after, postgresql_where=tenants.c.purge_after.is_not(None))

users = Table(
    "users",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("name", Text()),
    _count("collection_count"),
    _count("storage_bytes", BigInteger),
    _column("created_at", Moment(), server_default=func.now()),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    CheckConstraint("collection_count >= 0 AND storage_bytes >= 0", "counts"),
)

api_keys = Table(
    "api_keys",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("user_id", Uuid()),
    _column("name", Text()),
    _column("secret_hash", LargeBinary()),
    _column("scopes", ARRAY(Text())),
    _column("created_at", Moment()),
    _column("expires_at", Moment(), nullable=True),
    _column("revoked_at", Moment(), nullable=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    _reference("user_id", "users"),
    UniqueConstraint("secret_hash", name="uq_api_keys_secret_hash"),
    CheckConstraint("octet_length(secret_hash) = 32", "secret_hash"),
    CheckConstraint(f"scopes <@ ARRAY[{_listed(tuple(Scope))}]", "scopes"),
)

collections = Table(
    "collections",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("name", Text()),
    _column("name_key", Text()),
    _column("owner_id", Uuid()),
    _column("embedding_model", JSONB()),
    _column("chunking", JSONB()),
    _column("dedicated", Boolean()),
    _column("version", BigInteger(), server_default=text("1")),
    _column("index_number", Integer(), server_default=text("1")),
    _column("other_index", Integer(), nullable=True),
    _count("file_count"),
    _count("storage_bytes", BigInteger),
    _column("description", Text(), nullable=True),
    _column("metadata", JSONB(), server_default=text("'{}'")),
    _column("expires_after_days", Integer(), nullable=True),
    _column("search_defaults", JSONB(), server_default=text("'{}'")),
    _column("last_active_at", Moment(), nullable=True),
    _column("created_at", Moment()),
    _column("updated_at", Moment()),
    _column("deleted_at", Moment(), nullable=True),
    _column("purge_after", Moment(), nullable=True),
    _column("purged_at", Moment(), nullable=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    _reference("owner_id", "users"),
    CheckConstraint("version >= 1 AND file_count >= 0 AND storage_bytes >= 0", "counts"),
    CheckConstraint("deleted_at IS NOT NULL OR (purge_after IS NULL AND purged_at IS NULL)", "purge"),
)
Index(
    "uq_collections_owner_name_key",
    collections.c.tenant_id,
    collections.c.owner_id,
    collections.c.name_key,
    unique=True,
    postgresql_where=collections.c.deleted_at.is_(None),
)
Index(
    "ix_collections_expiry",
    collections.c.last_active_at,
    postgresql_where=collections.c.deleted_at.is_(None) & collections.c.expires_after_days.is_not(None),
)
Index("ix_collections_purge", collections.c.purge_after, postgresql_where=collections.c.purge_after.is_not(None))

indexes = Table(
    "indexes",
    metadata,
    _tenant(),
    _column("collection_id", Uuid()),
    _column("number", Integer()),
    _column("embedding_model", JSONB()),
    _column("chunking", JSONB()),
    _column("state", Text(), nullable=True),
    _column("draft_id", Uuid(), nullable=True),
    _column("replaces", Integer(), nullable=True),
    _column("auto_switch", Boolean(), server_default=text("false")),
    _count("keep_seconds"),
    _column("started_at", Moment(), nullable=True),
    _column("switched_at", Moment(), nullable=True),
    _column("kept_until", Moment(), nullable=True),
    _column("ended_at", Moment(), nullable=True),
    PrimaryKeyConstraint("tenant_id", "collection_id", "number"),
    _reference("collection_id", "collections"),
    CheckConstraint("number >= 1", "number"),
    CheckConstraint(f"state IN ({_listed(tuple(ReembeddingState))})", "state"),
)
_open = indexes.c.ended_at.is_(None) & indexes.c.state.is_not(None)
Index("ix_indexes_open", indexes.c.started_at, postgresql_where=_open)

members = Table(
    "members",
    metadata,
    _tenant(),
    _column("collection_id", Uuid()),
    _column("user_id", Uuid()),
    _column("role", Text()),
    PrimaryKeyConstraint("tenant_id", "collection_id", "user_id"),
    _reference("collection_id", "collections"),
    _reference("user_id", "users"),
    CheckConstraint(f"role IN ({_listed(tuple(Role))})", "role"),
)
Index("ix_members_user", members.c.tenant_id, members.c.user_id, members.c.collection_id)
Index(
    "uq_members_owner",
    members.c.tenant_id,
    members.c.collection_id,
    unique=True,
    postgresql_where=members.c.role == Role.owner.value,
)

files = Table(
    "files",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("collection_id", Uuid()),
    _column("name", Text()),
    _column("generation", Integer()),
    _column("live_generation", Integer(), nullable=True),
    _column("origin_id", Uuid(), nullable=True),
    _column("attributes", JSONB(), server_default=text("'{}'")),
    _column("attribute_dates", JSONB(), server_default=text("'{}'")),
    _column("created_by", Uuid()),
    _column("created_at", Moment()),
    _column("deleted_at", Moment(), nullable=True),
    _column("purge_after", Moment(), nullable=True),
    _column("purged_at", Moment(), nullable=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    _reference("collection_id", "collections"),
    _reference("created_by", "users"),
    CheckConstraint("generation >= 1 AND live_generation >= 1", "generation"),
    CheckConstraint("deleted_at IS NOT NULL OR (purge_after IS NULL AND purged_at IS NULL)", "purge"),
)
Index(
    "uq_files_name",
    files.c.tenant_id,
    files.c.collection_id,
    files.c.name,
    unique=True,
    postgresql_where=files.c.deleted_at.is_(None),
)
Index(
    "uq_files_origin",
    files.c.tenant_id,
    files.c.origin_id,
    files.c.collection_id,
    unique=True,
    postgresql_where=files.c.deleted_at.is_(None) & files.c.origin_id.is_not(None),
)
Index("ix_files_listing", files.c.tenant_id, files.c.collection_id, files.c.created_at, files.c.id)
Index(
    "ix_files_attributes",
    files.c.attributes,
    postgresql_using="gin",
    postgresql_ops={"attributes": "jsonb_path_ops"},
)
Index("ix_files_purge", files.c.purge_after, postgresql_where=files.c.purge_after.is_not(None))

user_files = Table(
    "user_files",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("user_id", Uuid()),
    _column("name", Text()),
    _column("purpose", Text()),
    _column("media_type", Text()),
    _column("size_bytes", BigInteger()),
    _column("created_at", Moment()),
    _column("expires_at", Moment(), nullable=True),
    _column("deleted_at", Moment(), nullable=True),
    _column("purge_after", Moment(), nullable=True),
    _column("arriving", Boolean(), server_default=text("false")),
    PrimaryKeyConstraint("tenant_id", "id"),
    _reference("user_id", "users", ondelete="CASCADE"),
    CheckConstraint("size_bytes > 0", "size"),
    CheckConstraint("deleted_at IS NOT NULL OR purge_after IS NULL", "purge"),
)
"""A file outlives its copies in collections and they it, so that no column of theirs refers to it."""
Index("ix_user_files_listing", user_files.c.tenant_id, user_files.c.user_id, user_files.c.created_at, user_files.c.id)
Index("ix_user_files_expiry", user_files.c.expires_at, postgresql_where=user_files.c.deleted_at.is_(None))
Index("ix_user_files_purge", user_files.c.purge_after, postgresql_where=user_files.c.purge_after.is_not(None))

part_uploads = Table(
    "part_uploads",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("user_id", Uuid()),
    _column("created_at", Moment()),
    _column("expires_at", Moment()),
    _column("file_seconds", Integer(), nullable=True),
    _column("completing_until", Moment(), nullable=True),
    _column("completed_at", Moment(), nullable=True),
    _column("completed_with", Text(), nullable=True),
    _column("purge_after", Moment(), nullable=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    _reference("id", "user_files", ondelete="CASCADE"),
)
"""The user file of the same id is `arriving` until the parts are put together; till then its expiry is the upload's."""
Index("ix_part_uploads_purge", part_uploads.c.purge_after, postgresql_where=part_uploads.c.purge_after.is_not(None))

upload_parts = Table(
    "upload_parts",
    metadata,
    _tenant(),
    _column("upload_id", Uuid()),
    _column("id", Uuid()),
    _column("size_bytes", BigInteger()),
    PrimaryKeyConstraint("tenant_id", "upload_id", "id"),
    _reference("upload_id", "part_uploads", ondelete="CASCADE"),
    CheckConstraint("size_bytes > 0", "size"),
)

file_batches = Table(
    "file_batches",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("collection_id", Uuid()),
    _column("created_at", Moment()),
    _column("deadline", Moment()),
    _column("attached_at", Moment(), nullable=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    _reference("collection_id", "collections", ondelete="CASCADE"),
)
Index("ix_file_batches_collection", file_batches.c.tenant_id, file_batches.c.collection_id)

file_batch_entries = Table(
    "file_batch_entries",
    metadata,
    _tenant(),
    _column("batch_id", Uuid()),
    _column("number", Integer()),
    _column("file_id", Uuid()),
    _column("cancelled", Boolean(), server_default=text("false")),
    _column("problem", JSONB(none_as_null=True), nullable=True),
    PrimaryKeyConstraint("tenant_id", "batch_id", "file_id"),
    _reference("batch_id", "file_batches", ondelete="CASCADE"),
    CheckConstraint("number >= 0", "number"),
)
"""`file_id` is that of a user file, whose copy in the collection tells the state of an entry that says nothing."""

aliases = Table(
    "aliases",
    metadata,
    _tenant(),
    _column("collection_id", Uuid()),
    _column("name", Text()),
    _column("file_id", Uuid()),
    _column("created_at", Moment()),
    PrimaryKeyConstraint("tenant_id", "collection_id", "name"),
    _reference("collection_id", "collections"),
    _reference("file_id", "files"),
)
Index("ix_aliases_file", aliases.c.tenant_id, aliases.c.file_id)

generations = Table(
    "generations",
    metadata,
    _tenant(),
    _column("file_id", Uuid()),
    _column("number", Integer()),
    _column("source", Integer()),
    _column("index_number", Integer(), nullable=True),
    _column("draft_id", Uuid()),
    _column("stage", Text()),
    _column("media_type", Text()),
    _column("size_bytes", BigInteger()),
    _column("checksum_sha256", Text(), nullable=True),
    _column("source_url", Text(), nullable=True),
    _column("etag", Text(), nullable=True),
    _column("last_modified", Text(), nullable=True),
    _column("checked_at", Moment(), nullable=True),
    _column("storage_limit", BigInteger()),
    _column("charged", Boolean()),
    _column("deadline", Moment()),
    _column("uploaded_by", Uuid(), nullable=True),
    _column("arrives_until", Moment(), nullable=True),
    _column("object_version", Text(), nullable=True),
    _column("claim_token", Uuid(), nullable=True),
    _column("lease_until", Moment(), nullable=True),
    _count("attempt"),
    _column("divided", Boolean(), server_default=text("false")),
    _count("pages_done"),
    _column("pages_total", Integer(), nullable=True),
    _column("started_at", Moment(), nullable=True),
    _column("chunk_count", Integer(), nullable=True),
    _column("content_hash", Text(), nullable=True),
    _column("document", JSONB(), server_default=text("'{}'")),
    _column("creation_date", Moment(), nullable=True),
    _column("mod_date", Moment(), nullable=True),
    _column("problem", JSONB(none_as_null=True), nullable=True),
    _column("next_attempt_at", Moment(), nullable=True),
    _column("created_at", Moment()),
    _column("updated_at", Moment()),
    _column("retired_at", Moment(), nullable=True),
    _column("purge_after", Moment(), nullable=True),
    _column("purged_at", Moment(), nullable=True),
    PrimaryKeyConstraint("tenant_id", "file_id", "number"),
    _reference("file_id", "files"),
    UniqueConstraint("tenant_id", "draft_id", name="uq_generations_draft"),
    CheckConstraint(f"stage IN ({_listed(STORED)})", "stage"),
    CheckConstraint("number >= 1 AND size_bytes >= 0 AND attempt >= 0 AND pages_done >= 0", "counts"),
    CheckConstraint(f"(claim_token IS NOT NULL) = (stage IN ({_listed(WORKING)}))", "claim"),
    CheckConstraint(
        "stage <> 'ready' OR (chunk_count IS NOT NULL AND chunk_count >= 0 AND content_hash IS NOT NULL)", "ready"
    ),
    CheckConstraint("stage <> 'failed' OR (problem IS NOT NULL AND NOT charged)", "failed"),
    CheckConstraint("purged_at IS NULL OR (purge_after IS NULL AND NOT charged)", "purge"),
)
_unfinished = generations.c.stage.in_([stage.value for stage in UNFINISHED])
Index("ix_generations_checksum", generations.c.tenant_id, generations.c.checksum_sha256)
Index("ix_generations_deadline", generations.c.deadline, postgresql_where=_unfinished)
Index("ix_generations_lease", generations.c.lease_until, postgresql_where=_unfinished)
Index("ix_generations_changes", generations.c.tenant_id, generations.c.updated_at, generations.c.file_id)
Index("ix_generations_purge", generations.c.purge_after, postgresql_where=generations.c.purge_after.is_not(None))

parts = Table(
    "parts",
    metadata,
    _tenant(),
    _column("file_id", Uuid()),
    _column("generation", Integer()),
    _column("number", Integer()),
    _column("first", BigInteger()),
    _column("end", BigInteger()),
    _column("claim_token", Uuid(), nullable=True),
    _column("lease_until", Moment(), nullable=True),
    _count("attempt"),
    _count("pages_done"),
    _column("done", Boolean(), server_default=text("false")),
    _column("chunk_count", Integer(), nullable=True),
    _column("content_hash", Text(), nullable=True),
    _column("document", JSONB(), server_default=text("'{}'")),
    PrimaryKeyConstraint("tenant_id", "file_id", "generation", "number"),
    ForeignKeyConstraint(
        ["tenant_id", "file_id", "generation"],
        ["generations.tenant_id", "generations.file_id", "generations.number"],
        ondelete="CASCADE",
    ),
    CheckConstraint('number >= 0 AND first >= 0 AND "end" >= first AND attempt >= 0 AND pages_done >= 0', "counts"),
    CheckConstraint("NOT done OR (chunk_count IS NOT NULL AND content_hash IS NOT NULL)", "done"),
    CheckConstraint("(claim_token IS NOT NULL) = (lease_until IS NOT NULL)", "claim"),
)

deletions = Table(
    "deletions",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("kind", Text()),
    _column("target_id", Uuid()),
    _column("collection_id", Uuid(), nullable=True),
    _column("name", Text()),
    _column("owner_id", Uuid(), nullable=True),
    _column("requested_by", Uuid(), nullable=True),
    _column("requested_at", Moment()),
    _column("started_at", Moment(), nullable=True),
    _column("open_until", Moment(), nullable=True),
    _column("part_of", Uuid(), nullable=True),
    _count("revision"),
    _column("removed", JSONB(), server_default=text("'{}'")),
    _column("held", JSONB(), server_default=text("'{}'")),
    _column("proved_at", Moment(), nullable=True),
    _column("completed_at", Moment(), nullable=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    CheckConstraint(f"kind IN ({_listed(tuple(DeletionKind))})", "kind"),
    CheckConstraint("completed_at IS NULL OR proved_at IS NOT NULL", "proof"),
)
"""Receipts refer to nothing but the tenant, since they outlive all else."""
for _who in ("requested_by", "owner_id"):
    Index(f"ix_deletions_{_who}", deletions.c.tenant_id, deletions.c[_who], deletions.c.requested_at, deletions.c.id)
Index(
    "ix_deletions_under_way",
    deletions.c.tenant_id,
    deletions.c.collection_id,
    postgresql_where=deletions.c.completed_at.is_(None),
)
Index("ix_deletions_completed", deletions.c.completed_at, postgresql_where=deletions.c.completed_at.is_not(None))

dead_letters = Table(
    "dead_letters",
    metadata,
    _column("id", Uuid()),
    _column("message_id", Text()),
    _column("function", Text(), nullable=True),
    _column("tenant_id", Uuid(), nullable=True),  # nobody's, where nobody can read it
    _column("collection_id", Uuid(), nullable=True),
    _column("file_id", Uuid(), nullable=True),
    _column("generation", Integer(), nullable=True),
    _column("part", Integer(), nullable=True),
    _column("body", Text()),
    _column("problem", JSONB()),
    _column("attempts", Integer()),
    _column("sent_at", Moment(), nullable=True),
    _column("buried_at", Moment()),
    _column("retried_at", Moment(), nullable=True),
    PrimaryKeyConstraint("id"),
    _reference("collection_id", "collections", ondelete="CASCADE"),
    _reference("file_id", "files", ondelete="CASCADE"),
    CheckConstraint("(tenant_id IS NULL) = (collection_id IS NULL)", "place"),
    CheckConstraint("file_id IS NULL OR tenant_id IS NOT NULL", "file"),
    CheckConstraint("(generation IS NULL OR file_id IS NOT NULL) AND (part IS NULL OR generation IS NOT NULL)", "part"),
)
Index(
    "ix_dead_letters_listing",
    dead_letters.c.tenant_id,
    dead_letters.c.collection_id,
    dead_letters.c.buried_at,
    dead_letters.c.id,
)
Index("ix_dead_letters_buried", dead_letters.c.buried_at, dead_letters.c.id)

watchers = Table(
    "watchers",
    metadata,
    _column("connection_id", Text()),  # all that API Gateway tells when a connection ends
    _tenant(),
    _column("collection_id", Uuid()),
    _column("user_id", Uuid()),
    _column("key_hash", LargeBinary(), nullable=True),
    _column("expires_at", Moment(), nullable=True),
    _column("closes_at", Moment()),
    _column("looked_at", Moment(), nullable=True),
    _column("told", LargeBinary()),
    _column("told_at", Moment()),
    _column("lease", Uuid(), nullable=True),
    _column("lease_until", Moment(), nullable=True),
    _column("again", Boolean(), server_default=text("false")),
    PrimaryKeyConstraint("connection_id"),
    _reference("collection_id", "collections", ondelete="CASCADE"),
    _reference("user_id", "users", ondelete="CASCADE"),
    CheckConstraint("(lease IS NOT NULL) = (lease_until IS NOT NULL)", "lease"),
)
Index("ix_watchers_collection", watchers.c.tenant_id, watchers.c.collection_id)
Index("ix_watchers_user", watchers.c.tenant_id, watchers.c.user_id)

conversations = Table(
    "conversations",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("user_id", Uuid()),
    _column("title", Text()),
    _column("collection_id", Uuid(), nullable=True),  # which may be deleted meanwhile
    _column("metadata", JSONB(), server_default=text("'{}'")),
    _count("message_count"),
    _count("last_number"),
    _column("created_at", Moment()),
    _column("updated_at", Moment()),
    _column("archived_at", Moment(), nullable=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    _reference("user_id", "users"),
    CheckConstraint("message_count >= 0 AND last_number >= message_count", "counts"),
)
Index(
    "ix_conversations_listing",
    conversations.c.tenant_id,
    conversations.c.user_id,
    conversations.c.updated_at,
    conversations.c.id,
)
Index("ix_conversations_updated", conversations.c.updated_at)

messages = Table(
    "messages",
    metadata,
    _tenant(),
    _column("id", Uuid()),
    _column("conversation_id", Uuid()),
    _column("number", Integer()),
    _column("role", Text()),
    _column("content", Text()),
    _column("citations", JSONB(), server_default=text("'[]'")),
    _column("rewritten_query", Text(), nullable=True),
    _column("details", JSONB(), server_default=text("'{}'")),
    _column("rating", Text(), nullable=True),
    _column("comment", Text(), nullable=True),
    _column("rated_at", Moment(), nullable=True),
    _column("created_at", Moment()),
    PrimaryKeyConstraint("tenant_id", "id"),
    _reference("conversation_id", "conversations", ondelete="CASCADE"),
    UniqueConstraint("tenant_id", "conversation_id", "number", name="uq_messages_number"),
    CheckConstraint(f"role IN ({_listed(tuple(MessageRole))})", "role"),
    CheckConstraint(f"rating IN ({_listed(tuple(Rating))})", "rating"),
)

usage = Table(
    "usage",
    metadata,
    _tenant(),
    _column("user_id", Uuid()),
    _column("period", Date()),
    _count("tokens_reserved", BigInteger),
    _count("tokens_used", BigInteger),
    PrimaryKeyConstraint("tenant_id", "user_id", "period"),
    _reference("user_id", "users"),
    CheckConstraint("tokens_reserved >= 0 AND tokens_used >= 0", "counts"),
)
Index("ix_usage_period", usage.c.period)

periods = Table(
    "periods",
    metadata,
    _column("period", Date()),
    _column("opened_at", Moment(), server_default=func.now()),
    PrimaryKeyConstraint("period"),
)
