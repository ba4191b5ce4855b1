"""The measures of one reply against its golden question.

Each measure is a ratio of two sums over the questions: a question adds a numerator and a denominator. A mean is the
ratio whose denominators are 1; a question that a measure says nothing about adds (0, 0).
"""

from collections.abc import Callable, Mapping, Sequence
from math import log2

from modulo.cli.evaluation.answer_match import holds
from modulo.cli.evaluation.found import Found, FoundPassage
from modulo.cli.evaluation.golden import GoldenQuestion

DEPTH = 10
SHALLOW_DEPTH = 5

Share = tuple[float, float]
NOTHING: Share = (0.0, 0.0)
Measure = Callable[[GoldenQuestion, Found], Share]


def ndcg(gains: Sequence[float], all_gains: Sequence[float], depth: int = DEPTH) -> float:
    """The normalised discounted cumulative gain of a ranking (Järvelin and Kekäläinen 2002).

    As `ndcg_cut` of trec_eval and BEIR have it: the gain is the grade itself, divided by log2(rank + 1). `all_gains`
    are the grades of everything relevant, from which the best possible ranking is made.
    """
    best = _dcg(sorted(all_gains, reverse=True)[:depth])
    return _dcg(gains[:depth]) / best if best else 0.0


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def recall(hits: Sequence[int], relevant: int, depth: int) -> float:
    """The share of what is relevant that the first `depth` ranks hold; `hits` counts what each rank adds."""
    return sum(hits[:depth]) / relevant if relevant else 0.0


def reciprocal_rank(hits: Sequence[float], depth: int = DEPTH) -> float:
    """1 / the first rank with a hit (Voorhees 1999); 0 where the first `depth` have none."""
    return next((1 / rank for rank, hit in enumerate(hits[:depth], start=1) if hit), 0.0)


def document_gains(question: GoldenQuestion, found: Found) -> list[int]:
    """The grades of the found documents, each ranked where its first passage is."""
    first = {passage.document: passage for passage in reversed(found.passages)}
    order = dict.fromkeys(passage.document for passage in found.passages)
    return [_grade(question, first[document]) for document in order]


def passage_hits(question: GoldenQuestion, found: Found) -> list[int]:
    """How many of the gold excerpts each found passage is the first to hold."""
    missing, hits = list(question.passages), []
    for passage in found.passages:
        held = [excerpt for excerpt in missing if holds(passage.text, excerpt)]
        missing = [excerpt for excerpt in missing if excerpt not in held]
        hits.append(len(held))
    return hits


def _grade(question: GoldenQuestion, passage: FoundPassage) -> int:
    return max((question.documents.get(name, 0) for name in passage.names), default=0)


def document_ndcg(question: GoldenQuestion, found: Found) -> Share:
    """nDCG@10 of the documents."""
    if not question.documents:
        return NOTHING
    return ndcg(document_gains(question, found), list(question.documents.values())), 1.0


def document_mrr(question: GoldenQuestion, found: Found) -> Share:
    """Mean reciprocal rank of the first relevant document among ten."""
    return (reciprocal_rank(document_gains(question, found)), 1.0) if question.documents else NOTHING


def document_recall(depth: int) -> Measure:
    """Recall of the relevant documents in the first ranks."""

    def measure(question: GoldenQuestion, found: Found) -> Share:
        if not question.documents:
            return NOTHING
        hits = [int(gain > 0) for gain in document_gains(question, found)]
        return recall(hits, len(question.documents), depth), 1.0

    return measure


def passage_recall(depth: int) -> Measure:
    """Recall of the gold excerpts in the first passages."""

    def measure(question: GoldenQuestion, found: Found) -> Share:
        if not question.passages:
            return NOTHING
        return recall(passage_hits(question, found), len(question.passages), depth), 1.0

    return measure


def passage_mrr(question: GoldenQuestion, found: Found) -> Share:
    """Mean reciprocal rank of the first passage with a gold excerpt among ten."""
    return (reciprocal_rank(passage_hits(question, found)), 1.0) if question.passages else NOTHING


