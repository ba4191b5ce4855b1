"""Whatever comes twice, late, stale or at once: both adapters agree at every step, and no life ends wrong."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from modulo.adapters.memory_metadata import MemoryMetadata
from modulo.domain.deletion import DeletionState, Held, deletion_id
from modulo.domain.document import Part
from modulo.domain.errors import NotFound
from modulo.domain.file import DocumentInfo, File, FileRef, Stage
from modulo.domain.transfer import Claim, Cursor, FileDraft, Finished, PartResult
from modulo.domain.watching import WatcherDraft
from modulo.ports import Metadata
from tests.contracts.lives import LEASE, Lives, run
from tests.contracts.metadata_world import HOUR, NOW, PERIOD, QUOTAS, Announced, postgres_metadata, settings_of

PARTS = (Part(0, 0, 2), Part(1, 2, 5))
RESULT = PartResult(3, "ab" * 32, DocumentInfo(language="en"))


class OneFile(Lives):
    """One file, of which everything is asked, and whose collection somebody watches."""

    def __init__(self) -> None:
        super().__init__()
        self.file: File | None = None
        self.newest_claim: dict[tuple[int, Part | None], int] = {}
        self.published = 0
        self.deleted = False
        self.raises = 1
        self.seen: list[Any] = []
        watcher = WatcherDraft(str(self.collection), None, None, None, NOW + timedelta(days=365))
        for store in self.stores:
            assert store.add_watcher(self.owner, self.collection, watcher, limit=9, now=NOW)

    def ref(self, generation: int) -> FileRef:
        assert self.file is not None
        return FileRef(self.owner.tenant_id, self.collection, self.file.id, generation)

    @initialize()
    def first(self) -> None:
        self.upload(100)

    @rule(size=st.sampled_from([100, 900]))
    def upload(self, size: int) -> None:
        draft = FileDraft(uuid4(), "a.pdf", "application/pdf", size, None, self.now + HOUR, self.now + LEASE)
        found = self.all(lambda s: s.reserve_file(self.owner, self.collection, draft, quotas=QUOTAS, now=self.now))[0]
        if isinstance(found, File) and not self.deleted:
            self.file = found

    @rule(back=st.integers(0, 1))
    def claim(self, back: int) -> None:
        ref = self.ref(max(1, self.generation - back))
        times = {"now": self.now, "lease_until": self.now + LEASE, "deadline": self.now + HOUR}
        self.taken(self.all(lambda s: s.claim(ref, version="1", **times)))

    @rule(number=st.integers(0, 2))
    def claim_part(self, number: int) -> None:
        ref = self.ref(self.generation)
        self.taken(self.all(lambda s: s.claim_part(ref, number, now=self.now, lease_until=self.now + LEASE)))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), move=st.sampled_from(["advance", "publish", "fail", "break", "release", "divide", "finish"]))
    def move(self, data: st.DataObject, move: str) -> None:
        index = self.drawn(data)
        made = self.act(index, move)
        held = self.claims[index][0]
        if made[0]:
            assert not self.deleted
            assert self.newest_claim[held.ref.generation, held.part] == index
            assert held.ref.generation == self.generation
        if move == "publish" and made[0]:
            self.published, self.raises = held.ref.generation, self.raises + 1
        if isinstance(made[0], Finished) and made[0].whole:
            self.taken([finished.whole for finished in made])

    @rule(back=st.integers(0, 1))
    def ask_again(self, back: int) -> None:
        ref = self.ref(max(1, self.generation - back))
        self.all(lambda s: s.count_anew(ref))

    @rule()
    def sweep(self) -> None:
        self.swept()

    @precondition(lambda self: self.published or self.now > NOW + 2 * HOUR)
    @rule()
    def delete(self) -> None:
        made = self.all(lambda s: s.tombstone_file(self.owner, self.collection, self.ref(1).file_id, now=self.now))
        assert isinstance(made[0], FileRef)
        self.raises += not self.deleted
        self.deleted = True

    @rule()
    def purge(self) -> None:
        at = (self.owner.tenant_id, self.collection, self.ref(1).file_id)
        for store, found in zip(self.stores, self.all(lambda s: s.purge_of(*at)), strict=True):
            if found is not None:
                assert self.published not in (found.generations or ()) or self.deleted
                tally = found.tally and store.record(found.tenant_id, found.tally, Held(), cached=1, now=self.now)
                assert (tally is None) is (found.tally is None)
                assert store.purged(replace(found, tally=tally), now=self.now)

    @invariant()
    def what_is_seen_to_change_is_announced(self) -> None:
        after = Cursor(NOW - HOUR, UUID(int=0))
        found = self.all(lambda s: s.changes(self.owner, self.collection, after=after, limit=9, fresh=True))[0]
        seen = [(file.updated_at, file.generation) for file in found]
        place = (self.owner.tenant_id, self.collection)
        times = [store._announce.pop(place, 0) for store in self.stores]  # type: ignore[attr-defined]
        assert all(times) or seen == self.seen
        self.seen = seen

    @invariant()
    def nothing_is_wrong(self) -> None:
        if self.file is None:
            return
        found = self.all(lambda s: s.get_file(self.owner, self.collection, self.ref(1).file_id, fresh=True))[0]
        sought = [self.ref(1).file_id]
        seen = self.all(lambda s: s.live_documents(self.owner, self.collection, sought, reservation=None))[0]
        live, version = seen.documents, seen.grant.version
        self.all(lambda s: s.usage(self.owner, period=PERIOD, quotas=QUOTAS).storage_bytes)
        self.all(lambda s: s.parts(self.ref(self.generation)))
        assert seen.grant == self.all(lambda s: s.grant(self.owner, self.collection))[0]
        assert version == self.raises
        receipt = self.all(lambda s: s.get_deletion(self.owner, deletion_id(self.ref(1).file_id)))[0]
        assert (receipt is NotFound) is (not self.deleted)
        if self.deleted:
            assert (found, live) == (NotFound, {})
            assert receipt.proof or not receipt.completed_at
            return
        assert found.live_generation == (self.published or None)
        assert [one.generation for one in live.values()] == ([self.published] if self.published else [])
        assert found.pages_done >= 0

    def teardown(self) -> None:
        """With time, everything ends."""
        for store in self.stores:
            store.forget_watcher(str(self.collection))
        if self.file is None:
            return
        for _ in range(2):
            self.now += timedelta(days=30)
            self.sweep()
            self.purge()
        self.nothing_is_wrong()
        if self.deleted:
            receipt = self.stores[0].get_deletion(self.owner, deletion_id(self.ref(1).file_id))
            assert receipt.state is DeletionState.completed
            assert self.stores[0].usage(self.owner, period=PERIOD, quotas=QUOTAS).storage_bytes == 0
        else:
            assert self.stores[0].get_file(self.owner, self.collection, self.ref(1).file_id).stage in (
                Stage.ready,
                Stage.failed,
            )

    @property
    def generation(self) -> int:
        assert self.file is not None
        return self.file.generation

    def taken(self, claims: list[Any]) -> None:
        if isinstance(claims[0], Claim):
            assert not self.deleted
            self.claims.append(claims)
            self.newest_claim[claims[0].ref.generation, claims[0].part] = len(self.claims) - 1

    def divide(self, store: Metadata, claim: Claim) -> Any:
        if claim.part is not None or claim.divided:
            return False
        times = {"lease_until": self.now + LEASE, "deadline": self.now + 3 * HOUR, "now": self.now}
        return store.divide(claim, PARTS, pages_total=5, **times)

    def finish(self, store: Metadata, claim: Claim) -> Any:
        return claim.part and store.finish_part(claim, RESULT, lease_until=self.now + LEASE, now=self.now)


def alike(*stores: Metadata) -> type[Lives]:
    return type("Machine", (OneFile,), {"stores": stores})


def test_every_life_ends_right_in_memory() -> None:
    run(alike(MemoryMetadata(Announced())), examples=150, steps=60)


def test_every_life_is_the_same_on_postgres(postgres: dict[str, str]) -> None:
    with postgres_metadata(settings_of(postgres)) as store:
        run(alike(MemoryMetadata(Announced()), store), examples=30, steps=40)


def test_a_store_without_fences_is_found_out() -> None:

    class Unfenced(MemoryMetadata):
        def publish(self, claim: Claim, **more: Any) -> bool:
            return super().publish(self.held(claim), **more)

        def advance(self, claim: Claim, stage: Stage, **more: Any) -> bool:
            return super().advance(self.held(claim), stage, **more)

        def held(self, claim: Claim) -> Claim:
            found = self._store.living(claim.ref)
            return replace(claim, token=found[2].claim_token) if found and found[2].claim_token else claim

    with pytest.raises(AssertionError):
        run(alike(Unfenced(Announced())), examples=2_000, steps=60, phases=(Phase.generate,))
