"""Chunks by their numbers, of several generations at once."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

from modulo.adapters.milvus.filter_expression import chunks_expression
from modulo.adapters.milvus.rows import chunk_of, search_fields
from modulo.ports.context_threads import side_by_side

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from modulo.adapters.milvus.collections import CollectionLayout, MilvusCollections
    from modulo.adapters.milvus.connection import MilvusConnection
    from modulo.domain.collections.collection import Space
    from modulo.domain.documents.chunk import Chunk
    from modulo.domain.files.file import FileRef


def chunks_at(
    milvus: MilvusConnection,
    collections: MilvusCollections,
    spaces: Sequence[Space],
    numbers: Mapping[FileRef, Collection[int]],
) -> dict[FileRef, list[Chunk]]:
    """The chunks so numbered of generations in these spaces, by number.

    One request for each Milvus collection, all of them under way at once. They are read as searches read, without
    waiting for what is being written: a search has found their generation already.
    """
    named = {(ref.tenant_id, ref.collection_id) for ref in numbers}
    together: defaultdict[str, list[Space]] = defaultdict(list)
    for space in spaces:
        if (space.tenant_id, space.collection_id) in named:
            together[space.name].append(space)

    def rows(some: Sequence[Space]) -> list[tuple[FileRef, Chunk]]:
        options: dict[str, Any] = {
            "filter": chunks_expression(some, numbers),
            "output_fields": list(search_fields(some[0])),
            "consistency_level": "Eventually",
        }

        def run(_: CollectionLayout) -> list[dict[str, Any]]:
            return list(milvus.call("query", some[0].name, **options))

        by_id = {str(space.collection_id): space for space in some}
        return [chunk_of(by_id[row["collection_id"]], row) for row in collections.within(some[0], run) or []]

    found: defaultdict[FileRef, dict[int, Chunk]] = defaultdict(dict)  # after a crash, a row may be there twice
    for ref, chunk in chain.from_iterable(side_by_side(rows, list(together.values()))):
        found[ref][chunk.number] = chunk
    return {ref: [chunks[number] for number in sorted(chunks)] for ref, chunks in found.items()}
