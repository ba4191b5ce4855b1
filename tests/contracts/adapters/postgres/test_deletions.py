"""The receipts of deletions, whichever metadata keeps them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from modulo.domain.documents.document import Part
from modulo.domain.errors import NotFound
from modulo.domain.files.file import File
from modulo.domain.operations.deletion import Deletion, DeletionKind, DeletionState, Inventory, Removed, deletion_id
from modulo.domain.operations.purge import Purge, PurgeRequest
from modulo.domain.pagination import Cursor
from modulo.domain.tenancy.identity import Principal, Role
from tests.metadata_world import HOUR, NOW, QUOTAS, Metadata, MetadataContract, World

MINUTE = timedelta(minutes=1)
FULL = Inventory(vectors={"chunks": 7}, objects=2, object_bytes=150)


def of(metadata: Metadata, caller: Principal, thing: Any) -> Deletion:
    return metadata.deletions.get_deletion(caller, deletion_id(thing.id))


def recorded(metadata: Metadata, purge: Purge, held: Inventory, *, cached: int = 0, now: Any = NOW) -> Purge:
    found = tried(metadata, purge, held, cached=cached, now=now)
    assert found is not None
    return found


def tried(metadata: Metadata, purge: Purge, held: Inventory, *, cached: int = 0, now: Any = NOW) -> Purge | None:
    assert purge.receipt is not None
    found = metadata.deletions.record_removal(purge.tenant_id, purge.receipt, held, cached=cached, now=now)
    return replace(purge, receipt=found) if found else None


class TestReceipts(MetadataContract):
    def test_a_receipt_tells_a_deletion_from_the_request_to_the_proof(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        editor = world.member(owner, collection, Role.editor)
        file = world.ready(owner, collection, "secret.pdf", 150)
        with pytest.raises(NotFound):
            of(metadata, owner, file)
        metadata.files.tombstone_file(editor, collection.id, file.id, now=NOW)
        asked = of(metadata, editor, file)
        assert asked == Deletion(
            id=deletion_id(file.id),
            kind=DeletionKind.file,
            target_id=file.id,
            collection_id=collection.id,
            name="secret.pdf",
            requested_by=editor.user_id,
            requested_at=NOW,
        )
        assert asked.state is DeletionState.requested
        found = recorded(metadata, world.found(collection, file), FULL, now=NOW + MINUTE)
        begun = of(metadata, editor, file)
        assert (begun.state, begun.started_at) == (DeletionState.purging, NOW + MINUTE)
        assert (begun.removed, begun.proof) == (Removed(), None)
        found = recorded(metadata, found, Inventory(vectors={"chunks": 0}), cached=3, now=NOW + 2 * MINUTE)
        proven = of(metadata, editor, file)
        assert proven.state is DeletionState.purging
        assert proven.removed == Removed(vectors={"chunks": 7}, objects=2, object_bytes=150, cached_entries=3)
        assert metadata.purging.mark_purged(found, now=NOW + 3 * MINUTE)
        ended = of(metadata, editor, file)
        assert (ended.state, ended.completed_at) == (DeletionState.completed, NOW + 3 * MINUTE)
        assert ended.removed == proven.removed.plus(Removed(storage_bytes=150))
        assert ended.proof is not None
        assert (ended.proof.vectors, ended.proof.objects) == ({"chunks": 0}, 0)
        assert (ended.proof.consistency, ended.proof.checked_at) == ("Strong", NOW + 2 * MINUTE)
        assert (ended.started_at, ended.part_of) == (NOW + MINUTE, None)
        assert ended == of(metadata, owner, file)

    def test_deleting_again_leaves_the_receipt_as_it_is(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.ready(owner, collection)
        for moment in (NOW, NOW + HOUR):
            metadata.files.tombstone_file(owner, collection.id, file.id, now=moment)
        assert of(metadata, owner, file).requested_at == NOW
        world.purge(collection, file)
        ended = of(metadata, owner, file)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW + HOUR)
        for moment in (NOW + HOUR, NOW + 2 * HOUR):
            metadata.collections.tombstone_collection(owner, collection.id, now=moment)
        assert of(metadata, owner, file) == ended
        assert of(metadata, owner, collection).requested_at == NOW + HOUR

    def test_only_who_asked_and_the_owner_are_told(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        editor, viewer, stranger = (*(world.member(owner, collection, r) for r in list(Role)[1:]), world.user())
        files = [world.ready(owner, collection, f"{n}.pdf", 1) for n in range(2)]
        for caller, file in zip((editor, owner), files, strict=True):
            metadata.files.tombstone_file(caller, collection.id, file.id, now=NOW)
        metadata.members.remove_member(owner, collection.id, editor.user_id)
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW + MINUTE)
        world.purge(collection, now=NOW + MINUTE)
        told = {
            who: [one.target_id for one in metadata.deletions.list_deletions(who, after=None, limit=9).items]
            for who in (owner, editor, viewer, stranger)
        }
        assert told[owner][0] == collection.id
        assert set(told[owner]) == {collection.id, *(file.id for file in files)}
        assert (told[editor], told[viewer], told[stranger]) == ([files[0].id], [], [])
        for caller in (viewer, stranger, replace(owner, tenant_id=uuid4())):
            for thing in (collection, files[0]):
                with pytest.raises(NotFound):
                    of(metadata, caller, thing)
        with pytest.raises(NotFound):
            of(metadata, editor, files[1])

    def test_they_are_listed_newest_first_page_by_page(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        editor = world.member(owner, collection, Role.editor)
        files = [world.ready(owner, collection, f"{n}.pdf", 1) for n in range(5)]
        for number, file in enumerate(files):
            caller = owner if number % 2 else editor
            metadata.files.tombstone_file(caller, collection.id, file.id, now=NOW + number // 2 * MINUTE)
        found, after = [], None
        while True:
            page = metadata.deletions.list_deletions(owner, after=after, limit=2)
            found += page.items
            if page.next is None:
                break
            after = Cursor.decode(page.next)
        assert {one.target_id for one in found} == {file.id for file in files}
        assert found == sorted(found, key=lambda one: (one.requested_at, one.id), reverse=True)
        assert [one.target_id for one in metadata.deletions.list_deletions(editor, after=None, limit=9).items] == [
            one.target_id for one in found if one.requested_by == editor.user_id
        ]

    def test_what_an_attempt_removed_is_counted_by_the_next_where_it_died(
        self, metadata: Metadata, world: World
    ) -> None:
        owner = world.user()
        collection = world.collection(owner)
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        recorded(metadata, world.found(collection), FULL)  # and it dies, having deleted five chunks and an object
        second = recorded(
            metadata, world.found(collection), Inventory(vectors={"chunks": 2}, objects=1, object_bytes=90)
        )
        assert second.receipt is not None
        assert second.receipt.removed == Removed(vectors={"chunks": 5}, objects=1, object_bytes=60)
        assert not metadata.purging.mark_purged(second, now=NOW)  # it proves nothing
        third = recorded(metadata, second, Inventory(vectors={"chunks": 4}))  # a late writer
        last = recorded(metadata, third, Inventory(vectors={"chunks": 0, "other": 0}))
        assert metadata.purging.mark_purged(last, now=NOW)
        removed = of(metadata, owner, collection).removed
        assert removed == Removed(vectors={"chunks": 9}, objects=2, object_bytes=150)

    def test_two_purges_at_once_count_nothing_twice(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        world.ready(owner, collection, size=150)
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        one = other = world.found(collection)
        one = recorded(metadata, one, FULL)
        assert tried(metadata, other, FULL) is None  # it looked before the first recorded
        other = recorded(metadata, world.found(collection), FULL)
        assert tried(metadata, one, Inventory()) is None
        other = recorded(metadata, other, Inventory())
        assert not metadata.purging.mark_purged(one, now=NOW)
        assert metadata.purging.mark_purged(other, now=NOW)
        assert not metadata.purging.mark_purged(other, now=NOW)
        assert tried(metadata, other, FULL) is None
        removed = of(metadata, owner, collection).removed
        assert removed == Removed(vectors={"chunks": 7}, objects=2, object_bytes=150, storage_bytes=150)
        assert world.usage(owner).storage_bytes == 0

    def test_a_file_goes_with_its_collection(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        done, slow = (world.ready(owner, collection, f"{n}.pdf", 10) for n in range(2))
        for file in (done, slow):
            metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        world.purge(collection, done)
        ended, late = of(metadata, owner, done), recorded(metadata, world.found(collection, slow), FULL)
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        assert metadata.purging.find_purge(world.tenant_id, collection.id, slow.id) is None
        assert tried(metadata, late, Inventory()) is None  # or both receipts would claim the same
        whole = deletion_id(collection.id)
        waiting = of(metadata, owner, slow)
        assert (waiting.part_of, waiting.state) == (whole, DeletionState.purging)
        world.purge(collection, now=NOW + MINUTE)
        followed = of(metadata, owner, slow)
        assert (followed.state, followed.completed_at) == (DeletionState.completed, NOW + MINUTE)
        assert (followed.removed, followed.proof) == (Removed(), of(metadata, owner, collection).proof)
        assert of(metadata, owner, done) == ended
        assert of(metadata, owner, collection).removed.storage_bytes == 10

    def test_receipts_are_forgotten_in_their_time(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        ended, later, under_way = (world.ready(owner, collection, f"{n}.pdf", 1) for n in range(3))
        for file in (ended, later, under_way):
            metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        long_ago = NOW - timedelta(days=999)
        metadata.deletions.forget_deletions(before=NOW - HOUR, limit=10_000)  # of other tests
        world.purge(collection, ended, now=long_ago)
        world.purge(collection, later, now=long_ago + HOUR)
        assert metadata.deletions.forget_deletions(before=long_ago, limit=9) == 0
        assert metadata.deletions.forget_deletions(before=long_ago + 2 * HOUR, limit=1) == 1
        left = [one.target_id for one in metadata.deletions.list_deletions(owner, after=None, limit=9).items]
        assert set(left) == {later.id, under_way.id}
        assert metadata.deletions.forget_deletions(before=long_ago + 2 * HOUR, limit=9) == 1
        assert metadata.files.tombstone_file(owner, collection.id, ended.id, now=NOW)
        with pytest.raises(NotFound):
            of(metadata, owner, ended)


class TestWhatMayStillCome(MetadataContract):
    @pytest.fixture(params=["file", "collection"])
    def whole(self, request: pytest.FixtureRequest) -> bool:
        return bool(request.param == "collection")

    def deleted(self, world: World, owner: Principal, file: File, whole: bool) -> tuple[Any, ...]:
        """What `World.found` asks for."""
        collection = world.metadata.collections.get_collection(owner, file.collection_id)
        if whole:
            world.metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
            return (collection,)
        world.metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        return (collection, file)

    def purged_twice(self, world: World, owner: Principal, target: tuple[Any, ...], until: Any) -> Deletion:
        """The first purge proves and gives back, the second one, once nothing can come any more, completes."""
        metadata = world.metadata
        assert of(metadata, owner, target[-1]).open_until == until
        world.purge(*target, now=NOW + MINUTE)
        first = of(metadata, owner, target[-1])
        assert (first.state, first.removed.storage_bytes) == (DeletionState.purging, 100)
        assert first.proof is not None
        assert world.usage(owner).storage_bytes == 0
        again = PurgeRequest(world.tenant_id, target[0].id, target[1].id if len(target) > 1 else None)
        assert again not in world.swept(now=until - MINUTE / 60)[2]
        assert again in world.swept(now=until)[2]
        late = recorded(metadata, world.found(*target), Inventory(objects=1, object_bytes=100), now=until)
        assert of(metadata, owner, target[-1]).proof is None
        assert not metadata.purging.mark_purged(late, now=until)
        assert metadata.purging.mark_purged(recorded(metadata, late, Inventory(), now=until), now=until)
        ended = of(metadata, owner, target[-1])
        assert ended.removed == Removed(objects=1, object_bytes=100, storage_bytes=100)
        assert (ended.state, ended.completed_at) == (DeletionState.completed, until)
        assert (
            metadata.purging.find_purge(world.tenant_id, target[0].id, target[1].id if len(target) > 1 else None)
            is None
        )
        assert world.usage(owner).storage_bytes == 0
        return ended

    def test_an_upload_form_is_waited_for_also_of_an_older_generation(
        self, metadata: Metadata, world: World, whole: bool
    ) -> None:
        owner = world.user()
        collection = world.collection(owner)
        until = NOW + 30 * MINUTE
        draft = world.upload(size=0, arrives_until=until)
        file = metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW)
        assert world.publish(world.claim(file))
        file = world.ready(owner, collection)
        self.purged_twice(world, owner, self.deleted(world, owner, file, whole), until)

    @pytest.mark.parametrize("divided", [False, True])
    def test_who_ingests_it_is_waited_for(self, metadata: Metadata, world: World, whole: bool, divided: bool) -> None:
        owner = world.user()
        file = world.file(owner, world.collection(owner))
        claim = world.claim(file)
        until = NOW + 15 * MINUTE
        if divided:
            parts = (Part(0, 0, 1), Part(1, 1, 2))
            times = {"lease_until": until, "now": NOW}
            assert metadata.parts.divide(claim, parts, pages_total=2, deadline=NOW + HOUR, **times)
            until = NOW + 20 * MINUTE
            assert metadata.parts.claim_part(claim.ref, 1, now=NOW, lease_until=until)
        self.purged_twice(world, owner, self.deleted(world, owner, file, whole), until)

    def test_a_direct_upload_is_waited_for(self, metadata: Metadata, world: World, whole: bool) -> None:
        owner = world.user()
        file = world.file(owner, world.collection(owner))
        until = file.created_at + MINUTE
        target = self.deleted(world, owner, file, whole)
        assert of(metadata, owner, target[-1]).open_until == until
        world.purge(*target, now=until)
        assert of(metadata, owner, target[-1]).state is DeletionState.completed

    def test_a_collection_waits_for_what_its_deleted_files_wait_for(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        world.claim(file)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        until = NOW + 15 * MINUTE
        assert of(metadata, owner, file).open_until == until
        self.purged_twice(world, owner, (collection,), until)
        assert of(metadata, owner, file).state is DeletionState.completed

    def test_each_file_of_an_archive_waits_for_its_own(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        archive = world.ready(owner, collection, "a.zip")
        claimed, reserved = (world.file(owner, collection, f"a.zip/{name}.txt") for name in ("claimed", "reserved"))
        world.claim(claimed)
        done = world.ready(owner, collection, "a.zip/done.txt")
        metadata.files.tombstone_file(owner, collection.id, archive.id, now=NOW)
        until = [
            (archive, None),
            (claimed, NOW + 15 * MINUTE),
            (reserved, reserved.created_at + MINUTE),
            (done, None),
        ]
        for file, moment in until:
            receipt = of(metadata, owner, file)
            assert (receipt.kind, receipt.name, receipt.open_until) == (DeletionKind.file, file.name, moment)
            assert (receipt.target_id, receipt.collection_id) == (file.id, collection.id)
            assert (receipt.requested_by, receipt.requested_at) == (owner.user_id, NOW)

    def test_what_is_over_is_not_waited_for(self, metadata: Metadata, world: World, whole: bool) -> None:
        owner = world.user()
        collection = world.collection(owner)
        draft = world.upload(arrives_until=NOW)
        file = metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW - HOUR)
        target = self.deleted(world, owner, file, whole)
        assert of(metadata, owner, target[-1]).open_until is None
        world.purge(*target)
        assert of(metadata, owner, target[-1]).state is DeletionState.completed
