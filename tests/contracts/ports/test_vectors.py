"""What every vector store promises, and what Milvus promises besides."""

import math
import operator
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymilvus import MilvusClient

from modulo.adapters.milvus.collections import CollectionOptions
from modulo.adapters.milvus.connection import GRPC_OPTIONS
from modulo.adapters.milvus.schema import schema_of
from modulo.adapters.milvus.unsealed_chunks import MAX_UNSEALED
from modulo.adapters.milvus.vectors import PAGE_SIZE, MilvusVectors
from modulo.cli.stack import Stack
from modulo.domain.collections.collection import ANALYSIS, EmbeddingModel, Metric, Space
from modulo.domain.documents.chunk import Chunk, EmbeddedChunk
from modulo.domain.errors import InvalidRequest, Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.retrieval.filter_language import parse_filters
from modulo.domain.retrieval.filters import (
    NOTHING,
    AllOf,
    Attribute,
    Comparison,
    Condition,
    Filter,
    FilterField,
    conditions,
    holds,
    weakened,
)
from modulo.domain.retrieval.fusion import Ranking, SearchType, saturated
from modulo.domain.retrieval.passage import Hit
from modulo.domain.search.target import Target
from modulo.ports.vectors import Vectors
from modulo.usecases.search.pipeline import MAX_NAMED_FILES
from tests.contracts.wire import Wire
from tests.doubles.memory_vectors import MemoryVectors

Environment = dict[str, str]
MODEL = EmbeddingModel(name="contract-model", dimensions=4, analysis=ANALYSIS)
EAST, NORTH, UP, ELSEWHERE = (1.0, 0, 0, 0), (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0, 0, 0, 1.0)
NORTH_EAST = (0.6, 0.8, 0.0, 0.0)
HOSTILE = (
    '" or tenant_id != "',
    '"] or tenant_id != "" or source in ["',
    "\\",
    '\\"',
    "' or 1 == 1 or '",
    "ünïcödé 文書 🙂.pdf",
    "line\nbreak\ttab\r",
    "{template}",
    "%_like_%",
    "nul\x00byte",
    "\u2028separator",
)


def space_of(
    *,
    tenant_id: UUID | None = None,
    collection_id: UUID | None = None,
    dedicated: bool = False,
    model: EmbeddingModel = MODEL,
) -> Space:
    return Space(tenant_id or uuid4(), collection_id or uuid4(), uuid4(), model, dedicated)


def ref_in(space: Space, *, file_id: UUID | None = None, generation: int = 1) -> FileRef:
    return FileRef(space.tenant_id, space.collection_id, file_id or uuid4(), generation)


def chunk_at(
    ref: FileRef,
    number: int,
    vector: Sequence[float],
    *,
    text: str | None = None,
    page: int = 1,
    source: str = "a.pdf",
    media_type: str = "application/pdf",
    heading: str = "",
    table: int | None = None,
) -> EmbeddedChunk:
    chunk = Chunk(number, text or f"text {number}", page, 10 * number, 10 * number + 9, heading, table)
    return EmbeddedChunk(ref, chunk, vector, source, media_type)


