"""Extractive answers, without a language model: the sentences and rows that a reranker scores best, quoted."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING

from modulo.domain.answers.answer import EXTRACTIVE, AnswerDraft, DraftPart, Prompt
from modulo.domain.answers.decided_rows import selection_of
from modulo.domain.answers.demands import demands_of
from modulo.domain.answers.extract_text import GAP
from modulo.domain.answers.extracts import Extract, extracts, spelled_like
from modulo.domain.answers.fitting_extracts import fitting
from modulo.domain.answers.kind_weights import AskedKind, asked_kind
from modulo.domain.answers.passage_floor import PassageFloor, floor_of
from modulo.domain.answers.persons import asks_name, tells_of
from modulo.domain.answers.row_match import row_match, share_of_name
from modulo.domain.answers.selected_rows import decided_together, is_named, selected_together
from modulo.domain.retrieval.passage_text import label
from modulo.domain.retrieval.relevance import log_odds
from modulo.domain.text.stemming import content_words
from modulo.domain.text.tokens import estimate

if TYPE_CHECKING:
    from modulo.domain.retrieval.passage import Passage
    from modulo.ports.models import Reranker

MAX_SCORED = 6
"""How many extracts are read: words choose them, and further ones are hardly ever the best."""
MAX_EXTRACTS = 3
MIN_ITEMS = 2
"""So many items of a list stand for the whole of it."""
MIN_ODDS = -3.0
"""The least sum of an extract's log odds and its passage's."""
MARGIN = 3.0
"""How far, in log odds, a further extract of the same document may be behind the best one."""
MARGIN_BELOW_NAME = 1.0
"""The same of extracts that are read below their document's name: it brings all of them near each other."""
MARGIN_ELSEWHERE = 1.0
"""The same of another document, which mostly tells of something else in like words."""
ROW_MARGIN_ELSEWHERE = 0.5
"""The same of a row of another document: reports of other years and companies have the same rows."""
RANK_PENALTY = 0.15
"""What each rank of its passage takes from an extract when the ones to read are chosen."""
ROW_WEIGHT = 8.0
"""What the log odds of a row gain whose name is just what the question asks for."""
LEAST_ALONE = 1.1
"""How much more, in log odds, an extract needs to answer by itself than a passage."""
MAX_DIVIDED = 3
"""Of how many passages the extracts are read where no passage may answer."""
PARAGRAPHS = re.compile(r"\S\s*\n\s*\n\s*\S")
"""Between the parts of a passage."""


class ExtractiveGenerator:
    """A generator that quotes one to three sentences or rows; the answer is empty if none answers the question."""

    name = EXTRACTIVE

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    def reserve(self, _: Prompt) -> int:
        """0: nothing is metered."""
        return 0

    def generate(self, prompt: Prompt) -> AnswerDraft:
        """The extracts, best first, a line each, with their citations; none where the question holds no word."""
        if not any(map(str.isalnum, prompt.question)):
            return AnswerDraft("")  # a reranker likes some passage best even where nothing is asked
        question = spelled_like(prompt.question, [one.hit.chunk.embedded_text for one in prompt.passages])
        found = fitting(question, extracts(question, prompt.passages), prompt.passages)
        near = decided_together(found) or self._preferred(question, found, prompt.passages)
        lines = _distinct(near, found)
        kept = _within(lines, prompt.options.max_tokens)
        return AnswerDraft("\n".join(kept), cut_short=len(kept) < len(lines))

    def stream(self, prompt: Prompt) -> Generator[DraftPart, None, None]:
        """The draft as one part."""
        draft = self.generate(prompt)
        yield DraftPart(draft.text, draft.tokens, cut_short=draft.cut_short)

    def ping(self) -> None:
        """Ping the reranker."""
        self._reranker.ping()

    def _preferred(self, question: str, found: Sequence[Extract], passages: Sequence[Passage]) -> list[Extract]:
        """The extracts that the reranker prefers, best first."""
        words, subject, kind = frozenset(content_words(question)), selection_of(question).subject, asked_kind(question)
        possible, least = _possible(question, words, found, passages, floor_of(self._reranker.name), kind=kind)
        chosen = _most_promising(words, possible)
        rated = [
            (odds + ROW_WEIGHT * _row_match(one, words) + kind.weight_of(one), one)
            for one, own, odds in self._read(question, chosen, passages)
            if own >= least.get(one.mark, own) and (own >= 0 or _shares(one, subject))
        ]
        near = selected_together(_near_the_best(rated, passages), chosen, possible, words)
        return [one for one in near if one.may_tell_why or not kind.why]

    def _read(
        self, question: str, chosen: Sequence[Extract], passages: Sequence[Passage]
    ) -> list[tuple[Extract, float, float]]:
        """Each extract, its log odds, and these and its passage's together; a whole passage is not read again."""
        of_passages = _passage_odds(passages)
        read = [one for one in chosen if not (one.is_whole and passages[one.mark - 1].reranked is not None)]
        scores = self._reranker.score(question, [one.scored_text for one in read]) if read else []
        known = {id(one): log_odds(score) for one, score in zip(read, scores, strict=True)}
        own = [known.get(id(one), of_passages[one.mark - 1]) for one in chosen]
        return [(one, odds, odds + of_passages[one.mark - 1]) for one, odds in zip(chosen, own, strict=True)]


def _shares(one: Extract, subject: frozenset[str]) -> bool:
    """Whether it has a word of what is asked about; a row may name it in figures or codes."""
    return bool(one.row_words) or not subject or not subject.isdisjoint(content_words(one.scored_text))


