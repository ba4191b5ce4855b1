"""A tenant with users, collections and files, on the real metadata."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_type_hints
from uuid import UUID, uuid4

import pytest

from modulo.adapters.postgres.backups import PostgresBackups
from modulo.adapters.postgres.collections import PostgresCollections
from modulo.adapters.postgres.conversation_messages import PostgresConversationMessages
from modulo.adapters.postgres.conversations import PostgresConversations
from modulo.adapters.postgres.dead_letters import PostgresDeadLetters
from modulo.adapters.postgres.deletions import PostgresDeletions
from modulo.adapters.postgres.engine import engines
from modulo.adapters.postgres.fetches import PostgresFetching
from modulo.adapters.postgres.file_batches import PostgresFileBatches
from modulo.adapters.postgres.files import PostgresFiles
from modulo.adapters.postgres.identities import PostgresIdentities
from modulo.adapters.postgres.ingestion import PostgresIngestion
from modulo.adapters.postgres.members import PostgresMembers
from modulo.adapters.postgres.part_uploads import PostgresPartUploads
from modulo.adapters.postgres.parts import PostgresParts
from modulo.adapters.postgres.pools import Pools
from modulo.adapters.postgres.purges import PostgresPurging
from modulo.adapters.postgres.reembeddings import PostgresReembeddings
from modulo.adapters.postgres.schema import migrate
from modulo.adapters.postgres.search import PostgresGrants
from modulo.adapters.postgres.subscriptions import PostgresSubscriptions
from modulo.adapters.postgres.sweeps import PostgresSweeping
from modulo.adapters.postgres.tenants import PostgresTenants
from modulo.adapters.postgres.uploads import PostgresUploads
from modulo.adapters.postgres.usage import PostgresUsageLedger
from modulo.adapters.postgres.user_deletions import PostgresUserDeletions
from modulo.adapters.postgres.user_files import PostgresUserFiles
from modulo.adapters.postgres.vector_rebuilds import PostgresVectorRebuilds
from modulo.domain.collections.collection import Chunking, Collection, CollectionDraft, EmbeddingModel
from modulo.domain.conversations.conversation import Conversation, ConversationDraft, MessageDraft, MessageRole
from modulo.domain.errors import GivenUp
from modulo.domain.files.file import DocumentInfo, File, FileProblem, FileRef
from modulo.domain.files.subscription import SubscriptionDraft
from modulo.domain.files.upload import FileDraft
from modulo.domain.files.user_file import Purpose, UserFile
from modulo.domain.ingestion.claim import Claim
from modulo.domain.operations.dead_letter import FUNCTIONS, DeadLetterDraft, Request
from modulo.domain.operations.deletion import Inventory
from modulo.domain.operations.purge import Purge, PurgeRequest
from modulo.domain.retrieval.passage import LiveDocument
from modulo.domain.tenancy.identity import ApiKey, Principal, Role, Scope, Tenant, User
from modulo.domain.tenancy.quota import Quotas, Reservation, Usage, period_of
from modulo.ports.metadata.backups import Backups
from modulo.ports.metadata.collections import Collections
from modulo.ports.metadata.conversation_messages import ConversationMessages
from modulo.ports.metadata.conversations import Conversations
from modulo.ports.metadata.database import Database
from modulo.ports.metadata.dead_letters import DeadLetters
from modulo.ports.metadata.deletions import Deletions
from modulo.ports.metadata.fetching import Fetching
from modulo.ports.metadata.file_batches import FileBatches
from modulo.ports.metadata.files import Files
from modulo.ports.metadata.identities import Identities
from modulo.ports.metadata.ingestion import Ingestion
from modulo.ports.metadata.members import Members
from modulo.ports.metadata.part_uploads import PartUploads
from modulo.ports.metadata.parts import Parts
from modulo.ports.metadata.purging import Purging
from modulo.ports.metadata.reembedding import Reembeddings
from modulo.ports.metadata.search import Grants
from modulo.ports.metadata.subscriptions import Subscriptions
from modulo.ports.metadata.sweeping import Sweeping
from modulo.ports.metadata.tenants import Tenants
from modulo.ports.metadata.uploads import Uploads
from modulo.ports.metadata.usage import UsageLedger
from modulo.ports.metadata.user_deletions import UserDeletions
from modulo.ports.metadata.user_files import UserFiles
from modulo.ports.metadata.vector_rebuilds import VectorRebuilds
from modulo.settings import Settings

NOW = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)
HOUR = timedelta(hours=1)
MODEL = EmbeddingModel(name="contract-model", dimensions=4, query_prefix="query: ")
PASSING = FileProblem(code="unavailable", detail="The embedding model did not answer.", retryable=True)
FINAL = FileProblem(code="encrypted-file", detail="The file is protected by a password.", retryable=False)
QUOTAS = Quotas(collections=10, files=10, storage_bytes=1_000, tokens_per_day=1_000)
PERIOD = period_of(NOW)
GIVEN_UP = FileProblem.of(GivenUp())


class Metadata:
    """Every role of the metadata, on the same two pools; `Services` has the same names."""

    tenants: Tenants
    identities: Identities
    collections: Collections
    conversations: Conversations
    conversation_messages: ConversationMessages
    reembeddings: Reembeddings
    members: Members
    uploads: Uploads
    files: Files
    file_batches: FileBatches
    fetching: Fetching
    ingestion: Ingestion
    parts: Parts
    sweeping: Sweeping
    purging: Purging
    deletions: Deletions
    subscriptions: Subscriptions
    dead_letters: DeadLetters
    grants: Grants
    usage: UsageLedger
    user_files: UserFiles
    user_deletions: UserDeletions
    vector_rebuilds: VectorRebuilds
    backups: Backups
    part_uploads: PartUploads
    database: Database

    def __init__(self, pools: Pools) -> None:
        self.pools = pools
        self.tenants = PostgresTenants(pools)
        self.identities = PostgresIdentities(pools)
        self.collections = PostgresCollections(pools)
        self.conversations = PostgresConversations(pools)
        self.conversation_messages = PostgresConversationMessages(pools)
        self.reembeddings = PostgresReembeddings(pools)
        self.members = PostgresMembers(pools)
        self.uploads = PostgresUploads(pools)
        self.files = PostgresFiles(pools)
        self.file_batches = PostgresFileBatches(pools)
        self.fetching = PostgresFetching(pools)
        self.ingestion = PostgresIngestion(pools)
        self.parts = PostgresParts(pools)
        self.sweeping = PostgresSweeping(pools)
        self.purging = PostgresPurging(pools)
        self.deletions = PostgresDeletions(pools)
        self.subscriptions = PostgresSubscriptions(pools)
        self.dead_letters = PostgresDeadLetters(pools)
        self.grants = PostgresGrants(pools)
        self.usage = PostgresUsageLedger(pools)
        self.user_files = PostgresUserFiles(pools)
        self.user_deletions = PostgresUserDeletions(pools)
        self.vector_rebuilds = PostgresVectorRebuilds(pools)
        self.backups = PostgresBackups(pools)
        self.part_uploads = PostgresPartUploads(pools)
        self.database = pools


def roles() -> dict[str, type]:
    """The protocol of each role, by the name that `Metadata` and `Services` have for it."""
    return get_type_hints(Metadata)


def methods_of_roles() -> dict[str, Callable[..., Any]]:
    """Every method of every role's protocol, as "role.method"."""
    return {
        f"{role}.{name}": method
        for role, protocol in roles().items()
        for name, method in vars(protocol).items()
        if not name.startswith("_") and callable(method)
    }


