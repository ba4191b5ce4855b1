"""Vectors in this process's memory: exact search, dense and by words; gone when it ends."""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import nlargest
from math import log
from threading import Lock
from uuid import UUID

from modulo.adapters.milvus.similarity import distance, require_vector, score
from modulo.adapters.milvus.terms import languages, sought_terms, stored_terms
from modulo.domain.collections.collection import Space
from modulo.domain.documents.chunk import Chunk, EmbeddedChunk
from modulo.domain.files.file import FileRef
from modulo.domain.retrieval.filters import (
    CHUNK_FIELDS,
    EVERYTHING,
    Attribute,
    Filter,
    FilterField,
    conditions,
    holds,
    weakened,
)
from modulo.domain.retrieval.fusion import ROUTE_DEPTH, Candidates, SearchType, fused, saturated
from modulo.domain.retrieval.passage import Hit
from modulo.domain.search.target import Target

_Key = tuple[FileRef, int]
K1, B = 1.2, 0.75
"""BM25's usual choices: how little repetitions add, and how much long texts are held back."""


class MemoryVectors:
    """Chunks by the space's name and their own number; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._chunks: dict[str, dict[_Key, EmbeddedChunk]] = {}

    def prepare(self, space: Space) -> None:
        """Memory needs no preparation."""

    def upsert(self, space: Space, chunks: Sequence[EmbeddedChunk]) -> None:
        """Write chunks; those already there under the same id are replaced.

        Raises:
            ValueError: a chunk is not of this space, or its vector not of the space's model.
        """
        for chunk in chunks:
            if (chunk.ref.tenant_id, chunk.ref.collection_id) != (space.tenant_id, space.collection_id):
                raise ValueError("the chunk is not of this space")
            require_vector(space.model, chunk.vector)
        with self._lock:
            self._chunks.setdefault(space.name, {}).update({(c.ref, c.chunk.number): c for c in chunks})

    def flush(self, space: Space, *, written: int | None = None) -> None:
        """Memory is always searchable at full speed."""

    def search(self, targets: Sequence[Target], *, question: str, limit: int, where: Filter = EVERYTHING) -> list[Hit]:
        """The chunks nearest to the question by vector, by words or both, best first.

        Raises:
            ValueError: a vector is not of its space's model, or the targets are of several tenants.
        """
        if len({target.space.tenant_id for target in targets}) != 1:
            raise ValueError("a search is of one tenant")
        known = weakened(where, lambda condition, _: condition.field in CHUNK_FIELDS)
        kinds: defaultdict[Hashable, list[Target]] = defaultdict(list)
        for target in targets:
            kinds[target.space.name, target.space.model, target.ranking.search_type].append(target)
        found = [self._found(each, question, limit, known) for each in kinds.values()]
        scores = fused([candidates for _, candidates in found])
        hits = [
            replace(hit, fused=one)
            for (each, _), told in zip(found, scores, strict=True)
            for hit, one in zip(each, told, strict=True)
        ]
        return sorted(hits, key=lambda hit: -hit.fused)[:limit]

    def _found(
        self, targets: Sequence[Target], question: str, limit: int, where: Filter
    ) -> tuple[list[Hit], Candidates]:
        """What both routes find in targets that are searched together."""
        by_collection = {target.space.collection_id: target.ranking for target in targets}
        candidates = [one for target in targets for one in self._of(target.space) if _meets(one, where)]
        model, vector, search_type = targets[0].space.model, targets[0].vector, targets[0].ranking.search_type
        words = {} if search_type is SearchType.dense else _by_words(question, candidates)
        depth = limit if search_type is not SearchType.hybrid else max(limit, ROUTE_DEPTH)
        worded = nlargest(depth, words, key=words.__getitem__)
        by_words, by_vectors = bool(sought_terms(question)) and search_type is not SearchType.dense, True
        if search_type is SearchType.text:
            similar, nearest, by_vectors = [saturated(words.get(at, 0.0)) for at in range(len(candidates))], [], False
        else:
            require_vector(model, vector)
            similar = [score(model.metric, distance(model.metric, vector, found.vector)) for found in candidates]
            nearest = nlargest(depth, range(len(candidates)), key=similar.__getitem__)
        union = sorted({*nearest, *worded}, key=lambda at: -similar[at])
        text = [words[at] if at in worded else None for at in union]
        usual = 1.0 if not by_vectors else None if by_words else 0.0
        weights = [by_collection[candidates[at].ref.collection_id].text_weight for at in union]
        scores = Candidates(
            text_weights=weights if usual is None else [usual] * len(union),
            similarities=[similar[at] for at in union] if by_vectors else None,
            bm25=text if by_words else None,
            cut=len(worded) == depth,
            scale=model.name,
        )
        hits = [
            Hit(candidates[at].ref, candidates[at].chunk, similar[at], candidates[at].source, bm25)
            for at, bm25 in zip(union, text, strict=True)
        ]
        return hits, scores

    def texts(self, space: Space, ref: FileRef, numbers: range | None = None) -> list[str]:
        """The texts stored of one generation, by chunk number."""
        of_file = self._of(space, ref.file_id, ref.generation)
        found = [chunk for chunk in of_file if numbers is None or chunk.chunk.number in numbers]
        return [chunk.chunk.text for chunk in sorted(found, key=lambda chunk: chunk.chunk.number)]

    def chunks(self, space: Space, ref: FileRef, numbers: range) -> list[Chunk]:
        """The chunks so numbered of one generation."""
        found = [one.chunk for one in self._of(space, ref.file_id, ref.generation) if one.chunk.number in numbers]
        return sorted(found, key=lambda chunk: chunk.number)

    def chunks_at(
        self, spaces: Sequence[Space], numbers: Mapping[FileRef, Collection[int]]
    ) -> dict[FileRef, list[Chunk]]:
        """The chunks so numbered of generations in these spaces."""
        held = [one for space in spaces for one in self._of(space)]
        found: defaultdict[FileRef, list[Chunk]] = defaultdict(list)
        for one in sorted(held, key=lambda one: one.chunk.number):
            if one.chunk.number in numbers.get(one.ref, ()):
                found[one.ref].append(one.chunk)
        return dict(found)

    def delete(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> None:
        """Delete the chunks of one generation, of one file or of the whole collection."""
        gone = [(found.ref, found.chunk.number) for found in self._of(space, file_id, generation)]
        with self._lock:
            for key in gone:
                self._chunks[space.name].pop(key, None)

    def count(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> int:
        """How many chunks there are of those that `delete` would delete."""
        return sum(1 for _ in self._of(space, file_id, generation))

    def ping(self) -> None:
        """Memory always answers."""

    def _of(self, space: Space, file_id: UUID | None = None, generation: int | None = None) -> Iterator[EmbeddedChunk]:
        """The space's chunks; the only place that compares tenant and collection."""
        with self._lock:
            chunks = list(self._chunks.get(space.name, {}).values())
        for chunk in chunks:
            ref = chunk.ref
            if (ref.tenant_id, ref.collection_id) != (space.tenant_id, space.collection_id):
                continue
            if file_id in (None, ref.file_id) and generation in (None, ref.generation):
                yield chunk


