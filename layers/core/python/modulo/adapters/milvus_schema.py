"""How chunks look in Milvus: fields, indexes, filter expressions, rows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from modulo.adapters.milvus_client import CollectionSchema, DataType, Function, FunctionType, MilvusClient
from modulo.adapters.similarity import require_vector
from modulo.domain.chunk import Chunk, EmbeddedChunk
from modulo.domain.collection import EmbeddingModel, Space
from modulo.domain.file import FileRef
from modulo.domain.filters import Comparison, Condition, FilterField
from modulo.domain.outline import BETWEEN_HEADINGS

PARTITIONS = 64
"""How many partitions the tenants of a shared collection are spread over."""
MAX_BATCH_BYTES = 16 * 1024**2
"""A quarter of what a Milvus proxy takes in one message."""
FOUND = ("file_id", "generation", "number", "page", "start", "end", "table_index", "heading", "text", "source")
"""What a search brings back; tenant and collection are those that it asked for."""
VECTOR = "vector"
SPARSE = "sparse"
_UUID = 36
_LENGTHS = {"heading": 8_192, "source": 2_048, "media_type": 255, "text": 65_535}
_NUMBERS = ("generation", "number", "page", "start", "end", "table_index")
_FIELDS = {
    FilterField.document_id: "file_id",
    FilterField.media_type: "media_type",
    FilterField.page_number: "page",
    FilterField.heading: "heading",
}
_OPERATORS = {Comparison.gte: ">=", Comparison.lte: "<=", Comparison.gt: ">", Comparison.lt: "<"}
_WILDCARDS = str.maketrans("%\\", "__")
"""Any one character, as `_` is itself: how wildcards are escaped in a pattern differs between versions of Milvus."""
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def schema_of(space: Space, *, full_text: bool) -> CollectionSchema:
    """The fields of the space's collection; the tenant is the partition key of a shared one."""
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("chunk_id", DataType.VARCHAR, is_primary=True, max_length=_UUID)
    schema.add_field("tenant_id", DataType.VARCHAR, is_partition_key=not space.dedicated, max_length=_UUID)
    for name in ("collection_id", "file_id"):
        schema.add_field(name, DataType.VARCHAR, max_length=_UUID)
    for name in _NUMBERS:
        schema.add_field(name, DataType.INT64)
    for name, length in _LENGTHS.items():
        analyzed = {"enable_analyzer": True} if full_text and name == "text" else {}
        schema.add_field(name, DataType.VARCHAR, max_length=length, **analyzed)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=space.model.dimensions)
    if full_text:
        schema.add_field(SPARSE, DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, ["text"], [SPARSE]))
    return schema


def indexes_of(
    model: EmbeddingModel, *, index: str, hnsw: Mapping[str, int], full_text: bool
) -> dict[str, dict[str, Any]]:
    """The index of each vector field, by the field's name."""
    params = dict(hnsw) if index == "HNSW" else {}
    indexes: dict[str, dict[str, Any]] = {
        VECTOR: {"index_type": index, "metric_type": str(model.metric), "params": params}
    }
    if full_text:
        indexes[SPARSE] = {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "BM25", "params": {}}
    return indexes


