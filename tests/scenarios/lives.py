"""What may happen to files, in any order and however late, on Postgres and on the reference model alike."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from modulo.domain.collections.collection import Chunking, Collection, CollectionDraft
from modulo.domain.collections.grant import Grant, LiveDocuments
from modulo.domain.collections.reembedding import Reembedding, StartedReembedding
from modulo.domain.errors import ModuloError
from modulo.domain.files.file import DocumentInfo, File, Stage
from modulo.domain.ingestion.claim import Claim, PartCompletion
from modulo.domain.operations.purge import Purge
from modulo.domain.tenancy.identity import Principal, Scope, Tenant, User
from tests.doubles.deletion_model import DeletionModel
from tests.doubles.generation_model import SEEN
from tests.metadata_world import FINAL, MODEL, NOW, PASSING, Metadata

LEASE = timedelta(minutes=15)
MINUTES = (1, 10, 16, 61, 24 * 60 + 1)


class Lives(RuleBasedStateMachine):
    """A collection on Postgres and on the reference model, which have to agree at every step, however late it comes."""

    metadata: ClassVar[Metadata]
    model: ClassVar[type[DeletionModel]] = DeletionModel

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.owner = Principal(uuid4(), uuid4(), frozenset(Scope))
        self.collection = uuid4()
        self.claims: list[list[Claim]] = []
        """Those that were ever held, each on both."""
        draft = CollectionDraft(self.collection, "papers", MODEL, Chunking(), dedicated=False)
        self.metadata.tenants.add_tenant(Tenant(id=self.owner.tenant_id, name="acme"))
        self.metadata.identities.add_user(User(tenant_id=self.owner.tenant_id, id=self.owner.user_id, name="someone"))
        self.metadata.collections.create_collection(self.owner, draft, limit=9, now=NOW)
        self.reference = self.model(self.owner, self.collection, MODEL, NOW)
        self.stores: tuple[Any, ...] = (self.metadata, self.reference)

    def all(self, ask: Callable[[Any], Any]) -> list[Any]:
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

    @rule(minutes=st.sampled_from(MINUTES))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def drawn(self, data: st.DataObject) -> int:
        """One of the latest claims."""
        return data.draw(st.integers(max(0, len(self.claims) - 4), len(self.claims) - 1))

    def act(self, index: int, move: str) -> list[Any]:
        """Whoever ever held a claim does something, however late: a method here, or an end."""
        moves: dict[str, Callable[[Any, Claim], Any]] = {
            "fail": lambda store, claim: store.ingestion.fail(claim, PASSING, now=self.now),
            "break": lambda store, claim: store.ingestion.fail(claim, FINAL, now=self.now),
            "release": lambda store, claim: store.ingestion.release(claim, now=self.now),
        }
        do = moves.get(move) or getattr(self, move)
        pairs = zip(self.stores, self.claims[index], strict=True)
        return self.each([lambda store=store, claim=claim: do(store, claim) for store, claim in pairs])

    def advance(self, store: Any, claim: Claim) -> Any:
        pages = {"pages_done": 2, "pages_total": None if claim.part else 5}
        return store.ingestion.advance(claim, Stage.embedding, **pages, lease_until=self.now + LEASE, now=self.now)

    def publish(self, store: Any, claim: Claim) -> Any:
        if claim.part is not None:
            return False
        return store.ingestion.publish(claim, chunk_count=6, content_hash="cd" * 32, info=DocumentInfo(), now=self.now)

    def swept(self) -> None:
        """A sweep of every store, which names the same of this tenant's."""
        tenant = self.owner.tenant_id

        def sweep(store: Any) -> list[set[Any]]:
            found = store.sweeping.sweep(now=self.now, limit=100_000)
            kinds: tuple[Iterable[Any], ...] = (found.failed, found.requeue, found.purge)
            return [{one for one in kind if one.tenant_id == tenant} for kind in kinds]

        self.all(sweep)


MEANINGS: dict[type, Callable[[Any], Any]] = {
    Claim: lambda found: replace(found, token=UUID(int=0)),
    PartCompletion: lambda found: (found.left, meaning(found.whole)),
    File: lambda found: tuple(getattr(found, name) for name in SEEN),
    Purge: lambda found: (found.file_id, found.generations, found.objects),
    Grant: lambda found: (found.space.index, found.version),
    LiveDocuments: lambda found: (
        {file_id: one.generation for file_id, one in found.documents.items()},
        meaning(found.grants[0]),
    ),
    Collection: lambda found: (
        found.version,
        found.embedding_model,
        found.storage_bytes,
        found.updated_at,
        found.files,
    ),
    Reembedding: lambda found: (
        found.state,
        found.files_total,
        found.files_done,
        len(found.failures),
        found.rollback_until,
        found.switched_at,
        found.ended_at,
    ),
    StartedReembedding: lambda found: (meaning(found.reembedding), set(found.queue)),
    list: lambda found: [meaning(one) for one in found],
}


def meaning(answer: Any) -> Any:
    """What answers have in common that mean the same; the reference model answers with it."""
    return MEANINGS.get(type(answer), lambda found: found)(answer)


def run(machine: type[Lives], *, examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    """The same lives each time."""
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
