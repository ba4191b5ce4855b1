"""The reference model of files, with re-embeddings: an index is built beside the current one; the two change places."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from modulo.domain.collections.reembedding import Phase, ReembeddingDraft, ReembeddingState
from modulo.domain.errors import Conflict, NotFound
from modulo.domain.files.file import Stage
from modulo.domain.files.generation import (
    REINDEX_WAIT,
)
from modulo.domain.tenancy.identity import Principal
from tests.doubles.deletion_model import DeletionModel
from tests.doubles.generation_model import FileRow, Generation


@dataclass
class IndexRow:
    draft: ReembeddingDraft
    state: ReembeddingState = ReembeddingState.building
    switched_at: datetime | None = None
    kept_until: datetime | None = None
    ended_at: datetime | None = None


class ReembeddingModel(DeletionModel):
    """The other index, while there is one, and the re-embeddings that made the indexes."""

    def __init__(self, *known: Any) -> None:
        super().__init__(*known)
        self.collections = self.reembeddings = self
        self.other: int | None = None
        self.indexes: dict[int, IndexRow] = {}

    def sweep(self, *, now: datetime, limit: int) -> Any:
        last = self.indexes.get(max(self.models))
        if self.other and last.kept_until and last.kept_until <= now:
            self.drop(now)
        elif self.other and last.state is ReembeddingState.building and last.draft.auto_switch and self.complete:
            self.switch(now)
        return super().sweep(now=now, limit=limit)

    def go_live(self, row: Generation, now: datetime) -> None:
        super().go_live(row, now)
        if self.other not in (None, row.index):
            self.reindex(row, self.other, now)
        if row.index != self.index:
            self.reindex(row, self.index, now)
            if row.index != self.other:
                row.retire(now)
            if row.file.newest is row:
                row.file.generation = len(row.file.generations)

    def get_collection(self, *_: Any) -> Any:
        stages = Counter(file.newest.stage for file in self.living)
        return self.version, self.models[self.index][0].name, self.storage_bytes, self.updated_at, stages

    def reindex(self, row: Generation, index: int, now: datetime) -> Generation | None:
        if any(one.index == index and one.retired_at is None for one in row.family):
            return None
        times = {"deadline": now + REINDEX_WAIT, "created_at": now, "updated_at": now, "lease_until": now}
        number = len(row.file.generations) + 1
        made = Generation(row.file, number, row.source, row.size_bytes, **times, index=index, stage=Stage.queued)
        made.charged, made.object_version = False, row.object_version
        row.file.generations.append(made)
        return made

    @property
    def latest(self) -> IndexRow:
        if not self.indexes:
            raise NotFound
        return self.indexes[max(self.indexes)]

    def counterparts(self) -> Iterator[Generation | None]:
        """What each live file is in the other index."""
        for file in self.living:
            if seen := live(file):
                found = [row for row in file.generations if row.index == self.other and row.source >= seen.source]
                yield best(row for row in found if not row.retired_at or row.stage is Stage.failed)

    @property
    def complete(self) -> bool:
        return all(row and row.stage is Stage.ready for row in self.counterparts())

    def start_reembedding(self, _owner: Principal, _id: UUID, draft: ReembeddingDraft, *, now: datetime) -> Any:
        last = self.indexes.get(max(self.models))
        if last and last.draft.id == draft.id:
            return self.get_reembedding(), set()
        if self.other:
            raise Conflict
        self.other, self.updated_at = max(self.models) + 1, now
        self.models[self.other] = (draft.model, draft.chunking or self.models[self.index][1])
        self.indexes[self.other] = IndexRow(draft)
        made = [self.reindex(seen, self.other, now) for seen in map(live, self.living) if seen]
        return self.get_reembedding(), {self.ref(row) for row in made if row}

    def get_reembedding(self, *_: Any, **_more: Any) -> Any:
        last, rows = self.latest, list(self.counterparts())
        is_open = last.ended_at is None
        done = sum(row is not None and row.stage is Stage.ready for row in rows)
        failed = sum(row is not None and row.stage is Stage.failed for row in rows)
        state = Phase(last.state)
        if last.state is ReembeddingState.building and done + failed == len(rows):
            state = Phase.failed if failed else Phase.ready
        counts = (len(rows), done, failed) if is_open else (None, None, 0)
        return state, *counts, last.kept_until, last.switched_at, last.ended_at

    def open_index(self) -> IndexRow:
        if self.latest.ended_at:
            raise Conflict
        return self.latest

    def move_reembedding(self, _owner: Principal, _id: UUID, to: Any, *, leave_out: bool, now: datetime) -> Any:
        needed = ReembeddingState.building if to is ReembeddingState.switched else ReembeddingState.switched
        if self.open_index().state is not needed or not (self.complete or leave_out):
            raise Conflict
        self.switch(now)
        return self.get_reembedding()

    def cancel_reembedding(self, _owner: Principal, _id: UUID, *, now: datetime) -> Any:
        self.open_index()
        self.drop(now)
        return self.get_reembedding()

    def switch(self, now: datetime) -> None:
        last, old, new = self.latest, self.index, self.other
        for file in self.living:
            there = [row for row in file.generations if row.index == new]
            found = best((row for row in there if is_ready(row)), by_source=True)
            same = best(
                row
                for row in there
                if row.source == file.newest.source and (row.stage is Stage.failed or not row.retired_at)
            )
            file.live_generation = found.number if found else None
            file.generation = same.number if same else file.generation
        self.index, self.version, self.updated_at = new, self.version + 1, now
        if last.state is ReembeddingState.switched:
            self.other, last.state, last.kept_until, last.ended_at = None, ReembeddingState.rolled_back, None, now
            self.retire_index(old, now)
        else:
            kept_until = now + timedelta(seconds=last.draft.keep_seconds)
            self.other, last.state, last.switched_at = old, ReembeddingState.switched, now
            last.kept_until = kept_until

    def drop(self, now: datetime) -> None:
        self.retire_index(self.other, now)
        last, self.other, self.updated_at = self.latest, None, now
        if last.state is ReembeddingState.building:
            last.state = ReembeddingState.cancelled
        last.kept_until, last.ended_at = None, now

    def retire_index(self, index: int, now: datetime) -> None:
        for row in (row for file in self.living for row in file.generations):
            if row.index == index and not row.retired_at and (row.stage is Stage.ready or row is not row.file.newest):
                row.retire(now)


def is_ready(row: Generation) -> bool:
    return row.stage is Stage.ready and row.retired_at is None


def live(file: FileRow) -> Generation | None:
    return file.generations[file.live_generation - 1] if file.live_generation else None


def best(rows: Iterator[Generation], *, by_source: bool = False) -> Generation | None:
    return max(rows, key=lambda row: (is_ready(row), row.source if by_source else 0, row.number), default=None)