def methods_called(store: MilvusVectors, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods of Milvus that the store calls from now on."""
    called: list[str] = []
    real = store._milvus.call

    def call(method: str, *args: object, **options: object) -> object:
        called.append(method)
        return real(method, *args, **options)

    monkeypatch.setattr(store._milvus, "call", call)
    return called


def ask(
    vectors: Vectors,
    space: Space,
    vector: Sequence[float] = EAST,
    *filters: Filter,
    limit: int = 10,
    question: str = "",
) -> list[int]:
    """The numbers of the chunks found, of which those of other headings are left out as a search does."""
    where = AllOf(filters)
    hits = vectors.search([Target(space, vector)], question=question, limit=limit, where=where)
    return [hit.chunk.number for hit in hits if may_meet(where, hit)]


def may_meet(where: Filter, hit: Hit) -> bool:
    """Whether a hit meets a filter as far as it tells."""
    values: dict[FilterField | Attribute, str | int] = {
        FilterField.document_id: str(hit.ref.file_id),
        FilterField.page_number: hit.chunk.page,
        FilterField.heading: hit.chunk.heading,
    }
    known = weakened(where, lambda condition, _: condition.field in values)
    return holds(known, (condition.holds(values[condition.field]) for condition in conditions(known)))


FILES = (UUID(int=1), UUID(int=2))
HEADINGS = (
    "Install",
    "Install > Linux",
    "install",
    "x_y",
    "xzy",
    "x%y",
    "x\\y",
    '" or page > 0 or "',
    "\u6587 \U0001f642",
)
FILTERS = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"type": st.just("exists"), "key": st.just("heading"), "value": st.booleans()}),
        *(
            st.fixed_dictionaries({"type": st.sampled_from(kinds), "key": st.just(key), "value": values})
            for key, kinds, values in (
                (
                    "heading",
                    ("eq", "ne", "contains", "starts_with"),
                    st.sampled_from((*HEADINGS, "x", "%", "_", "Linux")),
                ),
                ("heading", ("in", "nin"), st.lists(st.sampled_from(HEADINGS), min_size=1, max_size=3)),
                ("page_number", ("eq", "ne", "gt", "gte", "lt", "lte"), st.integers(0, 4)),
                ("document_id", ("eq", "ne"), st.sampled_from((*map(str, FILES), str(UUID(int=3))))),
            )
        ),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.just("not"), "filter": inner}),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["and", "or"]), "filters": st.lists(inner, min_size=1, max_size=3)}
        ),
    ),
    max_leaves=6,
)


def meets(filters: Mapping[str, Any], one: EmbeddedChunk) -> bool:
    """Whether a chunk meets a filter, by the rules of the guide."""
    kind = filters["type"]
    if kind == "not":
        return not meets(filters["filter"], one)
    if kind in ("and", "or"):
        return (all if kind == "and" else any)(meets(inner, one) for inner in filters["filters"])
    key, wanted, heading = filters["key"], filters["value"], one.chunk.heading
    if kind in ("ne", "nin"):
        return not meets({"type": {"ne": "eq", "nin": "in"}[kind], "key": key, "value": wanted}, one)
    if kind == "in":
        return any(meets({"type": "eq", "key": key, "value": value}, one) for value in wanted)
    if key == "heading":
        told = {
            "eq": lambda: f" > {wanted} > " in f" > {heading} > ",
            "contains": lambda: wanted in heading,
            "starts_with": lambda: heading.startswith(wanted),
            "exists": lambda: bool(heading) is wanted,
        }
        return told[kind]()
    value = one.chunk.page if key == "page_number" else str(one.ref.file_id)
    orders = {"eq": operator.eq, "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
    return bool(orders[kind](value, wanted))


@pytest.fixture(scope="module")
def store(milvus: Environment) -> Iterator[MilvusVectors]:
    store = MilvusVectors(milvus["MILVUS_URI"], options=CollectionOptions(index=milvus["MILVUS_INDEX"]))
    yield store
    store.close()


@pytest.fixture(params=["memory", "milvus"])
def vectors(request: pytest.FixtureRequest) -> Vectors:
    if request.param == "memory":
        return MemoryVectors()
    store: MilvusVectors = request.getfixturevalue("store")
    return store


class TestVectors:
    def test_a_chunk_comes_back_as_it_was_written(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space, generation=7)
        plain = chunk_at(ref, 0, EAST, text="Straße 文書 🙂\n\n| a | b |", page=3, heading="One > “Two”")
        plain = replace(plain, chunk=replace(plain.chunk, places="places of words"))
        table = chunk_at(ref, 1, NORTH, text="| a |", table=2)
        vectors.upsert(space, [plain, table])
        hits = vectors.search([Target(space, EAST)], question="", limit=2)
        assert [(hit.ref, hit.chunk) for hit in hits] == [(ref, plain.chunk), (ref, table.chunk)]

    def test_hits_come_nearest_first_with_the_cosine_as_their_score(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space)
        opposite = tuple(-x for x in EAST)
        chunks = [chunk_at(ref, n, v) for n, v in enumerate([NORTH, NORTH_EAST, (2.0, 0, 0, 0), opposite])]
        vectors.upsert(space, chunks)
        hits = vectors.search([Target(space, EAST)], question="", limit=4)
        assert [hit.chunk.number for hit in hits][:2] == [2, 1]
        assert {hit.chunk.number: pytest.approx(hit.score, abs=1e-3) for hit in hits} == {2: 1, 1: 0.6, 0: 0, 3: 0}

    @pytest.mark.parametrize(
        ("metric", "expected"), [(Metric.inner_product, [1.0, 0.5, 0.0]), (Metric.euclidean, [1.0, 1 / 1.5, 1 / 3])]
    )
    def test_every_metric_scores_from_0_to_1(self, vectors: Vectors, metric: Metric, expected: list[float]) -> None:
        space = space_of(model=EmbeddingModel(name=f"contract-{metric}", dimensions=4, metric=metric))
        ref = ref_in(space)
        half = (0.5, 0.5, 0, 0)
        vectors.upsert(space, [chunk_at(ref, n, v) for n, v in enumerate([NORTH, half, EAST])])
        hits = vectors.search([Target(space, EAST)], question="", limit=3)
        assert [hit.chunk.number for hit in hits] == [2, 1, 0]
        assert [hit.score for hit in hits] == pytest.approx(expected, abs=1e-5)
        hits = vectors.search([Target(space, EAST)], question="text", limit=3)
        assert sorted((hit.score for hit in hits), reverse=True) == pytest.approx(expected, abs=1e-5)

    def test_no_more_hits_than_asked_for(self, vectors: Vectors) -> None:
        space = space_of()
        vectors.upsert(space, [chunk_at(ref_in(space), n, NORTH_EAST) for n in range(120)])
        assert len(ask(vectors, space, limit=3)) == 3
        assert len(ask(vectors, space, limit=100, question="text")) == 100

    def test_writing_twice_changes_nothing_and_writing_anew_replaces(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space)
        for text in ("old", "old", "new"):
            vectors.upsert(space, [chunk_at(ref, 0, EAST, text=text)])
        assert vectors.count(space) == 1
        assert vectors.texts(space, ref) == ["new"]
        vectors.upsert(space, [])
        assert vectors.count(space) == 1

    def test_a_foreign_tenant_sees_and_deletes_nothing_even_under_the_same_ids(self, vectors: Vectors) -> None:
        mine = space_of()
        theirs = space_of(collection_id=mine.collection_id)
        ref = ref_in(mine)
        their_ref = ref_in(theirs, file_id=ref.file_id)
        vectors.upsert(mine, [chunk_at(ref, 0, EAST, text="mine")])
        assert ask(vectors, theirs, question="mine") == []
        assert vectors.texts(theirs, their_ref) == []
        assert vectors.texts(theirs, ref) == []
        assert vectors.count(theirs) == vectors.count(theirs, file_id=ref.file_id) == 0
        vectors.delete(theirs, file_id=ref.file_id, generation=1)
        vectors.delete(theirs, file_id=ref.file_id)
        vectors.delete(theirs)
        vectors.upsert(theirs, [chunk_at(their_ref, 0, EAST, text="theirs")])
        assert vectors.texts(mine, ref) == ["mine"]
        assert vectors.texts(theirs, their_ref) == ["theirs"]
        assert (vectors.count(mine), vectors.count(theirs)) == (1, 1)

    def test_another_collection_of_the_tenant_sees_nothing(self, vectors: Vectors) -> None:
        mine = space_of()
        other = space_of(tenant_id=mine.tenant_id)
        vectors.upsert(mine, [chunk_at(ref_in(mine), 0, EAST)])
        assert ask(vectors, other, question="text") == []
        vectors.delete(other)
        assert (vectors.count(mine), vectors.count(other)) == (1, 0)

    def test_a_chunk_of_another_space_is_refused(self, vectors: Vectors) -> None:
        space = space_of()
        with pytest.raises(ValueError, match="not of this space"):
            vectors.upsert(space, [chunk_at(ref_in(space_of()), 0, EAST)])
        assert vectors.count(space) == 0

    @pytest.mark.parametrize("bad", [(1.0, 0.0), (math.nan, 0, 0, 1.0), (math.inf, 0, 0, 1.0)])
    def test_a_vector_that_the_model_cannot_have_made_is_refused(self, vectors: Vectors, bad: Sequence[float]) -> None:
        space = space_of()
        with pytest.raises(ValueError, match=r"dimensions|finite"):
            vectors.upsert(space, [chunk_at(ref_in(space), 0, bad)])
        with pytest.raises(ValueError, match=r"dimensions|finite"):
            ask(vectors, space, bad)

    def test_every_condition_must_hold(self, vectors: Vectors) -> None:
        space = space_of()
        one, two = ref_in(space), ref_in(space)
        vectors.upsert(space, [chunk_at(one, n, EAST, page=n, media_type="text/plain") for n in range(5)])
        vectors.upsert(space, [chunk_at(two, n, EAST, page=n) for n in range(5, 8)])

        def found(*conditions: tuple[FilterField, Comparison, tuple[str | int, ...]]) -> list[int]:
            return sorted(ask(vectors, space, EAST, *(Condition(*c) for c in conditions), question="text"))

        within, page = Comparison.within, FilterField.page_number
        document = (FilterField.document_id, within, (str(two.file_id), str(uuid4())))
        assert found(document) == [5, 6, 7]
        assert found(document, (page, Comparison.gte, (6,)), (page, Comparison.lt, (7,))) == [6]
        assert found((page, Comparison.gt, (6,))) == [7]
        assert found((page, Comparison.lte, (1,))) == [0, 1]
        assert found((page, within, (2, 5, 99))) == [2, 5]
        assert found((FilterField.media_type, within, ("text/plain",)), document) == []

    def test_conditions_are_joined_and_negated(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space)
        for number, media_type in enumerate(("text/plain", "text/html", "image/png", "a%b", "a_b")):
            vectors.upsert(
                space, [chunk_at(ref, number, EAST, page=number, media_type=media_type, heading=f"h{number}")]
            )

        def found(**filters: object) -> list[int]:
            return sorted(ask(vectors, space, EAST, parse_filters(filters), question="text"))

        def of(kind: str, key: str, value: object) -> dict[str, object]:
            return {"type": kind, "key": key, "value": value}

        html, late = of("eq", "media_type", "text/html"), of("gte", "page_number", 3)
        assert found(type="or", filters=[html, late]) == [1, 3, 4]
        assert found(type="not", filter={"type": "or", "filters": [html, late]}) == [0, 2]
        assert found(type="and", filters=[{"type": "not", "filter": html}, of("lt", "page_number", 3)]) == [0, 2]
        assert found(**of("nin", "page_number", [0, 4])) == [1, 2, 3]
        assert found(**of("starts_with", "media_type", "text/")) == [0, 1]
        assert found(**of("ne", "heading", "h2")) == [0, 1, 3, 4]
        assert found(type="or", filters=[html, of("eq", "attribute", "of the document")]) == [0, 1, 2, 3, 4]
        assert found(type="and", filters=[html, of("eq", "attribute", "of the document")]) == [1]
        assert found(type="not", filter=of("eq", "attribute", "of the document")) == [0, 1, 2, 3, 4]
        assert ask(vectors, space, EAST, NOTHING, question="text") == []

    def test_any_filter_finds_just_the_chunks_that_meet_it(self, vectors: Vectors) -> None:
        space = space_of()
        refs = [ref_in(space, file_id=file_id) for file_id in FILES]
        chunks = [
            chunk_at(refs[number % len(refs)], number, EAST, page=number % 4, heading=heading)
            for number, heading in enumerate(("", *HEADINGS))
        ]
        vectors.upsert(space, chunks)

        @settings(max_examples=60, deadline=None)
        @given(filters=FILTERS)
        def check(filters: dict[str, Any]) -> None:
            found = ask(vectors, space, EAST, parse_filters(filters), limit=100, question="text")
            assert sorted(found) == [one.chunk.number for one in chunks if meets(filters, one)]

        check()

    def test_a_pattern_that_matches_others_is_not_negated(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space)
        vectors.upsert(
            space, [chunk_at(ref, n, EAST, heading=text) for n, text in enumerate(("x_y", "xzy", "x%y", ""))]
        )
        for heading, others in (("x_y", [1, 2, 3]), ("x%y", [0, 1, 3]), ("xzy", [0, 2, 3])):
            assert sorted(ask(vectors, space, EAST, parse_filters({"heading": {"ne": heading}}))) == others
        assert sorted(ask(vectors, space, EAST, parse_filters({"heading": {"exists": True}}))) == [0, 1, 2]
        assert sorted(ask(vectors, space, EAST, parse_filters({"heading": {"exists": False}}))) == [3]
        assert sorted(ask(vectors, space, EAST, parse_filters({"heading": {"starts_with": "x"}}))) == [0, 1, 2]

    def test_no_document_holds_no_chunk(self, vectors: Vectors) -> None:
        space = space_of()
        vectors.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
        nothing = Condition(FilterField.document_id, Comparison.within, ())
        assert ask(vectors, space, EAST, nothing, question="text") == []

    def test_many_documents_are_looked_through(self, vectors: Vectors) -> None:
        space = space_of()
        refs = [ref_in(space) for _ in range(2)]
        vectors.upsert(space, [chunk_at(ref, number, EAST) for number, ref in enumerate(refs)])
        ids = [str(uuid4()) for _ in range(MAX_NAMED_FILES - 1)]
        many = Condition(FilterField.document_id, Comparison.within, (*ids, str(refs[1].file_id)))
        assert ask(vectors, space, EAST, many, question="text") == [1]

    def test_chunks_are_found_by_the_headings_above_them(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space)
        paths = ["", "Use", "Install > Linux", "Install > macOS > Use", "Installation", "use", "Use > %", "Use > x_y"]
        vectors.upsert(space, [chunk_at(ref, n, EAST, heading=path) for n, path in enumerate(paths)])
        foreign = space_of()
        vectors.upsert(foreign, [chunk_at(ref_in(foreign), 99, EAST, heading="Use")])

        def found(comparison: Comparison, *values: str) -> list[int]:
            condition = Condition(FilterField.heading, comparison, values)
            return sorted(ask(vectors, space, EAST, condition, question="text"))

        within, contains = Comparison.within, Comparison.contains
        assert found(within, "Use") == [1, 3, 6, 7]
        assert found(within, "Install") == [2, 3]
        assert found(within, "macOS > Use", "Installation") == [3, 4]
        assert found(within, "Install > Use") == []
        assert found(within, "%") == [6]
        assert found(within, "x_y") == [7]
        assert found(within, "xzy") == found(within, "x%") == []
        assert found(contains, "stall") == [2, 3, 4]
        assert found(contains, "_") == [7]
        assert found(contains, "%") == [6]
        assert found(contains, "\\") == []

    @pytest.mark.parametrize("comparison", [Comparison.within, Comparison.contains])
    @pytest.mark.parametrize("heading", HOSTILE)
    def test_a_hostile_heading_matches_itself_and_nothing_else(
        self, vectors: Vectors, heading: str, comparison: Comparison
    ) -> None:
        space, foreign = space_of(), space_of()
        vectors.upsert(foreign, [chunk_at(ref_in(foreign), 9, EAST, heading=heading)])
        ref = ref_in(space)
        vectors.upsert(space, [chunk_at(ref, 0, EAST, heading=heading), chunk_at(ref, 1, EAST, heading="other")])
        assert ask(vectors, space, EAST, Condition(FilterField.heading, comparison, (heading,))) == [0]
        assert ask(vectors, space, EAST, Condition(FilterField.heading, comparison, (heading + "x",))) == []

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_value_matches_itself_and_nothing_else(self, vectors: Vectors, name: str) -> None:
        space, foreign = space_of(), space_of()
        ref = ref_in(space)
        vectors.upsert(foreign, [chunk_at(ref_in(foreign), 9, EAST, media_type=name)])
        vectors.upsert(space, [chunk_at(ref, 0, EAST, media_type=name), chunk_at(ref, 1, EAST, media_type="other")])
        assert ask(vectors, space, EAST, Condition(FilterField.media_type, Comparison.within, (name,))) == [0]
        assert ask(vectors, space, EAST, Condition(FilterField.media_type, Comparison.within, (name + "x",))) == []

    def test_a_lone_surrogate_matches_nothing(self, vectors: Vectors) -> None:
        space = space_of()
        vectors.upsert(space, [chunk_at(ref_in(space), 0, EAST, media_type="?")])
        assert ask(vectors, space, EAST, Condition(FilterField.media_type, Comparison.within, ("\ud800",))) == []

    @pytest.mark.parametrize(
        "question", ["", " \n", "???", '" or 1 == 1', "🙂", "\ud800", "word " * 1_600, "x" * 8_000]
    )
    def test_any_question_is_searched_for(self, vectors: Vectors, question: str) -> None:
        space = space_of()
        vectors.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
        assert ask(vectors, space, question=question) == [0]

    def test_a_search_takes_the_routes_it_is_told_to(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space)
        chunks = [(EAST, "filler"), (NORTH_EAST, "torque of the bolt"), (NORTH, "torque torque torque")]
        vectors.upsert(space, [chunk_at(ref, n, vector, text=text) for n, (vector, text) in enumerate(chunks)])

        def found(ranking: Ranking, question: str = "torque", vector: Sequence[float] = EAST) -> list[int]:
            hits = vectors.search([Target(space, vector, ranking)], question=question, limit=3)
            assert [hit.fused for hit in hits] == sorted((hit.fused for hit in hits), reverse=True)
            return [hit.chunk.number for hit in hits]

        assert found(Ranking(SearchType.dense)) == found(Ranking(text_weight=0)) == [0, 1, 2]
        assert found(Ranking(SearchType.text), vector=()) == found(Ranking(text_weight=1))[:2] == [2, 1]
        assert found(Ranking(SearchType.text), "zanzibar", vector=()) == []
        assert found(Ranking(SearchType.text), "", vector=()) == []
        assert found(Ranking(text_weight=0.5))[0] in (1, 2)

    @pytest.mark.parametrize("dedicated", [False, True])
    @pytest.mark.parametrize("ranking", [Ranking(), Ranking(SearchType.dense), Ranking(SearchType.text)])
    def test_several_targets_are_ranked_as_one(self, vectors: Vectors, dedicated: bool, ranking: Ranking) -> None:
        tenant = uuid4()
        spaces = [space_of(tenant_id=tenant, dedicated=dedicated and n == 1) for n in range(3)]
        texts = ("the torque of a bolt", "torque torque of bolts", "nothing of it")
        places = ((EAST, NORTH_EAST, NORTH), (NORTH_EAST, NORTH, EAST), (NORTH, NORTH, UP))
        for space, vectors_of in zip(spaces, places, strict=True):
            ref = ref_in(space)
            chunks = [chunk_at(ref, n, v, text=text) for n, (v, text) in enumerate(zip(vectors_of, texts, strict=True))]
            vectors.upsert(space, chunks)
        targets = [Target(space, EAST, ranking) for space in spaces[:2]]
        hits = vectors.search(targets, question="torque", limit=5)
        assert {hit.ref.collection_id for hit in hits} == {space.collection_id for space in spaces[:2]}
        assert [hit.fused for hit in hits] == sorted((hit.fused for hit in hits), reverse=True)
        assert len(hits) == (4 if ranking.search_type is SearchType.text else 5)
        alone = [hit for one in targets for hit in vectors.search([one], question="torque", limit=9)]
        found = {(hit.ref, hit.chunk, hit.source) for hit in alone}
        assert {(hit.ref, hit.chunk, hit.source) for hit in hits} <= found

    def test_targets_may_have_different_models(self, vectors: Vectors) -> None:
        tenant = uuid4()
        wide = EmbeddingModel(name="contract-wide", dimensions=6, analysis=ANALYSIS)
        one, other = space_of(tenant_id=tenant), space_of(tenant_id=tenant, model=wide)
        vectors.upsert(one, [chunk_at(ref_in(one), n, v) for n, v in enumerate([EAST, NORTH])])
        vectors.upsert(other, [chunk_at(ref_in(other), n + 5, (*v, 0, 0)) for n, v in enumerate([EAST, NORTH])])
        targets = [Target(one, EAST), Target(other, (*EAST, 0, 0))]
        hits = vectors.search(targets, question="", limit=4)
        assert [hit.chunk.number for hit in hits[:2]] in ([0, 5], [5, 0])
        assert {hit.chunk.number for hit in hits} == {0, 1, 5, 6}
        with pytest.raises(ValueError, match="vector"):
            vectors.search([targets[0], Target(other, EAST)], question="", limit=4)

    def test_targets_of_several_tenants_are_refused(self, vectors: Vectors) -> None:
        spaces = [space_of(), space_of()]
        for space in spaces:
            vectors.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
        with pytest.raises(ValueError, match="one tenant"):
            vectors.search([Target(space, EAST) for space in spaces], question="", limit=4)

    def test_targets_without_a_collection_of_their_own_count_as_empty(self, vectors: Vectors) -> None:
        tenant = uuid4()
        one = space_of(tenant_id=tenant)
        other = space_of(tenant_id=tenant, model=MODEL.model_copy(update={"name": "contract-none"}))
        vectors.upsert(one, [chunk_at(ref_in(one), 0, EAST)])
        hits = vectors.search([Target(other, EAST), Target(one, EAST)], question="", limit=4)
        assert [hit.chunk.number for hit in hits] == [0]
        assert vectors.search([Target(other, EAST)], question="text", limit=4) == []

    @pytest.mark.parametrize(
        ("heading", "text", "question"),
        [
            ("Engines > Torque", "It is 12 Nm.", "torque"),
            ("", "It was running quickly.", "who runs?"),
            ("", "Order no. AB-1077.", "AB1077"),
            ("", "Since version 3.11.2.", "3.11.2"),
            ("", "Written in C++.", "C++"),
            ("", "Runs on .NET.", ".NET"),
            ("", "It costs 1,000 euros.", "1000"),
            ("", "\u4e2d\u534e\u4eba\u6c11\u5171\u548c\u56fd", "\u4eba\u6c11\u5171\u548c\u56fd\u5728\u54ea\u91cc"),
            ("", "\u0e1b\u0e23\u0e30\u0e40\u0e17\u0e28\u0e44\u0e17\u0e22", "\u0e44\u0e17\u0e22"),
            ("", "Die Universit\u00e4t der Stadt ist nicht mit dem Fahrrad zu erreichen.", "Universitat"),
        ],
    )
    def test_words_are_found_in_any_of_their_forms(
        self, vectors: Vectors, heading: str, text: str, question: str
    ) -> None:
        space = space_of()
        ref = ref_in(space)
        others = [chunk_at(ref, n, EAST, text=f"Something else, part {n}.") for n in range(3)]
        vectors.upsert(space, [*others, chunk_at(ref, 9, EAST, text=text, heading=heading)])
        hits = vectors.search([Target(space, (), Ranking(SearchType.text))], question=question, limit=9)
        assert [hit.chunk.number for hit in hits] == [9]

    def test_scores_of_both_routes_are_told(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space)
        vectors.upsert(space, [chunk_at(ref, 0, EAST, text="filler"), chunk_at(ref, 1, NORTH_EAST, text="torque")])

        def scores(ranking: Ranking) -> dict[int, tuple[float, bool]]:
            hits = vectors.search([Target(space, EAST, ranking)], question="torque", limit=3)
            return {hit.chunk.number: (round(hit.score, 3), hit.text_score is not None) for hit in hits}

        assert scores(Ranking()) == {0: (1.0, False), 1: (0.6, True)}
        assert scores(Ranking(SearchType.dense)) == {0: (1.0, False), 1: (0.6, False)}
        (only,) = vectors.search([Target(space, (), Ranking(SearchType.text))], question="torque", limit=3)
        assert only.text_score is not None
        assert only.score == saturated(only.text_score) > 0

    def test_chunks_come_by_number_as_they_were_written(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space, generation=3)
        written = [
            chunk_at(ref, n, EAST, text=f"text {n}", heading="One > Two", table=n or None) for n in (9, 4, 5, 12)
        ]
        vectors.upsert(
            space, [*written, chunk_at(ref_in(space, file_id=ref.file_id), 5, EAST, text="another generation")]
        )
        by_number = {one.chunk.number: one.chunk for one in written}
        assert vectors.chunks(space, ref, range(5, 12)) == [by_number[5], by_number[9]]
        assert vectors.chunks(space, ref, range(100)) == [by_number[n] for n in (4, 5, 9, 12)]
        assert vectors.chunks(space, ref, range(13, 99)) == []
        assert vectors.chunks(space_of(tenant_id=space.tenant_id), ref, range(100)) == []

    @pytest.mark.parametrize("dedicated", [False, True])
    def test_chunks_of_several_generations_come_at_once(self, vectors: Vectors, dedicated: bool) -> None:
        tenant = uuid4()
        spaces = [space_of(tenant_id=tenant), space_of(tenant_id=tenant, dedicated=dedicated)]
        refs = [ref_in(spaces[0], generation=2), ref_in(spaces[0]), ref_in(spaces[1])]
        written = {ref: [chunk_at(ref, n, EAST, text=f"{at} {n}") for n in range(5)] for at, ref in enumerate(refs)}
        for space in spaces:
            vectors.upsert(
                space, [one for ref in refs for one in written[ref] if ref.collection_id == space.collection_id]
            )
        wanted = {refs[0]: {1, 3, 9}, refs[1]: {0}, refs[2]: {4, 2}}
        assert vectors.chunks_at(spaces, wanted) == {
            ref: [written[ref][n].chunk for n in sorted(numbers) if n < 5] for ref, numbers in wanted.items()
        }
        assert vectors.chunks_at(spaces[:1], {refs[2]: {4}, refs[0]: ()}) == {}
        assert vectors.chunks_at(spaces, {}) == {}

    def test_chunks_at_numbers_keep_to_tenant_collection_and_generation(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space)
        sibling = space_of(tenant_id=space.tenant_id)
        foreign = space_of(collection_id=space.collection_id)
        same_file = [ref_in(sibling, file_id=ref.file_id), ref_in(foreign, file_id=ref.file_id)]
        stale = ref_in(space, file_id=ref.file_id, generation=2)
        for home, one in zip((space, sibling, foreign, space), (ref, *same_file, stale), strict=True):
            vectors.upsert(
                home, [chunk_at(one, 0, EAST, text=f"of {one.tenant_id} {one.collection_id} {one.generation}")]
            )
        (only,) = vectors.chunks_at([space], {ref: {0}})[ref]
        assert only.text == f"of {ref.tenant_id} {ref.collection_id} 1"
        assert vectors.chunks_at([space], {one: {0} for one in same_file}) == {}
        assert vectors.chunks_at([sibling], {ref: {0}}) == {}
        never = space_of(model=EmbeddingModel(name=f"n{uuid4()}", dimensions=4))
        assert vectors.chunks_at([never], {ref_in(never): {0}}) == {}

    def test_texts_come_by_number_and_complete(self, vectors: Vectors) -> None:
        space = space_of(model=EmbeddingModel(name="contract-many", dimensions=2))
        ref = ref_in(space)
        count = 2 * PAGE_SIZE + 5
        numbers = list(range(count))
        random.Random(1).shuffle(numbers)
        vectors.upsert(space, [chunk_at(ref, n, (1.0, 0.0)) for n in numbers])
        vectors.flush(space)
        assert vectors.texts(space, ref) == [f"text {n}" for n in range(count)]
        assert vectors.count(space) == count

    def test_texts_and_deletion_keep_to_the_generation(self, vectors: Vectors) -> None:
        space = space_of()
        old = ref_in(space)
        new = ref_in(space, file_id=old.file_id, generation=2)
        other = ref_in(space)
        for ref in (old, new, other):
            vectors.upsert(space, [chunk_at(ref, n, EAST, text=f"{ref.generation}/{n}") for n in range(3)])
        assert vectors.texts(space, old) == ["1/0", "1/1", "1/2"]
        assert (vectors.count(space), vectors.count(space, file_id=old.file_id)) == (9, 6)
        vectors.delete(space, file_id=old.file_id, generation=1)
        assert vectors.count(space, file_id=old.file_id, generation=1) == 0
        assert vectors.texts(space, new) == ["2/0", "2/1", "2/2"]
        vectors.delete(space, file_id=old.file_id)
        assert (vectors.count(space, file_id=old.file_id), vectors.count(space)) == (0, 3)
        vectors.delete(space)
        assert vectors.count(space) == 0
        assert ask(vectors, space, question="text") == []

    def test_a_space_that_never_was_is_empty(self, vectors: Vectors) -> None:
        for space in (space_of(dedicated=True), space_of(model=EmbeddingModel(name=f"n{uuid4()}", dimensions=4))):
            vectors.flush(space)
            vectors.delete(space)
            vectors.delete(space, file_id=uuid4(), generation=1)
            assert ask(vectors, space, question="text") == []
            assert vectors.texts(space, ref_in(space)) == []
            assert vectors.count(space) == 0

    def test_a_dedicated_space_serves_like_a_shared_one_and_can_be_emptied_and_used_again(
        self, vectors: Vectors
    ) -> None:
        space = space_of(dedicated=True)
        vectors.prepare(space)
        for _ in range(2):
            vectors.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
            vectors.flush(space)
            assert ask(vectors, space, question="text") == [0]
            vectors.delete(space)
            assert vectors.count(space) == 0

    def test_many_threads_lose_nothing(self, vectors: Vectors) -> None:
        space = space_of()

        def write(number: int) -> int:
            ref = ref_in(space)
            vectors.prepare(space)
            vectors.upsert(space, [chunk_at(ref, n, NORTH_EAST, text=f"{number}/{n}") for n in range(40)])
            ask(vectors, space, question="text")
            return len(vectors.texts(space, ref))

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(write, range(24))) == [40] * 24
        assert vectors.count(space) == 960

    def test_ping(self, vectors: Vectors) -> None:
        vectors.ping()


def client_of(milvus: Environment) -> Iterator[MilvusClient]:
    client = MilvusClient(milvus["MILVUS_URI"], timeout=10, dedicated=True, grpc_options=GRPC_OPTIONS)
    yield client
    client.close()


client = pytest.fixture(client_of, name="client")


@pytest.fixture
def wire(milvus: Environment) -> Iterator[Wire]:
    address = urlsplit(milvus["MILVUS_URI"])
    with Wire(str(address.hostname), int(address.port or 0)) as wire:
        yield wire


@pytest.fixture
def wired(wire: Wire) -> Iterator[MilvusVectors]:
    store = MilvusVectors(f"http://{wire.host}:{wire.port}", timeout=1, options=CollectionOptions(index="FLAT"))
    yield store
    store.close()


class TestMilvus:
    def test_words_find_what_vectors_miss(self, store: MilvusVectors) -> None:
        space = space_of()
        ref = ref_in(space)
        near = [chunk_at(ref, n, (1.0, 0.02 * n, 0, 0), text=f"filler number {n}") for n in range(60)]
        store.upsert(space, [*near, chunk_at(ref, 99, (0.5, 0, 0.8, 0), text="the torque of bolt XJ-4000 is 12 Nm")])
        store.flush(space)
        hits = store.search([Target(space, EAST)], question="torque XJ-4000", limit=5)
        found = {hit.chunk.number: hit for hit in hits}
        assert {0, 99} <= found.keys()
        assert [found[0].score, found[99].score] == pytest.approx([1, 0.53], abs=1e-3)
        assert found[0].text_score is None
        assert float(found[99].text_score or 0) > 1
        assert [hit.fused for hit in hits] == sorted((hit.fused for hit in hits), reverse=True)

    def test_words_count_as_much_in_what_was_written_last(self, store: MilvusVectors) -> None:
        """Also before it is flushed, and in a segment of its own: statistics of words are of the whole collection."""
        space = space_of()
        ref, text = ref_in(space), "the torque of the saffron valve"
        others = [chunk_at(ref, n, EAST, text=f"valve number {n}") for n in range(40)]
        store.upsert(space, [*others, chunk_at(ref, 40, EAST, text=text)])
        store.flush(space)
        store.upsert(space, [chunk_at(ref, 41, EAST, text=text)])
        for _ in range(2):
            target = Target(space, EAST, Ranking(SearchType.text))
            hits = store.search([target], question="saffron torque", limit=2)
            assert {hit.chunk.number for hit in hits} == {40, 41}
            assert float(hits[0].text_score or 0) == pytest.approx(float(hits[1].text_score or 0))
            store.flush(space)

    def test_small_files_share_a_flush_and_are_found_before_it(
        self, store: MilvusVectors, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flushed: list[str] = []
        real = store._milvus.call_slow

        def call_slow(method: str, *args: Any, **options: Any) -> Any:
            flushed.extend([method] * (method == "flush"))
            return real(method, *args, **options)

        monkeypatch.setattr(store._milvus, "call_slow", call_slow)
        space = space_of(model=EmbeddingModel(name="contract-small", dimensions=4))
        for number in range(MAX_UNSEALED):
            store.upsert(space, [chunk_at(ref_in(space), number, EAST, text=f"zanzibar {number}")])
            store.flush(space, written=1)
            if number == 5:
                assert sorted(ask(store, space, question="zanzibar", limit=10)) == [0, 1, 2, 3, 4, 5]
        assert flushed == ["flush"]
        assert store.count(space) == MAX_UNSEALED

    def test_words_of_a_foreign_tenant_find_nothing(self, store: MilvusVectors) -> None:
        mine, theirs = space_of(), space_of()
        store.upsert(theirs, [chunk_at(ref_in(theirs), 0, EAST, text="zanzibar")])
        store.upsert(mine, [chunk_at(ref_in(mine), 1, EAST, text="nothing")])
        assert ask(store, mine, question="zanzibar") == [1]

    def test_without_full_text_only_vectors_count(self, milvus: Environment) -> None:
        store = MilvusVectors(milvus["MILVUS_URI"], options=CollectionOptions(full_text=False))
        space = space_of(model=EmbeddingModel(name="contract-dense", dimensions=4))
        ref = ref_in(space)
        store.upsert(space, [chunk_at(ref, 0, EAST), chunk_at(ref, 1, ELSEWHERE, text="zanzibar")])
        store.flush(space)
        assert ask(store, space, question="zanzibar", limit=1) == [0]
        with pytest.raises(InvalidRequest, match="no full-text search"):
            store.search([Target(space, (), Ranking(SearchType.text))], question="zanzibar", limit=1)
        other = MilvusVectors(milvus["MILVUS_URI"])  # finds a collection without the field that it would make
        assert ask(other, space, question="zanzibar", limit=1) == [0]
        store.close()
        other.close()

    def test_a_space_of_before_the_analysis_is_served_as_it_was_made(self, store: MilvusVectors) -> None:
        old = space_of(model=EmbeddingModel(name="contract-old", dimensions=4))
        ref = ref_in(old)
        new = space_of(tenant_id=old.tenant_id, collection_id=old.collection_id, model=MODEL)
        assert old.name != new.name
        store.upsert(old, [chunk_at(ref, 0, EAST, text="the running engines")])

        def found(space: Space, question: str) -> list[int]:
            ranking = Ranking(SearchType.text)
            hits = store.search([Target(space, (), ranking)], question=question, limit=9)
            return [hit.chunk.number for hit in hits]

        assert (found(old, "running"), found(old, "run"), found(new, "running")) == ([0], [], [])

    def test_a_space_of_before_places_were_kept_is_served_without_them(self, store: MilvusVectors) -> None:
        old = space_of(model=EmbeddingModel(name="contract-unplaced", dimensions=4, analysis=2))
        given = chunk_at(ref_in(old), 0, EAST)
        store.upsert(old, [replace(given, chunk=replace(given.chunk, places="places of words"))])
        (hit,) = store.search([Target(old, EAST)], question="text", limit=9)
        assert hit.chunk == given.chunk

    def test_a_warm_search_is_one_request(self, store: MilvusVectors, monkeypatch: pytest.MonkeyPatch) -> None:
        space = space_of()
        store.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
        asked = methods_called(store, monkeypatch)
        ask(store, space, question="text")
        ask(store, space, question="")
        # The route by words is begun, the one by vectors called: both are under way at once.
        assert asked == ["search", "search", "search"]

    def test_chunks_at_numbers_are_one_request_for_each_milvus_collection(
        self, store: MilvusVectors, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tenant = uuid4()
        spaces = [*(space_of(tenant_id=tenant) for _ in range(3)), space_of(tenant_id=tenant, dedicated=True)]
        refs = [ref_in(space) for space in spaces]
        for space, ref in zip(spaces, refs, strict=True):
            given = [chunk_at(ref, n, EAST) for n in range(3)]
            store.upsert(space, [replace(one, chunk=replace(one.chunk, places="AAAA")) for one in given])
        asked = methods_called(store, monkeypatch)
        found = store.chunks_at(spaces, {ref: {0, 2} for ref in refs})
        assert {ref: [(one.number, one.places) for one in of_file] for ref, of_file in found.items()} == {
            ref: [(0, "AAAA"), (2, "AAAA")] for ref in refs
        }
        assert asked == ["query"] * 2

    def test_a_search_of_several_is_two_requests_for_each_milvus_collection(
        self, store: MilvusVectors, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tenant = uuid4()
        shared = [space_of(tenant_id=tenant) for _ in range(4)]
        spaces = [*shared, *(space_of(tenant_id=tenant, dedicated=True) for _ in range(2))]
        for space in spaces:
            store.upsert(space, [chunk_at(ref_in(space), 0, EAST, text="torque")])
        sent: list[str] = []
        real = store._milvus.call

        def counted(method: str, *args: object, **options: object) -> object:
            sent.append("begun" if options.get("_async") else "called")
            return real(method, *args, **options)

        monkeypatch.setattr(store._milvus, "call", counted)
        hits = store.search([Target(space, EAST) for space in spaces], question="torque", limit=9)
        assert {hit.ref.collection_id for hit in hits} == {space.collection_id for space in spaces}
        assert sent == ["begun"] * 5 + ["called"]  # all under way before any result is waited for

    def test_a_collection_that_another_process_dropped_does_not_fail_the_others(self, store: MilvusVectors) -> None:
        tenant = uuid4()
        spaces = [space_of(tenant_id=tenant), space_of(tenant_id=tenant, dedicated=True)]
        for space in spaces:
            store.upsert(space, [chunk_at(ref_in(space), 0, EAST, text="torque")])
        targets = [Target(space, EAST) for space in spaces]
        assert len(store.search(targets, question="torque", limit=9)) == 2
        store._milvus.call_slow("drop_collection", spaces[1].name)
        (hit,) = store.search(targets, question="torque", limit=9)
        assert hit.ref.collection_id == spaces[0].collection_id

    def test_chunks_go_in_batches(self, milvus: Environment) -> None:
        store = MilvusVectors(milvus["MILVUS_URI"], batch_size=7, options=CollectionOptions(index="FLAT"))
        space = space_of()
        store.upsert(space, [chunk_at(ref_in(space), n, EAST) for n in range(20)])
        assert store.count(space) == 20
        store.close()

    def test_texts_and_headings_longer_than_their_fields_are_handled(self, store: MilvusVectors) -> None:
        space = space_of()
        ref = ref_in(space)
        store.upsert(space, [chunk_at(ref, 0, EAST, heading="ü" * 9_000, source="n" * 5_000, text="ü" * 30_000)])
        (hit,) = store.search([Target(space, EAST)], question="", limit=1)
        assert hit.chunk.heading == "ü" * 4_096
        assert store.texts(space, ref) == ["ü" * 30_000]

    @pytest.mark.parametrize("change", ["release_collection", "drop_collection"])
    def test_a_change_behind_its_back_is_recovered_from(
        self, store: MilvusVectors, client: MilvusClient, change: str
    ) -> None:
        space = space_of(dedicated=True)
        ref = ref_in(space)
        kept = [0] if change == "release_collection" else []
        store.upsert(space, [chunk_at(ref, 0, EAST)])
        getattr(client, change)(space.name)
        assert ask(store, space) == kept
        getattr(client, change)(space.name)
        assert store.count(space) == len(kept)
        getattr(client, change)(space.name)
        store.upsert(space, [chunk_at(ref, 0, EAST)])
        assert ask(store, space, question="text") == [0]

    def test_an_index_that_a_dead_creator_left_out_is_made(
        self, milvus: Environment, store: MilvusVectors, client: MilvusClient
    ) -> None:
        space = space_of(dedicated=True)
        schema = schema_of(space, full_text=True)
        client.create_collection(space.name, schema=schema)
        store.prepare(space)
        assert set(client.list_indexes(space.name)) == {"vector", "sparse"}

    def test_two_processes_may_prepare_at_once(self, milvus: Environment, store: MilvusVectors) -> None:
        script = (
            "import sys, uuid\n"
            "from modulo.adapters.milvus.collections import CollectionOptions\n"
            "from modulo.adapters.milvus.vectors import MilvusVectors\n"
            "from tests.contracts.ports.test_vectors import EAST, Space, chunk_at, ref_in, MODEL\n"
            "uri, start, *ids = sys.argv[1:]\n"
            "import time; store = MilvusVectors(uri, options=CollectionOptions(index='FLAT')); store.ping()\n"
            "time.sleep(max(0, float(start) - time.time()))\n"
            "for id in map(uuid.UUID, ids):\n"
            "    space = Space(id, id, id, MODEL, True)\n"
            "    store.prepare(space); store.upsert(space, [chunk_at(ref_in(space), 0, EAST)])\n"
        )
        ids = [uuid4() for _ in range(5)]
        argv = [sys.executable, "-c", script, milvus["MILVUS_URI"], str(time.time() + 4), *map(str, ids)]
        processes = [subprocess.Popen(argv, cwd=Path(__file__).parents[3]) for _ in range(3)]
        assert [process.wait(60) for process in processes] == [0, 0, 0]
        assert [store.count(Space(one, one, one, MODEL, True)) for one in ids] == [3] * 5

    @pytest.mark.serial
    def test_nothing_there_is_an_honest_and_fast_failure(self) -> None:
        store = MilvusVectors("http://127.0.0.1:9", timeout=2)
        began = time.monotonic()
        for call in (store.ping, lambda: store.prepare(space_of()), lambda: ask(store, space_of())):
            with pytest.raises(Unavailable) as caught:
                call()
            assert caught.value.extra == {"dependency": "milvus"}
        assert time.monotonic() - began < 20

    @pytest.mark.serial
    def test_it_fails_fast_while_the_server_is_down_and_serves_when_it_is_back(
        self, wired: MilvusVectors, wire: Wire
    ) -> None:
        space = space_of()
        wired.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
        wire.cut()
        began = time.monotonic()
        for call in (
            lambda: ask(wired, space),
            lambda: wired.count(space),
            lambda: wired.delete(space),
            lambda: wired.upsert(space, [chunk_at(ref_in(space), 0, EAST)]),
        ):
            with pytest.raises(Unavailable):
                call()
        assert time.monotonic() - began < 20
        wire.mend()
        assert ask(wired, space) == [0]

    @pytest.mark.serial
    def test_a_server_that_hangs_costs_one_timeout(self, wired: MilvusVectors, wire: Wire) -> None:
        space = space_of()
        wired.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
        wire.silence()
        began = time.monotonic()
        with pytest.raises(Unavailable):
            ask(wired, space, question="text")
        assert 0.9 < time.monotonic() - began < 6
        wire.mend()
        assert ask(wired, space, question="text") == [0]

    @pytest.mark.serial
    def test_threads_that_wait_for_a_hanging_server_wait_together(self, wire: Wire) -> None:
        wire.silence()
        store = MilvusVectors(f"http://{wire.host}:{wire.port}", timeout=1)

        def ping(_: int) -> None:
            with pytest.raises(Unavailable):
                store.ping()

        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ping, range(8)))
        assert time.monotonic() - began < 6

    def test_what_a_crash_left_twice_is_read_once(self, tmp_path: Path) -> None:
        """Killed between the commit of a segment and the deletion of its log, Milvus Lite returns each row twice."""
        space = space_of()
        ref = ref_in(space)
        options = CollectionOptions(index="FLAT")
        with Stack(tmp_path, ["milvus"]) as stack:
            store = MilvusVectors(stack.environment["MILVUS_URI"], timeout=5, options=options)
            store.upsert(space, [chunk_at(ref, n, EAST) for n in range(50)])
            store.close()
            logs = [(path, path.read_bytes()) for path in tmp_path.rglob("wal/*")]
        assert logs
        for path, content in logs:
            path.write_bytes(content)
        with Stack(tmp_path, ["milvus"]) as stack:
            store = MilvusVectors(stack.environment["MILVUS_URI"], timeout=5, options=options)
            assert store.count(space, file_id=ref.file_id) == 100, (
                "the server counts rows once: the rest proves nothing"
            )
            assert [chunk.number for chunk in store.chunks(space, ref, range(50))] == list(range(50))
            assert len(store.texts(space, ref)) == 50
            assert len(ask(store, space, limit=60, question="text")) == 50
            store.upsert(space, [chunk_at(ref, n, EAST) for n in range(50)])
            assert store.count(space, file_id=ref.file_id) == 50
            store.close()

    def test_what_was_written_outlives_a_restart(self, tmp_path: Path) -> None:
        space = space_of()
        ref = ref_in(space)
        with Stack(tmp_path, ["milvus"]) as stack:
            address = urlsplit(stack.environment["MILVUS_URI"])
            wire = Wire(str(address.hostname), int(address.port or 0))
            store = MilvusVectors(f"http://{wire.host}:{wire.port}", timeout=5, options=CollectionOptions(index="FLAT"))
            store.upsert(space, [chunk_at(ref, n, EAST) for n in range(50)])
        with pytest.raises(Unavailable):
            ask(store, space)
        with Stack(tmp_path, ["milvus"]) as stack:
            address = urlsplit(stack.environment["MILVUS_URI"])
            wire.target = (str(address.hostname), int(address.port or 0))
            with wire:
                assert len(ask(store, space, limit=60, question="text")) == 50
                assert len(store.texts(space, ref)) == 50
                store.close()
