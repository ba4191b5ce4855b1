"""What every vector store promises, and what Milvus promises besides."""

import math
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from pymilvus import MilvusClient

from modulo.adapters import milvus_vectors
from modulo.adapters.memory_vectors import MemoryVectors
from modulo.adapters.milvus_vectors import MilvusVectors
from modulo.cli.stack import Stack
from modulo.domain.chunk import Chunk, EmbeddedChunk
from modulo.domain.collection import EmbeddingModel, Metric, Space
from modulo.domain.errors import Unavailable
from modulo.domain.file import FileRef
from modulo.domain.filters import MOST_DOCUMENTS, Comparison, Condition, FilterField
from modulo.ports import Vectors
from tests.contracts.wire import Wire

Environment = dict[str, str]
MODEL = EmbeddingModel(name="contract-model", dimensions=4)
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


def ask(
    vectors: Vectors,
    space: Space,
    vector: Sequence[float] = EAST,
    *conditions: Condition,
    limit: int = 10,
    question: str = "",
) -> list[int]:
    """The numbers of the chunks found."""
    hits = vectors.search(space, vector=vector, question=question, limit=limit, conditions=conditions)
    return [hit.chunk.number for hit in hits]


@pytest.fixture(scope="module")
def store(milvus: Environment) -> Iterator[MilvusVectors]:
    store = MilvusVectors(milvus["MILVUS_URI"], index=milvus["MILVUS_INDEX"])
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
        table = chunk_at(ref, 1, NORTH, text="| a |", table=2)
        vectors.upsert(space, [plain, table])
        hits = vectors.search(space, vector=EAST, question="", limit=2, conditions=())
        assert [(hit.ref, hit.chunk) for hit in hits] == [(ref, plain.chunk), (ref, table.chunk)]

    def test_hits_come_nearest_first_with_the_cosine_as_their_score(self, vectors: Vectors) -> None:
        space = space_of()
        ref = ref_in(space)
        opposite = tuple(-x for x in EAST)
        chunks = [chunk_at(ref, n, v) for n, v in enumerate([NORTH, NORTH_EAST, (2.0, 0, 0, 0), opposite])]
        vectors.upsert(space, chunks)
        hits = vectors.search(space, vector=EAST, question="", limit=4, conditions=())
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
        hits = vectors.search(space, vector=EAST, question="", limit=3, conditions=())
        assert [hit.chunk.number for hit in hits] == [2, 1, 0]
        assert [hit.score for hit in hits] == pytest.approx(expected, abs=1e-5)
        hits = vectors.search(space, vector=EAST, question="text", limit=3, conditions=())
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

    def test_no_document_holds_no_chunk(self, vectors: Vectors) -> None:
        space = space_of()
        vectors.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
        nothing = Condition(FilterField.document_id, Comparison.within, ())
        assert ask(vectors, space, EAST, nothing, question="text") == []

    def test_many_documents_are_looked_through(self, vectors: Vectors) -> None:
        space = space_of()
        refs = [ref_in(space) for _ in range(2)]
        vectors.upsert(space, [chunk_at(ref, number, EAST) for number, ref in enumerate(refs)])
        ids = [str(uuid4()) for _ in range(MOST_DOCUMENTS - 1)]
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

    def test_texts_come_by_number_and_complete(self, vectors: Vectors) -> None:
        space = space_of(model=EmbeddingModel(name="contract-many", dimensions=2))
        ref = ref_in(space)
        count = 2 * milvus_vectors.PAGE + 5
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
    client = MilvusClient(milvus["MILVUS_URI"], timeout=10, dedicated=True)
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
    store = MilvusVectors(f"http://{wire.host}:{wire.port}", timeout=1, index="FLAT")
    yield store
    store.close()


