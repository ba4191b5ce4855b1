"""Filter expressions and rows, before Milvus sees them."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from milvus_lite.search.filter.tokens import TokenKind, tokenize

from modulo.adapters import milvus_schema as schema
from modulo.domain.chunk import Chunk, EmbeddedChunk
from modulo.domain.collection import EmbeddingModel, Metric, Space
from modulo.domain.file import FileRef
from modulo.domain.filters import Comparison, Condition, FilterField, parse_filters

TENANT, COLLECTION, FILE = (UUID(int=n) for n in (1, 2, 3))
MODEL = EmbeddingModel(name="m", dimensions=2)
SPACE = Space(TENANT, COLLECTION, UUID(int=4), MODEL, dedicated=False)
REF = FileRef(TENANT, COLLECTION, FILE, 1)
SCOPE = f'tenant_id == "{TENANT}" and collection_id == "{COLLECTION}"'


def embedded(ref: FileRef = REF, *, number: int = 0, text: str = "text", heading: str = "") -> EmbeddedChunk:
    return EmbeddedChunk(ref, Chunk(number, text, 1, 0, len(text), heading), [1.0, 0.0], "a.pdf", "application/pdf")


class TestWhere:
    def test_tenant_and_collection_are_always_there(self) -> None:
        assert schema.where(SPACE) == SCOPE

    def test_what_may_be_deleted_and_read(self) -> None:
        where = schema.where(SPACE, file_id=FILE, generation=2, numbers=range(10, 20))
        assert where == f'{SCOPE} and file_id == "{FILE}" and generation == 2 and number >= 10 and number < 20'
        assert schema.where(SPACE, numbers=range(5, -1)) == f"{SCOPE} and number >= 5"

    def test_conditions_are_added_and_never_replace_anything(self) -> None:
        conditions = parse_filters(
            {
                "media_type": ['a"b', "c\\"],
                "page_number": {"gte": 2, "lt": 9},
                "document_id": str(FILE),
            }
        )
        assert schema.where(SPACE, conditions) == (
            f'{SCOPE} and media_type in ["a\\"b", "c\\\\"] and page >= 2 and page < 9 and file_id in ["{FILE}"]'
        )

    def test_headings_are_found_by_patterns_whose_wildcards_are_ours_alone(self) -> None:
        conditions = parse_filters({"heading": ['50 %"_\\']})
        assert schema.where(SPACE, conditions) == (
            f'{SCOPE} and (heading like "50 _\\"__" or heading like "50 _\\"__ > %"'
            ' or heading like "% > 50 _\\"__" or heading like "% > 50 _\\"__ > %")'
        )
        conditions = parse_filters({"heading": {"contains": "%' or \n"}, "page_number": 1})
        assert schema.where(SPACE, conditions) == f'{SCOPE} and (heading like "%_\' or \\n%") and page in [1]'

    @pytest.mark.parametrize("field", [FilterField.media_type, FilterField.heading])
    @given(values=st.lists(st.text(), min_size=1, max_size=3))
    def test_no_value_changes_the_shape_of_the_filter(self, field: FilterField, values: list[str]) -> None:
        def shape(expression: str) -> list[TokenKind]:
            return [token.kind for token in tokenize(expression)]

        harmless = Condition(field, Comparison.within, tuple("x" for _ in values))
        hostile = Condition(field, Comparison.within, tuple(values))
        assert shape(schema.where(SPACE, [hostile])) == shape(schema.where(SPACE, [harmless]))


class TestLiteral:
    @given(st.text(alphabet=st.characters(codec="utf-8")))
    def test_a_text_reads_back_as_itself(self, text: str) -> None:
        token, end = tokenize(schema.literal(text))
        assert (token.kind, token.value, end.kind) == (TokenKind.STRING, text, TokenKind.EOF)

    def test_a_number_is_written_as_digits(self) -> None:
        assert schema.literal(-7) == "-7"
        assert schema.literal(True) == "1"

    def test_nothing_else_is_written(self) -> None:
        with pytest.raises(TypeError):
            schema.literal(datetime.now(UTC))

    @given(st.text())
    def test_what_is_stored_is_utf_8(self, text: str) -> None:
        stored = schema.storable(text)
        assert stored.encode().decode() == stored
        assert schema.storable(stored) == stored

    def test_lone_surrogates_are_replaced_and_pairs_joined(self) -> None:
        assert schema.storable("a\ud800b") == "a\ufffdb"
        assert schema.storable("\ud83d\ude42") == "🙂"


class TestRows:
    def test_the_same_chunk_has_the_same_key(self) -> None:
        assert schema.row_of(SPACE, embedded())["chunk_id"] == schema.row_of(SPACE, embedded(text="new"))["chunk_id"]

    @pytest.mark.parametrize(
        "other",
        [
            FileRef(uuid4(), COLLECTION, FILE, 1),
            FileRef(TENANT, uuid4(), FILE, 1),
            FileRef(TENANT, COLLECTION, uuid4(), 1),
            FileRef(TENANT, COLLECTION, FILE, 2),
        ],
    )
    def test_any_other_chunk_has_another(self, other: FileRef) -> None:
        chunk = embedded().chunk
        assert schema.primary_key(other, chunk) != schema.primary_key(REF, chunk)

    def test_a_row_reads_back_as_its_chunk(self) -> None:
        for table in (None, 0, 3):
            chunk = Chunk(5, "text", 2, 10, 14, "One > Two", table)
            row = schema.row_of(SPACE, EmbeddedChunk(REF, chunk, [1.0, 0.0], "a.pdf", "application/pdf"))
            assert schema.chunk_of(SPACE, row) == (REF, chunk)

    def test_fields_keep_to_their_bytes(self) -> None:
        row = schema.row_of(SPACE, embedded(heading="€" * 5_000))
        assert row["heading"] == "€" * 2_730

    def test_batches_keep_to_rows_and_bytes(self) -> None:
        rows = [schema.row_of(SPACE, embedded(number=n, text="x" * 1_000)) for n in range(10)]
        assert [len(batch) for batch in schema.batches(rows, size=4)] == [4, 4, 2]
        assert [len(batch) for batch in schema.batches(rows, size=100, max_bytes=4_000)] == [3, 3, 3, 1]
        assert [len(batch) for batch in schema.batches(rows, size=100, max_bytes=1)] == [1] * 10
        assert list(schema.batches([], size=4)) == []


class TestSchema:
    def test_the_tenant_is_the_partition_key_of_a_shared_collection_only(self) -> None:
        shared = schema.schema_of(SPACE, full_text=True)
        own = schema.schema_of(Space(TENANT, COLLECTION, uuid4(), MODEL, dedicated=True), full_text=False)
        assert [field.name for field in shared.fields if field.is_partition_key] == ["tenant_id"]
        assert not any(field.is_partition_key for field in own.fields)
        assert "sparse" in [field.name for field in shared.fields]
        assert "sparse" not in [field.name for field in own.fields]

    def test_indexes(self) -> None:
        model = EmbeddingModel(name="m", dimensions=2, metric=Metric.inner_product)
        hnsw = {"M": 16, "efConstruction": 256}
        indexes = schema.indexes_of(model, index="HNSW", hnsw=hnsw, full_text=True)
        assert indexes["vector"] == {"index_type": "HNSW", "metric_type": "IP", "params": hnsw}
        assert indexes["sparse"]["metric_type"] == "BM25"
        assert schema.indexes_of(model, index="FLAT", hnsw=hnsw, full_text=False) == {
            "vector": {"index_type": "FLAT", "metric_type": "IP", "params": {}}
        }

    @pytest.mark.parametrize(
        ("version", "expected"),
        [
            ("v2.3.5", False),
            ("2.4.15", False),
            ("v2.5.0", True),
            ("2.6.1-dev", True),
            ("v3.0.0", True),
            ("milvus_lite-3.2.2", True),
            ("Zilliz Cloud Vector Database(Compatible with Milvus 2.5)", True),
            ("", False),
        ],
    )
    def test_full_text_depends_on_the_server(self, version: str, expected: bool) -> None:
        assert schema.has_full_text_since(version) is expected
