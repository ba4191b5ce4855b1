"""Dead letters, whichever metadata keeps them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from modulo.domain.errors import Forbidden, GivenUp, NotFound
from modulo.domain.file import File, FileProblem
from modulo.domain.identity import Principal, Role
from modulo.domain.letter import FUNCTIONS, KEPT, Burial, BuriedLetter, DeadLetter, LetterPage, LetterState, Request
from modulo.domain.transfer import Cursor, FetchRequest, IngestRequest, PurgeRequest
from modulo.ports import Metadata
from tests.contracts.metadata_world import FINAL, HOUR, NOW, PASSING, MetadataContract, World

GIVEN_UP = FileProblem.of(GivenUp())
MINUTE = timedelta(minutes=1)


def burial(request: Request | None, **more: Any) -> Burial:
    function = FUNCTIONS[type(request)] if request else None
    made = Burial(uuid4(), f"message {uuid4()}", function, request, '{"a": 1}', GIVEN_UP, 4, NOW - HOUR)
    return replace(made, **more)


class Letters:
    """A collection of an editor's, and what its letters say."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.metadata = world.metadata
        self.owner = world.user("owner")
        self.collection = world.collection(self.owner)

    def failed(self, name: str = "paper.pdf", problem: FileProblem = PASSING) -> File:
        return self.world.failed(self.owner, self.collection, problem, name)

    def bury(self, request: Request | None, *, now: datetime = NOW, **more: Any) -> Burial:
        made = burial(request, **more)
        assert self.metadata.bury(made, now=now)
        return made

    def bury_file(self, file: File, *, part: int | None = None, **more: Any) -> Burial:
        return self.bury(IngestRequest(self.world.ref(file), part), **more)

    def seen(self, *, caller: Principal | None = None, state: LetterState | None = None) -> list[DeadLetter]:
        by = caller or self.owner
        return list(self.metadata.list_letters(by, self.collection.id, LetterPage(99, state=state)).items)

    def states(self) -> dict[Any, LetterState]:
        return {letter.id: letter.state for letter in self.seen()}

    def operators(self, letter: Burial) -> BuriedLetter | None:
        found = self.metadata.buried_letters(LetterPage(1, letter_id=letter.id)).items
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
            state=LetterState.waiting,
            sent_at=NOW - HOUR,
            buried_at=NOW,
            retried_at=None,
        )
        assert letters.seen() == [expected]
        place = {"tenant_id": letters.world.tenant_id, "collection_id": letters.collection.id}
        assert letters.operators(made) == BuriedLetter(**expected.model_dump(), **place, body="NUL  in it")
        assert expected.request(*place.values()) == made.request

    def test_a_message_is_buried_once(self, metadata: Metadata, letters: Letters) -> None:
        made = letters.bury_file(letters.failed())
        before = letters.seen()
        assert not metadata.bury(replace(made, attempts=9), now=NOW + HOUR)
        assert letters.seen() == before
        nobodys = letters.bury(None)
        assert not metadata.bury(nobodys, now=NOW + HOUR)

    def test_a_later_death_stands_for_the_earlier_one_of_the_same(self, metadata: Metadata, letters: Letters) -> None:
        file, other = letters.failed(), letters.failed("other.pdf")
        first = letters.bury_file(file)
        fetch = letters.bury(FetchRequest(letters.world.ref(file)))
        part, neighbour = letters.bury_file(file, part=0), letters.bury_file(other)
        assert metadata.mark_retried(letters.world.tenant_id, [first.id], now=NOW) == 1
        second = letters.bury_file(file, now=NOW + MINUTE)
        assert set(letters.states()) == {fetch.id, part.id, neighbour.id, second.id}
        [fetched] = [letter for letter in letters.seen() if letter.id == fetch.id]
        assert fetched.request(letters.world.tenant_id, letters.collection.id) == fetch.request
        assert letters.states()[second.id] is LetterState.waiting

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
            found = letters.operators(letters.bury(request))
            assert found is not None
            assert (found.tenant_id, found.collection_id, found.file_id, found.generation) == (None,) * 4
            assert (found.state, found.problem) == (LetterState.waiting, GIVEN_UP)
        assert letters.seen() == []

    def test_a_letter_closes_when_its_file_needs_it_no_more(self, metadata: Metadata, letters: Letters) -> None:
        world, owner, at = letters.world, letters.owner, letters.collection
        names = ("ready.pdf", "replaced.pdf", "deleted.pdf", "hopeless.pdf", "going-on.pdf")
        made = {name: letters.bury_file(letters.failed(name)).id for name in names}
        files = {file.name: file for file in metadata.list_files(owner, at.id, after=None, limit=9, stage=None).items}
        assert set(letters.states().values()) == {LetterState.waiting}
        assert world.publish(world.claim(files["ready.pdf"]))
        world.file(owner, at, "replaced.pdf")
        metadata.tombstone_file(owner, at.id, files["deleted.pdf"].id, now=NOW)
        assert metadata.fail(world.claim(files["hopeless.pdf"]), FINAL, now=NOW)
        world.claim(files["going-on.pdf"])
        states = letters.states()
        assert {name: states[made[name]] for name in names} == dict.fromkeys(names, LetterState.closed) | {
            "going-on.pdf": LetterState.waiting
        }
        assert [letter.id for letter in letters.seen(state=LetterState.waiting)] == [made["going-on.pdf"]]
        assert len(letters.seen(state=LetterState.closed)) == 4

    def test_a_purge_waits_until_it_is_done(self, metadata: Metadata, letters: Letters) -> None:
        world, owner, at = letters.world, letters.owner, letters.collection
        world.ready(owner, at, "replaced.pdf")
        replaced, deleted = world.ready(owner, at, "replaced.pdf"), world.ready(owner, at, "deleted.pdf")
        metadata.tombstone_file(owner, at.id, deleted.id, now=NOW)
        purges = {file.name: PurgeRequest(world.tenant_id, at.id, file.id) for file in (replaced, deleted)}
        made = {name: letters.bury(request).id for name, request in purges.items()}
        assert set(letters.states().values()) == {LetterState.waiting}
        found = {letter.id: letter for letter in letters.seen()}[made["deleted.pdf"]]
        assert found.request(world.tenant_id, at.id) == purges["deleted.pdf"]
        world.purge(at, replaced)
        assert letters.states()[made["replaced.pdf"]] is LetterState.closed
        world.purge(at, deleted)
        assert set(letters.states()) == {made["replaced.pdf"]}
        assert not metadata.bury(burial(purges["deleted.pdf"]), now=NOW)

    def test_letters_go_with_their_collection(self, metadata: Metadata, letters: Letters) -> None:
        world, owner, at = letters.world, letters.owner, letters.collection
        kept = world.failed(owner, world.collection(owner, "kept"), PASSING)
        stays, goes = letters.bury_file(kept), letters.bury_file(letters.failed())
        metadata.tombstone_collection(owner, at.id, now=NOW)
        whole = letters.bury(PurgeRequest(world.tenant_id, at.id, None))
        found = [letters.operators(letter) for letter in (goes, whole)]
        assert [letter and letter.state for letter in found] == [LetterState.closed, LetterState.waiting]
        world.purge(at)
        assert [letters.operators(letter) for letter in (goes, whole)] == [None, None]
        assert letters.operators(stays)
        assert not metadata.bury(burial(PurgeRequest(world.tenant_id, at.id, None)), now=NOW)

    def test_letters_are_retried_and_discarded_by_tenant(self, metadata: Metadata, letters: Letters) -> None:
        mine, tenant = letters.world.tenant_id, letters.bury_file(letters.failed())
        nobodys = letters.bury(None)
        both = [tenant.id, nobodys.id, uuid4()]
        assert metadata.mark_retried(uuid4(), both, now=NOW) == metadata.discard_letters(uuid4(), both) == 0
        for owner, letter in ((mine, tenant), (None, nobodys)):
            assert metadata.mark_retried(owner, both, now=NOW + MINUTE) == 1
            found = letters.operators(letter)
            assert found is not None
            assert (found.state, found.retried_at) == (LetterState.retried, NOW + MINUTE)
        assert [letter.id for letter in letters.seen(state=LetterState.retried)] == [tenant.id]
        for owner, letter in ((mine, tenant), (None, nobodys)):
            assert metadata.discard_letters(owner, both) == 1
            assert letters.operators(letter) is None
        assert metadata.mark_retried(mine, [], now=NOW) == metadata.discard_letters(mine, []) == 0

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
            page = metadata.list_letters(letters.owner, letters.collection.id, LetterPage(2, after))
            found += page.items
            if page.next is None:
                break
            after = Cursor.decode(page.next)
        assert {letter.id for letter in found} == set(made)
        assert [letter.buried_at for letter in found] == sorted((letter.buried_at for letter in found), reverse=True)
        whole = metadata.buried_letters(LetterPage(3, state=LetterState.waiting))
        assert (len(whole.items), whole.next is not None) == (3, True)

    def test_one_is_found_by_its_id_where_it_is(self, metadata: Metadata, letters: Letters) -> None:
        made = letters.bury_file(letters.failed())
        letters.bury_file(letters.failed("other.pdf"))
        elsewhere = letters.world.collection(letters.owner, "elsewhere")
        page = LetterPage(1, letter_id=made.id)
        assert [one.id for one in metadata.list_letters(letters.owner, letters.collection.id, page).items] == [made.id]
        assert metadata.list_letters(letters.owner, elsewhere.id, page).items == ()

    def test_old_letters_are_forgotten_by_the_sweep(self, metadata: Metadata, letters: Letters) -> None:
        metadata.sweep(now=NOW + 99 * KEPT, limit=100_000)  # what other tests left
        old = [letters.bury(None, now=NOW + n * MINUTE) for n in range(3)]
        young = letters.bury(None, now=NOW + HOUR)
        swept = [metadata.sweep(now=NOW + KEPT + 2 * MINUTE, limit=2).forgotten for _ in range(3)]
        assert swept == [2, 1, 0]
        assert [letters.operators(letter) for letter in old] == [None] * 3
        assert letters.operators(young)
