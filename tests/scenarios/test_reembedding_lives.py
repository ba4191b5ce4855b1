"""A collection is embedded anew while its files come, go and fail: searches always see exactly one whole index."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from modulo.domain.collections.collection import Chunking
from modulo.domain.collections.reembedding import Reembedding, ReembeddingDraft, ReembeddingState, StartedReembedding
from modulo.domain.errors import NotFound
from modulo.domain.files.file import File, FileRef, Stage
from modulo.domain.files.upload import FileDraft
from modulo.domain.ingestion.claim import Claim
from modulo.domain.operations.deletion import Inventory
from modulo.domain.operations.purge import Purge
from tests.doubles.generation_model import FileRow
from tests.doubles.reembedding_model import ReembeddingModel, live
from tests.metadata_world import HOUR, MODEL, NOW, PERIOD, QUOTAS, Metadata, postgres_metadata, settings_of
from tests.scenarios.lives import LEASE, Lives, run

OTHER = MODEL.model_copy(update={"name": "other", "dimensions": 8})
NAMES = ("a.pdf", "b.pdf")
KEEP = 3_600


class TwoFiles(Lives):
    """Two files in a collection that is embedded anew."""

    model = ReembeddingModel

    reached: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, UUID] = {}
        self.deleted: set[UUID] = set()
        self.drafts: list[ReembeddingDraft] = []

    @property
    def rows(self) -> list[FileRow]:
        """The files as the model keeps them."""
        return sorted(self.reference.files_by_id.values(), key=lambda row: row.name)

    @property
    def row(self) -> Any:
        """The collection, likewise."""
        return self.reference

    def found(self) -> set[UUID]:
        seen = self.metadata.grants.live_documents(
            self.owner, [self.collection], [*self.files.values()], reservation=None
        )
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
        found = self.all(
            lambda s: s.uploads.reserve_file(self.owner, self.collection, draft, quotas=QUOTAS, now=self.now)
        )[0]
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
        claims = self.all(lambda s: s.ingestion.claim(ref, version="1", **times))
        if isinstance(claims[0], Claim):
            assert claims[0].ref.key == ref.key
            assert claims[0].space.index == made.index
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
        started = self.all(
            lambda s: s.reembeddings.start_reembedding(self.owner, self.collection, draft, now=self.now)
        )[0]
        assert self.found() == found
        if isinstance(started, StartedReembedding):
            self.drafts.append(draft)

    @rule(leave_out=st.sampled_from([False, False, True]), back=st.booleans())
    def switch(self, leave_out: bool, back: bool) -> None:
        found, before = self.found(), (self.row.index, self.row.version)
        how: dict[str, Any] = {"leave_out": leave_out, "now": self.now}
        to = ReembeddingState.rolled_back if back else ReembeddingState.switched
        done = self.all(lambda s: s.reembeddings.move_reembedding(self.owner, self.collection, to, **how))[0]
        if isinstance(done, Reembedding):
            self.reached.add(f"{done.state} with {len(found)} files" + (" left out" if self.found() < found else ""))
            assert self.row.version == before[1] + 1
            assert self.row.index != before[0]
            assert leave_out or self.found() >= found  # an upload that was ready there only is found from now on
        else:
            assert (self.found(), self.row.index, self.row.version) == (found, *before)

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
        self.all(lambda s: s.reembeddings.cancel_reembedding(self.owner, self.collection, now=self.now))
        assert self.found() == found

    @rule()
    def sweep(self) -> None:
        found, index = self.found(), self.row.index
        self.swept()
        assert self.found() >= found
        if self.row.index != index:
            self.reached.add(f"swept with {len(found)} files")

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        if name in self.files:
            gone = self.files.pop(name)
            self.all(lambda s: s.files.tombstone_file(self.owner, self.collection, gone, now=self.now))
            self.deleted.add(gone)

    @rule()
    def purge(self) -> None:
        for row in self.rows:
            at = (self.owner.tenant_id, self.collection, row.id)
            for store, found in zip(self.stores, self.all(lambda s, at=at: s.purging.find_purge(*at)), strict=True):  # type: ignore[misc]
                if isinstance(found, Purge):
                    self.check(row, found)
                    receipt = found.receipt and store.deletions.record_removal(
                        found.tenant_id, found.receipt, Inventory(), cached=0, now=self.now
                    )
                    assert store.purging.mark_purged(replace(found, receipt=receipt), now=self.now)

    def check(self, row: Any, purge: Purge) -> None:
        """Nothing that is found loses its vectors or its object."""
        if row.id in self.deleted or row.live_generation is None:
            return
        assert row.live_generation not in (purge.generations or ())
        assert live(row).source not in (purge.objects or ())

    @invariant()
    def nothing_is_wrong(self) -> None:
        ids = [*self.files.values(), *sorted(self.deleted)]
        for one in ids:
            self.all(lambda s, one=one: s.files.get_file(self.owner, self.collection, one, fresh=True))  # type: ignore[misc]
        seen = self.all(lambda s: s.grants.live_documents(self.owner, [self.collection], ids, reservation=None))[0]
        self.all(lambda s: s.usage.get_usage(self.owner, period=PERIOD, quotas=QUOTAS).storage_bytes)
        self.all(lambda s: s.collections.get_collection(self.owner, self.collection))
        self.all(lambda s: s.reembeddings.get_reembedding(self.owner, self.collection, now=self.now))
        for row in self.rows:
            if row.deleted_at is None and row.live_generation:
                assert live(row).index == seen.grants[0].space.index
                assert (live(row).stage, live(row).retired_at, live(row).purged_at) == (Stage.ready, None, None)

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
                assert all(one.purged_at for one in row.generations if one.index != self.row.index)
        assert self.row.storage_bytes == held


def machine(metadata: Metadata) -> type[TwoFiles]:
    return type("Machine", (TwoFiles,), {"metadata": metadata, "reached": set()})


def test_searches_see_one_whole_index(postgres: dict[str, str]) -> None:
    with postgres_metadata(settings_of(postgres)) as metadata:
        lives = machine(metadata)
        run(lives, examples=25, steps=40, phases=(Phase.generate,))
        wanted = {f"{how} with 2 files" for how in ("switched", "rolled_back", "swept")}
        assert wanted <= lives.reached, lives.reached


def test_what_was_never_started_is_not_found(postgres: dict[str, str]) -> None:
    with postgres_metadata(settings_of(postgres)) as metadata:
        made = machine(metadata)()
        how: dict[str, Any] = {"leave_out": False, "now": NOW}
        for to in (ReembeddingState.switched, ReembeddingState.rolled_back):
            assert made.all(
                lambda s, to=to: s.reembeddings.move_reembedding(made.owner, made.collection, to, **how)  # type: ignore[misc]
            ) == [NotFound, NotFound]
