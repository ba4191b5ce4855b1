"""Passages by document."""

import pytest

from modulo.domain.retrieval.grouping import PASSAGES_PER_DOCUMENT, document_count, of_best_documents
from modulo.domain.retrieval.passage import Passage
from tests.unit.passages import passage

A, B, C = (passage(name, name=name) for name in ("a.txt", "b.txt", "c.txt"))


@pytest.mark.parametrize(
    ("found", "documents", "kept"),
    [
        ([], 2, []),
        ([A, A, B, C], 2, [A, A, B]),
        ([A, B, A, C, B], 2, [A, B, A, B]),
        ([A, A, A, A, A, B], 2, [A, A, A, B]),
        ([A, B, C], 5, [A, B, C]),
    ],
)
def test_the_best_documents_keep_a_few_of_their_passages_in_order(
    found: list[Passage], documents: int, kept: list[Passage]
) -> None:
    assert PASSAGES_PER_DOCUMENT == 3
    assert of_best_documents(found, documents) == kept
    assert document_count(kept) == min(documents, document_count(found))