def _by_words(question: str, candidates: Sequence[EmbeddedChunk]) -> dict[int, float]:
    """The BM25 scores of those that share words with the question (Robertson and Zaragoza, 2009)."""
    told = languages(found.chunk for found in candidates)
    counts = [Counter(stored_terms(found.chunk, one).split()) for found, one in zip(candidates, told, strict=True)]
    usual = sum(map(Counter.total, counts)) / len(counts) if counts else 0
    scores: defaultdict[int, float] = defaultdict(float)
    for word in sought_terms(question).split():
        holders = [at for at, count in enumerate(counts) if word in count]
        rarity = log(1 + (len(counts) - len(holders) + 0.5) / (len(holders) + 0.5))
        for at in holders:
            often, length = counts[at][word], counts[at].total() / usual
            scores[at] += rarity * often * (K1 + 1) / (often + K1 * (1 - B + B * length))
    return dict(scores)


def _meets(found: EmbeddedChunk, where: Filter) -> bool:
    values: dict[FilterField | Attribute, str | int] = {
        FilterField.document_id: str(found.ref.file_id),
        FilterField.media_type: found.media_type,
        FilterField.page_number: found.chunk.page,
        FilterField.heading: found.chunk.heading,
    }
    return holds(where, (condition.holds(values[condition.field]) for condition in conditions(where)))
