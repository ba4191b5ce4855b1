"""Reranking: a model reads the best candidates, as many as it takes to find a clear one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from modulo.domain.answers.extracts import spelled_like
from modulo.domain.errors import BadModelAnswer, Throttled, Unavailable
from modulo.domain.retrieval.passage_text import reading
from modulo.domain.retrieval.relevance import blended, log_odds
from modulo.domain.text.stemming import content_words, held
from modulo.ports.deadline import remaining, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.retrieval.passage import Passage
    from modulo.ports.models import Reranker
    from modulo.usecases.search.run import SearchRun

log = logging.getLogger(__name__)

READ_FIRST = 5
"""How many candidates are read before it is known whether one is clear."""
CLEAR_LOG_ODDS = 4.0
"""From here on a passage is so clearly about the question that nothing else is read."""
WINDOW_WORDS = 60
"""How many words of a candidate are read; of a longer one, its best window."""
READ_AGAIN = 2
"""How many of the first candidates are read with more around the window, where none is clear."""
MORE_WORDS = 200
"""How many words are read then: what a window says may depend on what stands before it."""


def rerank(run: SearchRun, question: str, passages: Sequence[Passage]) -> Sequence[Passage]:
    """The passages by the reranker's scores, the first stage's and the question's rare words together.

    They stay as they are where no reranker is asked for, or where it fails, takes too long or answers what cannot be
    used, which is recorded.
    """
    reranker, most = run.ports.reranker, run.limits.rerank_candidates
    if reranker is None or not run.reranks or not passages:
        return passages
    try:
        with within(remaining(run.limits.rerank_seconds)):
            scores, relevances = run.timed("rerank", lambda: judged(reranker, question, passages, most))
    except (Unavailable, Throttled, BadModelAnswer) as error:
        named = ", ".join(map(str, run.collections))
        log.warning("search in collections %s goes on without the reranker: %s", named, error.detail)
        run.degraded.add("reranker")
        return passages
    known = [*scores, *[None] * (len(passages) - len(scores))]
    ranked = [
        passage.with_rerank(score, relevance)
        for passage, score, relevance in zip(passages, known, relevances, strict=True)
    ]
    return sorted(ranked, key=lambda passage: -passage.score)


def judged(
    reranker: Reranker, question: str, passages: Sequence[Passage], most: int
) -> tuple[list[float], list[float]]:
    """The reranker's scores of the passages that it reads, at most so many, and the relevance of all of them.

    Raises:
        Unavailable, Throttled: the reranker does not answer, or not in time.
        BadModelAnswer: it does not give each passage a score from 0 to 1.
    """
    candidates = passages[:most]
    question = spelled_like(question, [one.hit.chunk.embedded_text for one in candidates])
    words = frozenset(content_words(question))
    scores = _read_scores(reranker, question, words, candidates)
    in_each = [held(words, one.hit.chunk.embedded_text) for one in passages]
    return scores, blended([one.hit.fused for one in passages], scores, in_each)


def _read_scores(
    reranker: Reranker, question: str, words: frozenset[str], candidates: Sequence[Passage]
) -> list[float]:
    """The scores of the first candidates; of all of them where none of the first ones is clear."""
    first, further = candidates[:READ_FIRST], candidates[READ_FIRST:]
    scores = reranker.score(question, [reading(one, words, max_words=WINDOW_WORDS) for one in first])
    if not _clear(scores):
        scores = _read_again(reranker, question, words, first, scores)
    if further and not _clear(scores):
        scores += reranker.score(question, [reading(one, words, max_words=WINDOW_WORDS) for one in further])
    return scores


def _read_again(
    reranker: Reranker, question: str, words: frozenset[str], passages: Sequence[Passage], scores: Sequence[float]
) -> list[float]:
    """The scores, of the best long passages each the better one of its window's and that of a longer one."""
    long = [at for at, one in enumerate(passages) if len(one.text.split()) > WINDOW_WORDS]
    best = sorted(long, key=lambda at: -scores[at])[:READ_AGAIN]
    texts = [reading(passages[at], words, max_words=MORE_WORDS) for at in best]
    again = dict(zip(best, reranker.score(question, texts), strict=True)) if texts else {}
    return [max(score, again.get(at, score)) for at, score in enumerate(scores)]


def _clear(scores: Sequence[float]) -> bool:
    return log_odds(max(scores)) >= CLEAR_LOG_ODDS
