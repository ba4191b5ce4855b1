"""Sweeps and purges, whichever metadata keeps them."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from modulo.domain.collections.reembedding import ReembeddingDraft
from modulo.domain.errors import NotFound
from modulo.domain.files.file import FileRef, Stage
from modulo.domain.files.generation import PURGE_AFTER, REPEAT_AFTER, UNCLAIMED_AFTER
from modulo.domain.operations.purge import PurgeRequest
from tests.metadata_world import FINAL, HOUR, MODEL, NOW, PASSING, QUOTAS, Metadata, MetadataContract, World

LEASE = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)


class TestSweeping(MetadataContract):
    def test_what_was_never_uploaded_fails_at_its_deadline(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        assert world.swept(now=NOW + HOUR - MINUTE) == ([], [], [])
        assert world.swept(now=NOW + HOUR) == ([world.ref(file)], [], [])
        seen = metadata.files.get_file(owner, collection.id, file.id)
        assert (seen.stage, seen.updated_at) == (Stage.failed, NOW + HOUR)
        assert seen.problem is not None
        assert (seen.problem.code, seen.problem.retryable) == ("never-uploaded", True)
        assert "upload" in seen.problem.detail
        assert world.usage(owner).storage_bytes == 0
        assert world.swept(now=NOW + HOUR) == ([], [], [])
        assert world.usage(owner).storage_bytes == 0

    def test_a_deadline_is_put_off_of_what_nobody_claimed(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        first, second, claimed, ready, deleted = (world.file(owner, collection, f"{n}.txt") for n in range(5))
        world.claim(claimed)
        assert world.publish(world.claim(ready))
        metadata.files.tombstone_file(owner, collection.id, deleted.id, now=NOW)
        ours = {world.ref(file) for file in (first, second, claimed, ready, deleted)}

        def overdue(now: datetime, since: datetime = NOW - MINUTE) -> set[FileRef]:
            return ours & set(metadata.sweeping.overdue_unclaimed(now=now, created_since=since, limit=10_000))

        assert overdue(NOW + HOUR - MINUTE) == set()
        assert overdue(NOW + HOUR) == {world.ref(first), world.ref(second)}
        assert overdue(NOW + HOUR, NOW + HOUR) == set(), "they are older"
        metadata.sweeping.postpone_deadlines(
            [world.ref(file) for file in (first, claimed, ready, deleted)],
            deadline=NOW + 2 * HOUR,
            now=NOW + HOUR,
            queued=True,
        )
        assert overdue(NOW + HOUR) == {world.ref(second)}
        seen = metadata.files.get_file(owner, collection.id, first.id)
        assert (seen.stage, seen.updated_at) == (Stage.queued, NOW + HOUR)
        assert metadata.files.get_file(owner, collection.id, claimed.id).stage is Stage.parsing
        assert metadata.files.get_file(owner, collection.id, ready.id).stage is Stage.ready
        assert set(world.swept(now=NOW + HOUR)[0]) == {world.ref(second), world.ref(claimed)}
        assert world.publish(world.claim(first)), "its turn came"

    def test_a_file_that_may_not_be_there_gets_time_and_keeps_its_stage(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        stage = metadata.files.get_file(owner, collection.id, file.id).stage
        assert stage is not Stage.queued
        metadata.sweeping.postpone_deadlines([world.ref(file)], deadline=NOW + 2 * HOUR, now=NOW, queued=False)
        assert world.swept(now=NOW + HOUR)[0] == []
        assert metadata.files.get_file(owner, collection.id, file.id).stage is stage

    @pytest.mark.parametrize("stage", [Stage.queued, Stage.parsing, Stage.embedding, Stage.indexing])
    def test_nothing_stays_unfinished(self, metadata: Metadata, world: World, stage: Stage) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        claim = world.claim(file)
        if stage is Stage.queued:
            metadata.ingestion.release(claim, now=NOW)
        else:
            assert metadata.ingestion.advance(claim, stage, lease_until=NOW + 9 * HOUR, now=NOW)
        assert world.swept(now=NOW + HOUR)[0] == [world.ref(file)]
        problem = metadata.files.get_file(owner, collection.id, file.id).problem
        assert problem is not None
        assert (problem.code, problem.retryable) == ("deadline-exceeded", True)
        assert not world.publish(claim)
        assert world.usage(owner).storage_bytes == 0

    def test_many_at_once_give_each_owner_their_bytes_back(self, metadata: Metadata, world: World) -> None:
        owners = [world.user(), world.user()]
        files = []
        for number, owner in enumerate(owners):
            for name in ("a", "b"):
                collection = world.collection(owner, f"{name}{number}")
                files += [world.file(owner, collection, f"{n}.pdf", 50) for n in range(3)]
        kept = world.ready(owners[0], collection=world.collection(owners[0], "kept"), size=7)
        assert set(world.swept(now=NOW + HOUR)[0]) == {world.ref(file) for file in files}
        assert [world.usage(owner).storage_bytes for owner in owners] == [7, 0]
        assert metadata.files.get_file(owners[0], kept.collection_id, kept.id) == kept

    def test_a_sweep_takes_no_more_than_its_limit(self, metadata: Metadata, world: World) -> None:
        metadata.sweeping.sweep(now=NOW + 9 * HOUR, limit=10_000)  # what other tests left
        owner = world.user()
        collection = world.collection(owner)
        for number in range(3):
            world.file(owner, collection, f"{number}.pdf")
        swept = [metadata.sweeping.sweep(now=NOW + HOUR, limit=2) for _ in range(3)]
        assert [(len(found.failed), found.more) for found in swept] == [(2, True), (1, False), (0, False)]

    def test_a_sweep_says_since_when_the_oldest_of_each_kind_has_waited(self, metadata: Metadata, world: World) -> None:
        metadata.sweeping.sweep(now=NOW + 99 * HOUR, limit=10_000)  # what other tests left
        owner = world.user()
        collection = world.collection(owner)
        for number in (2, 1, 3):
            deadline = NOW + number * HOUR
            draft = world.upload(f"{number}.pdf", deadline=deadline)
            metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW)
        for minutes, name in ((5, "b.pdf"), (0, "a.pdf")):
            file = world.file(owner, collection, name)
            assert world.try_claim(file, now=NOW + minutes * MINUTE, deadline=NOW + 99 * HOUR)
        for minutes, name in ((7, "d.pdf"), (3, "c.pdf")):
            gone = world.ready(owner, collection, name)
            metadata.files.tombstone_file(owner, collection.id, gone.id, now=NOW + minutes * MINUTE)
        swept = metadata.sweeping.sweep(now=NOW + 4 * HOUR, limit=100)
        assert (len(swept.failed), len(swept.requeue), len(swept.purge)) == (3, 2, 2)
        assert swept.since == {"failed": NOW + HOUR, "requeue": NOW + LEASE, "purge": NOW + 4 * MINUTE}
        assert not swept.more
        assert metadata.sweeping.sweep(now=NOW + 4 * HOUR, limit=100).since == {}

    def test_a_sweep_says_when_something_is_due_next(self, metadata: Metadata, world: World) -> None:
        then = NOW - timedelta(days=9_000)  # before whatever other tests left

        def due(now: datetime) -> datetime | None:
            return metadata.sweeping.sweep(now=now, limit=10_000).due

        owner = world.user()
        collection = world.collection(owner)
        drafts = [world.upload(f"{hours}.pdf", deadline=then + hours * HOUR) for hours in (9, 3)]
        late, file = (
            metadata.uploads.reserve_file(owner, collection.id, one, quotas=QUOTAS, now=then) for one in drafts
        )
        assert due(then) == then + 3 * HOUR
        claim = world.try_claim(file, now=then, deadline=then + 3 * HOUR)
        assert claim is not None
        assert due(then) == then + LEASE
        assert due(then + LEASE) == then + LEASE + REPEAT_AFTER
        metadata.files.tombstone_file(owner, collection.id, late.id, now=then)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=then)
        assert due(then) == then + PURGE_AFTER
        metadata.collections.tombstone_collection(owner, collection.id, now=then)
        for number in range(4):
            now = then + PURGE_AFTER + number * REPEAT_AFTER
            assert due(now) == now + REPEAT_AFTER
        due(NOW + 99 * HOUR)  # leave nothing from then

    def test_a_postponed_fetch_is_due_once_it_was_to_be_tried_again(self, metadata: Metadata, world: World) -> None:
        then = NOW - timedelta(days=9_000)  # before whatever other tests left

        def due(now: datetime) -> datetime | None:
            return metadata.sweeping.sweep(now=now, limit=10_000, unclaimed_since=now - UNCLAIMED_AFTER).due

        owner = world.user()
        collection = world.collection(owner)
        address = {"source_url": "https://docs.example.org/page", "checksum_sha256": None}
        draft = world.upload("page.html", 0, deadline=then + 9 * HOUR, **address)
        file = metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=then)
        assert due(then) == then + UNCLAIMED_AFTER
        again = then + HOUR
        assert metadata.fetching.postpone_fetch(world.ref(file), PASSING, until=again, now=then)
        assert due(then + 2 * UNCLAIMED_AFTER) == again + UNCLAIMED_AFTER
        lost = again + UNCLAIMED_AFTER
        assert due(lost) == lost + REPEAT_AFTER, "it was queued again"
        due(NOW + 99 * HOUR)  # leave nothing from then

    def test_a_re_embedding_is_due_while_it_may_be_complete_and_when_it_need_not_be_kept(
        self, metadata: Metadata, world: World
    ) -> None:
        then = NOW - timedelta(days=9_000)

        def due(now: datetime) -> datetime | None:
            return metadata.sweeping.sweep(now=now, limit=10_000).due

        owner = world.user()
        collection = world.collection(owner)
        world.ready(owner, collection)
        draft = ReembeddingDraft(uuid4(), MODEL, None, auto_switch=True, keep_seconds=3_600)
        [twin] = metadata.reembeddings.start_reembedding(owner, collection.id, draft, now=then).queue
        assert due(then) == then
        claim = metadata.ingestion.claim(twin, version="1", now=then, lease_until=then + HOUR, deadline=then + HOUR)
        assert claim is not None
        assert due(then) == then
        assert world.publish(claim)
        assert due(then) == then + HOUR, "it was switched to"
        assert due(then + HOUR) == then + HOUR + PURGE_AFTER, "the old index was given up"
        due(NOW + 99 * HOUR)  # leave nothing from then

    def test_what_lost_its_worker_is_queued_anew(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        dead = world.claim(file)
        assert world.swept(now=NOW + LEASE - MINUTE)[1] == []
        assert world.swept(now=NOW + LEASE)[1] == [world.ref(file)]
        assert metadata.files.get_file(owner, collection.id, file.id).stage is Stage.queued
        assert not world.publish(dead)
        assert world.swept(now=NOW + LEASE + MINUTE)[1] == []
        assert world.swept(now=NOW + LEASE + 10 * MINUTE)[1] == [world.ref(file)]  # its message was lost
        claim = world.claim(file, now=NOW + LEASE + 11 * MINUTE)
        assert claim.attempt == 2
        assert world.publish(claim)
        assert world.swept(now=NOW + 9 * HOUR) == ([], [], [])

    def test_what_nobody_purged_is_named(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        keeper, dropped = world.collection(owner), world.collection(owner, "dropped")
        deleted = world.ready(owner, keeper, "deleted.pdf")
        world.ready(owner, keeper, "replaced.pdf")
        replaced = world.ready(owner, keeper, "replaced.pdf")
        failed = world.failed(owner, keeper, FINAL, "failed.pdf")
        world.ready(owner, dropped)
        metadata.files.tombstone_file(owner, keeper.id, deleted.id, now=NOW)
        metadata.collections.tombstone_collection(owner, dropped.id, now=NOW)
        expected = {
            PurgeRequest(world.tenant_id, dropped.id, None),
            *(PurgeRequest(world.tenant_id, keeper.id, file.id) for file in (deleted, replaced, failed)),
        }
        assert world.swept(now=NOW + MINUTE / 2)[2] == []
        named = world.swept(now=NOW + MINUTE)[2]
        assert (set(named), len(named)) == (expected, 4)
        assert world.swept(now=NOW + 2 * MINUTE)[2] == []
        assert set(world.swept(now=NOW + 11 * MINUTE)[2]) == expected
        for request in named:
            purge = metadata.purging.find_purge(request.tenant_id, request.collection_id, request.file_id)
            assert purge is not None
            world.purged(purge)
        assert world.swept(now=NOW + 9 * HOUR)[2] == []
        assert world.usage(owner).storage_bytes == 100

    def test_what_is_deleted_is_neither_failed_nor_queued(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection, other = world.collection(owner), world.collection(owner, "other")
        file = world.file(owner, collection)
        world.claim(file)
        world.claim(world.file(owner, other))
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        metadata.collections.tombstone_collection(owner, other.id, now=NOW)
        failed, requeued, _ = world.swept(now=NOW + LEASE)
        assert (failed, requeued) == ([], [])
        failed, requeued, _ = world.swept(now=NOW + 9 * HOUR)
        assert (failed, requeued) == ([], [])


class TestPurging(MetadataContract):
    def test_a_deleted_file_is_purged_whole_and_once(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        world.ready(owner, collection, size=100)
        file = world.ready(owner, collection, size=200)
        world.ready(owner, collection, "other.pdf", 50)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        purge = world.purge(collection, file)
        assert (purge.file_id, purge.generations) == (file.id, None)
        assert purge.spaces == (metadata.grants.grant(owner, collection.id).space,)
        assert not metadata.purging.mark_purged(purge, now=NOW + HOUR)
        assert metadata.purging.find_purge(world.tenant_id, collection.id, file.id) is None
        assert world.usage(owner).storage_bytes == 50
        assert metadata.collections.get_collection(owner, collection.id).storage_bytes == 50

    def test_a_late_purge_of_generations_gives_nothing_back_twice(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        world.ready(owner, collection, size=100)
        file = world.ready(owner, collection, size=200)
        late = metadata.purging.find_purge(world.tenant_id, collection.id, file.id)
        assert late is not None
        world.purge(collection, file)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        world.purge(collection, file)
        metadata.purging.mark_purged(late, now=NOW)
        assert world.usage(owner).storage_bytes == 0

    def test_a_failed_file_is_charged_no_more(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.failed(owner, collection, FINAL)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        world.purge(collection, file)
        assert world.usage(owner).storage_bytes == 0

    def test_a_deleted_collection_is_purged_whole_and_once(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        world.ready(owner, collection, "a.pdf")
        world.ready(owner, collection, "a.pdf")
        gone = world.ready(owner, collection, "b.pdf")
        world.claim(world.file(owner, collection, "c.pdf"))
        world.failed(owner, collection, FINAL, "d.pdf")
        metadata.files.tombstone_file(owner, collection.id, gone.id, now=NOW)
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        assert world.usage(owner).storage_bytes == 400
        purge = world.purge(collection, now=NOW + HOUR)
        assert (purge.file_id, purge.generations, purge.collection_id) == (None, None, collection.id)
        assert world.usage(owner).storage_bytes == 0
        assert not metadata.purging.mark_purged(purge, now=NOW + HOUR)
        assert world.usage(owner).storage_bytes == 0
        assert metadata.purging.find_purge(world.tenant_id, collection.id, None) is None
        assert metadata.purging.find_purge(world.tenant_id, collection.id, gone.id) is None
        assert world.swept(now=NOW + 99 * HOUR) == ([], [], [])

    def test_nothing_is_purged_that_lives(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.ready(owner, collection)
        tenant_id = world.tenant_id
        for at in ((tenant_id, collection.id, None), (tenant_id, collection.id, file.id)):
            assert metadata.purging.find_purge(*at) is None
        for unknown in ((uuid4(), collection.id, None), (tenant_id, uuid4(), None), (tenant_id, uuid4(), file.id)):
            assert metadata.purging.find_purge(*unknown) is None

    def test_a_record_of_what_lives_changes_nothing(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection, dropped = world.collection(owner), world.collection(owner, "dropped")
        file = world.ready(owner, collection)
        metadata.collections.tombstone_collection(owner, dropped.id, now=NOW)
        whole = world.purge(dropped)
        living = replace(whole, space=metadata.grants.grant(owner, collection.id).space)
        for which in ({}, {"receipt": None}, {"file_id": file.id}, {"file_id": file.id, "receipt": None}):
            assert not metadata.purging.mark_purged(replace(living, **which), now=NOW)
        metadata.purging.mark_purged(replace(living, file_id=file.id, generations=(1,), receipt=None), now=NOW)
        assert metadata.files.get_file(owner, collection.id, file.id) == file
        assert world.usage(owner).storage_bytes == 100

    def test_a_purge_does_not_bring_anything_back(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.ready(owner, collection)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        world.purge(collection, file)
        with pytest.raises(NotFound):
            metadata.files.get_file(owner, collection.id, file.id)
        assert world.try_claim(file) is None
