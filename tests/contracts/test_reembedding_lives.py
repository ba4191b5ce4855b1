"""A collection is embedded anew while its files come, go and fail: searches always see exactly one whole index."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from modulo.adapters.memory_metadata import MemoryMetadata
from modulo.domain.collection import Chunking
from modulo.domain.deletion import Held
from modulo.domain.errors import NotFound
from modulo.domain.file import File, FileRef, Stage
from modulo.domain.reembedding import Reembedding, ReembeddingDraft, Started, State
from modulo.domain.transfer import Claim, FileDraft, Purge
from modulo.ports import Metadata
from tests.contracts import lives
from tests.contracts.lives import LEASE, Lives
from tests.contracts.metadata_world import HOUR, MODEL, NOW, PERIOD, QUOTAS, postgres_metadata, settings_of

OTHER = MODEL.model_copy(update={"name": "other", "dimensions": 8})
NAMES = ("a.pdf", "b.pdf")
KEEP = 3_600


class TwoFiles(Lives):
    """Two files on every store, the first of which is in memory."""

    reached: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, UUID] = {}
        self.deleted: set[UUID] = set()
        self.drafts: list[ReembeddingDraft] = []

    @property
    def rows(self) -> list[Any]:
        """The files as the store in memory keeps them."""
        found = [row for row in self.stores[0]._store.files.values() if row.collection_id == self.collection]  # type: ignore[attr-defined]
        return sorted(found, key=lambda row: row.name)

    @property
    def row(self) -> Any:
        """The collection, likewise."""
        return self.stores[0]._store.collections[self.owner.tenant_id, self.collection]  # type: ignore[attr-defined]

    def found(self) -> set[UUID]:
        seen = self.stores[0].live_documents(self.owner, self.collection, [*self.files.values()], reservation=None)
        return set(seen.documents)

    # What happens
    @initialize()
    def first(self) -> None:
        for name in NAMES:
            self.upload(name)
            self.ingest(0)

    @rule(name=st.sampled_from(NAMES))
    def upload(self, name: str) -> None:
        draft = FileDraft(uuid4(), name, "application/pdf", 100, None, self.now + HOUR)
        found = self.all(lambda s: s.reserve_file(self.owner, self.collection, draft, quotas=QUOTAS, now=self.now))[0]
        if isinstance(found, File):
            self.files[name] = found.id

    @rule(which=st.integers(0, 20))
    def claim(self, which: int) -> None:
        self.take(which)

    def take(self, which: int) -> bool:
        """Take one of what waits; the newest first."""
        waiting = [(file, made) for file in self.rows for made in file.generations if made.stage is not Stage.ready]
        if not waiting:
            return False
        return self.take_it(*waiting[-1 - which % len(waiting)])

    def take_it(self, file: Any, made: Any) -> bool:
        ref = FileRef(self.owner.tenant_id, self.collection, file.id, made.number, made.source)
        times = {"now": self.now, "lease_until": self.now + LEASE, "deadline": self.now + HOUR}
        claims = self.all(lambda s: s.claim(ref, version="1", **times))
        if isinstance(claims[0], Claim):
            assert claims[0].ref.key == ref.key
            assert claims[0].space.index == made.index_number
            self.claims.append(claims)
        return isinstance(claims[0], Claim)

    @rule(which=st.integers(0, 20))
    def ingest(self, which: int) -> None:
        if self.take(which):
            self.act(len(self.claims) - 1, "publish")

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), move=st.sampled_from(["advance", "publish", "fail", "break", "release"]))
    def move(self, data: st.DataObject, move: str) -> None:
        self.act(self.drawn(data), move)

    @rule(model=st.sampled_from([OTHER, MODEL]), again=st.booleans(), auto_switch=st.booleans())
    def start(self, model: Any, again: bool, auto_switch: bool) -> None:
        draft = ReembeddingDraft(uuid4(), model, Chunking(max_tokens=99), auto_switch, KEEP)
        draft = self.drafts[-1] if again and self.drafts else draft
        found = self.found()
        started = self.all(lambda s: s.start_reembedding(self.owner, self.collection, draft, now=self.now))[0]
        assert self.found() == found
        if isinstance(started, Started):
            self.drafts.append(draft)

    @rule(leave_out=st.sampled_from([False, False, True]), back=st.booleans())
    def switch(self, leave_out: bool, back: bool) -> None:
        found, before = self.found(), (self.row.index_number, self.row.version)
        how: dict[str, Any] = {"leave_out": leave_out, "now": self.now}
        to = State.rolled_back if back else State.switched
        done = self.all(lambda s: s.move_reembedding(self.owner, self.collection, to, **how))[0]
        if isinstance(done, Reembedding):
            self.reached.add(f"{done.state} with {len(found)} files" + (" left out" if self.found() < found else ""))
            assert self.row.version == before[1] + 1
            assert self.row.index_number != before[0]
            assert leave_out or self.found() >= found  # an upload that was ready there only is found from now on
        else:
            assert (self.found(), self.row.index_number, self.row.version) == (found, *before)

    @rule()
    def ingest_all(self) -> None:
        everything = [(row, made) for row in self.rows for made in row.generations]
        for file, made in everything:
            if made.stage is not Stage.ready and self.take_it(file, made):
                self.act(len(self.claims) - 1, "publish")

    @rule(model=st.sampled_from([OTHER, MODEL]), auto_switch=st.booleans())
    def rebuild(self, model: Any, auto_switch: bool) -> None:
        """All of it without a hitch."""
        self.end()
        self.start(model, again=False, auto_switch=auto_switch)
        self.ingest_all()
        self.sweep()
        self.switch(leave_out=False, back=False)

    @rule()
    def end(self) -> None:
        found = self.found()
        self.all(lambda s: s.end_reembedding(self.owner, self.collection, now=self.now))
        assert self.found() == found

    @rule()
    def sweep(self) -> None:
        found, index = self.found(), self.row.index_number
        self.swept()
        assert self.found() >= found
        if self.row.index_number != index:
            self.reached.add(f"swept with {len(found)} files")

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        if name in self.files:
            gone = self.files.pop(name)
            self.all(lambda s: s.tombstone_file(self.owner, self.collection, gone, now=self.now))
            self.deleted.add(gone)

    @rule()
    def purge(self) -> None:
        for row in self.rows:
            at = (self.owner.tenant_id, self.collection, row.id)
            for store, found in zip(self.stores, self.all(lambda s, at=at: s.purge_of(*at)), strict=True):  # type: ignore[misc]
                if isinstance(found, Purge):
                    self.check(row, found)
                    tally = found.tally and store.record(found.tenant_id, found.tally, Held(), cached=0, now=self.now)
                    assert store.purged(replace(found, tally=tally), now=self.now)

    def check(self, row: Any, purge: Purge) -> None:
        """Nothing that is found loses its vectors or its object."""
        if row.id in self.deleted or row.live is None:
            return
        assert row.live_generation not in (purge.generations or ())
        assert row.live.source not in (purge.objects or ())

    @invariant()
    def nothing_is_wrong(self) -> None:
        ids = [*self.files.values(), *sorted(self.deleted)]
        for one in ids:
            self.all(lambda s, one=one: s.get_file(self.owner, self.collection, one, fresh=True))  # type: ignore[misc]
        seen = self.all(lambda s: s.live_documents(self.owner, self.collection, ids, reservation=None))[0]
        self.all(lambda s: s.usage(self.owner, period=PERIOD, quotas=QUOTAS).storage_bytes)
        self.all(lambda s: s.get_collection(self.owner, self.collection))
        self.all(lambda s: s.get_reembedding(self.owner, self.collection, now=self.now))
        for row in self.rows:
            if row.deleted_at is None and row.live is not None:
                assert row.live.index_number == seen.grant.space.index
                assert (row.live.stage, row.live.retired_at, row.live.purged_at) == (Stage.ready, None, None)

    def teardown(self) -> None:
        """With time, everything ends, and each file is paid for once."""
        self.end()
        for days in (30, 1, 1, 30, 1):
            self.now += timedelta(days=days)
            self.sweep()
            self.purge()
        self.nothing_is_wrong()
        held = 0
        for row in self.rows:
            if row.deleted_at is None:
                assert row.newest.stage in (Stage.ready, Stage.failed)
                held += 100 if row.live_generation else 0
                assert all(one.purged_at for one in row.generations if one.index_number != self.row.index_number)
        assert self.row.storage_bytes == held


def alike(*stores: Metadata) -> type[TwoFiles]:
    return type("Machine", (TwoFiles,), {"stores": stores, "reached": set()})


def run(*stores: Metadata, examples: int, steps: int) -> None:
    machine = alike(*stores)
    lives.run(machine, examples=examples, steps=steps, phases=(Phase.generate,))
    assert {f"{how} with 2 files" for how in ("switched", "rolled_back", "swept")} <= machine.reached, machine.reached


def test_searches_see_one_whole_index_in_memory() -> None:
    run(MemoryMetadata(), examples=150, steps=60)


def test_searches_see_one_whole_index_on_postgres_too(postgres: dict[str, str]) -> None:
    with postgres_metadata(settings_of(postgres)) as store:
        run(MemoryMetadata(), store, examples=25, steps=40)


def test_what_was_never_started_is_not_found() -> None:
    made = alike(MemoryMetadata())()
    how: dict[str, Any] = {"leave_out": False, "now": NOW}
    for to in (State.switched, State.rolled_back):
        assert made.all(lambda s, to=to: s.move_reembedding(made.owner, made.collection, to, **how)) == [NotFound]  # type: ignore[misc]
