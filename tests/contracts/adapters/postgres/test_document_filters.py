"""Filters on documents and their attributes, as Postgres answers them, against the same rules in Python."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import pg8000

from modulo.adapters.postgres.search import live_documents_statement
from modulo.domain.files.attributes import is_storable
from modulo.domain.files.file import DocumentInfo, File, FileChange
from modulo.domain.retrieval.filter_language import MAX_CONDITIONS, parse_filters
from modulo.domain.retrieval.filters import Attribute, Comparison, Condition, FilterField, conditions, holds
from modulo.domain.text.dates import interval_start
from tests.contracts.adapters.postgres.test_search import HOSTILE, Shelf
from tests.metadata_world import NOW, QUOTAS, MetadataContract, World, postgres_metadata, settings_of

TEXTS = ("law", "Law", "", "2026", "2026-05-31", "2025-12-31T23:00:00-02:00", "10", "9", '"', "\\", "{}", "🙂", "a'b")
VALUES = (*TEXTS, 0, 1, 1.0, 9, 10, -2.5, 1e-7, True, False, ("law", "2026"), (), ("1",))
KEYS = ("k", "author", "attributes.k", '"', "$", "🙂", "%s")
BOUNDS = (*TEXTS, *HOSTILE, 0, 1, 9.5, 1e-7, "2026-01", "l")
PLAIN_LIMIT = 16 * 1024
"""Bytes of a statement above which RDS Proxy pins a client to a connection."""


def meets(value: Any, condition: Condition) -> bool:
    """Whether an attribute's value meets a condition, by the rules of the guide."""
    items = value if isinstance(value, tuple) else (value,)
    comparison = condition.comparison
    if comparison is Comparison.exists:
        return True
    if comparison is Comparison.within:
        return any(_same(item, wanted) for item in items for wanted in condition.values)
    (bound,) = condition.values
    if isinstance(bound, str) and not is_storable(bound):
        return False
    if comparison is Comparison.contains:
        return bound in items or (isinstance(value, str) and str(bound) in value)
    if comparison is Comparison.starts_with:
        return any(isinstance(item, str) and item.startswith(str(bound)) for item in items)
    if isinstance(bound, datetime):
        value = interval_start(value) if isinstance(value, str) else None
    elif not _same_kind(value, bound):
        return False
    compare: Mapping[Comparison, Callable[[Any, Any], bool]] = {
        Comparison.gte: lambda one, other: one >= other,
        Comparison.gt: lambda one, other: one > other,
        Comparison.lte: lambda one, other: one <= other,
        Comparison.lt: lambda one, other: one < other,
    }
    return value is not None and compare[comparison](value, bound)


def _same_kind(one: Any, other: Any) -> bool:
    kinds = [str if isinstance(it, str) else bool if isinstance(it, bool) else float for it in (one, other)]
    return kinds[0] is kinds[1] and not isinstance(one, tuple)


def _same(one: Any, other: Any) -> bool:
    return _same_kind(one, other) and bool(one == other)


def comparisons() -> st.SearchStrategy[dict[str, Any]]:
    key = st.sampled_from(KEYS).map(lambda key: f"attributes.{key}")

    def node(kinds: tuple[str, ...], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({"type": st.sampled_from(kinds), "key": key, "value": values})

    single = st.sampled_from([one for one in (*VALUES, *HOSTILE) if not isinstance(one, tuple)])
    bound = st.sampled_from([one for one in BOUNDS if one != ""])
    text = bound.filter(lambda one: isinstance(one, str))
    return st.one_of(
        node(("eq", "ne"), single),
        node(("in", "nin"), st.lists(single, min_size=1, max_size=4)),
        node(("gt", "gte", "lt", "lte"), bound),
        node(("contains", "starts_with"), text),
        node(("exists",), st.booleans()),
    )


TREES = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.just("not"), "filter": inner}),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["and", "or"]), "filters": st.lists(inner, min_size=1, max_size=3)}
        ),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def shelf(postgres: dict[str, str]) -> Any:
    """Files with each of the values under several keys, and one with none."""
    with postgres_metadata(settings_of(postgres)) as metadata:
        shelf = Shelf(World(metadata))
        files: dict[str, Mapping[str, Any]] = {}
        for number, value in enumerate(VALUES):
            keys = [KEYS[(number + step) % len(KEYS)] for step in range(3)]
            files[f"{number}"] = dict.fromkeys({"k", *keys}, value)
        files["none"] = {}
        for name, attributes in files.items():
            draft = shelf.world.upload(name, 1, attributes=attributes)
            many = QUOTAS.model_copy(update={"files": 99})
            file = metadata.uploads.reserve_file(shelf.owner, shelf.collection.id, draft, quotas=many, now=NOW)
            assert shelf.world.publish(shelf.world.claim(file))
        yield shelf, files


