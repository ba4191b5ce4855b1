"""A tenant with users, collections and files, on the in-memory and the real metadata."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from modulo.adapters.memory_metadata import MemoryMetadata
from modulo.adapters.postgres_engine import engines
from modulo.adapters.postgres_metadata import PostgresMetadata
from modulo.adapters.postgres_schema import migrate
from modulo.domain.collection import Chunking, Collection, EmbeddingModel
from modulo.domain.deletion import Held
from modulo.domain.file import DocumentInfo, File, FileProblem, FileRef
from modulo.domain.identity import Principal, Role, Scope, Tenant, User
from modulo.domain.passage import LiveDocument
from modulo.domain.quota import Quotas, Reservation, Usage, period_of
from modulo.domain.transfer import Claim, CollectionDraft, FileDraft, Purge, PurgeRequest
from modulo.ports import Metadata
from modulo.settings import Settings

NOW = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)
HOUR = timedelta(hours=1)
MODEL = EmbeddingModel(name="contract-model", dimensions=4, query_prefix="query: ")
PASSING = FileProblem(code="unavailable", detail="The embedding model did not answer.", retryable=True)
FINAL = FileProblem(code="encrypted-file", detail="The file is protected by a password.", retryable=False)
QUOTAS = Quotas(collections=10, files=10, storage_bytes=1_000, tokens_per_day=1_000)
PERIOD = period_of(NOW)


def settings_of(environment: dict[str, str], **more: Any) -> Settings:
    prepares = environment.get("DATABASE_PREPARES", "false")
    given = {"database_url": environment["DATABASE_URL"], "database_prepares": prepares, "sqlalchemy_pool_size": 20}
    return Settings.model_validate({**given, **more})


@contextmanager
def postgres_metadata(settings: Settings, announced: "Announced | None" = None) -> Iterator[PostgresMetadata]:
    migrate(settings)
    writer, reader = engines(settings)
    try:
        yield PostgresMetadata(writer, reader, Announced() if announced is None else announced)
    finally:
        writer.dispose()
        reader.dispose()


class Announced(Counter[tuple[UUID, UUID]]):
    """How often each collection was announced."""

    def __call__(self, tenant_id: UUID, collection_id: UUID) -> None:
        self[tenant_id, collection_id] += 1


class MetadataContract:
    """What inherits it runs twice: in memory and on Postgres."""

    @pytest.fixture(scope="class", params=["memory", "postgres"])
    @classmethod
    def metadata(cls, request: pytest.FixtureRequest) -> Iterator[Metadata]:
        if request.param == "memory":
            yield MemoryMetadata()
            return
        with postgres_metadata(settings_of(request.getfixturevalue("postgres"))) as metadata:
            yield metadata

    @pytest.fixture
    def world(self, metadata: Metadata) -> "World":
        return World(metadata)


@dataclass
class World:
    """A tenant of its own in a store that others use too."""

    metadata: Metadata
    tenant_id: UUID = field(default_factory=uuid4)
    created: int = 0

    def user(self, name: str = "someone") -> Principal:
        self.metadata.add_tenant(Tenant(id=self.tenant_id, name="acme"))
        user = User(tenant_id=self.tenant_id, id=uuid4(), name=name)
        self.metadata.add_user(user)
        return Principal(self.tenant_id, user.id, frozenset(Scope))

    def draft(self, name: str = "papers", **more: Any) -> CollectionDraft:
        return replace(CollectionDraft(uuid4(), name, MODEL, Chunking(), dedicated=False), **more)

    def collection(self, owner: Principal, name: str = "papers") -> Collection:
        self.created += 1
        now = NOW + timedelta(seconds=self.created)
        return self.metadata.create_collection(owner, self.draft(name), limit=QUOTAS.collections, now=now)

    def searcher(self) -> tuple[Principal, Collection]:
        """A user with a collection, empty, to search."""
        user = self.user()
        return user, self.collection(user, str(uuid4()))

    def member(self, owner: Principal, collection: Collection, role: Role) -> Principal:
        user = self.user(role.value)
        self.metadata.set_member(owner, collection.id, user.user_id, role)
        return user

    def upload(self, name: str = "paper.pdf", size: int = 100, **more: Any) -> FileDraft:
        return replace(FileDraft(uuid4(), name, "application/pdf", size, "ab" * 32, NOW + HOUR), **more)

    def file(self, user: Principal, collection: Collection, name: str = "paper.pdf", size: int = 100) -> File:
        self.created += 1
        now = NOW + timedelta(seconds=self.created)
        return self.metadata.reserve_file(user, collection.id, self.upload(name, size), quotas=QUOTAS, now=now)

    def addressed(self, user: Principal, collection: Collection, name: str = "page.html") -> File:
        """One whose bytes are to be fetched."""
        draft = self.upload(name, 0, source_url="https://docs.example.org/page", checksum_sha256=None)
        return self.metadata.reserve_file(user, collection.id, draft, quotas=QUOTAS, now=NOW)

    def ref(self, file: File) -> FileRef:
        return FileRef(self.tenant_id, file.collection_id, file.id, file.generation)

    def try_claim(self, file: File, *, now: datetime = NOW, deadline: datetime = NOW + HOUR) -> Claim | None:
        lease = now + timedelta(minutes=15)
        return self.metadata.claim(self.ref(file), version="etag", now=now, lease_until=lease, deadline=deadline)

    def claim(self, file: File, *, now: datetime = NOW) -> Claim:
        claim = self.try_claim(file, now=now)
        assert claim is not None
        return claim

    def publish(self, claim: Claim, *, title: str | None = None) -> bool:
        info = DocumentInfo(title=title, total_pages=3)
        return self.metadata.publish(claim, chunk_count=7, content_hash="cd" * 32, info=info, now=NOW)

    def ready(self, user: Principal, collection: Collection, name: str = "paper.pdf", size: int = 100) -> File:
        file = self.file(user, collection, name, size)
        assert self.publish(self.claim(file))
        return self.metadata.get_file(user, collection.id, file.id, fresh=True)

    def failed(self, user: Principal, collection: Collection, problem: FileProblem, name: str = "paper.pdf") -> File:
        file = self.file(user, collection, name)
        assert self.metadata.fail(self.claim(file), problem, now=NOW)
        return self.metadata.get_file(user, collection.id, file.id, fresh=True)

    def live(self, user: Principal, collection: Collection, *file_ids: UUID) -> Mapping[UUID, LiveDocument]:
        return self.metadata.live_documents(user, collection.id, file_ids, reservation=None).documents

    def reserve(self, user: Principal, at: Collection, tokens: int, *, limit: int = 100, period: date = PERIOD) -> bool:
        wanted = Reservation(period, tokens, limit)
        return self.metadata.live_documents(user, at.id, [], reservation=wanted).reserved

    def usage(self, user: Principal) -> Usage:
        return self.metadata.usage(user, period=PERIOD, quotas=QUOTAS)

    def swept(self, *, now: datetime) -> tuple[list[FileRef], list[FileRef], list[PurgeRequest]]:
        """What a sweep said of this tenant: failed, to be queued anew, to be purged."""
        swept = self.metadata.sweep(now=now, limit=10_000)
        mine = self.tenant_id
        return (
            [ref for ref in swept.failed if ref.tenant_id == mine],
            [ref for ref in swept.requeue if ref.tenant_id == mine],
            [request for request in swept.purge if request.tenant_id == mine],
        )

    def found(self, collection: Collection, file: File | None = None) -> Purge:
        purge = self.metadata.purge_of(self.tenant_id, collection.id, file.id if file else None)
        assert purge is not None
        return purge

    def purge(self, collection: Collection, file: File | None = None, *, now: datetime = NOW) -> Purge:
        return self.purged(self.found(collection, file), now=now)

    def purged(self, purge: Purge, *, now: datetime = NOW) -> Purge:
        """What a purge does that finds nothing in the stores."""
        if purge.tally is not None:
            recorded = self.metadata.record(purge.tenant_id, purge.tally, Held(), cached=0, now=now)
            assert recorded is not None
            purge = replace(purge, tally=recorded)
        assert self.metadata.purged(purge, now=now)
        return purge
