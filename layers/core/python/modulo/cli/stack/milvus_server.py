"""Milvus Lite's process: `python -m modulo.cli.stack.milvus_server OPTIONS`, with the options of `milvus-lite`.

One of its behaviours is patched. For BM25 it counts in how many texts a word is, and how long texts are, in each
segment by itself. In a small segment every word then counts little, however rare it is: what was written last is found
last. Here these statistics are of the whole collection, as in Milvus.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from typing import Any

Scores = tuple[Any, Any]
_statistics: ContextVar["Statistics"] = ContextVar("statistics")


class _Frequencies(dict[int, int]):
    """In how many texts of all indexes each term is, counted when it is first looked up."""

    def __init__(self, indexes: list[Any]) -> None:
        self._indexes = indexes

    def __missing__(self, term: int) -> int:
        found: int = sum(index._df.get(term, 0) for index in self._indexes)
        self[term] = found
        return found


class Statistics:
    """How many texts all indexes of a field hold, their mean length, and how many of them have a term."""

    def __init__(self, indexes: list[Any]) -> None:
        self._texts = sum(index.doc_count for index in indexes)
        self._length = sum(index.doc_count * index.avgdl for index in indexes) / max(self._texts, 1)
        self._frequencies = _Frequencies(indexes)

    def applied_to(self, index: Any) -> Any:
        """The index of a segment, with these statistics in place of its own."""
        applied = copy(index)
        applied.doc_count, applied.avgdl, applied._df = self._texts, self._length, self._frequencies
        return applied


class FieldIndexes:
    """The indexes of a BM25 field: one of each segment, which is kept there, and one of what is in no segment yet."""

    def __init__(self, collection: Any, field: str) -> None:
        self._collection, self._field = collection, field
        spec = collection._index_specs.get(field)
        self._params: Mapping[str, Any] = spec.build_params if spec else {}
        self._factory: Any = importlib.import_module("milvus_lite.index.sparse_factory")
        self._decoded: Any = importlib.import_module("milvus_lite.analyzer.sparse").bytes_to_sparse

    def __iter__(self) -> Iterator[Any]:
        segments, _ = self._collection._read_snapshot()
        yield from (self._of_segment(segment) for segment in segments if len(segment.table))
        unsealed = self._collection._memtable.active_record_snapshots()
        yield self._built([record.get(self._field) for _, _, record in unsealed])

    def _of_segment(self, segment: Any) -> Any:
        known = segment.sparse_indexes.get(self._field)
        if not self._factory.sparse_index_matches(known, "BM25", self._params):
            known = self._built(segment.table.column(self._field).to_pylist())
            segment.sparse_indexes[self._field] = known
        return known

    def _built(self, rows: list[Any]) -> Any:
        index = self._factory.create_sparse_index("BM25", self._params)
        index.build([self._decoded(row) if isinstance(row, bytes) else row or {} for row in rows])
        return index


def share_statistics(collections: Any, indexes: Any) -> None:
    """Patch both classes, so that a collection's search by words scores every segment by the same statistics."""
    search_collection: Callable[..., Any] = collections._search_sparse
    search_index: Callable[..., Scores] = indexes.search

    def _search_sparse(collection: Any, **options: Any) -> Any:
        field = options["vector_field"]
        if field not in collection._bm25_analyzers:
            return search_collection(collection, **options)
        with _shared(Statistics(list(FieldIndexes(collection, field)))):
            return search_collection(collection, **options)

    def search(index: Any, *args: Any, **options: Any) -> Scores:
        statistics = _statistics.get(None)
        return search_index(statistics.applied_to(index) if statistics else index, *args, **options)

    collections._search_sparse, indexes.search = _search_sparse, search


@contextmanager
def _shared(statistics: Statistics) -> Iterator[None]:
    token = _statistics.set(statistics)
    try:
        yield
    finally:
        _statistics.reset(token)


def main() -> None:
    """Patch Milvus Lite and serve until a stop signal."""
    share_statistics(
        importlib.import_module("milvus_lite.engine.collection").Collection,
        importlib.import_module("milvus_lite.index.sparse_inverted").SparseInvertedIndex,
    )
    sys.exit(importlib.import_module("milvus_lite.cmdline").main())


if __name__ == "__main__":
    main()
