"""The measures, against values computed by hand."""

from math import log2

import pytest

from modulo.cli.evaluation.found import Found, FoundPassage
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.measures import (
    MEASURES,
    document_gains,
    ndcg,
    passage_hits,
    recall,
    reciprocal_rank,
    shares,
)


def passage(document: str, text: str = "") -> FoundPassage:
    return FoundPassage(text, frozenset((document, f"{document}.md")), document)


def question(**known: object) -> GoldenQuestion:
    return GoldenQuestion.model_validate({"id": "q", "question": "?", **known})


ABOUT_A = question(documents=["a.md", "b.md"], answers=["ten"])
NONE = question(unanswerable=True)


def measured(one: GoldenQuestion, found: Found) -> dict[str, tuple[float, float]]:
    return {name: pair for name, [pair] in shares([one], [found]).items()}


def test_ndcg_is_that_of_trec_eval() -> None:
    assert ndcg([3, 2, 3, 0, 1, 2], [3, 3, 2, 2, 1, 0]) == pytest.approx(
        (3 + 2 / log2(3) + 3 / 2 + 0 + 1 / log2(6) + 2 / log2(7))
        / (3 + 3 / log2(3) + 2 / 2 + 2 / log2(5) + 1 / log2(6))
    )
    assert ndcg([0, 1], [1]) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg([1], [1] * 12) == pytest.approx(1 / sum(1 / log2(rank + 1) for rank in range(1, 11)))
    assert ndcg([0] * 10 + [1], [1]) == 0
    assert ndcg([], []) == 0


def test_recall_and_reciprocal_rank_end_at_their_depth() -> None:
    assert recall([0, 1, 0, 1], 4, 3) == 0.25
    assert recall([], 0, 5) == 0
    assert reciprocal_rank([0, 0, 2]) == pytest.approx(1 / 3)
    assert reciprocal_rank([0] * 10 + [1]) == 0


def test_a_document_is_ranked_where_its_first_passage_is() -> None:
    found = Found([passage("x"), passage("b"), passage("x"), passage("b"), passage("a")])
    assert document_gains(ABOUT_A, found) == [0, 1, 1]
    assert document_gains(question(documents={"b": 3}), found) == [0, 3, 0]
    values = measured(ABOUT_A, found)
    assert values["document_ndcg@10"] == pytest.approx(((1 / log2(3) + 1 / 2) / (1 + 1 / log2(3)), 1))
    assert values["document_mrr@10"] == (0.5, 1)
    assert values["document_recall@5"] == (1, 1)


def test_each_excerpt_is_found_once() -> None:
    two = question(passages=["the first one", "a second"])
    found = Found([passage("a", "First, one and second"), passage("a", "second"), passage("b", "nothing")])
    assert passage_hits(two, found) == [2, 0, 0]
    values = measured(two, found)
    assert values["passage_recall@5"] == (1, 1)
    assert values["passage_mrr@10"] == (1, 1)
    assert "document_ndcg@10" not in values


def test_a_right_answer_with_one_right_citation_of_two() -> None:
    values = measured(ABOUT_A, Found(cited=[passage("a"), passage("x")], answer="Ten.", answered=True))
    assert values["answer_holds_gold"] == values["answerable_answered"] == (1, 1)
    assert values["citation_precision"] == (1, 2)
    assert values["citation_recall"] == (0.5, 1)
    assert "refusal_f1" not in values
    assert "refusal_recall" not in values


def test_citations_are_judged_by_excerpts_where_there_are_any() -> None:
    both = question(documents=["a.md"], passages=["ten apples", "nine pears"])
    values = measured(both, Found(cited=[passage("a", "Eight plums"), passage("x", "Ten apples.")], answer="10"))
    assert values["citation_precision"] == (1, 2)
    assert values["citation_recall"] == (0.5, 1)


def test_a_refusal_holds_no_answer_and_is_wrong_where_there_is_one() -> None:
    values = measured(ABOUT_A, Found(answer="Not ten: not found.", answered=False))
    assert values["answer_holds_gold"] == values["answerable_answered"] == values["refusal_precision"] == (0, 1)
    assert values["refusal_f1"] == (0, 1)
    assert "citation_precision" not in values  # it cited nothing
    assert values["citation_recall"] == (0, 1)


def test_refusals_by_hand() -> None:
    refused, answered = Found(answer="", answered=False), Found(answer="x", answered=True)
    added = shares([NONE, NONE, NONE, ABOUT_A, ABOUT_A], [refused, refused, answered, refused, answered])
    totals = {name: [sum(column) for column in zip(*pairs, strict=True)] for name, pairs in added.items()}
    assert totals["refusal_precision"] == [2, 3]
    assert totals["refusal_recall"] == [2, 3]
    assert totals["refusal_f1"] == [4, 6]


def test_passages_alone_say_nothing_of_answers() -> None:
    found = shares([ABOUT_A, NONE], [Found([passage("a")]), Found()])
    assert set(found) == {name for name in MEASURES if name.startswith("document")}
