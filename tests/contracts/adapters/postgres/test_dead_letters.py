"""Dead letters, whichever metadata keeps them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.files.file import File, FileProblem
from modulo.domain.operations.dead_letter import (
    RETENTION,
    DeadLetter,
    DeadLetterDraft,
    DeadLetterQuery,
    DeadLetterState,
    OperatorDeadLetter,
    Request,
)
from modulo.domain.operations.messages import FetchRequest, IngestRequest
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.pagination import Cursor
from modulo.domain.tenancy.identity import Principal, Role
from tests.metadata_world import (
    FINAL,
    GIVEN_UP,
    HOUR,
    NOW,
    PASSING,
    Metadata,
    MetadataContract,
    World,
    dead_letter_draft,
)

MINUTE = timedelta(minutes=1)


class Letters:
    """A collection of an editor's, and what its letters say."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.metadata = world.metadata
        self.owner = world.user("owner")
        self.collection = world.collection(self.owner)

    def failed(self, name: str = "paper.pdf", problem: FileProblem = PASSING) -> File:
        return self.world.failed(self.owner, self.collection, problem, name)

    def record_dead_letter(self, request: Request | None, *, now: datetime = NOW, **more: Any) -> DeadLetterDraft:
        made = dead_letter_draft(request, **more)
        assert self.metadata.dead_letters.record_dead_letter(made, now=now)
        return made

    def bury_file(self, file: File, *, part: int | None = None, **more: Any) -> DeadLetterDraft:
        return self.record_dead_letter(IngestRequest(self.world.ref(file), part), **more)

    def seen(self, *, caller: Principal | None = None, state: DeadLetterState | None = None) -> list[DeadLetter]:
        by = caller or self.owner
        return list(
            self.metadata.dead_letters.list_dead_letters(by, self.collection.id, DeadLetterQuery(99, state=state)).items
        )

    def states(self) -> dict[Any, DeadLetterState]:
        return {letter.id: letter.state for letter in self.seen()}

    def operators(self, letter: DeadLetterDraft) -> OperatorDeadLetter | None:
        found = self.metadata.dead_letters.list_all_dead_letters(DeadLetterQuery(1, letter_id=letter.id)).items
        return found[0] if found else None


