"""The property tests find what they are for: each broken variant of Postgres fails them within so many examples."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase
from sqlalchemy import Connection, false, select

from modulo.adapters.postgres import index_switch, ingestion, purges, sweeps
from modulo.adapters.postgres.ingestion import PostgresIngestion
from modulo.adapters.postgres.tables import generations
from modulo.adapters.postgres.uploads import PostgresUploads
from modulo.domain.collections.reembedding import IndexProgress
from modulo.domain.files.file import File
from modulo.domain.ingestion.claim import Claim
from tests.metadata_world import Announced, Metadata, postgres_metadata, settings_of
from tests.scenarios.lives import LEASE, Lives, run
from tests.scenarios.test_file_lives import machine
from tests.scenarios.test_reembedding_lives import machine as reembedding_machine

EXAMPLES = 40
"""Each fault is found by one of so many, of 40 steps; Hypothesis begins with about ten that do next to nothing."""


class StaleIngestion(PostgresIngestion):
    """Publishes for a claim that another one has replaced."""

    def publish(self, claim: Claim, **more: Any) -> bool:
        return super().publish(self.newest(claim), **more)

    def newest(self, claim: Claim) -> Claim:
        def token(connection: Connection) -> Any:
            here = (generations.c.file_id == claim.ref.file_id, generations.c.number == claim.ref.generation)
            return connection.execute(select(generations.c.claim_token).where(*here)).scalar_one_or_none()

        return replace(claim, token=self.pools.autocommit(token) or claim.token)


class UnfencedIngestion(StaleIngestion):
    """Takes every claim for the one that holds now, whatever its token."""

    def advance(self, claim: Claim, *stage: Any, **more: Any) -> bool:
        return super().advance(self.newest(claim), *stage, **more)

    def fail(self, claim: Claim, *problem: Any, **more: Any) -> bool:
        return super().fail(self.newest(claim), *problem, **more)


class GreedyIngestion(PostgresIngestion):
    """Takes generations whose leases have not run out."""

    def claim(self, *ref: Any, **times: Any) -> Claim | None:
        return super().claim(*ref, **{**times, "now": times["now"] + LEASE})


class UnlimitedUploads(PostgresUploads):
    """Reserves whatever the quota says."""

    def reserve_file(self, *draft: Any, quotas: Any, **more: Any) -> File:
        return super().reserve_file(*draft, quotas=quotas.model_copy(update={"storage_bytes": 10**9}), **more)


def bytes_kept(_: Metadata, patch: pytest.MonkeyPatch) -> None:
    """What failed goes on counting."""
    patch.setattr(ingestion, "uncharge", lambda *_: None)


def bytes_kept_by_sweeps(_: Metadata, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sweeps, "uncharge", lambda *_: None)


def switched_early(_: Metadata, patch: pytest.MonkeyPatch) -> None:
    """A sweep switches to an index that is not complete."""
    patch.setattr(index_switch, "MISSING", false())
    patch.setattr(index_switch, "count_files", lambda *_: IndexProgress())


def role(name: str, variant: Callable[..., Any]) -> Callable[[Metadata, pytest.MonkeyPatch], None]:
    return lambda metadata, patch: patch.setattr(metadata, name, variant(metadata.pools))


FAULTS: dict[str, Callable[[Metadata, pytest.MonkeyPatch], None]] = {
    "no fence": role("ingestion", UnfencedIngestion),
    "no lease": role("ingestion", GreedyIngestion),
    "no quota": role("uploads", UnlimitedUploads),
    "stale publish": role("ingestion", StaleIngestion),
    "bytes kept by failures": bytes_kept,
    "bytes kept by sweeps": bytes_kept_by_sweeps,
}
REEMBEDDING_FAULTS: dict[str, Callable[[Metadata, pytest.MonkeyPatch], None]] = {
    "not added to the other index": lambda _, patch: patch.setattr(ingestion, "add_missing", lambda *_: None),
    "switched too early": switched_early,
    "objects purged that are read": lambda _, patch: patch.setattr(purges, "_OBJECTS", purges._RETIRED),
}


@pytest.fixture(scope="module")
def announced() -> Announced:
    return Announced()


@pytest.fixture(scope="module")
def metadata(postgres: dict[str, str], announced: Announced) -> Iterator[Metadata]:
    with postgres_metadata(settings_of(postgres), announced) as metadata:
        yield metadata


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_life_of_a_file_is_found(
    metadata: Metadata, announced: Announced, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    FAULTS[fault](metadata, monkeypatch)
    fails(machine(metadata, announced))


@pytest.mark.parametrize("fault", REEMBEDDING_FAULTS)
def test_a_fault_in_a_re_embedding_is_found(metadata: Metadata, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    REEMBEDDING_FAULTS[fault](metadata, monkeypatch)
    fails(reembedding_machine(metadata))


def fails(lives: type[Lives]) -> None:
    """One of so many lives shows the fault."""

    class Short(lives):
        def teardown(self) -> None:
            """What the steps do not show the end is not needed for: it takes long."""

    with pytest.raises(AssertionError):
        run(Short, examples=EXAMPLES, steps=40, phases=(Phase.generate,))
