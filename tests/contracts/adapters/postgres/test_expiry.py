"""What expires: collections that nobody uses, and user files with their copies."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from modulo.domain.errors import NotFound
from modulo.domain.files.user_file import UserFileRef
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.pagination import Window
from modulo.domain.tenancy.identity import Role
from tests.metadata_world import HOUR, NOW, QUOTAS, MetadataContract

DAY = timedelta(days=1)


def sweep(metadata, now):
    return metadata.sweeping.sweep(now=now, limit=100)


def expiring(world, user, days=1):
    draft = world.draft("fading", expires_after_days=days)
    return world.metadata.collections.create_collection(user, draft, limit=QUOTAS.collections, now=NOW)


class TestExpiry(MetadataContract):
    def test_a_collection_that_nobody_uses_is_deleted_with_a_receipt(self, metadata, world):
        user = world.user()
        collection = expiring(world, user)
        assert collection.expires_at == NOW + DAY
        assert sweep(metadata, NOW + DAY - HOUR).due <= NOW + DAY
        assert metadata.collections.get_collection(user, collection.id)
        found = sweep(metadata, NOW + DAY)
        assert PurgeRequest(world.tenant_id, collection.id) in found.purge
        with pytest.raises(NotFound):
            metadata.collections.get_collection(user, collection.id)
        assert metadata.purging.find_purge(world.tenant_id, collection.id, None).receipt is not None
        assert world.usage(user).collections == 0

    def test_a_search_puts_the_expiry_off_at_most_once_an_hour(self, metadata, world):
        user = world.user()
        collection = expiring(world, user)
        assert metadata.grants.grant(user, collection.id).expires
        for _ in range(2):
            metadata.grants.live_documents(user, [collection.id], [], reservation=None, use=True)
            used = metadata.collections.get_collection(user, collection.id).last_active_at
            assert used > NOW + DAY
        with metadata.pools.writer.begin() as connection:
            connection.execute(
                text("UPDATE collections SET last_active_at = now() - interval '59 minutes' WHERE id = :id"),
                {"id": collection.id},
            )
        before = metadata.collections.get_collection(user, collection.id).last_active_at
        metadata.grants.live_documents(user, [collection.id], [], reservation=None, use=True)
        assert metadata.collections.get_collection(user, collection.id).last_active_at == before

    def test_a_search_of_several_puts_off_the_expiry_of_each(self, metadata, world):
        user = world.user()
        ids = [expiring(world, user).id, world.collection(user, "lasting").id]
        draft = world.draft("fading too", expires_after_days=1)
        ids.append(metadata.collections.create_collection(user, draft, limit=QUOTAS.collections, now=NOW).id)

        def used():
            return [metadata.collections.get_collection(user, one).last_active_at for one in ids]

        before = used()
        for unseen in (world.collection(world.user("other"), "theirs").id, uuid4()):
            with pytest.raises(NotFound):
                metadata.grants.live_documents(user, [*ids, unseen], [], reservation=None, use=True)
        assert used() == before
        metadata.grants.live_documents(user, ids, [], reservation=None, use=True)
        assert all(now > NOW + DAY for now in (used()[0], used()[2]))

    def test_a_use_that_another_search_records_is_not_waited_for(self, metadata, world):
        user = world.user()
        collection = expiring(world, user)
        with metadata.pools.writer.begin() as connection:
            statement = text("UPDATE collections SET last_active_at = now() WHERE id = :id")
            connection.execute(statement, {"id": collection.id})
            granted = metadata.grants.live_documents(user, [collection.id], [], reservation=None, use=True).grants
        assert [grant.space.collection_id for grant in granted] == [collection.id]

    def test_without_days_it_stays(self, metadata, world):
        user = world.user()
        collection = expiring(world, user)
        changed = metadata.collections.update_collection(
            user, collection.id, name=None, chunking=None, expires_after_days=0, now=NOW
        )
        assert changed.expires_at is None
        sweep(metadata, NOW + 9 * DAY)
        assert metadata.collections.get_collection(user, collection.id)
        assert not metadata.grants.grant(user, collection.id).expires

    def test_a_user_file_goes_at_its_time_with_its_copies(self, metadata, world):
        user = world.user()
        collection = world.collection(user)
        file = world.user_file(user, expires_at=NOW + HOUR)
        copy = world.copied(user, collection, file)
        found = sweep(metadata, NOW + HOUR)
        ref = UserFileRef(world.tenant_id, user.user_id, file.id)
        assert PurgeRequest(world.tenant_id, user_file=ref) in found.purge
        with pytest.raises(NotFound):
            metadata.files.get_file(user, collection.id, copy.id)
        assert metadata.user_files.page_user_files(user, Window(9), purpose=None, now=NOW).items == ()
        metadata.user_files.forget_user_file(ref)
        assert ref not in {request.user_file for request in sweep(metadata, NOW + DAY).purge}

    def test_a_copy_stays_in_a_collection_where_its_user_is_no_editor_any_more(self, metadata, world):
        owner, user = world.user(), world.user()
        collection = world.collection(owner)
        metadata.members.set_member(owner, collection.id, user.user_id, Role.editor)
        copy = world.copied(user, collection, world.user_file(user, expires_at=NOW + HOUR))
        metadata.members.set_member(owner, collection.id, user.user_id, Role.viewer)
        sweep(metadata, NOW + HOUR)
        assert metadata.files.get_file(owner, collection.id, copy.id)

    def test_a_file_whose_collection_is_locked_waits_for_the_next_sweep(self, metadata, world):
        user = world.user()
        collection = world.collection(user)
        file = world.user_file(user, expires_at=NOW + HOUR)
        world.copied(user, collection, file)
        with metadata.pools.writer.begin() as connection:
            connection.execute(
                text("SELECT 1 FROM collections WHERE id = :id FOR NO KEY UPDATE"), {"id": collection.id}
            )
            sweep(metadata, NOW + HOUR)
        assert metadata.user_files.get_user_file(user, file.id, now=NOW) == file
        sweep(metadata, NOW + HOUR)
        with pytest.raises(NotFound):
            metadata.user_files.get_user_file(user, file.id, now=NOW)