class TestLetters(MetadataContract):
    @pytest.fixture
    def letters(self, world: World) -> Letters:
        return Letters(world)

    def test_a_letter_tells_what_died_of_what(self, letters: Letters) -> None:
        file = letters.failed()
        made = letters.bury_file(file, part=3, body="NUL \0 in it")
        expected = DeadLetter(
            id=made.id,
            message_id=made.message_id,
            function="ingest_file",
            file_id=file.id,
            name="paper.pdf",
            generation=1,
            source=1,
            part=3,
            problem=PASSING,
            attempts=4,
            state=DeadLetterState.waiting,
            sent_at=NOW - HOUR,
            buried_at=NOW,
            retried_at=None,
        )
        assert letters.seen() == [expected]
        place = {"tenant_id": letters.world.tenant_id, "collection_id": letters.collection.id}
        assert letters.operators(made) == OperatorDeadLetter(**expected.model_dump(), **place, body="NUL  in it")
        assert expected.request(*place.values()) == made.request

    def test_a_message_is_buried_once(self, metadata: Metadata, letters: Letters) -> None:
        made = letters.bury_file(letters.failed())
        before = letters.seen()
        assert not metadata.dead_letters.record_dead_letter(replace(made, attempts=9), now=NOW + HOUR)
        assert letters.seen() == before
        nobodys = letters.record_dead_letter(None)
        assert not metadata.dead_letters.record_dead_letter(nobodys, now=NOW + HOUR)

    def test_a_later_death_stands_for_the_earlier_one_of_the_same(self, metadata: Metadata, letters: Letters) -> None:
        file, other = letters.failed(), letters.failed("other.pdf")
        first = letters.bury_file(file)
        fetch = letters.record_dead_letter(FetchRequest(letters.world.ref(file)))
        part, neighbour = letters.bury_file(file, part=0), letters.bury_file(other)
        assert metadata.dead_letters.mark_retried(letters.world.tenant_id, [first.id], now=NOW) == 1
        second = letters.bury_file(file, now=NOW + MINUTE)
        assert set(letters.states()) == {fetch.id, part.id, neighbour.id, second.id}
        [fetched] = [letter for letter in letters.seen() if letter.id == fetch.id]
        assert fetched.request(letters.world.tenant_id, letters.collection.id) == fetch.request
        assert letters.states()[second.id] is DeadLetterState.waiting

    def test_a_file_that_has_not_failed_lends_no_problem(self, letters: Letters) -> None:
        letters.bury_file(letters.world.file(letters.owner, letters.collection))
        assert [letter.problem for letter in letters.seen()] == [GIVEN_UP]

    def test_what_does_not_exist_is_the_operators(self, letters: Letters) -> None:
        ref = letters.world.ref(letters.failed())
        elsewhere = letters.world.collection(letters.owner, "other")
        for request in (
            None,
            IngestRequest(replace(ref, tenant_id=uuid4())),
            IngestRequest(replace(ref, collection_id=elsewhere.id)),
            IngestRequest(replace(ref, file_id=uuid4())),
            IngestRequest(replace(ref, generation=2)),
            PurgeRequest(ref.tenant_id, uuid4(), None),
            PurgeRequest(ref.tenant_id, elsewhere.id, ref.file_id),
        ):
            found = letters.operators(letters.record_dead_letter(request))
            assert found is not None
            assert (found.tenant_id, found.collection_id, found.file_id, found.generation) == (None,) * 4
            assert (found.state, found.problem) == (DeadLetterState.waiting, GIVEN_UP)
        assert letters.seen() == []

    def test_a_letter_closes_when_its_file_needs_it_no_more(self, metadata: Metadata, letters: Letters) -> None:
        world, owner, at = letters.world, letters.owner, letters.collection
        names = ("ready.pdf", "replaced.pdf", "deleted.pdf", "hopeless.pdf", "going-on.pdf")
        made = {name: letters.bury_file(letters.failed(name)).id for name in names}
        files = {
            file.name: file for file in metadata.files.list_files(owner, at.id, after=None, limit=9, stage=None).items
        }
        assert set(letters.states().values()) == {DeadLetterState.waiting}
        assert world.publish(world.claim(files["ready.pdf"]))
        world.file(owner, at, "replaced.pdf")
        metadata.files.tombstone_file(owner, at.id, files["deleted.pdf"].id, now=NOW)
        assert metadata.ingestion.fail(world.claim(files["hopeless.pdf"]), FINAL, now=NOW)
        world.claim(files["going-on.pdf"])
        states = letters.states()
        assert {name: states[made[name]] for name in names} == dict.fromkeys(names, DeadLetterState.closed) | {
            "going-on.pdf": DeadLetterState.waiting
        }
        assert [letter.id for letter in letters.seen(state=DeadLetterState.waiting)] == [made["going-on.pdf"]]
        assert len(letters.seen(state=DeadLetterState.closed)) == 4

    def test_a_purge_waits_until_it_is_done(self, metadata: Metadata, letters: Letters) -> None:
        world, owner, at = letters.world, letters.owner, letters.collection
        world.ready(owner, at, "replaced.pdf")
        replaced, deleted = world.ready(owner, at, "replaced.pdf"), world.ready(owner, at, "deleted.pdf")
        metadata.files.tombstone_file(owner, at.id, deleted.id, now=NOW)
        purges = {file.name: PurgeRequest(world.tenant_id, at.id, file.id) for file in (replaced, deleted)}
        made = {name: letters.record_dead_letter(request).id for name, request in purges.items()}
        assert set(letters.states().values()) == {DeadLetterState.waiting}
        found = {letter.id: letter for letter in letters.seen()}[made["deleted.pdf"]]
        assert found.request(world.tenant_id, at.id) == purges["deleted.pdf"]
        world.purge(at, replaced)
        assert letters.states()[made["replaced.pdf"]] is DeadLetterState.closed
        world.purge(at, deleted)
        assert set(letters.states()) == {made["replaced.pdf"]}
        assert not metadata.dead_letters.record_dead_letter(dead_letter_draft(purges["deleted.pdf"]), now=NOW)

    def test_letters_go_with_their_collection(self, metadata: Metadata, letters: Letters) -> None:
        world, owner, at = letters.world, letters.owner, letters.collection
        kept = world.failed(owner, world.collection(owner, "kept"), PASSING)
        stays, goes = letters.bury_file(kept), letters.bury_file(letters.failed())
        metadata.collections.tombstone_collection(owner, at.id, now=NOW)
        whole = letters.record_dead_letter(PurgeRequest(world.tenant_id, at.id, None))
        found = [letters.operators(letter) for letter in (goes, whole)]
        assert [letter and letter.state for letter in found] == [DeadLetterState.closed, DeadLetterState.waiting]
        world.purge(at)
        assert [letters.operators(letter) for letter in (goes, whole)] == [None, None]
        assert letters.operators(stays)
        assert not metadata.dead_letters.record_dead_letter(
            dead_letter_draft(PurgeRequest(world.tenant_id, at.id, None)), now=NOW
        )

    def test_letters_are_retried_and_discarded_by_tenant(self, metadata: Metadata, letters: Letters) -> None:
        mine, tenant = letters.world.tenant_id, letters.bury_file(letters.failed())
        nobodys = letters.record_dead_letter(None)
        both = [tenant.id, nobodys.id, uuid4()]
        assert (
            metadata.dead_letters.mark_retried(uuid4(), both, now=NOW)
            == metadata.dead_letters.discard_dead_letters(uuid4(), both)
            == 0
        )
        for owner, letter in ((mine, tenant), (None, nobodys)):
            assert metadata.dead_letters.mark_retried(owner, both, now=NOW + MINUTE) == 1
            found = letters.operators(letter)
            assert found is not None
            assert (found.state, found.retried_at) == (DeadLetterState.retried, NOW + MINUTE)
        assert [letter.id for letter in letters.seen(state=DeadLetterState.retried)] == [tenant.id]
        for owner, letter in ((mine, tenant), (None, nobodys)):
            assert metadata.dead_letters.discard_dead_letters(owner, both) == 1
            assert letters.operators(letter) is None
        assert (
            metadata.dead_letters.mark_retried(mine, [], now=NOW)
            == metadata.dead_letters.discard_dead_letters(mine, [])
            == 0
        )

    def test_only_editors_see_them(self, letters: Letters) -> None:
        letters.bury_file(letters.failed())
        world = letters.world
        assert letters.seen(caller=world.member(letters.owner, letters.collection, Role.editor))
        with pytest.raises(Forbidden):
            letters.seen(caller=world.member(letters.owner, letters.collection, Role.viewer))
        with pytest.raises(NotFound):
            letters.seen(caller=world.user())

    def test_pages_hold_all_once_newest_first(self, metadata: Metadata, letters: Letters) -> None:
        made = [letters.bury_file(letters.failed(f"{n}.pdf"), now=NOW + n // 2 * MINUTE).id for n in range(5)]
        found: list[DeadLetter] = []
        after = None
        while True:
            page = metadata.dead_letters.list_dead_letters(
                letters.owner, letters.collection.id, DeadLetterQuery(2, after)
            )
            found += page.items
            if page.next is None:
                break
            after = Cursor.decode(page.next)
        assert {letter.id for letter in found} == set(made)
        assert [letter.buried_at for letter in found] == sorted((letter.buried_at for letter in found), reverse=True)
        whole = metadata.dead_letters.list_all_dead_letters(DeadLetterQuery(3, state=DeadLetterState.waiting))
        assert (len(whole.items), whole.next is not None) == (3, True)

    def test_one_is_found_by_its_id_where_it_is(self, metadata: Metadata, letters: Letters) -> None:
        made = letters.bury_file(letters.failed())
        letters.bury_file(letters.failed("other.pdf"))
        elsewhere = letters.world.collection(letters.owner, "elsewhere")
        page = DeadLetterQuery(1, letter_id=made.id)
        assert [
            one.id for one in metadata.dead_letters.list_dead_letters(letters.owner, letters.collection.id, page).items
        ] == [made.id]
        assert metadata.dead_letters.list_dead_letters(letters.owner, elsewhere.id, page).items == ()

    def test_old_letters_are_forgotten_by_the_sweep(self, metadata: Metadata, letters: Letters) -> None:
        metadata.sweeping.sweep(now=NOW + 99 * RETENTION, limit=100_000)  # what other tests left
        old = [letters.record_dead_letter(None, now=NOW + n * MINUTE) for n in range(3)]
        young = letters.record_dead_letter(None, now=NOW + HOUR)
        swept = [metadata.sweeping.sweep(now=NOW + RETENTION + 2 * MINUTE, limit=2).forgotten for _ in range(3)]
        assert swept == [2, 1, 0]
        assert [letters.operators(letter) for letter in old] == [None] * 3
        assert letters.operators(young)
