"""Bytes that come twice, and files with several names, whichever metadata keeps them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from modulo.domain.collections.collection import Collection
from modulo.domain.documents.document import Part
from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded
from modulo.domain.files.duplicates import MAX_ALIASES
from modulo.domain.files.file import DocumentInfo, Duplicate, File, OnDuplicate, Stage
from modulo.domain.tenancy.identity import Principal, Role
from modulo.domain.tenancy.quota import Quotas
from tests.metadata_world import FINAL, HOUR, NOW, PASSING, QUOTAS, MetadataContract, World

EXISTING, ALIAS, NEW = OnDuplicate
HASH, OTHER = "ab" * 32, "cd" * 32


class Place:
    """A collection, and uploads into it."""

    def __init__(self, world: World) -> None:
        self.world, self.metadata = world, world.metadata
        self.owner = world.user()
        self.collection = world.collection(self.owner)

    def upload(
        self,
        name: str,
        how: OnDuplicate = EXISTING,
        *,
        by: Principal | None = None,
        to: Collection | None = None,
        **more: object,
    ) -> File:
        draft = self.world.upload(name, on_duplicate=how, **more)
        target = (to or self.collection).id
        return self.metadata.uploads.reserve_file(by or self.owner, target, draft, quotas=QUOTAS, now=NOW)

    def ready(self, name: str, how: OnDuplicate = EXISTING, **more: object) -> File:
        file = self.upload(name, how, **more)
        assert self.world.publish(self.world.claim(file))
        return self.file(file)

    def file(self, file: File) -> File:
        return self.metadata.files.get_file(self.owner, self.collection.id, file.id, fresh=True)

    def names(self) -> dict[str, tuple[str, ...]]:
        listing = self.metadata.files.list_files(self.owner, self.collection.id, after=None, limit=99, stage=None)
        return {file.name: file.aliases for file in listing.items}

    @property
    def version(self) -> int:
        return self.metadata.collections.get_collection(self.owner, self.collection.id).version

    @property
    def bytes(self) -> int:
        return self.world.usage(self.owner).storage_bytes


class DuplicatesContract(MetadataContract):
    @pytest.fixture
    def place(self, world: World) -> Place:
        return Place(world)


def same(found: File, file: File) -> bool:
    return isinstance(found, Duplicate) and found.model_dump() == file.model_dump()


class TestDuplicates(DuplicatesContract):
    @pytest.mark.parametrize("divided", [False, True])
    def test_bytes_whose_checksum_shows_when_they_are_read_are_found_from_then_on(
        self, place: Place, divided: bool
    ) -> None:
        first = place.upload("a.pdf", checksum_sha256=None)
        claim = place.world.claim(first)
        early = place.upload("early.pdf")
        assert not isinstance(early, Duplicate)
        place.metadata.files.tombstone_file(place.owner, place.collection.id, early.id, now=NOW)
        read: dict[str, Any] = {"checksum_sha256": HASH, "now": NOW}
        if divided:
            times = {"lease_until": NOW + HOUR, "deadline": NOW + HOUR}
            assert place.metadata.parts.divide(claim, [Part(0, 0, 1)], pages_total=1, **times, **read)
        else:
            info = DocumentInfo()
            assert place.metadata.ingestion.publish(claim, chunk_count=1, content_hash=OTHER, info=info, **read)
        assert place.file(first).checksum_sha256 == HASH
        assert same(place.upload("later.pdf"), place.file(first))

    def test_a_checksum_that_was_announced_stays(self, place: Place) -> None:
        file = place.upload("a.pdf")
        read: dict[str, Any] = {"info": DocumentInfo(), "checksum_sha256": OTHER, "now": NOW}
        assert place.metadata.ingestion.publish(place.world.claim(file), chunk_count=1, content_hash=OTHER, **read)
        assert place.file(file).checksum_sha256 == HASH

    def test_bytes_that_are_there_answer_with_their_file(self, place: Place) -> None:
        first = place.ready("a.pdf")
        version = place.version
        assert same(place.upload("b.pdf"), first)
        assert same(place.upload("a.pdf"), first)
        assert place.names() == {"a.pdf": ()}
        assert (place.bytes, place.version) == (100, version)

    def test_bytes_that_are_being_ingested_too(self, place: Place) -> None:
        first = place.upload("a.pdf")
        place.world.claim(first)
        assert same(place.upload("b.pdf"), place.file(first))
        assert same(place.upload("a.pdf"), place.file(first))

    def test_bytes_that_are_still_to_come_wait_longer(self, place: Place) -> None:
        first = place.upload("a.pdf")
        assert same(place.upload("b.pdf", deadline=NOW + 5 * HOUR), first)
        assert same(place.upload("c.pdf", deadline=NOW + 2 * HOUR), first)
        assert place.world.swept(now=NOW + 5 * HOUR - timedelta(seconds=1))[0] == []
        assert [ref.file_id for ref in place.world.swept(now=NOW + 5 * HOUR)[0]] == [first.id]

    @pytest.mark.parametrize(
        "other",
        [
            {"checksum_sha256": OTHER},
            {"checksum_sha256": None},
            {"size": 101},
            {"media_type": "text/plain"},
            {"how": NEW},
        ],
        ids=["other bytes", "unknown bytes", "another size", "read another way", "on purpose"],
    )
    def test_anything_else_is_a_file_of_its_own(self, place: Place, other: dict[str, object]) -> None:
        first = place.ready("a.pdf")
        second = place.upload("b.pdf", **other)  # type: ignore[arg-type]
        assert not isinstance(second, Duplicate)
        assert (second.id != first.id, second.generation) == (True, 1)

    def test_bytes_whose_checksum_nobody_told_are_not_known(self, place: Place) -> None:
        place.ready("a.pdf", checksum_sha256=None)
        assert not isinstance(place.upload("b.pdf", checksum_sha256=None), Duplicate)
        assert not isinstance(place.upload("c.pdf"), Duplicate)

    def test_on_purpose_the_same_name_is_the_next_generation(self, place: Place) -> None:
        place.ready("a.pdf")
        assert place.upload("a.pdf", NEW).generation == 2

    @pytest.mark.parametrize("problem", [FINAL, PASSING])
    @pytest.mark.parametrize("name", ["a.pdf", "b.pdf"])
    def test_what_failed_answers_nothing(self, place: Place, problem: object, name: str) -> None:
        place.world.failed(place.owner, place.collection, problem, "a.pdf")  # type: ignore[arg-type]
        found = place.upload(name)
        assert not isinstance(found, Duplicate)
        assert found.generation == (2 if name == "a.pdf" else 1)

    def test_what_is_deleted_or_about_to_be_replaced_answers_nothing(self, place: Place) -> None:
        deleted, replaced = place.ready("a.pdf"), place.ready("b.pdf", NEW)
        place.metadata.files.tombstone_file(place.owner, place.collection.id, deleted.id, now=NOW)
        place.upload("b.pdf", checksum_sha256=OTHER)
        found = place.upload("c.pdf")
        assert not isinstance(found, Duplicate)
        assert found.id not in (deleted.id, replaced.id)

    def test_the_oldest_answers(self, place: Place) -> None:
        first = place.ready("a.pdf")
        draft = place.world.upload("b.pdf")
        place.metadata.uploads.reserve_file(place.owner, place.collection.id, draft, quotas=QUOTAS, now=NOW + HOUR)
        assert place.upload("c.pdf").id == first.id
        assert place.upload("b.pdf").id == draft.id  # but a name stands for its own file

    def test_other_bytes_of_a_file_are_its_next_generation_wherever_else_they_are(self, place: Place) -> None:
        place.ready("a.pdf")
        changed = place.ready("b.pdf", checksum_sha256=OTHER)
        found = place.upload("b.pdf")
        assert not isinstance(found, Duplicate)
        assert (found.id, found.generation) == (changed.id, 2)

    def test_other_collections_and_tenants_know_nothing_of_it(self, place: Place, world: World) -> None:
        place.ready("a.pdf")
        sibling = world.collection(place.owner, "sibling")
        assert not isinstance(place.upload("a.pdf", to=sibling), Duplicate)
        foreign = Place(World(world.metadata))
        assert not isinstance(foreign.upload("a.pdf"), Duplicate)

    def test_a_full_collection_still_answers(self, place: Place) -> None:
        first = place.ready("a.pdf")
        full = Quotas(files=1, storage_bytes=100)
        draft = place.world.upload("b.pdf", on_duplicate=ALIAS)
        found = place.metadata.uploads.reserve_file(place.owner, place.collection.id, draft, quotas=full, now=NOW)
        assert found.id == first.id
        new = place.world.upload("c.pdf", on_duplicate=NEW)
        with pytest.raises(QuotaExceeded):
            place.metadata.uploads.reserve_file(place.owner, place.collection.id, new, quotas=full, now=NOW)

    def test_only_an_editor_is_answered(self, place: Place) -> None:
        place.ready("a.pdf")
        viewer = place.world.member(place.owner, place.collection, Role.viewer)
        with pytest.raises(Forbidden):
            place.upload("b.pdf", by=viewer)

    def test_the_same_draft_is_no_duplicate_of_itself(self, place: Place) -> None:
        draft = place.world.upload("a.pdf", on_duplicate=EXISTING)
        reserve = partial(
            place.metadata.uploads.reserve_file, place.owner, place.collection.id, draft, quotas=QUOTAS, now=NOW
        )
        assert reserve() == reserve()
        assert not isinstance(reserve(), Duplicate)

    @pytest.mark.parametrize("how", [EXISTING, ALIAS])
    def test_at_once_they_are_one_file(self, place: Place, how: OnDuplicate) -> None:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda n: place.upload(f"{n}.pdf", how), range(16)))
        assert len({file.id for file in found}) == 1
        assert sum(not isinstance(file, Duplicate) for file in found) == 1
        assert place.bytes == 100
        ((name, aliases),) = place.names().items()
        expected = {f"{n}.pdf" for n in range(16)} - {name} if how is ALIAS else set()
        assert set(aliases) == expected


class TestAliases(DuplicatesContract):
    def test_a_file_takes_further_names(self, place: Place) -> None:
        first = place.ready("a.pdf")
        version = place.version
        found = place.upload("Ünï.pdf", ALIAS)
        assert (found.id, found.name, found.aliases) == (first.id, "a.pdf", ("Ünï.pdf",))
        assert isinstance(place.upload("B.pdf", ALIAS), Duplicate)
        assert place.file(first).aliases == ("B.pdf", "Ünï.pdf")
        assert place.names() == {"a.pdf": ("B.pdf", "Ünï.pdf")}
        assert place.version == version + 2
        assert place.bytes == 100

    @pytest.mark.parametrize("how", [EXISTING, ALIAS])
    @pytest.mark.parametrize("name", ["a.pdf", "b.pdf"])
    def test_a_name_that_it_has_changes_nothing(self, place: Place, how: OnDuplicate, name: str) -> None:
        place.ready("a.pdf")
        place.upload("b.pdf", ALIAS)
        version = place.version
        assert isinstance(place.upload(name, how), Duplicate)
        assert (place.names(), place.version) == ({"a.pdf": ("b.pdf",)}, version)

    @pytest.mark.parametrize("more", [{"checksum_sha256": OTHER}, {"how": NEW}, {"checksum_sha256": None}])
    def test_other_bytes_under_an_alias_are_a_new_file(self, place: Place, more: dict[str, object]) -> None:
        first = place.ready("a.pdf")
        place.upload("b.pdf", ALIAS)
        version = place.version
        found = place.upload("b.pdf", **more)  # type: ignore[arg-type]
        assert (found.id != first.id, found.generation, found.aliases) == (True, 1, ())
        assert place.names() == {"a.pdf": (), "b.pdf": ()}
        assert (place.bytes, place.version) == (200, version + 1)

    def test_a_new_file_that_does_not_fit_leaves_the_alias(self, place: Place) -> None:
        place.ready("a.pdf")
        place.upload("b.pdf", ALIAS)
        with pytest.raises(QuotaExceeded):
            place.upload("b.pdf", size=2_000, checksum_sha256=OTHER)
        assert place.names() == {"a.pdf": ("b.pdf",)}

    @pytest.mark.parametrize("how", [EXISTING, ALIAS])
    def test_an_alias_goes_to_the_file_whose_bytes_it_then_has(self, place: Place, how: OnDuplicate) -> None:
        place.ready("a.pdf")
        place.ready("c.pdf", checksum_sha256=OTHER)
        place.upload("b.pdf", ALIAS)
        assert place.upload("b.pdf", how, checksum_sha256=OTHER).name == "c.pdf"
        assert place.names() == {"a.pdf": (), "c.pdf": ("b.pdf",)}

    def test_aliases_stay_with_the_file_through_its_generations(self, place: Place) -> None:
        first = place.ready("a.pdf")
        place.upload("b.pdf", ALIAS)
        second = place.upload("a.pdf", checksum_sha256=OTHER)
        assert (second.id, second.generation, second.aliases) == (first.id, 2, ("b.pdf",))

    def test_aliases_go_with_their_file(self, place: Place) -> None:
        first = place.ready("a.pdf")
        place.upload("b.pdf", ALIAS)
        place.metadata.files.tombstone_file(place.owner, place.collection.id, first.id, now=NOW)
        assert place.names() == {}
        again = place.upload("b.pdf")
        assert (again.id != first.id, again.aliases) == (True, ())

    def test_aliases_go_with_their_collection(self, place: Place) -> None:
        place.ready("a.pdf")
        place.upload("b.pdf", ALIAS)
        place.metadata.collections.tombstone_collection(place.owner, place.collection.id, now=NOW)
        place.world.purge(place.collection)

    def test_one_is_taken_away_alone(self, place: Place) -> None:
        first = place.ready("a.pdf")
        place.upload("b.pdf", ALIAS)
        place.upload("c.pdf", ALIAS)
        version = place.version
        place.metadata.files.remove_alias(place.owner, place.collection.id, first.id, "b.pdf", now=NOW)
        assert (place.names(), place.version) == ({"a.pdf": ("c.pdf",)}, version + 1)
        with pytest.raises(NotFound):
            place.metadata.files.remove_alias(place.owner, place.collection.id, first.id, "b.pdf", now=NOW)

    def test_only_an_editor_takes_one_away_and_only_from_its_file(self, place: Place) -> None:
        first, other = place.ready("a.pdf"), place.ready("c.pdf", checksum_sha256=OTHER)
        place.upload("b.pdf", ALIAS)
        viewer = place.world.member(place.owner, place.collection, Role.viewer)
        with pytest.raises(Forbidden):
            place.metadata.files.remove_alias(viewer, place.collection.id, first.id, "b.pdf", now=NOW)
        for file_id, name in ((other.id, "b.pdf"), (first.id, "a.pdf"), (uuid4(), "b.pdf")):
            with pytest.raises(NotFound):
                place.metadata.files.remove_alias(place.owner, place.collection.id, file_id, name, now=NOW)
        assert place.names() == {"a.pdf": ("b.pdf",), "c.pdf": ()}

    def test_there_are_not_too_many(self, place: Place) -> None:
        place.ready("a.pdf")
        for number in range(MAX_ALIASES):
            place.upload(f"{number}.pdf", ALIAS)
        with pytest.raises(Conflict):
            place.upload("one-more.pdf", ALIAS)
        assert place.upload("7.pdf", ALIAS).stage is Stage.ready
        assert isinstance(place.upload("one-more.pdf"), Duplicate)
