"""Claims, fencing, progress and ends of ingestion, whichever metadata keeps them."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from modulo.domain.collections.collection import Chunking
from modulo.domain.files.file import DocumentInfo, FileProblem, Stage
from modulo.domain.ingestion.claim import Claim
from tests.metadata_world import FINAL, HOUR, MODEL, NOW, PASSING, Metadata, MetadataContract, World

LEASE = timedelta(minutes=15)


class TestClaiming(MetadataContract):
    def test_a_claim_names_all_that_ingestion_needs(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection, "notes.txt", 12)
        claim = world.claim(file)
        assert (claim.ref, claim.attempt, claim.name, claim.size_bytes) == (world.ref(file), 1, "notes.txt", 12)
        assert (claim.media_type, claim.checksum_sha256) == (file.media_type, file.checksum_sha256)
        assert (claim.space, claim.chunking) == (metadata.grants.grant(owner, collection.id).space, Chunking())
        assert claim.space.model == MODEL
        assert metadata.files.get_file(owner, collection.id, file.id).stage is Stage.parsing

    def test_a_generation_under_way_is_claimed_once(self, world: World) -> None:
        owner = world.user()
        file = world.file(owner, world.collection(owner))
        world.claim(file)
        assert world.try_claim(file, now=NOW + LEASE - timedelta(microseconds=1)) is None

    def test_a_lapsed_lease_frees_it(self, world: World) -> None:
        owner = world.user()
        file = world.file(owner, world.collection(owner))
        first = world.claim(file)
        second = world.claim(file, now=NOW + LEASE)
        assert (second.attempt, second.token == first.token) == (2, False)

    def test_only_what_is_live_or_can_become_so_is_viable(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        waiting = world.file(owner, collection, "waiting.pdf")
        ready = world.ready(owner, collection, "ready.pdf")
        passing = world.failed(owner, collection, PASSING, "passing.pdf")
        assert all(metadata.ingestion.viable(world.ref(file)) for file in (waiting, ready, passing))
        final = world.failed(owner, collection, FINAL, "final.pdf")
        world.ready(owner, collection, "ready.pdf")
        metadata.files.tombstone_file(owner, collection.id, waiting.id, now=NOW)
        assert not any(metadata.ingestion.viable(world.ref(file)) for file in (waiting, ready, final))
        assert not metadata.ingestion.viable(replace(world.ref(passing), file_id=uuid4()))
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        assert not metadata.ingestion.viable(world.ref(passing))

    def test_a_released_lease_frees_it_at_once(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        metadata.ingestion.release(world.claim(file), now=NOW)
        assert metadata.files.get_file(owner, collection.id, file.id).stage is Stage.queued
        assert world.claim(file).attempt == 2

    def test_what_is_finished_or_unknown_is_not_claimed(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        ready = world.ready(owner, collection, "ready.pdf")
        failed = world.failed(owner, collection, FINAL, "failed.pdf")
        fresh = world.file(owner, collection, "fresh.pdf")
        for file in (ready, failed):
            assert world.try_claim(file, now=NOW + 9 * HOUR) is None
        other = world.collection(owner, "other")
        for wrong in (
            fresh.model_copy(update={"id": uuid4()}),
            fresh.model_copy(update={"generation": 2}),
            fresh.model_copy(update={"collection_id": other.id}),
        ):
            assert world.try_claim(wrong) is None
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        assert world.try_claim(fresh) is None

    def test_only_the_newest_generation_is_claimed(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        first = world.failed(owner, collection, PASSING)
        second = world.file(owner, collection)
        assert world.try_claim(first) is None
        assert world.claim(second).ref.generation == 2

    def test_the_first_claim_sets_the_deadline(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        assert world.try_claim(file, deadline=NOW + 2 * HOUR) is not None
        assert world.try_claim(file, now=NOW + LEASE, deadline=NOW + 9 * HOUR) is not None
        assert world.swept(now=NOW + 2 * HOUR - timedelta(seconds=1))[0] == []
        assert world.swept(now=NOW + 2 * HOUR)[0] == [world.ref(file)]


class TestFencing(MetadataContract):
    def test_a_claim_that_was_taken_over_changes_nothing(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        late = world.claim(file)
        world.claim(file, now=NOW + LEASE)
        before = metadata.files.get_file(owner, collection.id, file.id)
        assert not metadata.ingestion.advance(late, Stage.indexing, pages_done=9, lease_until=NOW + 9 * HOUR, now=NOW)
        assert not world.publish(late)
        assert not metadata.ingestion.fail(late, FINAL, now=NOW)
        metadata.ingestion.release(late, now=NOW)
        assert metadata.files.get_file(owner, collection.id, file.id) == before
        assert metadata.collections.get_collection(owner, collection.id).version == 1
        assert world.usage(owner).storage_bytes == 100

    def test_a_made_up_claim_changes_nothing(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        claim = world.claim(world.file(owner, collection))
        assert not world.publish(replace(claim, token=uuid4()))
        assert not world.publish(replace(claim, ref=replace(claim.ref, tenant_id=uuid4())))
        assert not world.publish(replace(claim, ref=replace(claim.ref, collection_id=uuid4())))
        assert world.publish(claim)

    def test_an_end_ends_the_claim(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        claim = world.claim(world.file(owner, collection))
        assert world.publish(claim)
        version = metadata.grants.grant(owner, collection.id).version
        assert not world.publish(claim)
        assert not metadata.ingestion.fail(claim, FINAL, now=NOW)
        assert not metadata.ingestion.advance(claim, Stage.embedding, lease_until=NOW + HOUR, now=NOW)
        metadata.ingestion.release(claim, now=NOW)
        assert metadata.files.get_file(owner, collection.id, claim.ref.file_id).stage is Stage.ready
        assert metadata.grants.grant(owner, collection.id).version == version

    def test_a_deleted_collection_fences_its_claims(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        claim = world.claim(world.file(owner, collection))
        metadata.collections.tombstone_collection(owner, collection.id, now=NOW)
        assert not metadata.ingestion.advance(claim, Stage.embedding, lease_until=NOW + HOUR, now=NOW)
        assert not world.publish(claim)
        assert not metadata.ingestion.fail(claim, FINAL, now=NOW)


class TestProgress(MetadataContract):
    def test_progress_is_seen_and_keeps_the_lease(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        claim = world.claim(file)
        later = NOW + timedelta(minutes=10)
        assert metadata.ingestion.advance(
            claim, Stage.embedding, pages_done=3, pages_total=9, lease_until=later + LEASE, now=later
        )
        assert metadata.ingestion.advance(claim, Stage.indexing, lease_until=later + LEASE, now=later)
        seen = metadata.files.get_file(owner, collection.id, file.id)
        assert (seen.stage, seen.pages_done, seen.pages_total) == (Stage.indexing, 3, 9)
        assert (seen.started_at, seen.updated_at) == (NOW, later)
        assert seen.estimated_ready_at == later + timedelta(minutes=20)
        assert world.try_claim(file, now=NOW + LEASE) is None
        again = world.claim(file, now=later + LEASE)
        assert again.attempt == 2
        anew = metadata.files.get_file(owner, collection.id, file.id)
        assert (anew.pages_done, anew.started_at, anew.estimated_ready_at) == (0, later + LEASE, None)

    def test_publishing_makes_it_live(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.file(owner, collection)
        claim = world.claim(file)
        info = DocumentInfo(title="T\0itle \ud800", author="Ada", total_pages=3)
        assert metadata.ingestion.publish(claim, chunk_count=7, content_hash="cd" * 32, info=info, now=NOW + HOUR)
        seen = metadata.files.get_file(owner, collection.id, file.id)
        assert (seen.stage, seen.live_generation, seen.chunk_count) == (Stage.ready, 1, 7)
        assert seen.document == DocumentInfo(title="Title ?", author="Ada", total_pages=3)
        found = metadata.collections.get_collection(owner, collection.id)
        assert (found.version, found.updated_at) == (2, NOW + HOUR)
        assert metadata.purging.find_purge(world.tenant_id, collection.id, file.id) is None

    def test_publishing_retires_what_was_live(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        world.ready(owner, collection, size=100)
        file = world.ready(owner, collection, size=200)
        assert (file.generation, file.live_generation) == (2, 2)
        assert world.live(owner, collection, file.id)[file.id].generation == 2
        assert metadata.grants.grant(owner, collection.id).version == 3
        assert world.usage(owner).storage_bytes == 300
        purge = world.purge(collection, file)
        assert (purge.file_id, purge.generations) == (file.id, (1,))
        assert world.usage(owner).storage_bytes == 200

    def test_failing_gives_the_bytes_back_and_says_why(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        problem = FileProblem(code="corrupt-file", detail="NUL \0 in it", retryable=False)
        file = world.failed(owner, collection, problem)
        assert (file.stage, file.live_generation) == (Stage.failed, None)
        assert file.problem == FileProblem(code="corrupt-file", detail="NUL  in it", retryable=False)
        assert world.usage(owner).storage_bytes == 0
        assert metadata.collections.get_collection(owner, collection.id).storage_bytes == 0
        assert metadata.collections.get_collection(owner, collection.id).version == 1

    def test_a_failed_generation_leaves_the_live_one_alone(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        world.ready(owner, collection)
        file = world.failed(owner, collection, FINAL)
        assert (file.generation, file.live_generation, file.stage) == (2, 1, Stage.failed)
        assert world.live(owner, collection, file.id)[file.id].generation == 1
        assert world.purge(collection, file).generations == (2,)
        assert world.usage(owner).storage_bytes == 100
        assert metadata.files.get_file(owner, collection.id, file.id) == file


class TestRetrying(MetadataContract):
    def test_what_failed_for_a_passing_reason_may_be_claimed_again(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.failed(owner, collection, PASSING)
        assert metadata.purging.find_purge(world.tenant_id, collection.id, file.id) is None
        claim = world.claim(file, now=NOW + 2 * HOUR)
        assert claim.attempt == 2
        assert world.usage(owner).storage_bytes == 100
        seen = metadata.files.get_file(owner, collection.id, file.id)
        assert (seen.stage, seen.problem) == (Stage.parsing, None)
        assert world.publish(claim)

    def test_it_gets_a_deadline_of_its_own(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        file = world.failed(owner, world.collection(owner), PASSING)
        later = NOW + 5 * HOUR
        assert world.try_claim(file, now=later, deadline=later + HOUR) is not None
        assert world.swept(now=later)[0] == []
        assert world.swept(now=later + HOUR)[0] == [world.ref(file)]

    def test_its_attempts_count_anew_where_somebody_asks_for_it(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        file = world.failed(owner, world.collection(owner), PASSING)
        claim = world.claim(file)
        metadata.ingestion.reset_attempts(claim.ref)  # it has not failed now
        assert metadata.ingestion.fail(claim, PASSING, now=NOW)
        assert world.claim(file).attempt == 3
        assert metadata.ingestion.fail(replace(claim, token=world.claim(file, now=NOW + HOUR).token), PASSING, now=NOW)
        metadata.ingestion.reset_attempts(claim.ref)
        assert world.claim(file).attempt == 1

    def test_what_a_retry_cannot_help_counts_on(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        file = world.failed(owner, world.collection(owner), FINAL)
        metadata.ingestion.reset_attempts(world.ref(file))
        assert world.try_claim(file) is None

    def test_its_bytes_must_fit_again(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.failed(owner, collection, PASSING)
        full = world.file(owner, collection, "full.pdf", 901)
        assert world.try_claim(file) is None
        assert metadata.files.get_file(owner, collection.id, file.id) == file
        assert world.usage(owner).storage_bytes == 901
        assert metadata.collections.get_collection(owner, collection.id).storage_bytes == 901
        metadata.files.tombstone_file(owner, collection.id, full.id, now=NOW)
        world.purge(collection, full)
        assert world.try_claim(file) is not None

    def test_its_object_is_kept_for_a_day(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection = world.collection(owner)
        file = world.failed(owner, collection, PASSING)
        assert world.swept(now=NOW + 23 * HOUR)[2] == []
        requests = world.swept(now=NOW + 24 * HOUR)[2]
        assert [request.file_id for request in requests] == [file.id]
        assert world.purge(collection, file).generations == (1,)
        assert world.try_claim(file) is None
        assert metadata.files.get_file(owner, collection.id, file.id) == file


class TestPassingClaims(MetadataContract):
    @pytest.mark.parametrize("end", ["publish", "fail"])
    def test_a_slow_worker_may_still_end_what_nobody_took_over(
        self, metadata: Metadata, world: World, end: str
    ) -> None:
        owner = world.user()
        claim: Claim = world.claim(world.file(owner, world.collection(owner)))
        if end == "publish":
            info = DocumentInfo()
            assert metadata.ingestion.publish(claim, chunk_count=1, content_hash="ef" * 32, info=info, now=NOW + LEASE)
        else:
            assert metadata.ingestion.fail(claim, PASSING, now=NOW + LEASE)
