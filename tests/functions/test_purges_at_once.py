"""Purges of the same at the same time, dying anywhere, while late bytes arrive: the receipt stays true."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from modulo.domain.collections.collection import Chunking, Collection, CollectionDraft, EmbeddingModel
from modulo.domain.documents.chunk import Chunk, EmbeddedChunk
from modulo.domain.errors import Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.operations.deletion import DeletionState, deletion_id
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.search.cache_entry import CacheEntry
from modulo.domain.tenancy.identity import Principal, Scope
from modulo.services import Services
from modulo.usecases.cache_keys import collection_prefix
from modulo.usecases.purge import purge
from tests.doubles.memory_blobs import MemoryBlobs
from tests.doubles.memory_cache import MemoryCache
from tests.doubles.memory_clock import MemoryClock
from tests.doubles.memory_queue import MemoryQueue
from tests.doubles.memory_vectors import MemoryVectors
from tests.functions.conftest import NOW

CHUNKS, BYTES = 5, b"0123456789"
STORES = ("purging", "deletions", "tenants", "user_files", "part_uploads", "vectors", "blobs", "cache")


class Died(Exception):
    """A purge is killed."""


@dataclass
class Step:
    """A store before and behind whose every call something else may happen."""

    real: Any
    machine: "Purges"

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)

        def called(*args: Any, **given: Any) -> Any:
            self.machine.meanwhile()
            answer = method(*args, **given)
            self.machine.meanwhile()
            return answer

        return called


@dataclass
class Written:
    """What was ever stored of the collection."""

    vectors: int = 0
    objects: int = 0
    cached: int = 0
    late: bool = False


class Purges(RuleBasedStateMachine):
    """A deleted collection; between any two calls of a purge another may run, it may die, or something may arrive."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.purging, self.deletions, self.tenants = services.purging, services.deletions, services.tenants
        self.user_files, self.part_uploads = services.user_files, services.part_uploads
        self.vectors, self.blobs = MemoryVectors(), MemoryBlobs()
        self.cache, self.clock = MemoryCache(), MemoryClock(NOW)
        self.owner = Principal(uuid4(), uuid4(), frozenset(Scope))
        draft = CollectionDraft(uuid4(), "papers", EmbeddingModel(name="small", dimensions=4), Chunking(), False)
        self.collection: Collection = services.collections.create_collection(self.owner, draft, limit=1, now=NOW)
        self.space = services.grants.grant(self.owner, self.collection.id).space
        self.vectors.prepare(self.space)
        self.written = Written()
        self.plan: list[str] = []
        for _ in range(2):
            self.store(chunks=CHUNKS)
        services.collections.tombstone_collection(self.owner, self.collection.id, now=NOW)

    def store(self, *, chunks: int) -> None:
        """A file's chunks, its object and a cached result."""
        ref = FileRef(self.space.tenant_id, self.collection.id, uuid4(), 1)
        made = [Chunk(number, f"text {number}", 1, 0, 9, "", None) for number in range(chunks)]
        vector = [1.0] + [0.0] * (self.space.model.dimensions - 1)
        self.vectors.upsert(self.space, [EmbeddedChunk(ref, chunk, vector, "a.txt", "text/plain") for chunk in made])
        self.blobs.put(ref, BYTES, media_type="text/plain")
        prefix = collection_prefix(self.space.tenant_id, self.collection.id)
        self.cache.put([CacheEntry(f"{prefix}{ref.file_id}", b"result", 9_999, (prefix,))])
        self.written.vectors += chunks
        self.written.objects += 1
        self.written.cached += 1

    def meanwhile(self) -> None:
        if not self.plan:
            return
        match self.plan.pop():
            case "die":
                raise Died
            case "purge":
                self.run()
            case "arrive":
                self.written.late = True
                self.store(chunks=1)

    def run(self) -> None:
        stores = {name: Step(getattr(self, name), self) for name in STORES}
        request = PurgeRequest(self.space.tenant_id, self.collection.id, None)
        with suppress(Died, Unavailable):
            purge(request, purges=MemoryQueue(), clock=self.clock, **stores)
        self.true()

    @rule(plan=st.lists(st.sampled_from(["go on", "go on", "go on", "die", "purge", "arrive"]), max_size=40))
    def purge(self, plan: list[str]) -> None:
        self.plan = plan
        self.run()

    @property
    def receipt(self) -> Any:
        return self.deletions.get_deletion(self.owner, deletion_id(self.collection.id))

    def true(self) -> None:
        """The receipt never claims more than was removed, and nothing less where nothing came late."""
        told, removed = self.receipt, self.receipt.removed
        left = self.vectors.count(self.space)
        vectors = sum(removed.vectors.values())
        assert vectors <= self.written.vectors - left
        assert removed.objects <= self.written.objects - len(self.blobs._objects)
        assert removed.object_bytes == removed.objects * len(BYTES)
        assert removed.cached_entries <= self.written.cached
        if told.state is DeletionState.completed:
            assert told.proof.nothing
            if not self.written.late:
                assert (vectors, removed.objects) == (self.written.vectors, self.written.objects)
                assert (left, self.blobs._objects) == (0, {})

    def teardown(self) -> None:
        """Undisturbed, it ends."""
        self.plan = []
        if self.receipt.state is not DeletionState.completed:
            self.run()
        assert self.receipt.state is DeletionState.completed


def test_the_receipt_is_true_whatever_happens_meanwhile(services: Services) -> None:
    run_state_machine_as_test(
        lambda: Purges(services),
        settings=settings(
            max_examples=300,
            stateful_step_count=6,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