class TestMilvus:
    def test_words_find_what_vectors_miss(self, store: MilvusVectors) -> None:
        space = space_of()
        ref = ref_in(space)
        near = [chunk_at(ref, n, (1.0, 0.01 * n, 0, 0), text=f"filler number {n}") for n in range(20)]
        store.upsert(space, [*near, chunk_at(ref, 99, ELSEWHERE, text="the torque of bolt XJ-4000 is 12 Nm")])
        store.flush(space)
        hits = store.search(space, vector=EAST, question="torque XJ-4000", limit=5, conditions=())
        assert {0, 99} <= {hit.chunk.number for hit in hits}
        assert {
            hit.chunk.number: pytest.approx(hit.score, abs=1e-3) for hit in hits if hit.chunk.number in (0, 99)
        } == {
            0: 1,
            99: 0,
        }

    def test_words_of_a_foreign_tenant_find_nothing(self, store: MilvusVectors) -> None:
        mine, theirs = space_of(), space_of()
        store.upsert(theirs, [chunk_at(ref_in(theirs), 0, EAST, text="zanzibar")])
        store.upsert(mine, [chunk_at(ref_in(mine), 1, EAST, text="nothing")])
        assert ask(store, mine, question="zanzibar") == [1]

    def test_without_full_text_only_vectors_count(self, milvus: Environment) -> None:
        store = MilvusVectors(milvus["MILVUS_URI"], index="HNSW", full_text=False)
        space = space_of(model=EmbeddingModel(name="contract-dense", dimensions=4))
        ref = ref_in(space)
        store.upsert(space, [chunk_at(ref, 0, EAST), chunk_at(ref, 1, ELSEWHERE, text="zanzibar")])
        store.flush(space)
        assert ask(store, space, question="zanzibar", limit=1) == [0]
        other = MilvusVectors(milvus["MILVUS_URI"])  # finds a collection without the field that it would make
        assert ask(other, space, question="zanzibar", limit=1) == [0]
        store.close()
        other.close()

    def test_a_warm_search_is_one_request(self, store: MilvusVectors, monkeypatch: pytest.MonkeyPatch) -> None:
        space = space_of()
        store.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
        asked: list[str] = []
        real = store._milvus.ask

        def counted(method: str, *args: object, **options: object) -> object:
            asked.append(method)
            return real(method, *args, **options)

        monkeypatch.setattr(store._milvus, "ask", counted)
        ask(store, space, question="text")
        ask(store, space, question="")
        assert asked == ["hybrid_search", "search"]

    def test_chunks_go_in_batches(self, milvus: Environment) -> None:
        store = MilvusVectors(milvus["MILVUS_URI"], index="FLAT", batch_size=7)
        space = space_of()
        store.upsert(space, [chunk_at(ref_in(space), n, EAST) for n in range(20)])
        assert store.count(space) == 20
        store.close()

    def test_texts_and_headings_longer_than_their_fields_are_handled(self, store: MilvusVectors) -> None:
        space = space_of()
        ref = ref_in(space)
        store.upsert(space, [chunk_at(ref, 0, EAST, heading="ü" * 9_000, source="n" * 5_000, text="ü" * 30_000)])
        (hit,) = store.search(space, vector=EAST, question="", limit=1, conditions=())
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
        schema = milvus_vectors.schema.schema_of(space, full_text=True)
        client.create_collection(space.name, schema=schema)
        store.prepare(space)
        assert set(client.list_indexes(space.name)) == {"vector", "sparse"}

    def test_two_processes_may_prepare_at_once(self, milvus: Environment, store: MilvusVectors) -> None:
        script = (
            "import sys, uuid\n"
            "from modulo.adapters.milvus_vectors import MilvusVectors\n"
            "from tests.contracts.test_vectors import EAST, Space, chunk_at, ref_in, MODEL\n"
            "uri, start, *ids = sys.argv[1:]\n"
            "import time; store = MilvusVectors(uri, index='FLAT'); store.ping()\n"
            "time.sleep(max(0, float(start) - time.time()))\n"
            "for id in map(uuid.UUID, ids):\n"
            "    space = Space(id, id, id, MODEL, True)\n"
            "    store.prepare(space); store.upsert(space, [chunk_at(ref_in(space), 0, EAST)])\n"
        )
        ids = [uuid4() for _ in range(5)]
        argv = [sys.executable, "-c", script, milvus["MILVUS_URI"], str(time.time() + 4), *map(str, ids)]
        processes = [subprocess.Popen(argv, cwd=Path(__file__).parents[2]) for _ in range(3)]
        assert [process.wait(60) for process in processes] == [0, 0, 0]
        assert [store.count(Space(one, one, one, MODEL, True)) for one in ids] == [3] * 5

    def test_nothing_there_is_an_honest_and_fast_failure(self) -> None:
        store = MilvusVectors("http://127.0.0.1:9", timeout=2)
        began = time.monotonic()
        for call in (store.ping, lambda: store.prepare(space_of()), lambda: ask(store, space_of())):
            with pytest.raises(Unavailable) as caught:
                call()
            assert caught.value.extra == {"dependency": "milvus"}
        assert time.monotonic() - began < 2

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
        assert time.monotonic() - began < 3
        wire.mend()
        assert ask(wired, space) == [0]

    def test_a_server_that_hangs_costs_one_timeout(self, wired: MilvusVectors, wire: Wire) -> None:
        space = space_of()
        wired.upsert(space, [chunk_at(ref_in(space), 0, EAST)])
        wire.silence()
        began = time.monotonic()
        with pytest.raises(Unavailable):
            ask(wired, space, question="text")
        assert 0.9 < time.monotonic() - began < 2.5
        wire.mend()
        assert ask(wired, space, question="text") == [0]

    def test_threads_that_wait_for_a_hanging_server_wait_together(self, wire: Wire) -> None:
        wire.silence()
        store = MilvusVectors(f"http://{wire.host}:{wire.port}", timeout=1)

        def ping(_: int) -> None:
            with pytest.raises(Unavailable):
                store.ping()

        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ping, range(8)))
        assert time.monotonic() - began < 2.5

    def test_what_was_written_outlives_a_restart(self, tmp_path: Path) -> None:
        space = space_of()
        ref = ref_in(space)
        with Stack(tmp_path, ["milvus"]) as stack:
            address = urlsplit(stack.environment["MILVUS_URI"])
            wire = Wire(str(address.hostname), int(address.port or 0))
            store = MilvusVectors(f"http://{wire.host}:{wire.port}", timeout=5, index="FLAT")
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
