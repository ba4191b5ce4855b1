"""Filter expressions and rows, before Milvus sees them."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from milvus_lite.search.filter.tokens import TokenKind, tokenize

from modulo.adapters.milvus.filter_expression import filter_expression, literal, storable
from modulo.adapters.milvus.rows import batches, chunk_of, primary_key, row_of, rows_of, search_fields
from modulo.adapters.milvus.schema import indexes_of, schema_of, supports_full_text
from modulo.domain.collections.collection import ANALYSIS, EmbeddingModel, Metric, Space
from modulo.domain.documents.chunk import Chunk, EmbeddedChunk
from modulo.domain.documents.placement import PlacedLine, PlacedText
from modulo.domain.files.file import FileRef
from modulo.domain.retrieval.filter_language import parse_filters
from modulo.domain.retrieval.filters import Comparison, Condition, FilterField

TENANT, COLLECTION, FILE = (UUID(int=n) for n in (1, 2, 3))
MODEL = EmbeddingModel(name="m", dimensions=2)
SPACE = Space(TENANT, COLLECTION, UUID(int=4), MODEL, dedicated=False)
REF = FileRef(TENANT, COLLECTION, FILE, 1)
SCOPE = f'tenant_id == "{TENANT}" and collection_id == "{COLLECTION}"'


def embedded(ref: FileRef = REF, *, number: int = 0, text: str = "text", heading: str = "") -> EmbeddedChunk:
    return EmbeddedChunk(ref, Chunk(number, text, 1, 0, len(text), heading), [1.0, 0.0], "a.pdf", "application/pdf")


class TestWhere:
    def test_tenant_and_collection_are_always_there(self) -> None:
        assert filter_expression(SPACE) == SCOPE

    def test_what_may_be_deleted_and_read(self) -> None:
        where = filter_expression(SPACE, file_id=FILE, generation=2, numbers=range(10, 20))
        assert where == f'{SCOPE} and file_id == "{FILE}" and generation == 2 and number >= 10 and number < 20'
        assert filter_expression(SPACE, numbers=range(5, -1)) == f"{SCOPE} and number >= 5"

    def test_conditions_are_added_and_never_replace_anything(self) -> None:
        where = parse_filters(
            {
                "media_type": ['a"b', "c\\"],
                "page_number": {"gte": 2, "lt": 9},
                "document_id": str(FILE),
            }
        )
        assert filter_expression(SPACE, where) == (
            f'{SCOPE} and (media_type in ["a\\"b", "c\\\\"] and (page >= 2 and page < 9) and file_id in ["{FILE}"])'
        )

    def test_headings_are_found_by_patterns_whose_wildcards_are_ours_alone(self) -> None:
        where = parse_filters({"heading": ['50 %"_\\']})
        assert filter_expression(SPACE, where) == (
            f'{SCOPE} and (heading like "50 _\\"__" or heading like "50 _\\"__ > %"'
            ' or heading like "% > 50 _\\"__" or heading like "% > 50 _\\"__ > %")'
        )
        where = parse_filters({"heading": {"contains": "%' or \n"}, "page_number": 1})
        assert filter_expression(SPACE, where) == f'{SCOPE} and ((heading like "%_\' or \\n%") and page in [1])'

    def test_what_a_chunk_cannot_decide_is_left_out(self) -> None:
        page, author = {"page_number": 1}, {"author": "x"}
        assert filter_expression(SPACE, parse_filters(author)) == SCOPE
        assert filter_expression(SPACE, parse_filters({**page, **author})) == f"{SCOPE} and page in [1]"
        assert filter_expression(SPACE, parse_filters({"type": "or", "filters": [page, author]})) == SCOPE
        neither = {"type": "not", "filter": {"type": "or", "filters": [page, author]}}
        assert filter_expression(SPACE, parse_filters(neither)) == f"{SCOPE} and not (page in [1])"
        assert filter_expression(SPACE, parse_filters({"type": "not", "filter": {}})) == f"{SCOPE} and file_id in []"

    def test_a_pattern_is_negated_only_where_it_is_exact(self) -> None:
        def negated(heading: str) -> str:
            contained = {"heading": {"contains": heading}}
            return filter_expression(SPACE, parse_filters({"type": "not", "filter": contained}))

        assert negated("ab") == f'{SCOPE} and not ((heading like "%ab%"))'
        assert [negated(text) for text in ("a_b", "a%b", "a\\b", "a\ud800b")] == [SCOPE] * 4

    @pytest.mark.parametrize("field", [FilterField.media_type, FilterField.heading])
    @given(values=st.lists(st.text(), min_size=1, max_size=3))
    def test_no_value_changes_the_shape_of_the_filter(self, field: FilterField, values: list[str]) -> None:
        def shape(expression: str) -> list[TokenKind]:
            return [token.kind for token in tokenize(expression)]

        harmless = Condition(field, Comparison.within, tuple("x" for _ in values))
        hostile = Condition(field, Comparison.within, tuple(values))
        assert shape(filter_expression(SPACE, hostile)) == shape(filter_expression(SPACE, harmless))


class TestLiteral:
    @given(st.text(alphabet=st.characters(codec="utf-8")))
    def test_a_text_reads_back_as_itself(self, text: str) -> None:
        token, end = tokenize(literal(text))
        assert (token.kind, token.value, end.kind) == (TokenKind.STRING, text, TokenKind.EOF)

    def test_a_number_is_written_as_digits(self) -> None:
        assert literal(-7) == "-7"
        assert literal(True) == "1"

    def test_nothing_else_is_written(self) -> None:
        with pytest.raises(TypeError):
            literal(datetime.now(UTC))

    @given(st.text())
    def test_what_is_stored_is_utf_8(self, text: str) -> None:
        stored = storable(text)
        assert stored.encode().decode() == stored
        assert storable(stored) == stored

    def test_lone_surrogates_are_replaced_and_pairs_joined(self) -> None:
        assert storable("a\ud800b") == "a\ufffdb"
        assert storable("\ud83d\ude42") == "🙂"


class TestRows:
    def test_the_same_chunk_has_the_same_key(self) -> None:
        assert row_of(SPACE, embedded())["chunk_id"] == row_of(SPACE, embedded(text="new"))["chunk_id"]

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
        assert primary_key(other, chunk) != primary_key(REF, chunk)

    def test_a_row_reads_back_as_its_chunk(self) -> None:
        for table in (None, 0, 3):
            chunk = Chunk(5, "text", 2, 10, 14, "One > Two", table)
            row = row_of(SPACE, EmbeddedChunk(REF, chunk, [1.0, 0.0], "a.pdf", "application/pdf"))
            assert chunk_of(SPACE, row) == (REF, chunk)

    def test_fields_keep_to_their_bytes(self) -> None:
        row = row_of(SPACE, embedded(heading="€" * 5_000))
        assert row["heading"] == "€" * 2_730

    def test_batches_keep_to_rows_and_bytes(self) -> None:
        rows = [row_of(SPACE, embedded(number=n, text="x" * 1_000)) for n in range(10)]
        assert [len(batch) for batch in batches(rows, size=4)] == [4, 4, 2]
        assert [len(batch) for batch in batches(rows, size=100, max_bytes=4_000)] == [3, 3, 3, 1]
        assert [len(batch) for batch in batches(rows, size=100, max_bytes=1)] == [1] * 10
        assert list(batches([], size=4)) == []


class TestSchema:
    def test_the_tenant_is_the_partition_key_of_a_shared_collection_only(self) -> None:
        shared = schema_of(SPACE, full_text=True)
        own = schema_of(Space(TENANT, COLLECTION, uuid4(), MODEL, dedicated=True), full_text=False)
        assert [field.name for field in shared.fields if field.is_partition_key] == ["tenant_id"]
        assert not any(field.is_partition_key for field in own.fields)
        assert "sparse" in [field.name for field in shared.fields]
        assert "sparse" not in [field.name for field in own.fields]

    def test_words_are_sought_in_terms_where_these_are_stored(self) -> None:
        assert [function.input_field_names for function in schema_of(SPACE, full_text=True).functions] == [["text"]]
        assert "terms" not in next(rows_of(SPACE, [embedded()]))
        space = replace(SPACE, model=MODEL.model_copy(update={"analysis": ANALYSIS}))
        schema = schema_of(space, full_text=True)
        assert [function.input_field_names for function in schema.functions] == [["terms"]]
        assert next(rows_of(space, [embedded(heading="Engines", text="It runs.")]))["terms"] == "engin run"
        assert set(next(rows_of(space, [embedded()]))) == {field.name for field in schema.fields} - {"sparse"}

    @pytest.mark.parametrize(("analysis", "kept"), [(1, False), (2, False), (3, True)])
    def test_places_are_kept_where_the_collection_has_a_field_for_them(self, analysis: int, kept: bool) -> None:
        space = replace(SPACE, model=MODEL.model_copy(update={"analysis": analysis}))
        one = Chunk(5, "text", 2, 10, 14, places=PlacedText([PlacedLine(0, 0, 5, 9, 1, (4, 20))]).places(0, 4))
        row = next(rows_of(space, [EmbeddedChunk(REF, one, [1.0, 0.0], "a.pdf", "application/pdf")]))
        names = {field.name for field in schema_of(space, full_text=False).fields}
        assert ("places" in row, "places" in names, "places" in search_fields(space)) == (kept, kept, kept)
        assert set(search_fields(space)) <= set(row) == names
        assert chunk_of(space, row) == (REF, one if kept else replace(one, places=""))

    def test_indexes(self) -> None:
        model = EmbeddingModel(name="m", dimensions=2, metric=Metric.inner_product)
        hnsw = {"M": 16, "efConstruction": 256}
        indexes = indexes_of(model, index="HNSW", hnsw=hnsw, full_text=True)
        assert indexes["vector"] == {"index_type": "HNSW", "metric_type": "IP", "params": hnsw}
        assert indexes["sparse"]["metric_type"] == "BM25"
        assert indexes_of(model, index="FLAT", hnsw=hnsw, full_text=False) == {
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
        assert supports_full_text(version) is expected
