"""Chunks into vectors: known texts are not embedded again, and one bad text does not spoil its batch."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from modulo.domain.errors import BadModelAnswer, RefusedByModel, RefusedPassage, Throttled
from modulo.domain.retrieval.vector import decode_vector, encode_vector
from modulo.domain.search.cache_entry import CacheEntry
from modulo.domain.text.tokens import estimate
from modulo.usecases.cache_keys import chunk_group, chunk_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.documents.chunk import Chunk
    from modulo.domain.ingestion.claim import Claim
    from modulo.ports.cache import Cache
    from modulo.ports.metrics import Metrics
    from modulo.ports.models import Embedder
    from modulo.usecases.ingest_file.throttle import AdaptiveThrottle

Vector = list[float]
PROBE = "passage"
"""A text that every working model takes. Where it is refused too, the model is at fault, not the text."""
SHORTENING = (2, 4, 8)
"""The parts of a text that is too long which are tried, the largest first: a half, a quarter, an eighth."""
MAX_QUOTE_CHARACTERS = 60


@dataclass(slots=True)
class ChunkEmbedding:
    """The embedding of one claim's chunks; several threads may call `embed`."""

    claim: Claim
    embedder: Embedder
    cache: Cache
    metrics: Metrics
    throttle: AdaptiveThrottle
    ttl: int
    """Seconds for which a text's vector is cached; 0 caches none."""
    shortened_pages: set[int] = field(default_factory=set)
    """Pages with a passage of which the model took only the beginning."""
    _max_batch: int = field(init=False)

    def __post_init__(self) -> None:
        self._max_batch = self.throttle.batch_size

    def embed(self, batch: Sequence[Chunk]) -> list[Vector]:
        """One vector a chunk, in order.

        Each text that is not cached is sent to the model once. A batch that it refuses is sent again in halves,
        until the text is found that it will not take; of one that may be too long, the beginning is embedded.

        Raises:
            RefusedPassage: the model takes other texts, but not this one.
            BadModelAnswer: it takes none, or answers one with something unusable.
            Throttled, Unavailable: it takes no more, and there is no time to wait.
        """
        chunks: dict[str, Chunk] = {}
        for chunk in batch:
            chunks.setdefault(chunk.embedded_text, chunk)
        keys = {text: chunk_key(self.claim, text) for text in chunks}
        found = self._cached(keys)
        missing = [chunk for text, chunk in chunks.items() if text not in found]
        fresh: dict[str, bytes] = {}
        try:
            self._embed_all(missing, found, fresh)
        finally:  # what was embedded before a failure need not be embedded again
            ref = self.claim.ref
            collection = chunk_group(ref.tenant_id, ref.collection_id)
            groups = (collection, chunk_group(ref.tenant_id, ref.collection_id, ref.file_id))
            self.cache.put([CacheEntry(keys[text], vector, self.ttl, groups) for text, vector in fresh.items()])
        return [found[chunk.embedded_text] for chunk in batch]

    def _cached(self, keys: dict[str, str]) -> dict[str, Vector]:
        if not self.ttl:
            return {}
        stored = zip(keys, self.cache.get(list(keys.values())), strict=True)
        dimensions = self.claim.space.model.dimensions
        found = {text: vector for text, value in stored if value and (vector := decode_vector(value, dimensions))}
        self.metrics.count("rag_cache_hits_total", len(found), kind="chunk")
        return found

    def _embed_all(self, chunks: Sequence[Chunk], found: dict[str, Vector], fresh: dict[str, bytes]) -> None:
        """Add each text's vector to `found`, and to `fresh` as it is to be cached."""
        largest, refused, culprits = 0, False, False
        size = self._max_batch
        left = [chunks[start : start + size] for start in reversed(range(0, len(chunks), size))]
        while left:
            run = left.pop()
            texts = [chunk.embedded_text for chunk in run]
            try:
                answers = self._embed_first(texts)
            except BadModelAnswer as error:
                refused = True
                if len(run) > 1:
                    left += [run[len(run) // 2 :], run[: len(run) // 2]]
                else:
                    culprits = True
                    found[texts[0]] = self._embed_beginning(run[0], error)
                continue
            for text, (vector, encoded) in zip(texts, answers, strict=False):
                found[text], fresh[text] = vector, encoded
            largest = max(largest, len(answers))
            if len(answers) < len(run):
                left.append(run[len(answers) :])
        if refused and not culprits:  # none of them was bad: they were too many
            self._max_batch = min(self._max_batch, largest)

    def _embed_first(self, texts: Sequence[str]) -> list[tuple[Vector, bytes]]:
        """The vectors of the first of the texts, as many as the throttle allows."""
        return self.throttle.call(lambda size: self._call_model(texts[:size]))

    def _call_model(self, texts: Sequence[str]) -> list[tuple[Vector, bytes]]:
        started = perf_counter()
        try:
            vectors = self.embedder.embed(self.claim.space.model, texts)
        except Throttled:
            self.metrics.count("rag_embedder_throttled_total")
            raise
        self.metrics.observe("rag_ingest_seconds", perf_counter() - started, stage="embedding")
        return [self._rounded(vector) for vector in vectors]

    def _rounded(self, vector: Sequence[float]) -> tuple[Vector, bytes]:
        """The vector as the cache would return it, and its encoding: what is indexed does not depend on the cache."""
        try:
            encoded = encode_vector(vector)
        except OverflowError:
            raise BadModelAnswer("The embedder gave a vector with values that are too large.") from None
        read = decode_vector(encoded, self.claim.space.model.dimensions)
        if read is None:
            raise BadModelAnswer("The embedder gave a vector that is none of the model's.")
        return read, encoded

    def _embed_beginning(self, chunk: Chunk, error: BadModelAnswer) -> Vector:
        """The vector of the beginning of a text, as much as the model takes."""
        if not isinstance(error, RefusedByModel):
            detail = f"{error.detail} It was asked for a passage on page {chunk.page}."
            raise BadModelAnswer(detail) from error
        self._embed_first([PROBE])
        text = chunk.embedded_text
        if 2 * estimate(text) > self.claim.space.model.max_tokens:  # the estimate may be half of the true count
            for parts in SHORTENING:
                with suppress(RefusedByModel):
                    vector, _ = self._embed_first([text[: len(text) // parts]])[0]
                    self.shortened_pages.add(chunk.page)
                    return vector
        quote = " ".join(chunk.text.split())
        quote = quote if len(quote) <= MAX_QUOTE_CHARACTERS else f"{quote[:MAX_QUOTE_CHARACTERS]}…"
        raise RefusedPassage(
            f"The embedding model refuses a passage on page {chunk.page}, “{quote}”: reword it or leave it out, and"
            " upload the file again."
        ) from error
