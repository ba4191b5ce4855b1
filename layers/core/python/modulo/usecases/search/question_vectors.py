"""The questions' vectors: from the cache, or made in time; without them a hybrid search goes on by words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from modulo.domain.errors import BadModelAnswer, Throttled, Unavailable
from modulo.domain.retrieval.fusion import SearchType
from modulo.ports.context_threads import side_by_side
from modulo.ports.deadline import remaining, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.collections.collection import EmbeddingModel
    from modulo.domain.collections.grant import Grant
    from modulo.usecases.search.cache import CachedVectors
    from modulo.usecases.search.retrieval import Embedded
    from modulo.usecases.search.run import SearchRun

log = logging.getLogger(__name__)


def question_vectors(run: SearchRun, grants: Sequence[Grant], cached: CachedVectors) -> tuple[Embedded, Embedded]:
    """The questions' vectors by each model, and of those the ones that had to be made.

    Raises:
        Unavailable, Throttled, BadModelAnswer: the embedder makes none, or not in time, and a collection is searched by
            vectors only.
    """
    types = [(grant.space.model, run.ranking(grant).search_type) for grant in grants]
    models = list(dict.fromkeys(model for model, search_type in types if search_type is not SearchType.text))
    needed = {model for model, search_type in types if search_type is SearchType.dense}
    known = {model: cached.of(model) for model in models}
    missing = {model: [one for one in run.questions if one not in known[model]] for model in models}
    asked = [model for model in models if missing[model]]
    made = side_by_side(lambda model: _embedded(run, model, missing[model], needed=model in needed), asked)
    embedded = dict(zip(asked, made, strict=True))
    return {model: {**known[model], **embedded.get(model, {})} for model in models}, embedded


def _embedded(
    run: SearchRun, model: EmbeddingModel, questions: Sequence[str], *, needed: bool
) -> dict[str, list[float]]:
    """The questions' vectors, made in one call; none where a search can do without, which is recorded."""
    texts = [model.query_prefix + question for question in questions]
    try:
        with within(remaining(run.limits.embedding_seconds)):
            vectors = run.timed("embedding", lambda: run.ports.embedder.embed(model, texts))
    except (Unavailable, Throttled, BadModelAnswer) as error:
        if needed:
            raise
        named = ", ".join(map(str, run.collections))
        log.warning("search in collections %s goes on by words, without the embedder: %s", named, error.detail)
        run.degraded.add("embedder")
        run.unembedded[model] = error
        return {}
    return dict(zip(questions, vectors, strict=True))
