"""Files whose bytes are fetched, whichever metadata keeps them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from modulo.domain.collections.reembedding import ReembeddingDraft, ReembeddingState
from modulo.domain.errors import QuotaExceeded
from modulo.domain.files.file import File, Stage
from modulo.domain.files.web import ContentInfo, FetchTask, KnownContent, Validators
from tests.metadata_world import FINAL, HOUR, MODEL, NOW, PASSING, QUOTAS, Metadata, MetadataContract, World

PAGE = ContentInfo(600, "ab" * 32, "text/html")
URL = "https://docs.example.org/page"


class TestFetching(MetadataContract):
    @pytest.fixture
    def file(self, world: World) -> File:
        self.owner = world.user()
        self.collection = world.collection(self.owner)
        return world.addressed(self.owner, self.collection)

    def seen(self, metadata: Metadata, file: File) -> File:
        return metadata.files.get_file(self.owner, self.collection.id, file.id, fresh=True)

    def test_it_waits_for_its_bytes_and_is_charged_nothing_yet(
        self, metadata: Metadata, world: World, file: File
    ) -> None:
        assert (file.stage, file.size_bytes, file.source_url) == (Stage.fetching, 0, URL)
        assert self.seen(metadata, file) == file
        assert world.usage(self.owner).storage_bytes == 0

    def test_tries_are_counted(self, metadata: Metadata, world: World, file: File) -> None:
        for attempt in (1, 2):
            assert metadata.fetching.begin_fetch(world.ref(file), now=NOW) == FetchTask("page.html", URL, attempt, None)

    def test_what_arrives_is_recorded_and_charged(self, metadata: Metadata, world: World, file: File) -> None:
        ref = world.ref(file)
        assert metadata.fetching.arrive(ref, PAGE, before=None, now=NOW)
        found = self.seen(metadata, file)
        assert (found.size_bytes, found.checksum_sha256, found.media_type) == (600, "ab" * 32, "text/html")
        assert found.stage is Stage.fetching
        assert world.usage(self.owner).storage_bytes == 600
        assert metadata.collections.get_collection(self.owner, self.collection.id).storage_bytes == 600
        claim = world.claim(file)
        assert (claim.size_bytes, claim.checksum_sha256, claim.attempt) == (600, "ab" * 32, 1)
        assert world.publish(claim)
        assert self.seen(metadata, file).source_url == URL
        live = metadata.grants.live_documents(self.owner, [self.collection.id], [file.id], reservation=None)
        assert live.documents[file.id].url == URL

    def test_other_bytes_take_the_place_of_those_before(self, metadata: Metadata, world: World, file: File) -> None:
        ref = world.ref(file)
        assert metadata.fetching.arrive(ref, PAGE, before=None, now=NOW)
        fetch = metadata.fetching.begin_fetch(ref, now=NOW)
        assert fetch is not None
        assert (fetch.attempt, fetch.checksum) == (1, "ab" * 32)
        smaller = ContentInfo(200, "cd" * 32, "text/html")
        assert not metadata.fetching.arrive(ref, smaller, before=None, now=NOW)
        assert metadata.fetching.arrive(ref, smaller, before=fetch.checksum, now=NOW)
        assert world.usage(self.owner).storage_bytes == 200
        assert metadata.fetching.arrive(ref, replace(smaller, size_bytes=900), before=smaller.checksum_sha256, now=NOW)
        assert world.usage(self.owner).storage_bytes == 900

    def test_of_two_who_fetch_at_once_one_arrives(self, metadata: Metadata, world: World, file: File) -> None:
        found = [ContentInfo(number, f"{number:02}" * 32, "text/html") for number in range(1, 9)]
        with ThreadPoolExecutor(4) as pool:
            won = list(
                pool.map(lambda each: metadata.fetching.arrive(world.ref(file), each, before=None, now=NOW), found)
            )
        assert won.count(True) == 1
        winner = found[won.index(True)]
        assert self.seen(metadata, file).checksum_sha256 == winner.checksum_sha256
        assert world.usage(self.owner).storage_bytes == winner.size_bytes

    def test_what_does_not_fit_changes_nothing(self, metadata: Metadata, world: World, file: File) -> None:
        world.file(self.owner, self.collection, size=500)
        with pytest.raises(QuotaExceeded) as caught:
            metadata.fetching.arrive(world.ref(file), PAGE, before=None, now=NOW)
        assert caught.value.extra["resource"] == "storage_bytes"
        assert self.seen(metadata, file) == file
        assert world.usage(self.owner).storage_bytes == 500
        assert metadata.fetching.arrive(world.ref(file), replace(PAGE, size_bytes=500), before=None, now=NOW)

    @pytest.mark.parametrize("problem", [FINAL, PASSING])
    @pytest.mark.parametrize("arrived", [False, True])
    def test_what_cannot_be_fetched_fails(
        self, metadata: Metadata, world: World, file: File, problem: object, arrived: bool
    ) -> None:
        if arrived:
            assert metadata.fetching.arrive(world.ref(file), PAGE, before=None, now=NOW)
        assert metadata.fetching.refuse(world.ref(file), problem, now=NOW)  # type: ignore[arg-type]
        found = self.seen(metadata, file)
        assert (found.stage, found.problem) == (Stage.failed, problem)
        assert world.usage(self.owner).storage_bytes == 0
        assert metadata.fetching.begin_fetch(world.ref(file), now=NOW) is None
        assert not metadata.fetching.arrive(world.ref(file), PAGE, before=None, now=NOW)
        assert not metadata.fetching.refuse(world.ref(file), problem, now=NOW)  # type: ignore[arg-type]
        again = world.addressed(self.owner, self.collection)
        assert (again.id, again.generation) == (file.id, 2)

    def test_a_failed_try_is_shown_until_bytes_arrive(self, metadata: Metadata, world: World, file: File) -> None:
        ref, later = world.ref(file), NOW + timedelta(minutes=1)
        assert metadata.fetching.postpone_fetch(ref, PASSING, until=NOW + HOUR, now=later)
        found = self.seen(metadata, file)
        assert (found.stage, found.problem, found.next_attempt_at) == (Stage.fetching, PASSING, NOW + HOUR)
        assert found.updated_at == later
        assert metadata.fetching.begin_fetch(ref, now=NOW)
        found = self.seen(metadata, file)
        assert (found.problem, found.next_attempt_at) == (PASSING, None)
        assert metadata.fetching.postpone_fetch(ref, FINAL, until=NOW + HOUR, now=NOW)
        assert metadata.fetching.arrive(ref, PAGE, before=None, now=NOW)
        found = self.seen(metadata, file)
        assert (found.problem, found.next_attempt_at) == (None, None)

    def test_what_a_late_delivery_says_is_forgotten_by_the_claim(
        self, metadata: Metadata, world: World, file: File
    ) -> None:
        ref = world.ref(file)
        assert metadata.fetching.arrive(ref, PAGE, before=None, now=NOW)
        assert metadata.fetching.postpone_fetch(ref, PASSING, until=NOW + HOUR, now=NOW)
        claim = world.claim(file)
        found = self.seen(metadata, file)
        assert (found.stage, found.problem, found.next_attempt_at) == (Stage.parsing, None, None)
        assert world.publish(claim)

    @pytest.mark.parametrize("arrived", [False, True])
    def test_what_failed_is_fetched_again_as_at_the_beginning(
        self, metadata: Metadata, world: World, file: File, arrived: bool
    ) -> None:
        ref, later = world.ref(file), NOW + 2 * HOUR
        assert metadata.fetching.begin_fetch(ref, now=NOW)
        if arrived:
            assert metadata.fetching.arrive(ref, PAGE, before=None, now=NOW)
        assert not metadata.fetching.restart_fetch(ref, deadline=later, now=NOW), "it still waits"
        assert metadata.fetching.refuse(ref, PASSING, now=NOW)
        assert metadata.fetching.restart_fetch(ref, deadline=later + HOUR, now=later)
        assert not metadata.fetching.restart_fetch(ref, deadline=later + HOUR, now=later), "once"
        found = self.seen(metadata, file)
        assert (found.stage, found.problem, found.size_bytes, found.checksum_sha256) == (Stage.fetching, None, 0, None)
        assert world.usage(self.owner).storage_bytes == 0
        assert world.swept(now=later)[0] == []
        assert metadata.fetching.begin_fetch(ref, now=later) == FetchTask("page.html", URL, 1, None)
        assert metadata.fetching.arrive(ref, PAGE, before=None, now=later)
        assert world.usage(self.owner).storage_bytes == 600
        assert world.swept(now=later + HOUR)[0] == [ref]
        assert world.usage(self.owner).storage_bytes == 0

    @pytest.mark.parametrize("how", ["for good", "uploaded", "claimed", "superseded", "deleted", "purged"])
    def test_what_a_restart_cannot_help_is_left_alone(
        self, metadata: Metadata, world: World, file: File, how: str
    ) -> None:
        ref = world.ref(file)
        match how:
            case "for good":
                assert metadata.fetching.refuse(ref, FINAL, now=NOW)
            case "uploaded":
                form = world.file(self.owner, self.collection, "form.pdf")
                ref = world.ref(form)
                assert metadata.ingestion.fail(world.claim(form), PASSING, now=NOW)
            case "claimed":
                assert metadata.ingestion.fail(world.claim(file), PASSING, now=NOW)
            case "superseded":
                assert metadata.fetching.refuse(ref, PASSING, now=NOW)
                world.addressed(self.owner, self.collection)
            case "deleted":
                assert metadata.fetching.refuse(ref, PASSING, now=NOW)
                metadata.files.tombstone_file(self.owner, self.collection.id, file.id, now=NOW)
            case "purged":
                assert metadata.fetching.refuse(ref, PASSING, now=NOW)
                world.swept(now=NOW + timedelta(days=1))
        before = world.usage(self.owner)
        assert not metadata.fetching.restart_fetch(ref, deadline=NOW + HOUR, now=NOW)
        assert world.usage(self.owner) == before

    @pytest.mark.parametrize("how", ["claimed", "deleted", "collection deleted", "superseded", "overdue", "uploaded"])
    def test_what_waits_no_more_is_left_alone(self, metadata: Metadata, world: World, file: File, how: str) -> None:
        ref = world.ref(file)
        match how:
            case "claimed":
                world.claim(file)
            case "deleted":
                metadata.files.tombstone_file(self.owner, self.collection.id, file.id, now=NOW)
            case "collection deleted":
                metadata.collections.tombstone_collection(self.owner, self.collection.id, now=NOW)
            case "superseded":
                world.addressed(self.owner, self.collection)
            case "overdue":
                assert world.swept(now=NOW + 2 * HOUR)[0] == [ref]
            case "uploaded":
                ref = world.ref(world.file(self.owner, self.collection, "form.pdf"))
        before = world.usage(self.owner)
        assert metadata.fetching.begin_fetch(ref, now=NOW) is None
        assert not metadata.fetching.arrive(ref, PAGE, before=None, now=NOW)
        assert not metadata.fetching.refuse(ref, FINAL, now=NOW)
        assert not metadata.fetching.postpone_fetch(ref, PASSING, until=NOW + HOUR, now=NOW)
        assert world.usage(self.owner) == before


class TestUnchanged(MetadataContract):
    """An address whose bytes are searched already is fetched again."""

    SAID = Validators('"1"', "Wed, 01 Jul 2026 06:00:00 GMT")
    KNOWN = KnownContent(1, PAGE.checksum_sha256, SAID)

    @pytest.fixture
    def file(self, world: World) -> File:
        """The second generation of a file whose first is ready."""
        self.owner = world.user()
        self.collection = world.collection(self.owner)
        first = world.addressed(self.owner, self.collection)
        arrival = replace(PAGE, validators=self.SAID)
        assert world.metadata.fetching.arrive(world.ref(first), arrival, before=None, now=NOW)
        assert world.publish(world.claim(first))
        return world.addressed(self.owner, self.collection)

    def seen(self, metadata: Metadata, file: File) -> File:
        return metadata.files.get_file(self.owner, self.collection.id, file.id, fresh=True)

    def test_what_is_known_is_told(self, metadata: Metadata, world: World, file: File) -> None:
        assert file.generation == 2
        assert metadata.fetching.begin_fetch(world.ref(file), now=NOW) == FetchTask(
            "page.html", URL, 1, None, self.KNOWN
        )

    def test_of_another_address_nothing_is_known(self, metadata: Metadata, world: World, file: File) -> None:
        draft = world.upload("page.html", 0, source_url=f"{URL}?other", checksum_sha256=None)
        other = metadata.uploads.reserve_file(self.owner, self.collection.id, draft, quotas=QUOTAS, now=NOW)
        assert (other.id, other.generation) == (file.id, 3)
        assert metadata.fetching.begin_fetch(world.ref(other), now=NOW) == FetchTask(
            "page.html", f"{URL}?other", 1, None
        )

    @pytest.mark.parametrize("said", [None, Validators(), Validators('"2"')])
    def test_the_file_is_what_it_was(
        self, metadata: Metadata, world: World, file: File, said: Validators | None
    ) -> None:
        ref, later, grant = world.ref(file), NOW + HOUR, metadata.grants.grant(self.owner, self.collection.id)
        assert metadata.fetching.unchanged(ref, self.KNOWN, said, before=None, now=later)
        found = self.seen(metadata, file)
        assert (found.stage, found.generation, found.live_generation) == (Stage.ready, 1, 1)
        assert (found.checked_at, found.updated_at) == (later, later)
        assert (found.size_bytes, found.checksum_sha256) == (600, PAGE.checksum_sha256)
        assert world.usage(self.owner).storage_bytes == 600
        assert metadata.grants.grant(self.owner, self.collection.id) == grant
        changed = metadata.files.changes(self.owner, self.collection.id, after=None, limit=9)
        assert [one.updated_at for one in changed] == [later]
        assert not metadata.fetching.unchanged(ref, self.KNOWN, said, before=None, now=later)
        assert metadata.fetching.begin_fetch(ref, now=later) is None
        assert world.try_claim(file) is None
        again = world.addressed(self.owner, self.collection)
        assert again.generation == 3
        fetch = metadata.fetching.begin_fetch(world.ref(again), now=later)
        assert fetch is not None
        assert fetch.known == replace(self.KNOWN, validators=self.SAID if said is None else said)

    def test_what_came_of_it_is_purged_and_the_file_kept(self, metadata: Metadata, world: World, file: File) -> None:
        ref = world.ref(file)
        arrived = replace(PAGE, size_bytes=50, checksum_sha256="cd" * 32)
        assert metadata.fetching.arrive(ref, arrived, before=None, now=NOW)
        assert not metadata.fetching.unchanged(ref, self.KNOWN, None, before=None, now=NOW), (
            "another fetch is storing bytes"
        )
        assert metadata.fetching.unchanged(ref, self.KNOWN, None, before=arrived.checksum_sha256, now=NOW)
        assert world.usage(self.owner).storage_bytes == 600
        assert world.swept(now=NOW + timedelta(seconds=119))[2] == [], "it may be stored yet"
        [request] = world.swept(now=NOW + timedelta(minutes=2))[2]
        assert request.file_id == file.id
        assert world.purge(self.collection, file).generations == (2,)
        assert self.seen(metadata, file).stage is Stage.ready
        assert world.usage(self.owner).storage_bytes == 600

    @pytest.mark.parametrize("how", ["deleted", "superseded", "other bytes are searched"])
    def test_what_is_not_so_any_more_changes_nothing(
        self, metadata: Metadata, world: World, file: File, how: str
    ) -> None:
        known = self.KNOWN
        match how:
            case "deleted":
                metadata.files.tombstone_file(self.owner, self.collection.id, file.id, now=NOW)
            case "superseded":
                world.addressed(self.owner, self.collection)
            case "other bytes are searched":
                known = replace(known, source=7)
        before = world.usage(self.owner)
        assert not metadata.fetching.unchanged(world.ref(file), known, None, before=None, now=NOW)
        assert world.usage(self.owner) == before

    def test_the_same_bytes_embedded_anew_are_known_too(self, metadata: Metadata, world: World, file: File) -> None:
        draft = ReembeddingDraft(uuid4(), MODEL, None, auto_switch=False, keep_seconds=60)
        assert metadata.fetching.unchanged(world.ref(file), self.KNOWN, None, before=None, now=NOW)
        [twin] = metadata.reembeddings.start_reembedding(self.owner, self.collection.id, draft, now=NOW).queue
        again = world.addressed(self.owner, self.collection)
        claim = metadata.ingestion.claim(twin, version="1", now=NOW, lease_until=NOW + HOUR, deadline=NOW + HOUR)
        assert claim is not None
        assert world.publish(claim)
        metadata.reembeddings.move_reembedding(
            self.owner, self.collection.id, ReembeddingState.switched, leave_out=True, now=NOW
        )
        fetch = metadata.fetching.begin_fetch(world.ref(again), now=NOW)
        assert fetch is not None
        assert fetch.known == self.KNOWN
        assert metadata.fetching.unchanged(world.ref(again), self.KNOWN, None, before=None, now=NOW)
        found = self.seen(metadata, file)
        assert (found.generation, found.stage) == (found.live_generation, Stage.ready) == (twin.generation, Stage.ready)