def settings_of(environment: dict[str, str], **more: Any) -> Settings:
    prepares = environment.get("DATABASE_PREPARES", "false")
    given = {"database_url": environment["DATABASE_URL"], "database_prepares": prepares, "sqlalchemy_pool_size": 20}
    return Settings.model_validate({**given, **more})


@contextmanager
def postgres_metadata(settings: Settings, announced: "Announced | None" = None) -> Iterator[Metadata]:
    migrate(settings)
    pools = Pools(*engines(settings), Announced() if announced is None else announced)
    try:
        yield Metadata(pools)
    finally:
        pools.close()


class Announced(Counter[tuple[UUID, UUID]]):
    """How often each collection was announced."""

    def __call__(self, tenant_id: UUID, collection_id: UUID) -> None:
        self[tenant_id, collection_id] += 1


class MetadataContract:
    """What inherits it has the metadata on the session's Postgres, and a tenant of its own for each test."""

    @pytest.fixture(scope="class")
    @classmethod
    def metadata(cls, postgres: dict[str, str]) -> Iterator[Metadata]:
        with postgres_metadata(settings_of(postgres)) as metadata:
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
        self.metadata.tenants.add_tenant(Tenant(id=self.tenant_id, name="acme"))
        user = User(tenant_id=self.tenant_id, id=uuid4(), name=name)
        self.metadata.identities.add_user(user)
        return Principal(self.tenant_id, user.id, frozenset(Scope))

    def user_file(self, user: Principal, name: str = "kept.txt", size: int = 10, **more: Any) -> UserFile:
        """A file that the user keeps."""
        self.created += 1
        now = NOW + timedelta(seconds=self.created)
        known = {"name": name, "purpose": Purpose.assistants, "media_type": "text/plain", "size_bytes": size}
        file = UserFile(id=uuid4(), **{**known, "created_at": now, **more})
        self.metadata.user_files.add_user_file(user, file, quotas=QUOTAS)
        return file

    def copied(self, user: Principal, collection: Collection, origin: UserFile) -> File:
        """A copy of it in the collection."""
        draft = replace(self.upload(origin.name), origin_id=origin.id, size_bytes=origin.size_bytes)
        return self.metadata.uploads.reserve_file(user, collection.id, draft, quotas=QUOTAS, now=NOW)

    def draft(self, name: str = "papers", **more: Any) -> CollectionDraft:
        return replace(CollectionDraft(uuid4(), name, MODEL, Chunking(), dedicated=False), **more)

    def collection(self, owner: Principal, name: str = "papers") -> Collection:
        self.created += 1
        now = NOW + timedelta(seconds=self.created)
        return self.metadata.collections.create_collection(owner, self.draft(name), limit=QUOTAS.collections, now=now)

    def searcher(self) -> tuple[Principal, Collection]:
        """A user with a collection, empty, to search."""
        user = self.user()
        return user, self.collection(user, str(uuid4()))

    def member(self, owner: Principal, collection: Collection, role: Role) -> Principal:
        user = self.user(role.value)
        self.metadata.members.set_member(owner, collection.id, user.user_id, role)
        return user

    def upload(self, name: str = "paper.pdf", size: int = 100, **more: Any) -> FileDraft:
        return replace(FileDraft(uuid4(), name, "application/pdf", size, "ab" * 32, NOW + HOUR), **more)

    def file(self, user: Principal, collection: Collection, name: str = "paper.pdf", size: int = 100) -> File:
        self.created += 1
        now = NOW + timedelta(seconds=self.created)
        return self.metadata.uploads.reserve_file(user, collection.id, self.upload(name, size), quotas=QUOTAS, now=now)

    def addressed(self, user: Principal, collection: Collection, name: str = "page.html") -> File:
        """One whose bytes are to be fetched."""
        draft = self.upload(name, 0, source_url="https://docs.example.org/page", checksum_sha256=None)
        return self.metadata.uploads.reserve_file(user, collection.id, draft, quotas=QUOTAS, now=NOW)

    def conversation(self, user: Principal, title: str = "", *contents: str, now: datetime = NOW) -> Conversation:
        """With these messages: a question, an answer, and so on."""
        draft = ConversationDraft(uuid4(), title, messages=exchange(*contents))
        return self.metadata.conversations.create_conversation(user, draft, limit=100, now=now)

    def ref(self, file: File) -> FileRef:
        return FileRef(self.tenant_id, file.collection_id, file.id, file.generation)

    def try_claim(self, file: File, *, now: datetime = NOW, deadline: datetime = NOW + HOUR) -> Claim | None:
        lease = now + timedelta(minutes=15)
        return self.metadata.ingestion.claim(
            self.ref(file), version="etag", now=now, lease_until=lease, deadline=deadline
        )

    def claim(self, file: File, *, now: datetime = NOW) -> Claim:
        claim = self.try_claim(file, now=now)
        assert claim is not None
        return claim

    def publish(self, claim: Claim, *, title: str | None = None) -> bool:
        info = DocumentInfo(title=title, total_pages=3)
        return self.metadata.ingestion.publish(claim, chunk_count=7, content_hash="cd" * 32, info=info, now=NOW)

    def ready(self, user: Principal, collection: Collection, name: str = "paper.pdf", size: int = 100) -> File:
        file = self.file(user, collection, name, size)
        assert self.publish(self.claim(file))
        return self.metadata.files.get_file(user, collection.id, file.id, fresh=True)

    def failed(self, user: Principal, collection: Collection, problem: FileProblem, name: str = "paper.pdf") -> File:
        file = self.file(user, collection, name)
        assert self.metadata.ingestion.fail(self.claim(file), problem, now=NOW)
        return self.metadata.files.get_file(user, collection.id, file.id, fresh=True)

    def live(self, user: Principal, collection: Collection, *file_ids: UUID) -> Mapping[UUID, LiveDocument]:
        return self.metadata.grants.live_documents(user, [collection.id], file_ids, reservation=None).documents

    def reserve(self, user: Principal, at: Collection, tokens: int, *, limit: int = 100, period: date = PERIOD) -> bool:
        wanted = Reservation(period, tokens, limit)
        return self.metadata.grants.live_documents(user, [at.id], [], reservation=wanted).reserved

    def usage(self, user: Principal) -> Usage:
        return self.metadata.usage.get_usage(user, period=PERIOD, quotas=QUOTAS)

    def swept(self, *, now: datetime) -> tuple[list[FileRef], list[FileRef], list[PurgeRequest]]:
        """What a sweep said of this tenant: failed, to be queued anew, to be purged."""
        swept = self.metadata.sweeping.sweep(now=now, limit=10_000)
        mine = self.tenant_id
        return (
            [ref for ref in swept.failed if ref.tenant_id == mine],
            [ref for ref in swept.requeue if ref.tenant_id == mine],
            [request for request in swept.purge if request.tenant_id == mine],
        )

    def found(self, collection: Collection, file: File | None = None) -> Purge:
        purge = self.metadata.purging.find_purge(self.tenant_id, collection.id, file.id if file else None)
        assert purge is not None
        return purge

    def purge(self, collection: Collection, file: File | None = None, *, now: datetime = NOW) -> Purge:
        return self.purged(self.found(collection, file), now=now)

    def purged(self, purge: Purge, *, now: datetime = NOW) -> Purge:
        """What a purge does that finds nothing in the stores."""
        if purge.receipt is not None:
            recorded = self.metadata.deletions.record_removal(
                purge.tenant_id, purge.receipt, Inventory(), cached=0, now=now
            )
            assert recorded is not None
            purge = replace(purge, receipt=recorded)
        assert self.metadata.purging.mark_purged(purge, now=now)
        return purge


def exchange(*contents: str) -> tuple[MessageDraft, ...]:
    """Messages of user and assistant in turn."""
    roles = (MessageRole.user, MessageRole.assistant)
    return tuple(MessageDraft(uuid4(), roles[place % 2], content) for place, content in enumerate(contents))


def key_of(user: Principal, **more: object) -> ApiKey:
    fields = {"id": uuid4(), "name": "laptop", "scopes": frozenset({Scope.read}), "created_at": NOW} | more
    return ApiKey.model_validate({"tenant_id": user.tenant_id, "user_id": user.user_id} | fields)


def dead_letter_draft(request: Request | None, **more: Any) -> DeadLetterDraft:
    function = FUNCTIONS[type(request)] if request else None
    made = DeadLetterDraft(uuid4(), f"message {uuid4()}", function, request, '{"a": 1}', GIVEN_UP, 4, NOW - HOUR)
    return replace(made, **more)


def subscription_draft(**more: Any) -> SubscriptionDraft:
    known: dict[str, Any] = {"looked_at": None, "key_hash": None, "expires_at": None, "closes_at": NOW + 2 * HOUR}
    return SubscriptionDraft(f"connection-{uuid4()}", **{**known, **more})
