"""The passages that are nearest to a question that none of them answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.answers.entailment import Evidence
from modulo.domain.search.search import NearestPassage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.retrieval.passage import Passage

MAX_NEAREST = 3


def nearest(question: str, passages: Sequence[Passage]) -> tuple[NearestPassage, ...]:
    """The first few passages, each with the part that shares most words with the question."""
    return tuple(_nearest(question, passage) for passage in passages[:MAX_NEAREST])


def _nearest(question: str, passage: Passage) -> NearestPassage:
    excerpt, document = Evidence(passage).excerpt(question), passage.document
    return NearestPassage(
        document_id=document.file_id,
        collection_id=passage.hit.ref.collection_id,
        title=document.info.title or document.name,
        excerpt=excerpt.text,
        page_number=passage.hit.chunk.page,
        start_index=excerpt.start,
        end_index=excerpt.end,
        relevance_score=passage.score,
        chunk_id=passage.chunk_id,
        url=passage.url_of(excerpt.start, excerpt.end),
        boxes=passage.boxes_of(excerpt.start, excerpt.end),
    )
