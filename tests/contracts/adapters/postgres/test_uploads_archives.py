from dataclasses import replace

import pytest

from modulo.domain.collections.collection import Collection
from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded
from modulo.domain.files.file import File, Stage
from modulo.domain.ingestion.claim import Claim
from modulo.domain.tenancy.identity import Principal, Role
from tests.metadata_world import HOUR, NOW, QUOTAS, Metadata, MetadataContract, World


class Archive:
    """An archive whose upload is being expanded."""

    def __init__(self, world: World, user: Principal, collection: Collection, name: str = "a.zip") -> None:
        self.world = world
        self.file = world.file(user, collection, name, 10)
        self.claim = world.claim(self.file)

    def reserve(self, name: str, size: int = 10, claim: Claim | None = None) -> File | None:
        draft = self.world.upload(name, size)
        return self.world.metadata.uploads.reserve_archived(claim or self.claim, draft, quotas=QUOTAS, now=NOW)


def names(metadata: Metadata, user: Principal, collection: Collection) -> set[str]:
    listing = metadata.files.list_files(user, collection.id, after=None, limit=99, stage=None)
    return {file.name for file in listing.items}


class TestArchives(MetadataContract):
    def test_a_file_is_reserved_for_who_uploaded_the_archive(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        editor = world.member(owner, collection, Role.editor)
        made = Archive(world, editor, collection).reserve("a.zip/b/c.txt", 30)
        assert made is not None
        assert (made.created_by, made.stage, made.generation) == (editor.user_id, Stage.awaiting_upload, 1)
        assert world.usage(owner).storage_bytes == 40

    def test_the_same_draft_answers_with_what_is_there(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        archive = Archive(world, owner, world.collection(owner))
        draft = world.upload("a.zip/b.txt")
        made = [metadata.uploads.reserve_archived(archive.claim, draft, quotas=QUOTAS, now=NOW) for _ in range(2)]
        assert made[0] == made[1]

    def test_a_file_that_is_there_gets_another_generation(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        archive = Archive(world, owner, collection)
        first = archive.reserve("a.zip/b.txt")
        assert first is not None
        claim = world.claim(first)
        with pytest.raises(Conflict):
            archive.reserve("a.zip/b.txt")
        assert world.publish(claim)
        second = archive.reserve("a.zip/b.txt")
        assert second is not None
        assert (second.id, second.generation) == (first.id, 2)

    def test_quotas_hold(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        archive = Archive(world, owner, world.collection(owner))
        with pytest.raises(QuotaExceeded):
            archive.reserve("a.zip/b.txt", QUOTAS.storage_bytes)

    def test_nothing_is_reserved_without_the_claim(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        archive = Archive(world, owner, collection)
        late = world.claim(archive.file, now=NOW + HOUR / 2)  # the lease of the first has run out
        assert archive.reserve("a.zip/b.txt") is None
        assert not metadata.uploads.drop_archived(archive.claim, keep=[], now=NOW)
        assert archive.reserve("a.zip/b.txt", claim=late) is not None
        metadata.files.tombstone_file(owner, collection.id, archive.file.id, now=NOW)
        assert archive.reserve("a.zip/c.txt", claim=late) is None
        other = Archive(world, owner, collection)
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        assert other.reserve("a.zip/c.txt") is None
        assert not metadata.uploads.drop_archived(other.claim, keep=[], now=NOW)
        unknown = replace(other.claim, ref=replace(other.claim.ref, collection_id=archive.file.id))
        assert archive.reserve("a.zip/c.txt", claim=unknown) is None

    def test_who_may_no_longer_write_reserves_nothing(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        editor = world.member(owner, collection, Role.editor)
        archive = Archive(world, editor, collection)
        metadata.members.set_member(owner, collection.id, editor.user_id, Role.viewer)
        with pytest.raises(Forbidden):
            archive.reserve("a.zip/b.txt")
        metadata.members.remove_member(owner, collection.id, editor.user_id)
        with pytest.raises(NotFound):
            archive.reserve("a.zip/b.txt")

    def test_what_the_archive_no_longer_holds_is_dropped(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection, other = world.collection(owner), world.collection(owner, "other")
        for at in (collection, other):
            for name in ("a.zip/old.txt", "a.zip/kept.txt", "A.zip/old.txt", "a_zip/old.txt", "a.zip.txt", "a%"):
                world.ready(owner, at, name, 10)
        archive = Archive(world, owner, collection)
        version = metadata.grants.grant(owner, collection.id).version
        assert metadata.uploads.drop_archived(archive.claim, keep=["a.zip/kept.txt", "a.zip/new.txt"], now=NOW)
        left = {"a.zip", "a.zip/kept.txt", "A.zip/old.txt", "a_zip/old.txt", "a.zip.txt", "a%"}
        assert names(metadata, owner, collection) == left
        assert "a.zip/old.txt" in names(metadata, owner, other)
        assert metadata.grants.grant(owner, collection.id).version > version
        (receipt,) = metadata.deletions.list_deletions(owner, after=None, limit=9).items
        assert (receipt.name, receipt.requested_by) == ("a.zip/old.txt", owner.user_id)
        assert metadata.uploads.drop_archived(archive.claim, keep=["a.zip/kept.txt"], now=NOW)  # there is nothing more
        assert names(metadata, owner, collection) == left

    @pytest.mark.parametrize("name", ["a.zip", "100%_\\.zip"])
    def test_deleted_it_takes_its_files_along(self, metadata: Metadata, world: World, name: str) -> None:
        owner = world.user()
        collection = world.collection(owner)
        archive = world.ready(owner, collection, name, 10)
        held = [world.ready(owner, collection, f"{name}/{number}.txt", 10) for number in range(2)]
        world.ready(owner, collection, "100 of them.zip/0.txt", 10)
        metadata.files.tombstone_file(owner, collection.id, archive.id, now=NOW)
        assert names(metadata, owner, collection) == {"100 of them.zip/0.txt"}
        assert world.live(owner, collection, *(file.id for file in held)) == {}
        assert len(metadata.deletions.list_deletions(owner, after=None, limit=9).items) == 3
        due = {request.file_id for request in world.swept(now=NOW + HOUR)[2]}
        assert due == {archive.id, *(file.id for file in held)}
        for file in held:
            world.purge(collection, file)
        assert world.usage(owner).storage_bytes == 20
