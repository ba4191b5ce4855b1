"""Whatever comes twice, late, stale or at once: Postgres does what the reference model does, and no life ends wrong."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from modulo.domain.documents.document import Part
from modulo.domain.errors import NotFound
from modulo.domain.files.file import DocumentInfo, File, FileRef, Stage
from modulo.domain.files.subscription import SubscriptionDraft
from modulo.domain.files.upload import FileDraft
from modulo.domain.ingestion.claim import Claim, PartCompletion, PartResult
from modulo.domain.operations.deletion import Deletion, DeletionState, Inventory, deletion_id
from modulo.domain.pagination import Cursor
from tests.metadata_world import HOUR, NOW, PERIOD, QUOTAS, Announced, Metadata, postgres_metadata, settings_of
from tests.scenarios.lives import LEASE, Lives, run

PARTS = (Part(0, 0, 2), Part(1, 2, 5))
EXAMPLES = 30
RESULT = PartResult(3, "ab" * 32, DocumentInfo(language="en"))


class OneFile(Lives):
    """One file, of which everything is asked, in a collection with a subscription."""

    announced: ClassVar[Announced]

    def __init__(self) -> None:
        super().__init__()
        self.file: File | None = None
        self.newest_claim: dict[tuple[int, Part | None], int] = {}
        self.published = 0
        self.deleted = False
        self.raises = 1
        self.seen: list[Any] = []
        watcher = SubscriptionDraft(str(self.collection), None, None, None, NOW + timedelta(days=365))
        subscriptions = self.metadata.subscriptions
        assert subscriptions.add_subscription(self.owner, self.collection, watcher, limit=9, now=NOW)

    def ref(self, generation: int) -> FileRef:
        assert self.file is not None
        return FileRef(self.owner.tenant_id, self.collection, self.file.id, generation)

    @initialize()
    def first(self) -> None:
        self.upload(100)

    @rule(size=st.sampled_from([100, 900, 950]))
    def upload(self, size: int) -> None:
        draft = FileDraft(uuid4(), "a.pdf", "application/pdf", size, None, self.now + HOUR, self.now + LEASE)
        found = self.all(
            lambda s: s.uploads.reserve_file(self.owner, self.collection, draft, quotas=QUOTAS, now=self.now)
        )[0]
        if isinstance(found, File) and not self.deleted:
            self.file = found

    @rule(back=st.integers(0, 1))
    def claim(self, back: int) -> None:
        ref = self.ref(max(1, self.generation - back))
        times = {"now": self.now, "lease_until": self.now + LEASE, "deadline": self.now + HOUR}
        self.taken(self.all(lambda s: s.ingestion.claim(ref, version="1", **times)))

    @rule(number=st.integers(0, 2))
    def claim_part(self, number: int) -> None:
        ref = self.ref(self.generation)
        self.taken(self.all(lambda s: s.parts.claim_part(ref, number, now=self.now, lease_until=self.now + LEASE)))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), move=st.sampled_from(["advance", "publish", "fail", "break", "release", "divide", "finish"]))
    def move(self, data: st.DataObject, move: str) -> None:
        self.make(self.drawn(data), move)

    def make(self, index: int, move: str) -> None:
        made = self.act(index, move)
        held = self.claims[index][0]
        if made[0]:
            assert not self.deleted
            assert self.newest_claim[held.ref.generation, held.part] == index
            assert held.ref.generation == self.generation
        if move == "publish" and made[0]:
            self.published, self.raises = held.ref.generation, self.raises + 1
        if isinstance(made[0], PartCompletion) and made[0].whole:
            self.taken([finished.whole for finished in made])

    @rule(size=st.sampled_from([100, 950]), end=st.sampled_from(["publish", "publish", "fail", "divide"]))
    def ingest(self, size: int, end: str) -> None:
        """Without a hitch until there."""
        known = len(self.claims)
        self.upload(size)
        self.claim(0)
        if len(self.claims) > known:
            self.make(known, end)
            for number in (0, 1, 0):  # messages come twice
                self.claim_part(number)

    @rule(move=st.sampled_from(["publish", "advance", "fail"]))
    def come_late(self, move: str) -> None:
        """A worker that was thought dead goes on."""
        known = len(self.claims)
        self.upload(100)
        self.claim(0)
        self.wait(16)
        self.claim(0)
        if len(self.claims) == known + 2:
            self.make(known, move)

    @rule(back=st.integers(0, 1))
    def ask_again(self, back: int) -> None:
        ref = self.ref(max(1, self.generation - back))
        self.all(lambda s: s.ingestion.reset_attempts(ref))

    @rule()
    def sweep(self) -> None:
        self.swept()

    @precondition(lambda self: self.published or self.now > NOW + 2 * HOUR)
    @rule(sure=st.sampled_from([False, False, True]))
    def delete(self, sure: bool) -> None:
        if not sure:
            return
        made = self.all(
            lambda s: s.files.tombstone_file(self.owner, self.collection, self.ref(1).file_id, now=self.now)
        )
        assert isinstance(made[0], FileRef)
        self.raises += not self.deleted
        self.deleted = True

    @rule()
    def purge(self) -> None:
        at = (self.owner.tenant_id, self.collection, self.ref(1).file_id)
        for store, found in zip(self.stores, self.all(lambda s: s.purging.find_purge(*at)), strict=True):
            if found is not None:
                assert self.published not in (found.generations or ()) or self.deleted
                receipt = found.receipt and store.deletions.record_removal(
                    found.tenant_id, found.receipt, Inventory(), cached=1, now=self.now
                )
                assert (receipt is None) is (found.receipt is None)
                assert store.purging.mark_purged(replace(found, receipt=receipt), now=self.now)

    @invariant()
    def what_is_seen_to_change_is_announced(self) -> None:
        after = Cursor(NOW - HOUR, UUID(int=0))
        found = self.all(lambda s: s.files.changes(self.owner, self.collection, after=after, limit=9, fresh=True))[0]
        seen = [(file.updated_at, file.generation) for file in found]
        place = (self.owner.tenant_id, self.collection)
        assert self.announced.pop(place, 0) or seen == self.seen
        self.seen = seen

    @invariant()
    def nothing_is_wrong(self) -> None:
        if self.file is None:
            return
        found = self.all(lambda s: s.files.get_file(self.owner, self.collection, self.ref(1).file_id, fresh=True))[0]
        sought = [self.ref(1).file_id]
        seen = self.all(lambda s: s.grants.live_documents(self.owner, [self.collection], sought, reservation=None))[0]
        live, version = seen.documents, seen.grants[0].version
        self.all(lambda s: s.usage.get_usage(self.owner, period=PERIOD, quotas=QUOTAS).storage_bytes)
        self.all(lambda s: s.parts.parts(self.ref(self.generation)))
        assert seen.grants == (self.all(lambda s: s.grants.grant(self.owner, self.collection))[0],)
        assert version == self.raises
        receipt = self.receipt()
        assert (receipt is None) is (not self.deleted)
        if receipt is not None:
            assert (found, live) == (NotFound, {})
            assert receipt.proof or not receipt.completed_at
            return
        assert found.live_generation == (self.published or None)
        assert [one.generation for one in live.values()] == ([self.published] if self.published else [])
        assert found.pages_done >= 0

    def teardown(self) -> None:
        """With time, everything ends."""
        self.metadata.subscriptions.forget_subscription(str(self.collection))
        if self.file is None:
            return
        for _ in range(2):
            self.now += timedelta(days=30)
            self.sweep()
            self.purge()
        self.nothing_is_wrong()
        if self.deleted:
            receipt = self.receipt()
            assert receipt is not None
            assert receipt.state is DeletionState.completed
            assert self.metadata.usage.get_usage(self.owner, period=PERIOD, quotas=QUOTAS).storage_bytes == 0
        else:
            assert self.metadata.files.get_file(self.owner, self.collection, self.ref(1).file_id).stage in (
                Stage.ready,
                Stage.failed,
            )

    def receipt(self) -> Deletion | None:
        return self.metadata.deletions.find_deletion(self.owner.tenant_id, deletion_id(self.ref(1).file_id))

    @property
    def generation(self) -> int:
        assert self.file is not None
        return self.file.generation

    def taken(self, claims: list[Any]) -> None:
        if isinstance(claims[0], Claim):
            assert not self.deleted
            self.claims.append(claims)
            self.newest_claim[claims[0].ref.generation, claims[0].part] = len(self.claims) - 1

    def divide(self, store: Any, claim: Claim) -> Any:
        if claim.part is not None or claim.divided:
            return False
        times = {"lease_until": self.now + LEASE, "deadline": self.now + 3 * HOUR, "now": self.now}
        return store.parts.divide(claim, PARTS, pages_total=5, **times)

    def finish(self, store: Any, claim: Claim) -> Any:
        return claim.part and store.parts.finish_part(claim, RESULT, lease_until=self.now + LEASE, now=self.now)


def machine(metadata: Metadata, announced: Announced) -> type[OneFile]:
    return type("Machine", (OneFile,), {"metadata": metadata, "announced": announced})


def test_every_life_is_as_the_model_says(postgres: dict[str, str]) -> None:
    announced = Announced()
    with postgres_metadata(settings_of(postgres), announced) as metadata:
        run(machine(metadata, announced), examples=EXAMPLES, steps=40, phases=(Phase.generate,))
