"""The rows that the in-memory metadata keeps, and how they are looked up."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from threading import RLock
from typing import Any
from uuid import UUID

from modulo.adapters.memory_metadata.watcher_row import WatcherRow
from modulo.adapters.metadata_rules import require, stages
from modulo.domain.collection import Chunking, Collection, EmbeddingModel, Space, status_of
from modulo.domain.deletion import Deletion, Held, Tally
from modulo.domain.document import Part
from modulo.domain.errors import NotFound
from modulo.domain.file import DocumentInfo, File, FileProblem, FileRef, Stage
from modulo.domain.generation import Changes
from modulo.domain.identity import ApiKey, Principal, Role
from modulo.domain.letter import Burial, Request
from modulo.domain.reembedding import State
from modulo.domain.transfer import PartResult


@dataclass
class TenantRow:
    """A tenant, or the tombstone of one."""

    id: UUID
    name: str
    deleted_at: datetime | None = None
    purge_after: datetime | None = None
    purged_at: datetime | None = None


@dataclass
class UserRow:
    """A user with what counts against their quotas."""

    tenant_id: UUID
    id: UUID
    name: str
    collection_count: int = 0
    storage_bytes: int = 0


@dataclass
class CollectionRow:
    """A collection, its members' roles by user and its counters."""

    tenant_id: UUID
    id: UUID
    name: str
    owner_id: UUID
    model: EmbeddingModel
    chunking: Chunking
    dedicated: bool
    created_at: datetime
    updated_at: datetime
    members: dict[UUID, Role]
    version: int = 1
    index_number: int = 1
    other_index: int | None = None
    indexes: "dict[int, IndexRow]" = field(default_factory=dict)
    file_count: int = 0
    storage_bytes: int = 0
    deleted_at: datetime | None = None
    purge_after: datetime | None = None
    purged_at: datetime | None = None

    @property
    def space(self) -> Space:
        """Where the vectors live that searches see."""
        return Space(self.tenant_id, self.id, self.owner_id, self.model, self.dedicated, self.index_number)

    @property
    def latest(self) -> "IndexRow | None":
        """The index that the latest re-embedding made."""
        return next((self.indexes[number] for number in sorted(self.indexes, reverse=True) if number > 1), None)

    def made_with(self, number: int) -> tuple[Space, Chunking]:
        """Where the vectors of an index live, and how its documents are cut."""
        if number == self.index_number:
            return self.space, self.chunking
        row = self.indexes[number]
        return replace(self.space, model=row.model, index=number), row.chunking


@dataclass
class IndexRow:
    """An index of a collection, with the re-embedding that made it; the first one has none."""

    model: EmbeddingModel
    chunking: Chunking
    state: State | None = None
    draft_id: UUID | None = None
    auto_switch: bool = False
    keep_seconds: int = 0
    started_at: datetime | None = None
    switched_at: datetime | None = None
    kept_until: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class GenerationRow:
    """A generation of a file."""

    number: int
    source: int
    draft_id: UUID
    media_type: str
    size_bytes: int
    checksum_sha256: str | None
    storage_limit: int
    deadline: datetime
    created_at: datetime
    updated_at: datetime
    source_url: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    checked_at: datetime | None = None
    index_number: int | None = None
    arrives_until: datetime | None = None
    stage: Stage = Stage.awaiting_upload
    charged: bool = True
    claim_token: UUID | None = None
    lease_until: datetime | None = None
    attempt: int = 0
    divided: bool = False
    parts: "list[PartRow]" = field(default_factory=list)
    pages_done: int = 0
    pages_total: int | None = None
    started_at: datetime | None = None
    chunk_count: int | None = None
    content_hash: str | None = None
    object_version: str | None = None
    document: DocumentInfo = field(default_factory=DocumentInfo)
    problem: FileProblem | None = None
    retired_at: datetime | None = None
    purge_after: datetime | None = None
    purged_at: datetime | None = None

    def change(self, changes: Changes) -> None:
        """Take new values."""
        for name, value in changes.items():
            setattr(self, name, value)


@dataclass
class PartRow:
    """A part of a divided generation."""

    part: Part
    claim_token: UUID | None = None
    lease_until: datetime | None = None
    attempt: int = 0
    pages_done: int = 0
    result: PartResult | None = None

    @property
    def done(self) -> bool:
        """Whether it is ingested."""
        return self.result is not None


@dataclass
class FileRow:
    """A file with its generations, the first one first."""

    tenant_id: UUID
    id: UUID
    collection_id: UUID
    name: str
    created_by: UUID
    created_at: datetime
    generations: list[GenerationRow]
    generation: int = 1
    aliases: list[str] = field(default_factory=list)
    live_generation: int | None = None
    deleted_at: datetime | None = None
    purge_after: datetime | None = None
    purged_at: datetime | None = None

    @property
    def newest(self) -> GenerationRow:
        """The newest generation."""
        return self.generations[self.generation - 1]

    def changed(self) -> tuple[datetime, UUID]:
        """Where it stands in the order of changes."""
        return self.newest.updated_at, self.id

    @property
    def live(self) -> GenerationRow | None:
        """The live one."""
        return None if self.live_generation is None else self.generations[self.live_generation - 1]

    def ref(self, generation: GenerationRow) -> FileRef:
        """One of its generations, named in full."""
        return FileRef(self.tenant_id, self.collection_id, self.id, generation.number, generation.source)

    def family(self, generation: GenerationRow) -> "list[GenerationRow]":
        """Those made from the same object."""
        return [row for row in self.generations if row.source == generation.source]

    def view(self) -> File:
        """The file as its users see it."""
        newest = self.newest
        told: dict[str, Any] = {name: getattr(newest, name) for name in File.model_fields if hasattr(newest, name)}
        own = {
            "id": self.id,
            "collection_id": self.collection_id,
            "name": self.name,
            "aliases": tuple(sorted(self.aliases)),
            "generation": newest.number,
            "live_generation": self.live_generation,
            "live_source": self.live.source if self.live else None,
            "created_by": self.created_by,
            "created_at": self.created_at,
        }
        return File(**(told | own))