def _possible(
    question: str,
    words: frozenset[str],
    found: Sequence[Extract],
    passages: Sequence[Passage],
    floor: PassageFloor,
    *,
    kind: AskedKind,
) -> tuple[list[Extract], Mapping[int, float]]:
    """The extracts of what may answer, and by passage the least log odds of those that have to tell so themselves.

    Those are of the first passages of many parts, where no passage may answer: such a passage has a low score although
    one of its parts answers.
    """
    # A code names one thing: what holds it is about it, whatever the label says.
    may_answer = floor.passed_by(passages, frozenset() if demands_of(question).codes else words)
    about_it = floor.passed_by(passages, frozenset())
    names = selection_of(question).subject if asks_name(question) else frozenset[str]()
    possible = [
        one
        for one in found
        if one.mark in may_answer
        or (one.selecting and (one.mark in about_it or one.is_covering))
        or is_named(one, words)
        or kind.limit_told_by(one)
        or (names and one.mark in about_it and tells_of(names, f"{label(passages[one.mark - 1], words)} {one.text}"))
    ]
    if may_answer or possible:
        return possible, {}
    least = {
        mark: floor.least + LEAST_ALONE
        for mark, passage in enumerate(passages[:MAX_DIVIDED], start=1)
        if PARAGRAPHS.search(passage.text) and floor.of(passage, words) <= floor.least
    }
    return [one for one in found if one.mark in least], least


def _row_match(one: Extract, words: frozenset[str]) -> float:
    """How exactly a row is what the question asks for, by its name or by the cells that select it."""
    selecting = {word for told in one.selecting.values() for word in told}
    return max(row_match(one.row_words, words), row_match(selecting, words))


def _near_the_best(found: Sequence[tuple[float, Extract]], passages: Sequence[Passage]) -> list[Extract]:
    """The best extract and those little behind it, best first; none where the best is not good enough."""
    ranked = sorted(found, key=lambda pair: -pair[0])
    if not ranked:
        return []
    documents = [passage.document.file_id for passage in passages]
    most, best = ranked[0]

    def least(one: Extract) -> float:
        elsewhere = ROW_MARGIN_ELSEWHERE if one.row_words else MARGIN_ELSEWHERE
        same = documents[one.mark - 1] == documents[best.mark - 1]
        within = MARGIN_BELOW_NAME if one.is_named else MARGIN
        return max(most - (within if same else elsewhere), MIN_ODDS)

    return [one for odds, one in ranked if odds >= least(one)]


def _distinct(found: Sequence[Extract], possible: Sequence[Extract]) -> list[str]:
    """Lines of the first few that say what no other one says: a list in place of several of its items.

    The heading that a line shares with the one above it is not repeated.
    """
    kept: list[Extract] = []
    for one in found:
        if not any(_is_in(one, other) or _is_in(other, one) for other in kept):
            kept.append(_whole_list(one, found, possible))
    kept = kept[:MAX_EXTRACTS]
    above = [(0, ""), *((one.mark, one.heading) for one in kept)]
    texts = [
        one.text.removeprefix(one.heading) if (one.mark, one.heading) == last else one.text
        for one, last in zip(kept, above, strict=False)
    ]
    return [f"{text} [{one.mark}]" for text, one in zip(texts, kept, strict=True)]


def _whole_list(item: Extract, found: Sequence[Extract], possible: Sequence[Extract]) -> Extract:
    """The list of the item, where enough others of it were found, too; else the item."""
    for one in possible:
        if one is not item and one.mark == item.mark and _is_in(item, one):
            items = [other for other in found if other is not one and _is_in(other, one)]
            if len(items) >= MIN_ITEMS:
                return one
    return item


def _is_in(one: Extract, other: Extract) -> bool:
    return all(part in other.quoted for part in one.quoted.split(GAP))


def _within(lines: Sequence[str], max_tokens: int | None) -> list[str]:
    """The first lines, as many as have no more than so many tokens together."""
    kept: list[str] = []
    left = max_tokens
    for line in lines:
        if left is not None:
            left -= estimate(line)
            if left < 0:
                break
        kept.append(line)
    return kept


def _most_promising(words: frozenset[str], possible: Sequence[Extract]) -> list[Extract]:
    """Those that share most words with the question; rare words and early passages count more."""
    shared = [words.intersection(content_words(one.scored_text)) for one in possible]
    frequency = Counter(word for found in shared for word in found)
    weight = {word: math.log(1 + len(possible) / count) for word, count in frequency.items()}

    def likelihood(index: int) -> float:
        one = possible[index]
        likely = sum(weight[word] for word in shared[index]) + max(
            share_of_name(one.row_words, words), bool(one.selecting)
        )
        return likely - RANK_PENALTY * one.mark

    return [possible[index] for index in sorted(range(len(possible)), key=likelihood, reverse=True)[:MAX_SCORED]]


def _passage_odds(passages: Sequence[Passage]) -> list[float]:
    """The log odds of each passage, half the reranker's and half those of both stages together.

    The reranker alone takes a row of another company's report, which reads alike, for the right one. What it has not
    read counts like the worst that it has.
    """
    known = [log_odds(passage.reranked) for passage in passages if passage.reranked is not None]
    last = min(known, default=0.0)
    odds = [last if passage.reranked is None else log_odds(passage.reranked) for passage in passages]
    both = [None if passage.relevance is None else log_odds(passage.relevance) for passage in passages]
    return [one if other is None else (one + other) / 2 for one, other in zip(odds, both, strict=True)]