def give(shelf: Shelf, file: File, attributes: Mapping[str, Any]) -> File:
    change = FileChange(attributes=attributes)
    return shelf.metadata.files.change_file(shelf.owner, shelf.collection.id, file.id, change, now=NOW)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(filters=TREES)
def test_attributes_are_compared_as_the_rules_say(shelf: Any, filters: dict[str, Any]) -> None:
    on, files = shelf
    where = parse_filters(filters)

    def met(attributes: Mapping[str, Any], condition: Condition) -> bool:
        assert isinstance(condition.field, Attribute)
        key = condition.field.key
        return key in attributes and meets(attributes[key], condition)

    asked = list(conditions(where))
    truths = {name: [met(said, one) for one in asked] for name, said in files.items()}
    assert on.found(filters) == sorted(name for name, truth in truths.items() if holds(where, iter(truth)))
    listing = on.metadata.files.list_files(on.owner, on.collection.id, after=None, limit=99, stage=None).items
    ids = [file.id for file in listing]
    live = on.metadata.grants.live_documents(on.owner, [on.collection.id], ids, reservation=None, conditions=asked)
    assert {one.name: list(one.met) for one in live.documents.values()} == truths
    assert all(one.attributes == files[one.name] for one in live.documents.values())


class TestDocumentFilters(MetadataContract):
    @pytest.fixture
    def shelf(self, world: World) -> Shelf:
        return Shelf(world)

    def test_a_missing_value_meets_nothing_and_all_that_is_negated(self, shelf: Shelf) -> None:
        shelf.add("a", title="A", mod_date="2020", language="en")
        shelf.add("b")
        for wanted in ({"title": "A"}, {"mod_date": "2020"}, {"language": "en"}, {"title": {"contains": "A"}}):
            assert (shelf.found(wanted), shelf.found({"type": "not", "filter": wanted})) == (["a"], ["b"])
        assert shelf.found({"title": {"ne": "A"}}) == shelf.found({"title": {"nin": ["A"]}}) == ["b"]
        assert shelf.found({"title": {"ne": "B"}}) == ["a", "b"]
        assert shelf.found({"title": {"exists": False}}) == shelf.found({"mod_date": {"exists": False}}) == ["b"]
        assert shelf.found({"k": {"ne": 1}}) == ["a", "b"]

    def test_built_in_fields_and_attributes_are_joined(self, shelf: Shelf) -> None:
        give(shelf, shelf.add("a.pdf", title="On Growth", author="Ada"), {"author": "me", "year": 1917})
        give(shelf, shelf.add("b.txt", title="On Form", author="D'Arcy"), {"year": 1943})
        one, other = ({"title": {"starts_with": "On"}}, {"year": {"gt": 1920}})
        assert shelf.found({"type": "and", "filters": [one, other]}) == ["b.txt"]
        assert shelf.found({"type": "or", "filters": [{"author": "Ada"}, other]}) == ["a.pdf", "b.txt"]
        assert shelf.found({"author": "me"}) == []
        assert shelf.found({"attributes.author": "me"}) == ["a.pdf"]
        assert shelf.found({"source": {"contains": ".p"}}) == shelf.found({"source": {"starts_with": "a"}}) == ["a.pdf"]
        assert shelf.found({"source": {"ne": "a.pdf"}}) == ["b.txt"]
        assert shelf.found({"media_type": {"starts_with": "application/"}}) == ["a.pdf", "b.txt"]
        assert shelf.found({"media_type": "text/plain"}) == []
        file = shelf.world.file(shelf.owner, shelf.collection, "b.txt", 1)
        assert shelf.found({"document_id": str(file.id)}) == ["b.txt"]

    def test_attributes_outlive_generations_and_end_with_the_file(self, shelf: Shelf) -> None:
        file = give(shelf, shelf.add("a"), {"k": ["x", "y"]})
        assert file.attributes == {"k": ("x", "y")}
        assert shelf.add("a").attributes == {"k": ("x", "y")}
        assert shelf.found({"k": "y"}) == ["a"]
        shelf.metadata.files.tombstone_file(shelf.owner, shelf.collection.id, file.id, now=NOW)
        assert shelf.found({"k": "y"}) == []

    def test_a_statement_of_the_most_conditions_pins_no_connection(self) -> None:
        kinds = (Comparison.contains, Comparison.starts_with)
        fields = (Attribute("k" * 64), FilterField.source)
        for field in fields:
            worst = [Condition(field, kinds[number % 2], ("x",)) for number in range(MAX_CONDITIONS)]
            statement = live_documents_statement(reserve=True, conditions=worst)
            assert len(str(statement.compile(dialect=pg8000.dialect()))) < PLAIN_LIMIT  # type: ignore[no-untyped-call]

    def test_what_documents_say_is_no_attribute(self, shelf: Shelf) -> None:
        shelf.add("a", title="A")
        assert shelf.found({"attributes.title": "A"}) == []
        assert DocumentInfo(title="A").title == "A"
