"""What may happen to files, in any order and however late, to several stores alike: they must agree at every step."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from modulo.domain.collection import Chunking
from modulo.domain.errors import ModuloError
from modulo.domain.file import DocumentInfo, Stage
from modulo.domain.identity import Principal, Scope, Tenant, User
from modulo.domain.reembedding import Started
from modulo.domain.transfer import Claim, CollectionDraft, Finished
from modulo.ports import Metadata
from tests.contracts.metadata_world import FINAL, MODEL, NOW, PASSING

LEASE = timedelta(minutes=15)
MINUTES = (1, 10, 16, 61, 24 * 60 + 1)


class Lives(RuleBasedStateMachine):
    """A collection on every store, and the claims that were ever held of its files; each rule happens to all alike."""

    stores: ClassVar[tuple[Metadata, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.owner = Principal(uuid4(), uuid4(), frozenset(Scope))
        self.collection = uuid4()
        self.claims: list[list[Claim]] = []
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

    @rule(minutes=st.sampled_from(MINUTES))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def drawn(self, data: st.DataObject) -> int:
        """One of the latest claims."""
        return data.draw(st.integers(max(0, len(self.claims) - 4), len(self.claims) - 1))

    def act(self, index: int, move: str) -> list[Any]:
        """Whoever ever held a claim does something, however late: a method here, or an end."""
        moves: dict[str, Callable[[Metadata, Claim], Any]] = {
            "fail": lambda store, claim: store.fail(claim, PASSING, now=self.now),
            "break": lambda store, claim: store.fail(claim, FINAL, now=self.now),
            "release": lambda store, claim: store.release(claim, now=self.now),
        }
        do = moves.get(move) or getattr(self, move)
        pairs = zip(self.stores, self.claims[index], strict=True)
        return self.each([lambda store=store, claim=claim: do(store, claim) for store, claim in pairs])

    def advance(self, store: Metadata, claim: Claim) -> Any:
        pages = {"pages_done": 2, "pages_total": None if claim.part else 5}
        return store.advance(claim, Stage.embedding, **pages, lease_until=self.now + LEASE, now=self.now)

    def publish(self, store: Metadata, claim: Claim) -> Any:
        if claim.part is not None:
            return False
        return store.publish(claim, chunk_count=6, content_hash="cd" * 32, info=DocumentInfo(), now=self.now)

    def swept(self) -> None:
        """A sweep of every store, which names the same of this tenant's."""
        tenant = self.owner.tenant_id

        def sweep(store: Metadata) -> list[set[Any]]:
            found = store.sweep(now=self.now, limit=100_000)
            kinds: tuple[Iterable[Any], ...] = (found.failed, found.requeue, found.purge)
            return [{one for one in kind if one.tenant_id == tenant} for kind in kinds]

        self.all(sweep)


def meaning(answer: Any) -> Any:
    """An answer without what is random in it."""
    if isinstance(answer, Claim):
        return replace(answer, token=UUID(int=0))
    if isinstance(answer, Finished):
        return answer.left, meaning(answer.whole)
    if isinstance(answer, Started):
        return answer.reembedding, set(answer.queue)
    return answer


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
