"""Chunks into vectors: known texts are not embedded again, and one bad text does not spoil its batch."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

from modulo.domain.chunk import Chunk
from modulo.domain.errors import BadModelAnswer, RefusedByModel, RefusedPassage, Throttled
from modulo.domain.tokens import estimate
from modulo.domain.transfer import CacheEntry, Claim
from modulo.domain.vector import packed, unpacked
from modulo.ports import Cache, Embedder, Metrics
from modulo.usecases.cache_keys import chunk_group, chunk_key
from modulo.usecases.pacing import Pace

Vector = list[float]
HARMLESS = "passage"
"""What no model refuses that takes anything at all."""
SHORTER = (2, 4, 8)
QUOTED = 60


@dataclass(slots=True)
class Embedding:
    """The embedding of one claim's chunks; several threads may call `embed`."""

    claim: Claim
    embedder: Embedder
    cache: Cache
    metrics: Metrics
    pace: Pace
    ttl: int
    """How many seconds a text's vector is remembered."""
    shortened: set[int] = field(default_factory=set)
    """Pages with a passage of which the model took only the beginning."""
    _most: int = field(init=False)

    def __post_init__(self) -> None:
        self._most = self.pace.batch

    def embed(self, batch: Sequence[Chunk]) -> list[Vector]:
        """One vector a chunk, in order.

        The model is asked for each text that the cache does not know, once. What it refuses is asked again in
        halves, until the text is found that it will not take; of one that may be too long, its beginning is
        embedded.

        Raises:
            RefusedPassage: the model takes other texts, but not this one.
            BadModelAnswer: it takes none, or answers one with something unusable.
            Throttled, Unavailable: it takes no more, and there is no time to wait.
        """
        chunks: dict[str, Chunk] = {}
        for chunk in batch:
            chunks.setdefault(chunk.embedded_text, chunk)
        keys = {text: chunk_key(self.claim, text) for text in chunks}
        found = self._known(keys)
        missing = [chunk for text, chunk in chunks.items() if text not in found]
        fresh: dict[str, bytes] = {}
        try:
            self._ask_all(missing, found, fresh)
        finally:  # what was embedded before a failure need not be embedded again
            ref = self.claim.ref
            collection = chunk_group(ref.tenant_id, ref.collection_id)
            groups = (collection, chunk_group(ref.tenant_id, ref.collection_id, ref.file_id))
            self.cache.put([CacheEntry(keys[text], vector, self.ttl, groups) for text, vector in fresh.items()])
        return [found[chunk.embedded_text] for chunk in batch]

    def _known(self, keys: dict[str, str]) -> dict[str, Vector]:
        if not self.ttl:
            return {}
        stored = zip(keys, self.cache.get(list(keys.values())), strict=True)
        dimensions = self.claim.space.model.dimensions
        found = {text: vector for text, value in stored if value and (vector := unpacked(value, dimensions))}
        self.metrics.count("rag_cache_hits_total", len(found), kind="chunk")
        return found

    def _ask_all(self, chunks: Sequence[Chunk], found: dict[str, Vector], fresh: dict[str, bytes]) -> None:
        largest, refused, culprits = 0, False, False
        left = [chunks[start : start + self._most] for start in reversed(range(0, len(chunks), self._most))]
        while left:
            run = left.pop()
            texts = [chunk.embedded_text for chunk in run]
            try:
                answers = self._ask(texts)
            except BadModelAnswer as error:
                refused = True
                if len(run) > 1:
                    left += [run[len(run) // 2 :], run[: len(run) // 2]]
                else:
                    culprits = True
                    found[texts[0]] = self._shortened(run[0], error)
                continue
            for text, (vector, kept) in zip(texts, answers, strict=False):
                found[text], fresh[text] = vector, kept
            largest = max(largest, len(answers))
            if len(answers) < len(run):
                left.append(run[len(answers) :])
        if refused and not culprits:  # none of them was bad: they were too many
            self._most = min(self._most, largest)

    def _ask(self, texts: Sequence[str]) -> list[tuple[Vector, bytes]]:
        """The vectors of the first of the texts, as many as the pace allows."""
        return self.pace.through(lambda size: self._asked(texts[:size]))

    def _asked(self, texts: Sequence[str]) -> list[tuple[Vector, bytes]]:
        started = perf_counter()
        try:
            vectors = self.embedder.embed(self.claim.space.model, texts)
        except Throttled:
            self.metrics.count("rag_embedder_throttled_total")
            raise
        self.metrics.observe("rag_ingest_seconds", perf_counter() - started, stage="embedding")
        return [self._rounded(vector) for vector in vectors]

    def _rounded(self, vector: Sequence[float]) -> tuple[Vector, bytes]:
        """The vector as it is remembered, so that it does not matter whether it was."""
        try:
            kept = packed(vector)
        except OverflowError:
            raise BadModelAnswer("The embedder gave a vector with values that are too large.") from None
        read = unpacked(kept, self.claim.space.model.dimensions)
        if read is None:
            raise BadModelAnswer("The embedder gave a vector that is none of the model's.")
        return read, kept

    def _shortened(self, chunk: Chunk, error: BadModelAnswer) -> Vector:
        """The vector of the beginning of a text that the model takes no more of."""
        if not isinstance(error, RefusedByModel):
            detail = f"{error.detail} It was asked for a passage on page {chunk.page}."
            raise BadModelAnswer(detail) from error
        self._ask([HARMLESS])
        text = chunk.embedded_text
        if 2 * estimate(text) > self.claim.space.model.max_tokens:  # the estimate may be half of what it is
            for part in SHORTER:
                with suppress(RefusedByModel):
                    vector, _ = self._ask([text[: len(text) // part]])[0]
                    self.shortened.add(chunk.page)
                    return vector
        said = " ".join(chunk.text.split())
        quoted = said if len(said) <= QUOTED else f"{said[:QUOTED]}…"
        raise RefusedPassage(
            f"The embedding model refuses a passage on page {chunk.page}, “{quoted}”: reword it or leave it out, and"
            " upload the file again."
        ) from error
