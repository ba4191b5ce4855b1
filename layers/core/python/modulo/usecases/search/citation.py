"""A citation of an answer, in the field names that clients know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.answers.citations import supported_spans
from modulo.domain.search.search import Citation, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modulo.domain.answers.answer import Answer, CitedPassage


def citations_of(answer: Answer) -> tuple[Citation, ...]:
    """The citations of a whole answer, each with the spans of it that it supports."""
    spans = supported_spans(answer.text)
    return tuple(citation_of(cited, spans.get(cited.mark, ())) for cited in answer.cited)


def citation_of(cited: CitedPassage, spans: Iterable[tuple[int, int]] = ()) -> Citation:
    """What the spans of an answer rest on."""
    document = cited.passage.document
    return Citation(
        mark=cited.mark,
        document_id=document.file_id,
        collection_id=cited.passage.hit.ref.collection_id,
        title=document.info.title or document.name,
        excerpt=cited.excerpt,
        page_number=cited.passage.hit.chunk.page,
        relevance_score=cited.passage.score,
        chunk_id=cited.passage.chunk_id,
        url=cited.passage.url_of(cited.start, cited.end),
        start_index=cited.start,
        end_index=cited.end,
        boxes=cited.passage.boxes_of(cited.start, cited.end),
        answer_spans=tuple(Span(start=start, end=end) for start, end in spans),
    )
