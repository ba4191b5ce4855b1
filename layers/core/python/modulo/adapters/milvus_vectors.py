"""Vectors in Milvus: dense and full-text search in one request."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

from modulo.adapters import milvus_schema as schema
from modulo.adapters.milvus_client import AnnSearchRequest, LoadState, MilvusClient, RRFRanker
from modulo.adapters.milvus_connection import GoneError, MilvusConnection, too_often, unavailable
from modulo.adapters.similarity import distance, require_vector, score
from modulo.domain.chunk import EmbeddedChunk
from modulo.domain.collection import Space
from modulo.domain.errors import ModuloError, Unavailable
from modulo.domain.file import FileRef
from modulo.domain.filters import Condition, FilterField
from modulo.domain.passage import Hit
from modulo.settings import Settings

RRF_K = 60
PAGE = 4_000
"""Texts read at once: under Milvus' limit of 16,384 rows and the size of one answer."""
CREATION_CHECKS, CREATION_CHECK_SECONDS = 20, 0.1
_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a collection that is ready to be searched offers."""

    full_text: bool


class MilvusVectors:
    """One Milvus server or cluster, from version 2.4 on: earlier ones upsert past the partition key.

    Spaces share a collection for each embedding model, partitioned by tenant, unless they are
    dedicated. A hit's score is the similarity of the two vectors (`similarity.score`), also where
    full text helped to find it: hybrid hits come in their fused order, which the scores need not
    follow. A space that was never prepared is an empty one; only `prepare` and `upsert` create it.
    """

    def __init__(
        self,
        uri: str,
        *,
        token: str | None = None,
        timeout: float = 10,
        index: str = "HNSW",
        hnsw_m: int = 16,
        hnsw_ef_construction: int = 256,
        hnsw_ef: int = 64,
        shards: int = 2,
        full_text: bool = True,
        batch_size: int = 1_000,
    ) -> None:
        self._milvus = MilvusConnection(uri, token=token, timeout=timeout)
        self._index = index
        self._hnsw = {"M": hnsw_m, "efConstruction": hnsw_ef_construction}
        self._ef = hnsw_ef
        self._shards = shards
        self._full_text = full_text
        self._batch_size = batch_size
        self._creating = Lock()
        self._layouts: dict[str, _Layout] = {}

    def prepare(self, space: Space) -> None:
        """Create, index and load the space's collection, as far as that is still to be done."""
        self._ready(space, create=True)

    def upsert(self, space: Space, chunks: Sequence[EmbeddedChunk]) -> None:
        """Write chunks in batches; those already there under the same id are replaced.

        Raises:
            ValueError: a chunk is not of this space, or its vector not of the space's model.
        """
        rows = (schema.row_of(space, chunk) for chunk in chunks)
        for batch in schema.batches(rows, size=self._batch_size):
            self._write(space, batch)

    def flush(self, space: Space) -> None:
        """Seal what was written, so that it is indexed now.

        Milvus takes few flushes a minute; a refused one does no harm, for segments seal by themselves.
        """
        try:
            self._in(space, lambda _: self._milvus.ask_slowly("flush", space.name, retry_on_rate_limit=False))
        except Unavailable as error:
            if not too_often(error):
                raise
            _log.info("Milvus put off a flush of %s", space.name)

    def search(
        self, space: Space, *, vector: Sequence[float], question: str, limit: int, conditions: Sequence[Condition]
    ) -> list[Hit]:
        """The chunks nearest to the question, best first, in one request.

        Raises:
            ValueError: the vector is not of the space's model.
        """
        require_vector(space.model, vector)
        dense = self._dense_request(space, vector, limit, schema.where(space, conditions))

        def ask(layout: _Layout) -> list[Hit]:
            if layout.full_text and question.strip():
                return self._hybrid(space, dense, schema.storable(question))
            return self._dense(space, dense)

        headings = [condition for condition in conditions if condition.field is FilterField.heading]
        hits = self._in(space, ask) or []  # a pattern takes any sign in place of a wildcard's
        return [hit for hit in hits if all(condition.holds(hit.chunk.heading) for condition in headings)]

    def texts(self, space: Space, ref: FileRef, numbers: range | None = None) -> list[str]:
        """The texts stored of one generation, by chunk number, however many there are."""
        found: list[tuple[int, str]] = []
        start, stop = (numbers.start, numbers.stop) if numbers else (0, -1)
        rest = self._numbered(space, ref, range(start, stop))
        while len(rest) == PAGE:
            # Milvus neither sorts nor pages this far, so go by numbers until what is left fits an answer.
            page = self._numbered(space, ref, range(start, start + PAGE))
            found += page
            start += PAGE
            rest = page if len(page) == PAGE else self._numbered(space, ref, range(start, stop))
        return [text for _, text in sorted(found + rest)]

    def delete(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> None:
        """Delete the chunks of one generation or file; a dedicated collection that is to be emptied is dropped."""
        if space.dedicated and file_id is None and generation is None:
            self._drop(space)
            return
        expression = schema.where(space, file_id=file_id, generation=generation)
        self._in(space, lambda _: self._milvus.ask_slowly("delete", space.name, filter=expression))

    def count(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> int:
        """How many chunks there are of those that `delete` would delete."""
        rows = self._query(space, schema.where(space, file_id=file_id, generation=generation), ["count(*)"])
        return int(rows[0]["count(*)"]) if rows else 0

    def ping(self) -> None:
        """Ask for the server's version."""
        self._milvus.ask("get_server_version")

    def close(self) -> None:
        """End the connection; the next request makes another."""
        self._milvus.close()

    # Searching
    def _dense_request(self, space: Space, vector: Sequence[float], limit: int, expression: str) -> AnnSearchRequest:
        # HNSW refuses to look at fewer candidates than it is to return; FLAT ignores the parameter.
        params = {"metric_type": str(space.model.metric), "params": {"ef": max(self._ef, limit)}}
        return AnnSearchRequest([list(vector)], schema.VECTOR, params, limit, expr=expression)

    def _dense(self, space: Space, dense: AnnSearchRequest) -> list[Hit]:
        (hits,) = self._milvus.ask(
            "search",
            space.name,
            data=dense.data,
            anns_field=dense.anns_field,
            search_params=dense.param,
            filter=dense.expr,
            limit=dense.limit,
            output_fields=list(schema.FOUND),
            consistency_level="Eventually",
        )
        metric = space.model.metric
        return [_hit(space, hit["entity"], score(metric, hit["distance"])) for hit in hits]

    def _hybrid(self, space: Space, dense: AnnSearchRequest, question: str) -> list[Hit]:
        words = AnnSearchRequest([question], schema.SPARSE, {"metric_type": "BM25"}, dense.limit, expr=dense.expr)
        (hits,) = self._milvus.ask(
            "hybrid_search",
            space.name,
            [dense, words],
            RRFRanker(RRF_K),
            limit=dense.limit,
            output_fields=[*schema.FOUND, schema.VECTOR],
            consistency_level="Eventually",
        )
        # What Milvus calls distance here is the fused rank; the vectors tell how near a hit really is.
        metric, (asked,) = space.model.metric, dense.data
        entities = [hit["entity"] for hit in hits]
        return [
            _hit(space, entity, score(metric, distance(metric, asked, entity[schema.VECTOR]))) for entity in entities
        ]

    # Reading and writing
    def _write(self, space: Space, rows: list[dict[str, Any]]) -> None:
        self._in(space, lambda _: self._milvus.ask("upsert", space.name, rows), create=True)

    def _numbered(self, space: Space, ref: FileRef, numbers: range) -> list[tuple[int, str]]:
        expression = schema.where(space, file_id=ref.file_id, generation=ref.generation, numbers=numbers)
        rows = self._query(space, expression, ["number", "text"], limit=PAGE)
        return [(int(row["number"]), row["text"]) for row in rows]

    def _query(self, space: Space, expression: str, fields: list[str], **options: Any) -> list[dict[str, Any]]:
        def ask(_: _Layout) -> list[dict[str, Any]]:
            strong = {"consistency_level": "Strong", **options}
            return list(self._milvus.ask_slowly("query", space.name, filter=expression, output_fields=fields, **strong))

        return self._in(space, ask) or []

    # Collections
    def _in(self, space: Space, work: Callable[[_Layout], T], *, create: bool = False) -> T | None:
        """Do the work in the space, None where there is none; recover once from a change behind our back."""
        for _ in range(2):
            layout = self._ready(space, create=create)
            if layout is None:
                return None
            try:
                return work(layout)
            except GoneError:
                self._layouts.pop(space.name, None)
        raise unavailable()

    def _ready(self, space: Space, *, create: bool) -> _Layout | None:
        """The collection's layout, which is remembered, so that a warm request asks for nothing."""
        layout = self._layouts.get(space.name) or self._open(space)
        if layout is None and create:
            with self._creating:
                layout = self._open(space) or self._create(space)
        if layout is not None:
            self._layouts[space.name] = layout
        return layout

    def _open(self, space: Space) -> _Layout | None:
        """Index and load a collection that exists: its creator may have died, a server may have forgotten it."""
        try:
            fields = {field["name"] for field in self._milvus.ask("describe_collection", space.name)["fields"]}
            full_text = schema.SPARSE in fields
            self._add_indexes(space, full_text=full_text)
            if self._milvus.ask("get_load_state", space.name)["state"] != LoadState.Loaded:
                self._milvus.ask_slowly("load_collection", space.name)
        except GoneError:
            return None
        return _Layout(full_text=full_text and self._full_text)

    def _create(self, space: Space) -> _Layout:
        full_text = self._full_text and schema.has_full_text_since(str(self._milvus.ask("get_server_version")))
        partitions = {} if space.dedicated else {"num_partitions": schema.PARTITIONS}
        failure: ModuloError = unavailable()
        try:
            self._milvus.ask_slowly(
                "create_collection",
                space.name,
                schema=schema.schema_of(space, full_text=full_text),
                num_shards=self._shards,
                consistency_level="Eventually",
                **partitions,
            )
        except ModuloError as error:
            failure = error
        # Another process may have been faster, and may not be done yet.
        for _ in range(CREATION_CHECKS):
            if layout := self._open(space):
                return layout
            time.sleep(CREATION_CHECK_SECONDS)
        raise failure

    def _add_indexes(self, space: Space, *, full_text: bool) -> None:
        wanted = schema.indexes_of(space.model, index=self._index, hnsw=self._hnsw, full_text=full_text)
        for field in wanted.keys() - set(self._milvus.ask("list_indexes", space.name)):
            index = MilvusClient.prepare_index_params()
            index.add_index(field, index_name=field, **wanted[field])
            try:
                self._milvus.ask_slowly("create_index", space.name, index, sync=False)
            except ModuloError:
                if field not in self._milvus.ask("list_indexes", space.name):
                    raise

    def _drop(self, space: Space) -> None:
        self._layouts.pop(space.name, None)
        try:
            self._milvus.ask_slowly("drop_collection", space.name)
        except GoneError:
            return


def _hit(space: Space, entity: Mapping[str, Any], nearness: float) -> Hit:
    return Hit(*schema.chunk_of(space, entity), nearness, entity["source"])


def milvus_vectors(settings: Settings) -> MilvusVectors:
    """The server that the settings name, used as they say."""
    token = settings.milvus_token
    return MilvusVectors(
        settings.milvus_uri,
        token=token.get_secret_value() if token else None,
        timeout=settings.milvus_timeout_seconds,
        index=settings.milvus_index,
        hnsw_m=settings.milvus_hnsw_m,
        hnsw_ef_construction=settings.milvus_hnsw_ef_construction,
        hnsw_ef=settings.milvus_hnsw_ef,
        shards=settings.milvus_shards,
        full_text=settings.milvus_full_text,
        batch_size=settings.vector_batch_size,
    )