def has_full_text_since(version: str) -> bool:
    """Whether a server of that version can make BM25 vectors: Milvus from 2.5 on, and milvus-lite."""
    found = re.search(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= (2, 5)


def where(
    space: Space,
    conditions: Iterable[Condition] = (),
    *,
    file_id: UUID | None = None,
    generation: int | None = None,
    numbers: range | None = None,
) -> str:
    """The filter of every request: never without tenant and collection, and this is the only place that adds them.

    `numbers` is a range of chunk numbers with step 1; its stop may be left open with a negative one.
    """
    terms = [f"tenant_id == {literal(str(space.tenant_id))}", f"collection_id == {literal(str(space.collection_id))}"]
    if file_id is not None:
        terms.append(f"file_id == {literal(str(file_id))}")
    if generation is not None:
        terms.append(f"generation == {literal(generation)}")
    if numbers is not None:
        terms.append(f"number >= {literal(numbers.start)}")
        if numbers.stop >= 0:
            terms.append(f"number < {literal(numbers.stop)}")
    terms += map(_term, conditions)
    return " and ".join(terms)


def _term(condition: Condition) -> str:
    field = _FIELDS[condition.field]
    if condition.field is FilterField.heading:
        return f"({' or '.join(f'{field} like {literal(pattern)}' for pattern in _patterns(condition))})"
    if condition.comparison is Comparison.within:
        return f"{field} in [{', '.join(map(literal, condition.values))}]"
    (value,) = condition.values
    return f"{field} {_OPERATORS[condition.comparison]} {literal(value)}"


def _patterns(condition: Condition) -> list[str]:
    """What finds all headings that meet the condition, and few others: each hit is to be held against it."""
    texts = [str(value).translate(_WILDCARDS) for value in condition.values]
    if condition.comparison is Comparison.contains:
        return [f"%{text}%" for text in texts]
    above, below = f"%{BETWEEN_HEADINGS}", f"{BETWEEN_HEADINGS}%"
    return [pattern for text in texts for pattern in (text, text + below, above + text, above + text + below)]


def literal(value: object) -> str:
    """The value in Milvus' filter language; whatever a text holds, it cannot end the literal.

    Raises:
        TypeError: it is neither a text nor a number.
    """
    if isinstance(value, str):
        return f'"{storable(value).translate(_ESCAPES)}"'
    if not isinstance(value, int):
        raise TypeError("no such value is kept in Milvus")
    return str(int(value))


def storable(text: str) -> str:
    """The text as it can travel: lone surrogates, which UTF-8 cannot carry, become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def primary_key(ref: FileRef, chunk: Chunk) -> str:
    """The chunk's id inside its tenant and collection, so that no id of one tenant can replace a row of another."""
    return str(uuid5(ref.tenant_id, f"{ref.collection_id}/{chunk.id_in(ref)}"))


def row_of(space: Space, embedded: EmbeddedChunk) -> dict[str, Any]:
    """The chunk as it is written.

    Raises:
        ValueError: it is not of this space, or its vector not of the space's model.
    """
    ref, chunk = embedded.ref, embedded.chunk
    if (ref.tenant_id, ref.collection_id) != (space.tenant_id, space.collection_id):
        raise ValueError("the chunk is not of this space")
    require_vector(space.model, embedded.vector)
    return {
        "chunk_id": primary_key(ref, chunk),
        "tenant_id": str(space.tenant_id),
        "collection_id": str(space.collection_id),
        "file_id": str(ref.file_id),
        "generation": ref.generation,
        "number": chunk.number,
        "page": chunk.page,
        "start": chunk.start,
        "end": chunk.end,
        "table_index": -1 if chunk.table is None else chunk.table,
        "heading": _cut("heading", chunk.heading),
        "source": _cut("source", embedded.source),
        "media_type": _cut("media_type", embedded.media_type),
        "text": storable(chunk.text),
        VECTOR: list(embedded.vector),
    }


def _cut(field: str, text: str) -> str:
    """The text within the field's bytes: a path of headings that is too long must not fail its file."""
    return storable(text).encode()[: _LENGTHS[field]].decode(errors="ignore")


def chunk_of(space: Space, entity: Mapping[str, Any]) -> tuple[FileRef, Chunk]:
    """A chunk as it was found."""
    ref = FileRef(space.tenant_id, space.collection_id, UUID(entity["file_id"]), int(entity["generation"]))
    table = int(entity["table_index"])
    return ref, Chunk(
        number=int(entity["number"]),
        text=entity["text"],
        page=int(entity["page"]),
        start=int(entity["start"]),
        end=int(entity["end"]),
        heading=entity["heading"],
        table=None if table < 0 else table,
    )


def batches(
    rows: Iterable[dict[str, Any]], *, size: int, max_bytes: int = MAX_BATCH_BYTES
) -> Iterator[list[dict[str, Any]]]:
    """The rows in lists of at most `size` that fit into one message."""
    batch: list[dict[str, Any]] = []
    total = 0
    for row in rows:
        weight = _bytes(row)
        if batch and (len(batch) >= size or total + weight > max_bytes):
            yield batch
            batch, total = [], 0
        batch.append(row)
        total += weight
    if batch:
        yield batch


def _bytes(row: Mapping[str, Any]) -> int:
    vector: Sequence[float] = row[VECTOR]
    return 4 * len(vector) + sum(len(value.encode()) if isinstance(value, str) else 8 for value in row.values())