def answer_holds_gold(question: GoldenQuestion, found: Found) -> Share:
    """Share of all answerable questions whose answer holds a gold answer; a refusal holds none."""
    if found.answer is None or not question.answers:
        return NOTHING
    return float(is_right(question, found)), 1.0


def is_right(question: GoldenQuestion, found: Found) -> bool:
    """Whether the reply is an answer that holds a gold answer; of an unanswerable question, no answer is."""
    return found.answered and any(holds(found.answer or "", gold) for gold in question.answers)


def answerable_answered(question: GoldenQuestion, found: Found) -> Share:
    """Share of the answerable questions that are answered, rightly or not."""
    if found.answer is None or question.unanswerable:
        return NOTHING
    return float(found.answered), 1.0


def citation_precision(question: GoldenQuestion, found: Found) -> Share:
    """Share of the citations that are of something relevant (as ALCE, Gao et al. 2023, but by gold labels)."""
    if found.answer is None or not (question.passages or question.documents):
        return NOTHING
    relevant = [
        any(holds(passage.text, excerpt) for excerpt in question.passages)
        if question.passages
        else _grade(question, passage) > 0
        for passage in found.cited
    ]
    return float(sum(relevant)), float(len(relevant))


def citation_recall(question: GoldenQuestion, found: Found) -> Share:
    """Share of the gold excerpts or, where there are none, of the relevant documents that the answer cites."""
    if found.answer is None or not (question.passages or question.documents):
        return NOTHING
    if question.passages:
        cited = [any(holds(passage.text, excerpt) for passage in found.cited) for excerpt in question.passages]
    else:
        cited = [any(name in passage.names for passage in found.cited) for name in question.documents]
    return sum(cited) / len(cited), 1.0


def refusal_precision(question: GoldenQuestion, found: Found) -> Share:
    """Share of the refusals that are right: the question is unanswerable."""
    if found.answer is None or found.answered:
        return NOTHING
    return float(question.unanswerable), 1.0


def refusal_recall(question: GoldenQuestion, found: Found) -> Share:
    """Share of the unanswerable questions that are refused."""
    if found.answer is None or not question.unanswerable:
        return NOTHING
    return float(not found.answered), 1.0


def refusal_f1(question: GoldenQuestion, found: Found) -> Share:
    """The harmonic mean of both: 2 tp / (refused + unanswerable)."""
    if found.answer is None:
        return NOTHING
    refused = not found.answered
    return 2.0 * (refused and question.unanswerable), float(refused) + float(question.unanswerable)


MEASURES: Mapping[str, Measure] = {
    f"document_ndcg@{DEPTH}": document_ndcg,
    f"document_recall@{SHALLOW_DEPTH}": document_recall(SHALLOW_DEPTH),
    f"document_recall@{DEPTH}": document_recall(DEPTH),
    f"document_mrr@{DEPTH}": document_mrr,
    f"passage_recall@{SHALLOW_DEPTH}": passage_recall(SHALLOW_DEPTH),
    f"passage_recall@{DEPTH}": passage_recall(DEPTH),
    f"passage_mrr@{DEPTH}": passage_mrr,
    "answer_holds_gold": answer_holds_gold,
    "answerable_answered": answerable_answered,
    "citation_precision": citation_precision,
    "citation_recall": citation_recall,
    "refusal_precision": refusal_precision,
    "refusal_recall": refusal_recall,
    "refusal_f1": refusal_f1,
}


def shares(questions: Sequence[GoldenQuestion], found: Sequence[Found]) -> dict[str, list[Share]]:
    """What each question adds to each measure, in order; without the measures that no question says anything about."""
    pairs = list(zip(questions, found, strict=True))
    added = {name: [measure(*pair) for pair in pairs] for name, measure in MEASURES.items()}
    return {name: values for name, values in added.items() if any(below for _, below in values)}
