"""Whatever comes twice, late, stale or at once: both adapters agree at every step, and no life ends wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from modulo.adapters.memory_metadata import MemoryMetadata
from modulo.domain.collection import Chunking
from modulo.domain.deletion import DeletionState, Held, deletion_id
from modulo.domain.document import Part
from modulo.domain.errors import ModuloError, NotFound
from modulo.domain.file import DocumentInfo, File, FileRef, Stage
from modulo.domain.identity import Principal, Scope, Tenant, User
from modulo.domain.transfer import Claim, CollectionDraft, FileDraft, Finished, PartResult
from modulo.ports import Metadata
from tests.contracts.metadata_world import (
    FINAL,
    HOUR,
    MODEL,
    NOW,
    PASSING,
    PERIOD,
    QUOTAS,
    postgres_metadata,
    settings_of,
)

LEASE = timedelta(minutes=15)
PARTS = (Part(0, 0, 2), Part(1, 2, 5))
RESULT = PartResult(3, "ab" * 32, DocumentInfo(language="en"))
MINUTES = (1, 10, 16, 61, 24 * 60 + 1)


class Lives(RuleBasedStateMachine):
    """One file on every store; each rule happens to all stores alike."""

    stores: ClassVar[tuple[Metadata, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.owner = Principal(uuid4(), uuid4(), frozenset(Scope))
        self.collection = uuid4()
        self.file: File | None = None
        self.claims: list[list[Claim]] = []
        self.newest_claim: dict[tuple[int, Part | None], int] = {}
        self.published = 0
        self.deleted = False
        self.raises = 1
        draft = CollectionDraft(self.collection, "papers", MODEL, Chunking(), dedicated=False)
        for store in self.stores:
            store.add_tenant(Tenant(id=self.owner.tenant_id, name="acme"))
            store.add_user(User(tenant_id=self.owner.tenant_id, id=self.owner.user_id, name="someone"))
            store.create_collection(self.owner, draft, limit=9, now=NOW)

    def all(self, ask: Callable[[Metadata], Any]) -> list[Any]:
        """What each store answers; all mean the same."""
        return self.each([lambda store=store: ask(store) for store in self.stores])

    def each(self, asks: list[Callable[[], Any]]) -> list[Any]:
        answers = []
        for ask in asks:
            try:
                answers.append(ask())
            except ModuloError as error:
                answers.append(type(error))
        said = [meaning(answer) for answer in answers]
        assert all(one == said[0] for one in said), said
        return answers

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
        """Whoever ever held a claim does something, however late."""
        index = data.draw(st.integers(max(0, len(self.claims) - 4), len(self.claims) - 1))
        made = self.each(
            [
                lambda store=store, claim=claim: MOVES[move](self, store, claim)
                for store, claim in zip(self.stores, self.claims[index], strict=True)
            ]
        )
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

    @rule(minutes=st.sampled_from(MINUTES))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        tenant = self.owner.tenant_id

        def swept(store: Metadata) -> list[set[Any]]:
            found = store.sweep(now=self.now, limit=100_000)
            kinds = (found.failed, found.requeue, found.purge)
            return [{one for one in kind if one.tenant_id == tenant} for kind in kinds]

        self.all(swept)

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

    def advance(self, store: Metadata, claim: Claim) -> Any:
        pages = {"pages_done": 2, "pages_total": None if claim.part else 5}
        return store.advance(claim, Stage.embedding, **pages, lease_until=self.now + LEASE, now=self.now)

    def divide(self, store: Metadata, claim: Claim) -> Any:
        if claim.part is not None or claim.divided:
            return False
        times = {"lease_until": self.now + LEASE, "deadline": self.now + 3 * HOUR, "now": self.now}
        return store.divide(claim, PARTS, pages_total=5, **times)

    def finish(self, store: Metadata, claim: Claim) -> Any:
        return claim.part and store.finish_part(claim, RESULT, lease_until=self.now + LEASE, now=self.now)

    def publish(self, store: Metadata, claim: Claim) -> Any:
        if claim.part is not None:
            return False
        return store.publish(claim, chunk_count=6, content_hash="cd" * 32, info=DocumentInfo(), now=self.now)


MOVES: dict[str, Callable[[Lives, Metadata, Claim], Any]] = {
    "advance": Lives.advance,
    "publish": Lives.publish,
    "fail": lambda lives, store, claim: store.fail(claim, PASSING, now=lives.now),
    "break": lambda lives, store, claim: store.fail(claim, FINAL, now=lives.now),
    "release": lambda lives, store, claim: store.release(claim, now=lives.now),
    "divide": Lives.divide,
    "finish": Lives.finish,
}


def meaning(answer: Any) -> Any:
    """An answer without what is random in it."""
    if isinstance(answer, Claim):
        return replace(answer, token=UUID(int=0))
    if isinstance(answer, Finished):
        return answer.left, meaning(answer.whole)
    return answer


def run(stores: tuple[Metadata, ...], *, examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    machine = type("Machine", (Lives,), {"stores": stores})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=phases,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_life_ends_right_in_memory() -> None:
    run((MemoryMetadata(),), examples=150, steps=60)


def test_every_life_is_the_same_on_postgres(postgres: dict[str, str]) -> None:
    with postgres_metadata(settings_of(postgres)) as store:
        run((MemoryMetadata(), store), examples=30, steps=40)


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
        run((Unfenced(),), examples=2_000, steps=60, phases=(Phase.generate,))