@dataclass
class DeletionRow:
    """A receipt, whose owner at the time it is told to, and what the stores held when it was last recorded."""

    tenant_id: UUID
    owner_id: UUID | None
    receipt: Deletion
    revision: int = 0
    held: Held = field(default_factory=Held)

    @property
    def tally(self) -> Tally:
        """As a purge goes on from it."""
        return Tally(self.receipt.id, self.revision, self.receipt.removed, self.held)

    def change(self, **changes: object) -> None:
        """Take new values."""
        self.receipt = self.receipt.model_copy(update=changes)


@dataclass
class LetterRow:
    """A dead letter; `request` is None where nobody can read it or what it is about does not exist."""

    burial: Burial
    request: Request | None
    buried_at: datetime
    retried_at: datetime | None = None


@dataclass
class UsageRow:
    """A user's tokens in one period."""

    reserved: int = 0
    used: int = 0


@dataclass
class Store:
    """All rows; every key but a letter's and a watcher's begins with the tenant. Whoever touches it holds the lock."""

    lock: RLock = field(default_factory=RLock)
    tenants: dict[UUID, TenantRow] = field(default_factory=dict)
    users: dict[tuple[UUID, UUID], UserRow] = field(default_factory=dict)
    keys: dict[bytes, ApiKey] = field(default_factory=dict)
    collections: dict[tuple[UUID, UUID], CollectionRow] = field(default_factory=dict)
    files: dict[tuple[UUID, UUID], FileRow] = field(default_factory=dict)
    deletions: dict[tuple[UUID, UUID], DeletionRow] = field(default_factory=dict)
    usage: dict[tuple[UUID, UUID, date], UsageRow] = field(default_factory=dict)
    letters: dict[UUID, LetterRow] = field(default_factory=dict)
    watchers: dict[str, WatcherRow] = field(default_factory=dict)
    periods: set[date] = field(default_factory=set)

    def introduce(self, principal: Principal) -> UserRow:
        """The caller's row; one whom only an identity provider knew is named by id.

        Raises:
            NotFound: nobody is stored in a tenant that is tombstoned.
        """
        known = self.users.get((principal.tenant_id, principal.user_id))
        if known is not None:
            return known
        tenant = TenantRow(principal.tenant_id, str(principal.tenant_id))
        if self.tenants.setdefault(principal.tenant_id, tenant).deleted_at is not None:
            raise NotFound
        row = UserRow(principal.tenant_id, principal.user_id, str(principal.user_id))
        return self.users.setdefault((principal.tenant_id, principal.user_id), row)

    def visible(self, principal: Principal, collection_id: UUID, needed: Role = Role.viewer) -> CollectionRow:
        """The collection, once the caller's role suffices.

        Raises:
            NotFound: no such collection is visible to the caller.
            Forbidden: the role does not suffice.
        """
        row = self.collections.get((principal.tenant_id, collection_id))
        if row is None or row.deleted_at is not None:
            raise NotFound
        require(row.members.get(principal.user_id), needed)
        return row

    def files_of(self, collection: CollectionRow) -> Iterator[FileRow]:
        """The collection's living files."""
        for row in self.files.values():
            if (row.tenant_id, row.collection_id) == (collection.tenant_id, collection.id) and row.deleted_at is None:
                yield row

    def living(self, ref: FileRef) -> tuple[CollectionRow, FileRow, GenerationRow] | None:
        """The generation, if it is its file's newest or embeds it anew, and is not deleted with file or collection."""
        collection = self.collections.get((ref.tenant_id, ref.collection_id))
        file = self.files.get((ref.tenant_id, ref.file_id))
        if collection is None or file is None or file.collection_id != ref.collection_id:
            return None
        if not 1 <= ref.generation <= len(file.generations):
            return None
        row = file.generations[ref.generation - 1]
        wanted = row is file.newest or (row.source != row.number and row.retired_at is None)
        alive = collection.deleted_at is None and file.deleted_at is None and wanted
        return (collection, file, row) if alive else None

    def view(self, row: CollectionRow, principal: Principal) -> Collection:
        """The collection as the caller sees it."""
        counts = stages(Counter(str(file.newest.stage) for file in self.files_of(row)))
        return Collection(
            id=row.id,
            name=row.name,
            status=status_of(counts),
            role=row.members[principal.user_id],
            owner_id=row.owner_id,
            embedding_model=row.model.name,
            chunking=row.chunking,
            dedicated=row.dedicated,
            version=row.version,
            files=counts,
            storage_bytes=row.storage_bytes,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def charge(self, collection: CollectionRow, size: int) -> None:
        """Take storage from the collection and its owner; a negative size gives it back."""
        collection.storage_bytes += size
        self.users[collection.tenant_id, collection.owner_id].storage_bytes += size

    def fits(self, collection: CollectionRow, size: int, limit: int) -> bool:
        """Whether the owner's quota has room for so many bytes more."""
        return self.users[collection.tenant_id, collection.owner_id].storage_bytes + size <= limit
