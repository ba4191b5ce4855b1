"""Passages by document: the best documents, each with a few of its passages."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from uuid import UUID

from modulo.domain.retrieval.passage import Passage

PASSAGES_PER_DOCUMENT = 3
"""How many of a document's passages are kept: enough for an answer, too few to crowd out other documents."""


class GroupBy(StrEnum):
    """What a search counts."""

    passage = "passage"
    document = "document"


def document_count(passages: Iterable[Passage]) -> int:
    """How many documents the passages are of."""
    return len({passage.document.file_id for passage in passages})


def of_best_documents(passages: Sequence[Passage], documents: int) -> list[Passage]:
    """The passages of the documents that come first, a few of each, in their order."""
    kept: list[Passage] = []
    counts: Counter[UUID] = Counter()
    for passage in passages:
        file_id = passage.document.file_id
        if counts[file_id] < PASSAGES_PER_DOCUMENT and (counts[file_id] or len(+counts) < documents):
            counts[file_id] += 1
            kept.append(passage)
    return kept
