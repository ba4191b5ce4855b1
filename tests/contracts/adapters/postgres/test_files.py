"""Files, their generations and what they are charged, whichever metadata keeps them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from modulo.domain.errors import Conflict, NotFound, QuotaExceeded
from modulo.domain.files.file import DocumentInfo, File, FileProblem, FileRef, Stage
from modulo.domain.pagination import Cursor
from modulo.domain.tenancy.identity import Role
from modulo.domain.tenancy.quota import Quotas
from tests.metadata_world import FINAL, HOUR, NOW, PASSING, QUOTAS, Metadata, MetadataContract, World


class TestReserving(MetadataContract):
    def test_it_is_what_was_reserved(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        editor = world.member(owner, collection, Role.editor)
        draft = world.upload("Résumé 文書.pdf", 42)
        file = metadata.uploads.reserve_file(editor, collection.id, draft, quotas=QUOTAS, now=NOW)
        assert file == File(
            id=draft.id,
            collection_id=collection.id,
            name="Résumé 文書.pdf",
            stage=Stage.awaiting_upload,
            generation=1,
            source=1,
            media_type="application/pdf",
            size_bytes=42,
            checksum_sha256="ab" * 32,
            created_by=editor.user_id,
            created_at=NOW,
            updated_at=NOW,
        )
        assert metadata.files.get_file(owner, collection.id, file.id) == file
        assert metadata.collections.get_collection(owner, collection.id).version == 1  # no content yet

    def test_its_bytes_are_the_owners(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        editor = world.member(owner, collection, Role.editor)
        world.file(editor, collection, size=600)
        assert world.usage(owner).storage_bytes == 600
        assert world.usage(editor).storage_bytes == 0
        with pytest.raises(QuotaExceeded) as caught:
            world.file(editor, collection, "more.pdf", 401)
        assert caught.value.extra["resource"] == "storage_bytes"
        world.file(owner, world.collection(owner, "other"), "fits.pdf", 400)
        assert world.usage(owner).storage_bytes == 1_000

    def test_a_collection_holds_so_many_files(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        quotas = Quotas(files=1, storage_bytes=10_000)
        first = metadata.uploads.reserve_file(owner, collection.id, world.upload("a"), quotas=quotas, now=NOW)
        with pytest.raises(QuotaExceeded) as caught:
            metadata.uploads.reserve_file(owner, collection.id, world.upload("b"), quotas=quotas, now=NOW)
        assert (caught.value.extra["resource"], caught.value.extra["limit"]) == ("files", 1)
        assert world.publish(world.claim(first))
        again = metadata.uploads.reserve_file(owner, collection.id, world.upload("a"), quotas=quotas, now=NOW)
        assert again.generation == 2  # a new generation is no new file
        metadata.files.tombstone_file(owner, collection.id, first.id, now=NOW)
        assert (
            metadata.uploads.reserve_file(owner, collection.id, world.upload("b"), quotas=quotas, now=NOW).generation
            == 1
        )

    def test_a_refused_file_takes_nothing(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        draft = world.upload(size=1_001)
        with pytest.raises(QuotaExceeded):
            metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW)
        assert world.usage(owner).storage_bytes == 0
        assert metadata.collections.get_collection(owner, collection.id).files == {}
        one = Quotas(files=1, storage_bytes=2_000)
        assert metadata.uploads.reserve_file(owner, collection.id, draft, quotas=one, now=NOW).id == draft.id

    def test_the_same_draft_reserves_once(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        draft = world.upload()
        first = metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW)
        assert metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW + HOUR) == first
        assert world.publish(world.claim(first))
        ready = metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW)
        assert (ready.stage, ready.generation) == (Stage.ready, 1)
        assert world.usage(owner).storage_bytes == 100

    def test_a_draft_is_not_used_for_something_else(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection, other = world.collection(owner), world.collection(owner, "other")
        draft = world.upload("a")
        file = metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW)
        renamed = world.upload("b", id=draft.id)
        for place, wrong in ((collection, renamed), (other, draft)):
            with pytest.raises(Conflict):
                metadata.uploads.reserve_file(owner, place.id, wrong, quotas=QUOTAS, now=NOW)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        with pytest.raises(Conflict):
            metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW)
        assert world.usage(owner).storage_bytes == 100

    def test_the_same_name_makes_the_next_generation(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        first = world.ready(owner, collection)
        draft = world.upload(size=200)
        second = metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW + HOUR)
        assert (second.id, second.generation, second.live_generation) == (first.id, 2, 1)
        assert (second.stage, second.size_bytes, second.chunk_count) == (Stage.awaiting_upload, 200, None)
        assert (second.created_at, second.updated_at) == (first.created_at, NOW + HOUR)
        assert metadata.uploads.reserve_file(owner, collection.id, draft, quotas=QUOTAS, now=NOW) == second
        live = world.live(owner, collection, first.id)
        assert live[first.id].generation == 1  # until the new one is ready
        assert world.usage(owner).storage_bytes == 300

    @pytest.mark.parametrize("released", [False, True], ids=["parsing", "queued"])
    def test_one_generation_is_ingested_at_a_time(self, metadata: Metadata, world: World, released: bool) -> None:
        owner = world.user()
        collection = world.collection(owner)
        claim = world.claim(world.file(owner, collection))
        if released:
            metadata.ingestion.release(claim, now=NOW)
        with pytest.raises(Conflict):
            world.file(owner, collection)
        assert world.usage(owner).storage_bytes == 100
        assert world.file(owner, world.collection(owner, "other")).generation == 1

    def test_what_was_not_uploaded_yet_gives_way(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        first = world.file(owner, collection, size=900)
        second = world.file(owner, collection, size=800)
        assert (second.id, second.generation, second.stage) == (first.id, 2, Stage.awaiting_upload)
        assert world.usage(owner).storage_bytes == 800
        assert metadata.collections.get_collection(owner, collection.id).storage_bytes == 800
        assert world.try_claim(first) is None
        assert world.swept(now=NOW + HOUR - timedelta(seconds=1))[2] == []  # its form may still be used
        assert world.publish(world.claim(second))
        assert [request.file_id for request in world.swept(now=NOW + HOUR)[2]] == [first.id]
        assert world.purge(collection, first).generations == (1,)
        assert world.usage(owner).storage_bytes == 800

    def test_what_is_refused_leaves_the_former_in_place(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        first = world.file(owner, collection, size=900)
        with pytest.raises(QuotaExceeded):
            world.file(owner, collection, size=1_001)
        assert metadata.files.get_file(owner, collection.id, first.id) == first
        assert world.usage(owner).storage_bytes == 900
        assert world.try_claim(first) is not None

    @pytest.mark.parametrize("problem", [PASSING, FINAL], ids=["passing", "final"])
    def test_a_failed_file_may_be_sent_again(self, metadata: Metadata, world: World, problem: FileProblem) -> None:
        owner = world.user()
        collection = world.collection(owner)
        failed = world.failed(owner, collection, problem)
        again = world.file(owner, collection)
        assert (again.id, again.generation, again.problem) == (failed.id, 2, None)
        assert world.try_claim(failed) is None
        purge = metadata.purging.find_purge(world.tenant_id, collection.id, failed.id)
        assert purge is not None
        assert purge.generations == (1,)

    def test_an_empty_file_may_be_reserved(self, world: World) -> None:
        owner = world.user()
        assert world.file(owner, world.collection(owner), size=0).size_bytes == 0


class TestReading(MetadataContract):
    def test_pages_hold_every_file_once_newest_first(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        made = [world.file(owner, collection, f"{n}.pdf") for n in range(4)]
        at_once = [
            metadata.uploads.reserve_file(owner, collection.id, world.upload(f"t{n}.pdf"), quotas=QUOTAS, now=NOW)
            for n in range(3)
        ]
        gone = world.file(owner, collection, "gone.pdf")
        metadata.files.tombstone_file(owner, collection.id, gone.id, now=NOW)
        world.file(owner, world.collection(owner, "other"))
        seen: list[File] = []
        after = None
        while True:
            page = metadata.files.list_files(owner, collection.id, after=after, limit=3, stage=None)
            seen += page.items
            if page.next is None:
                break
            after = Cursor.decode(page.next)
        expected = made[::-1] + sorted(at_once, key=lambda file: file.id, reverse=True)
        assert seen == expected

    def test_a_listing_may_be_narrowed_to_a_stage(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        ready = [world.ready(owner, collection, f"{n}.pdf") for n in range(2)]
        world.file(owner, collection, "waiting.pdf")
        page = metadata.files.list_files(owner, collection.id, after=None, limit=1, stage=Stage.ready)
        assert page.items == (ready[1],)
        assert page.next is not None
        rest = metadata.files.list_files(
            owner, collection.id, after=Cursor.decode(page.next), limit=1, stage=Stage.ready
        )
        assert (rest.items, rest.next) == ((ready[0],), None)
        none = metadata.files.list_files(owner, collection.id, after=None, limit=1, stage=Stage.failed)
        assert (none.items, none.next) == ((), None)

    def test_an_empty_collection_lists_nothing(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        page = metadata.files.list_files(owner, world.collection(owner).id, after=None, limit=9, stage=None)
        assert (page.items, page.next) == ((), None)

    def test_a_file_is_found_in_its_own_collection_only(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        file = world.file(owner, world.collection(owner))
        other = world.collection(owner, "other")
        for ask in (metadata.files.get_file, lambda *at: metadata.files.tombstone_file(*at, now=NOW)):
            with pytest.raises(NotFound):
                ask(owner, other.id, file.id)
            with pytest.raises(NotFound):
                ask(owner, file.collection_id, uuid4())
        assert world.live(owner, other, file.id) == {}

    def test_live_documents_are_those_that_were_published(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        waiting = world.file(owner, collection, "waiting.pdf")
        assert world.publish(world.claim(file), title="On Growth")
        found = world.live(owner, collection, file.id, waiting.id, uuid4(), file.id)
        assert list(found) == [file.id]
        live = found[file.id]
        assert (live.generation, live.name, live.chunk_count) == (1, "paper.pdf", 7)
        assert live.info == DocumentInfo(title="On Growth", total_pages=3)
        assert live.created_at == file.created_at.isoformat()
        assert world.live(owner, collection) == {}
        many = [uuid4() for _ in range(1_000)]
        assert list(world.live(owner, collection, *many, file.id)) == [file.id]


class TestDeleting(MetadataContract):
    def test_a_deleted_file_is_gone_at_once(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.ready(owner, collection)
        before = metadata.grants.grant(owner, collection.id).version
        ref = metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW + HOUR)
        assert ref == FileRef(world.tenant_id, collection.id, file.id, 1)
        with pytest.raises(NotFound):
            metadata.files.get_file(owner, collection.id, file.id)
        assert metadata.files.list_files(owner, collection.id, after=None, limit=9, stage=None).items == ()
        assert world.live(owner, collection, file.id) == {}
        found = metadata.collections.get_collection(owner, collection.id)
        assert (found.version, found.updated_at, found.files) == (before + 1, NOW + HOUR, {})
        assert world.file(owner, collection).id != file.id  # the name is free

    def test_deleting_again_changes_nothing(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.ready(owner, collection)
        first = metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        version = metadata.grants.grant(owner, collection.id).version
        assert metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW + HOUR) == first
        world.purge(collection, file)
        assert metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW + HOUR) == first
        assert metadata.grants.grant(owner, collection.id).version == version
        assert metadata.purging.find_purge(world.tenant_id, collection.id, file.id) is None

    def test_a_deleted_file_is_not_ingested_further(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        claim = world.claim(file)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
        assert not metadata.ingestion.advance(claim, Stage.embedding, lease_until=NOW + HOUR, now=NOW)
        assert not world.publish(claim)
        assert not metadata.ingestion.fail(claim, FINAL, now=NOW)
        metadata.ingestion.release(claim, now=NOW)
        assert world.try_claim(file, now=NOW + HOUR) is None
        assert world.usage(owner).storage_bytes == 100  # until it is purged
