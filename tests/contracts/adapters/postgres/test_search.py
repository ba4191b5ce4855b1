"""Files chosen by what their documents say of themselves, whichever metadata keeps them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from modulo.domain.collections.collection import Collection
from modulo.domain.errors import NotFound
from modulo.domain.files.file import DocumentInfo, File, OnDuplicate
from modulo.domain.retrieval.filter_language import parse_filters
from modulo.domain.tenancy.identity import Principal
from tests.metadata_world import NOW, QUOTAS, Metadata, MetadataContract, World

HOSTILE = ("' OR true --", '"', "\\", "%", "_", "{}", "%s", "%(x)s", ":x", "$1", "ünïcödé 文書 🙂", "nul\0", "\ud800")


class Shelf:
    """A collection whose documents say something of themselves."""

    def __init__(self, world: World) -> None:
        self.world, self.metadata = world, world.metadata
        self.owner = world.user()
        self.collection = world.collection(self.owner)

    def add(self, name: str, to: Collection | None = None, **info: Any) -> File:
        file = self.world.file(self.owner, to or self.collection, name, 1)
        claim = self.world.claim(file)
        said = DocumentInfo(**info)
        assert self.metadata.ingestion.publish(claim, chunk_count=1, content_hash="cd" * 32, info=said, now=NOW)
        return file

    def found(
        self, filters: Mapping[str, Any], *, by: Principal | None = None, to: Collection | None = None, limit: int = 99
    ) -> list[str]:
        """The names of the files that match."""
        at = (to or self.collection).id
        matching = self.metadata.grants.matching(by or self.owner, [at], parse_filters(filters), limit=limit)
        assert matching.grants == (self.metadata.grants.grant(self.owner, at),)
        listing = self.metadata.files.list_files(self.owner, at, after=None, limit=99, stage=None)
        found = matching.file_ids
        assert found is not None
        assert len(set(found)) == len(found)
        return sorted(file.name for file in listing.items if file.id in found)


class TestSeveral(MetadataContract):
    def test_all_are_granted_in_the_order_asked_for_or_none(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        ids = [world.collection(user, name).id for name in ("one", "two", "three")]
        shared = world.collection(world.user("owner"), "theirs")
        for asked in (ids, ids[::-1], ids[1:]):
            told = (
                metadata.grants.grants(user, asked),
                metadata.grants.live_documents(user, asked, [], reservation=None).grants,
                metadata.grants.matching(user, asked, parse_filters({"author": "Ada"}), limit=9).grants,
            )
            for grants in told:
                assert [grant.space.collection_id for grant in grants] == asked
                assert grants == tuple(metadata.grants.grant(user, one) for one in asked)
        for unseen in (shared.id, uuid4()):
            for asked in ([*ids, unseen], [unseen, *ids], [unseen]):
                with pytest.raises(NotFound):
                    metadata.grants.grants(user, asked)
                with pytest.raises(NotFound):
                    metadata.grants.live_documents(user, asked, [], reservation=None)
                with pytest.raises(NotFound):
                    metadata.grants.matching(user, asked, parse_filters({"author": "Ada"}), limit=9)

    def test_documents_of_all_come_together(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        collections = [world.collection(user, name) for name in ("one", "two")]
        files = [world.ready(user, collection).id for collection in collections]
        other = world.ready(user, world.collection(user, "not asked for")).id
        ids = [collection.id for collection in collections]
        live = metadata.grants.live_documents(user, ids, [*files, other], reservation=None).documents
        assert set(live) == set(files)


class TestMatching(MetadataContract):
    @pytest.fixture
    def shelf(self, world: World) -> Shelf:
        return Shelf(world)

    def test_by_title_author_and_language(self, shelf: Shelf) -> None:
        shelf.add("a", title="On Growth and Form", author="D'Arcy Thompson", language="en")
        shelf.add("b", title="On Growth", author="Ada", language="de")
        shelf.add("c", language="en")
        assert shelf.found({"title": "On Growth"}) == ["b"]
        assert shelf.found({"title": {"contains": "Growth"}}) == ["a", "b"]
        assert shelf.found({"title": {"contains": "growth"}}) == []
        assert shelf.found({"author": ["Ada", "D'Arcy Thompson", "nobody"]}) == ["a", "b"]
        assert shelf.found({"author": {"contains": "Arcy"}, "language": "en"}) == ["a"]
        assert shelf.found({"language": ["en", "fr"]}) == ["a", "c"]
        assert shelf.found({"language": "fr"}) == []
        assert shelf.found({"title": {"contains": "Form"}, "author": "Ada"}) == []

    def test_by_dates_however_they_were_written(self, shelf: Shelf) -> None:
        shelf.add("pdf", creation_date="D:20200131235959-08'00'", mod_date="D:20210101")
        shelf.add("letter", creation_date="Fri, 31 Jan 2020 23:59:59 +0100")
        shelf.add("web", creation_date="2020-02-01T00:00:00.5Z", mod_date="2020-02-30")
        shelf.add("year", creation_date="2020")
        shelf.add("month", creation_date="2020-02")
        shelf.add("plain", creation_date="2020-01-31T12:00")
        shelf.add("never", creation_date="some day in 2020", mod_date="0000-00-00")
        shelf.add("silent")
        assert shelf.found({"creation_date": "2020-01"}) == ["letter", "plain", "year"]
        assert shelf.found({"creation_date": "2020-01-31"}) == ["letter", "plain"]
        assert shelf.found({"creation_date": {"gte": "2020-02-01"}}) == ["month", "pdf", "web"]
        assert shelf.found({"creation_date": {"gt": "2020-02-01"}}) == []
        assert shelf.found({"creation_date": {"gt": "2020-02-01T00:00:00Z"}}) == ["pdf"]
        assert shelf.found({"creation_date": {"lte": "2020-01-31T22:59:59Z"}}) == ["letter", "plain", "year"]
        assert shelf.found({"creation_date": {"lt": "2020-01-31T22:59:59Z"}}) == ["plain", "year"]
        assert shelf.found({"creation_date": "2020-02-01T09:59:59+02:00"}) == ["pdf"]
        assert shelf.found({"creation_date": {"gte": "1000"}, "mod_date": {"gte": "1000"}}) == ["pdf"]
        assert shelf.found({"mod_date": {"gt": "2020", "lt": "2022"}}) == ["pdf"]

    def test_by_the_time_of_the_upload(self, shelf: Shelf) -> None:
        first, second = shelf.add("first"), shelf.add("second")
        assert second.created_at - first.created_at == timedelta(seconds=1)
        assert shelf.found({"created_at": {"lte": first.created_at.isoformat()}}) == ["first"]
        assert shelf.found({"created_at": {"gt": first.created_at.isoformat()}}) == ["second"]
        assert shelf.found({"created_at": f"{first.created_at:%Y-%m-%d}"}) == ["first", "second"]

    def test_by_each_of_its_names(self, shelf: Shelf) -> None:
        file = shelf.add("a.pdf")
        shelf.add("c.pdf")
        draft = shelf.world.upload("b.pdf", 1, on_duplicate=OnDuplicate.alias)
        shelf.metadata.uploads.reserve_file(shelf.owner, shelf.collection.id, draft, quotas=QUOTAS, now=NOW)
        aliased = shelf.found({"source": "b.pdf"})
        assert aliased in (["a.pdf"], ["c.pdf"])  # they hold the same bytes
        assert shelf.found({"source": [*aliased, "b.pdf"]}) == aliased
        assert shelf.found({"source": ["a.pdf", "b.pdf", "c.pdf"]}) == ["a.pdf", "c.pdf"]
        assert shelf.found({"source": "none"}) == []
        shelf.metadata.files.tombstone_file(shelf.owner, shelf.collection.id, file.id, now=NOW)
        assert shelf.found({"source": ["a.pdf", "c.pdf"]}) == ["c.pdf"]

    def test_only_what_is_live_counts(self, shelf: Shelf) -> None:
        shelf.add("a", title="old")
        shelf.add("a", title="new")
        waiting = shelf.world.file(shelf.owner, shelf.collection, "a", 1)
        assert (shelf.found({"title": "old"}), shelf.found({"title": "new"})) == ([], ["a"])
        shelf.world.claim(waiting)
        assert shelf.found({"title": "new"}) == ["a"]
        shelf.world.file(shelf.owner, shelf.collection, "b", 1)
        assert shelf.found({"source": ["a", "b"]}) == ["a"]

    def test_too_many_are_not_named(self, shelf: Shelf) -> None:
        for name in "abc":
            shelf.add(name, language="en")
        where, at = parse_filters({"language": "en"}), shelf.collection.id
        few, many = (shelf.metadata.grants.matching(shelf.owner, [at], where, limit=limit).file_ids for limit in (3, 2))
        assert (few and len(few), many) == (3, None)

    @pytest.mark.parametrize("value", HOSTILE)
    def test_a_hostile_value_matches_itself_and_nothing_else(self, shelf: Shelf, value: str) -> None:
        shelf.add("other", title="other", author="other")
        shelf.add("it", title=value, author=f"x{value}y")
        kept = value if value.isprintable() else None  # no store holds the others as they are
        for filters in ({"title": value}, {"author": {"contains": f"x{value}y"}}, {"title": {"contains": value}}):
            assert shelf.found(filters) == (["it"] if kept else [])
        assert shelf.found({"title": f"{value}z"}) == shelf.found({"source": value}) == []
        assert shelf.found({"title": {"contains": f"{value}z"}}) == []

    def test_nothing_of_another_collection_or_tenant(self, shelf: Shelf) -> None:
        shelf.add("a", title="same", language="en")
        sibling = shelf.world.collection(shelf.owner, "sibling")
        foreign = Shelf(World(shelf.metadata))
        foreign.add("a", title="same", language="en")
        filters = {"title": "same", "language": "en", "source": "a", "created_at": {"gte": "1000"}}
        assert shelf.found(filters, to=sibling) == []
        assert shelf.found(filters) == ["a"]
        for stranger in (foreign.owner, shelf.world.user()):
            with pytest.raises(NotFound):
                shelf.found(filters, by=stranger)
