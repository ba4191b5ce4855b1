"""What searches leave in the cache: the caller's last grants, results, and the vectors of questions.

A cached value names the grant or the model that it was made under and is used only where that still holds. So all
of a search's values are read in one exchange, before anything is known of the collection.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from modulo.domain.collections.collection import EmbeddingModel
from modulo.domain.collections.grant import Grant, MatchingFiles
from modulo.domain.retrieval.vector import decode_vector, encode_vector
from modulo.domain.search.cache_entry import CacheEntry
from modulo.domain.search.search import SearchOutput
from modulo.usecases.cache_keys import collection_prefix, embedding_key, grant_key, matching_key, result_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modulo.usecases.search.retrieval import Retrieved
    from modulo.usecases.search.run import SearchRun

log = logging.getLogger(__name__)
Value = TypeVar("Value")
_EMBEDDED = TypeAdapter(
    tuple[tuple[EmbeddingModel, bytes], ...], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
)
MAX_MODELS = 4
"""How many models' vectors are kept of a question."""
_GRANT = TypeAdapter(Grant)
_MATCHING = TypeAdapter(MatchingFiles)
_RESULT = TypeAdapter(tuple[tuple[Grant, ...], SearchOutput])


@dataclass(frozen=True, slots=True)
class CachedVectors:
    """The questions' vectors as they are cached, by question; None where one is not."""

    stored: Mapping[str, bytes | None]

    def of(self, model: EmbeddingModel) -> dict[str, list[float]]:
        """Those that this model made, by question."""
        stored = {question: self.by_model(question).get(model) for question in self.stored}
        found = {question: decode_vector(one, model.dimensions) for question, one in stored.items() if one is not None}
        return {question: vector for question, vector in found.items() if vector is not None}

    def by_model(self, question: str) -> dict[EmbeddingModel, bytes]:
        """All of a question, encoded."""
        found = _parsed(_EMBEDDED, self.stored.get(question), "question's vector")
        return dict(found or ())


@dataclass(frozen=True, slots=True)
class Cached:
    """What the cache holds for a search."""

    grants: tuple[Grant, ...] | None
    """What the caller was granted last; None where that is not known of every collection."""
    result: tuple[tuple[Grant, ...], SearchOutput] | None
    """The same search's result, with the grants that it was made under."""
    matching: MatchingFiles | None
    """The files that met what the filter asks of documents, under grants."""
    vectors: CachedVectors


def read(run: SearchRun) -> Cached:
    """All of it, in one exchange."""
    tenant_id = run.principal.tenant_id
    keys = [_result_key(run)]
    keys += [grant_key(run.principal, one) for one in run.collections]
    keys += [embedding_key(tenant_id, question) for question in run.questions]
    keys += [_matching_key(run)] if run.selects_documents else []
    result, *others = run.timed("cache", lambda: run.ports.cache.get(keys))
    result = result if run.reusable else None
    stored, others = others[: len(run.collections)], others[len(run.collections) :]
    vectors, matching = others[: len(run.questions)], others[len(run.questions) :]
    grants = [_parsed(_GRANT, one, "grant") for one in stored]
    return Cached(
        None if None in grants else tuple(one for one in grants if one is not None),
        _parsed(_RESULT, result, "search result"),
        _parsed(_MATCHING, matching[0], "list of files") if matching else None,
        CachedVectors(dict(zip(run.questions, vectors, strict=True))),
    )


def remember(run: SearchRun, retrieved: Retrieved, known: CachedVectors, *, result: SearchOutput | None) -> None:
    """Store the grants, what was looked up and embedded, and the result where it may be used again; in one exchange.

    `known` are the vectors that the cache held: those of other models stay beside the new ones.
    """
    limits, tenant_id = run.limits, run.principal.tenant_id
    groups = {one: collection_prefix(tenant_id, one) for one in run.collections}
    entries = []
    for question in dict.fromkeys(question for vectors in retrieved.embedded.values() for question in vectors):
        made = {model: encode_vector(of[question]) for model, of in retrieved.embedded.items() if question in of}
        value = _EMBEDDED.dump_json(tuple((made | known.by_model(question) | made).items())[:MAX_MODELS])
        entries.append(CacheEntry(embedding_key(tenant_id, question), value, limits.embedding_ttl))
    of_all = tuple(groups.values())
    if result:
        value = _RESULT.dump_json((retrieved.grants, result), round_trip=True)
        entries.append(CacheEntry(_result_key(run), value, limits.result_ttl, other_groups=of_all))
    if retrieved.matching:
        value = _MATCHING.dump_json(retrieved.matching)
        entries.append(CacheEntry(_matching_key(run), value, limits.result_ttl, other_groups=of_all))
    for grant in retrieved.grants:
        one = grant.space.collection_id
        value = _GRANT.dump_json(grant)
        entries.append(CacheEntry(grant_key(run.principal, one), value, limits.embedding_ttl, (groups[one],)))
    run.ports.cache.put(entries)


def _matching_key(run: SearchRun) -> str:
    return matching_key(run.principal, run.collections, run.on_documents)


def _result_key(run: SearchRun) -> str:
    # What collections say is in their grants, which a result is compared by.
    settings = f"{run.limits.max_top_k} {run.limits.defaults.model_dump_json(exclude_none=True)}"
    made_by = [run.limits.rerank_model, run.ports.generator.name, repr(run.options), settings]
    return result_key(run.principal.tenant_id, run.request, made_by)


def _parsed(kind: TypeAdapter[Value], value: bytes | None, name: str) -> Value | None:
    if value is None:
        return None
    try:
        return kind.validate_json(value)
    except ValidationError:
        log.warning("a cached %s cannot be parsed and is ignored", name)
        return None
