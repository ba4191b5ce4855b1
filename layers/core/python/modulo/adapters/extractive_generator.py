"""Answers without a language model: the sentences that a reranker prefers, quoted and cited."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from modulo.domain.answer import Draft, Prompt
from modulo.domain.passage import Passage
from modulo.domain.sentences import sentences
from modulo.domain.words import content_words
from modulo.ports import Reranker

# Chosen on 150 SQuAD and 120 CLAPnQ questions over ten passages each: reading every sentence finds no
# better ones than reading sixteen.
CANDIDATES = 16
QUOTES = 3
FLOOR = 0.1
"""What a sentence must score to be quoted."""
TOGETHER = -3.0
"""What its log odds and those of its passage must add up to: a passage about something else holds no answer."""
MARGIN = 2.0
"""How far behind the best one, in log odds, a further sentence may lie."""
RANK_COST = 0.15
"""What one rank of its passage takes from a sentence when candidates are chosen."""

# What looks like a mark in a document must not become one in the answer.
_UNMARKED = str.maketrans("[]\u3010\u3011", "()()")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence that may be quoted; `read` is what the reranker reads of it."""

    mark: int
    quote: str
    read: str


class ExtractiveGenerator:
    """Quotes one to three sentences; nothing where no sentence answers the question."""

    name = "extractive"

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    def reserve(self, _: Prompt) -> int:
        """Nothing is metered."""
        return 0

    def generate(self, prompt: Prompt) -> Draft:
        """The sentences, best first, each as a quotation with its mark."""
        candidates = _likeliest(prompt.question, _candidates(prompt.passages))
        if not candidates:
            return Draft("")
        scores = self._reranker.score(prompt.question, [candidate.read for candidate in candidates])
        passages = _passage_odds(prompt.passages)
        found = [
            (_log_odds(score) + passages[candidate.mark - 1], candidate)
            for candidate, score in zip(candidates, scores, strict=True)
            if score >= FLOOR
        ]
        found.sort(key=lambda one: -one[0])
        enough = max(found[0][0] - MARGIN, TOGETHER) if found else 0
        quoted = [candidate for odds, candidate in found[:QUOTES] if odds >= enough]
        return Draft("\n".join(f"\u201c{candidate.quote}\u201d [{candidate.mark}]" for candidate in quoted))

    def ping(self) -> None:
        """Ask the reranker for something small."""
        self._reranker.ping()


def _candidates(passages: Sequence[Passage]) -> list[_Candidate]:
    """Every sentence but questions and header rows; chunks overlap, so one that comes twice counts once."""
    found: dict[str, _Candidate] = {}
    for mark, passage in enumerate(passages, start=1):
        asked = ""
        split = sentences(passage.text)
        headers = {sentence.header for sentence in split}
        for sentence in split:
            text = sentence.text
            if text in headers:
                continue
            if text.endswith("?"):
                asked = text  # the sentence behind it may answer it
                continue
            quote = f"{sentence.header} \u2026 {text}" if sentence.header else text
            read = f"{asked}\n{sentence.spelled_out}".strip()
            found.setdefault(quote, _Candidate(mark, quote.translate(_UNMARKED), read))
            asked = ""
    return list(found.values())


def _likeliest(question: str, candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Those that share most with the question, rare words counting more, and stand in the first passages."""
    asked = set(content_words(question))
    shared = [asked.intersection(content_words(candidate.read)) for candidate in candidates]
    frequency = Counter(word for words in shared for word in words)
    weight = {word: math.log(1 + len(candidates) / count) for word, count in frequency.items()}

    def likelihood(index: int) -> float:
        return sum(weight[word] for word in shared[index]) - RANK_COST * candidates[index].mark

    chosen = sorted(range(len(candidates)), key=likelihood, reverse=True)[:CANDIDATES]
    return [candidates[index] for index in chosen]


def _passage_odds(passages: Sequence[Passage]) -> list[float]:
    """How well each passage itself answers; those that were not reranked stand behind those that were."""
    known = [_log_odds(passage.reranked) for passage in passages if passage.reranked is not None]
    last = min(known, default=0.0)
    return [last if passage.reranked is None else _log_odds(passage.reranked) for passage in passages]


def _log_odds(score: float) -> float:
    """From -16 to 16."""
    score = min(max(score, 1e-7), 1 - 1e-7)
    return math.log(score / (1 - score))
