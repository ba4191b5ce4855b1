"""The Milvus schema of a space: fields, full-text function and indexes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modulo.adapters.milvus.client import CollectionSchema, DataType, Function, FunctionType, MilvusClient
from modulo.domain.documents.placement import MAX_PLACES_LENGTH

if TYPE_CHECKING:
    from modulo.domain.collections.collection import EmbeddingModel, Space

PARTITIONS = 64
"""The number of partitions that the tenants of a shared Milvus collection are spread over."""
TERMS = "terms"
PLACES = "places"
MAX_LENGTHS = {
    "heading": 8_192,
    "source": 2_048,
    "media_type": 255,
    "text": 65_535,
    TERMS: 65_535,
    PLACES: MAX_PLACES_LENGTH,
}
"""Of the text fields, in bytes of UTF-8."""
VECTOR = "vector"
SPARSE = "sparse"
_UUID_LENGTH = 36
_BM25 = {"bm25_k1": 1.2, "bm25_b": 0.75}
"""The usual choices, said because servers' defaults differ."""
_NUMBERS = ("generation", "number", "page", "start", "end", "table_index")
_VERSION = re.compile(r"(?<!\d)(\d{1,9})\.(\d{1,9})")


def schema_of(space: Space, *, full_text: bool) -> CollectionSchema:
    """The fields of the space's Milvus collection; a shared one has the tenant as partition key."""
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("chunk_id", DataType.VARCHAR, is_primary=True, max_length=_UUID_LENGTH)
    schema.add_field("tenant_id", DataType.VARCHAR, is_partition_key=not space.dedicated, max_length=_UUID_LENGTH)
    for name in ("collection_id", "file_id"):
        schema.add_field(name, DataType.VARCHAR, max_length=_UUID_LENGTH)
    for name in _NUMBERS:
        schema.add_field(name, DataType.INT64)
    words = TERMS if has_terms(space) else "text"
    for name, length in MAX_LENGTHS.items():
        if (name != TERMS or has_terms(space)) and (name != PLACES or has_places(space)):
            analyzed = {"enable_analyzer": True} if full_text and name == words else {}
            schema.add_field(name, DataType.VARCHAR, max_length=length, **analyzed)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=space.model.dimensions)
    if full_text:
        schema.add_field(SPARSE, DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, [words], [SPARSE]))
    return schema


def has_terms(space: Space) -> bool:
    """Whether terms are stored beside texts; in older collections the server analyses the texts itself."""
    return space.model.analysis > 1


def has_places(space: Space) -> bool:
    """Whether it is stored where texts stand on their pages; older collections have no field for it."""
    return space.model.analysis > 2


def indexes_of(
    model: EmbeddingModel, *, index: str, hnsw: Mapping[str, int], full_text: bool
) -> dict[str, dict[str, Any]]:
    """The index of each vector field, by the field's name."""
    params = dict(hnsw) if index == "HNSW" else {}
    indexes: dict[str, dict[str, Any]] = {
        VECTOR: {"index_type": index, "metric_type": str(model.metric), "params": params}
    }
    if full_text:
        indexes[SPARSE] = {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "BM25", "params": _BM25}
    return indexes


def supports_full_text(version: str) -> bool:
    """Whether a server of that version computes BM25 vectors: Milvus since 2.5, and milvus-lite."""
    found = _VERSION.search(version)
    return found is not None and (int(found[1]), int(found[2])) >= (2, 5)
