"""Files chosen by what their documents say of themselves, whichever metadata keeps them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from modulo.domain.collection import Collection
from modulo.domain.errors import NotFound
from modulo.domain.file import DocumentInfo, File, OnDuplicate
from modulo.domain.filters import parse_filters
from modulo.domain.identity import Principal
from tests.contracts.metadata_world import NOW, QUOTAS, MetadataContract, World

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
        assert self.metadata.publish(claim, chunk_count=1, content_hash="cd" * 32, info=said, now=NOW)
        return file

    def found(
        self, filters: Mapping[str, Any], *, by: Principal | None = None, to: Collection | None = None, limit: int = 99
    ) -> list[str]:
        """The names of the files that match."""
        at = (to or self.collection).id
        matching = self.metadata.matching(by or self.owner, at, parse_filters(filters), limit=limit)
        assert matching.grant == self.metadata.grant(self.owner, at)
        listing = self.metadata.list_files(self.owner, at, after=None, limit=99, stage=None)
        assert len(set(matching.file_ids)) == len(matching.file_ids)
        return sorted(file.name for file in listing.items if file.id in matching.file_ids)


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
        shelf.metadata.reserve_file(shelf.owner, shelf.collection.id, draft, quotas=QUOTAS, now=NOW)
        aliased = shelf.found({"source": "b.pdf"})
        assert aliased in (["a.pdf"], ["c.pdf"])  # they hold the same bytes
        assert shelf.found({"source": [*aliased, "b.pdf"]}) == aliased
        assert shelf.found({"source": ["a.pdf", "b.pdf", "c.pdf"]}) == ["a.pdf", "c.pdf"]
        assert shelf.found({"source": "none"}) == []
        shelf.metadata.tombstone_file(shelf.owner, shelf.collection.id, file.id, now=NOW)
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

    def test_no_more_than_asked_for(self, shelf: Shelf) -> None:
        for name in "abc":
            shelf.add(name, language="en")
        assert [len(shelf.found({"language": "en"}, limit=limit)) for limit in (1, 2, 3, 4)] == [1, 2, 3, 3]

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
