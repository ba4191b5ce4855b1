"""Extracts that may be of the kind that a question asks for; others are no answer, however well they read beside it."""

import re
from collections.abc import Callable, Sequence

from modulo.domain.answers.answer_kinds import asks_why
from modulo.domain.answers.decided_rows import selection_of
from modulo.domain.answers.extracts import Extract
from modulo.domain.answers.persons import asks_name, may_name
from modulo.domain.retrieval.passage import Passage
from modulo.domain.text.back_references import points_back
from modulo.domain.text.language import language_of
from modulo.domain.text.negation import denies
from modulo.domain.text.question_words import AUXILIARIES, QUESTION_WORDS, words_of
from modulo.domain.text.stemming import content_words

_ENDS = (".", "!", "?", ":", ";", "\u3002", "\u2026")
_CAUSE_OF_ITS_OWN = re.compile(
    r"\b(?:because|since|due to|owing to|weil|wegen|aufgrund|parce que|porque|perch\u00e9|omdat)\b", re.IGNORECASE
)
_CHOICE = re.compile(r"\b(?:or|oder)\b", re.IGNORECASE)


def fitting(question: str, found: Sequence[Extract], passages: Sequence[Passage]) -> list[Extract]:
    """The extracts that may answer: none that says nothing, names nobody or tells the cause of something else."""
    words = frozenset(content_words(question))
    rules: list[Callable[[Extract], bool]] = []
    if not _is_answered_by_itself(question):
        rules.append(lambda one: not _says_nothing(one, words, passages[one.mark - 1]))
    if asks_name(question):
        rules.append(lambda one: may_name(one.text))
    if asks_why(question):
        subject = selection_of(question).subject
        rules.append(lambda one: not _is_cause_of_another(one, found, subject))
    return [one for one in found if all(rule(one) for rule in rules)]


def _is_answered_by_itself(question: str) -> bool:
    """Whether what it says may be its answer: it is for yes or no, or one of the things that it names."""
    asked = words_of(question)
    first = asked[0].key if asked else ""
    asks_what = first in QUESTION_WORDS and language_of(question) != "en"  # "was", which is English, too
    return (first in AUXILIARIES and not asks_what) or bool(_CHOICE.search(question))


def _says_nothing(one: Extract, words: frozenset[str], passage: Passage) -> bool:
    """Whether it is a title or a heading that only repeats the question, or where it stands."""
    if one.row_words or one.quoted.rstrip("\"'\u201d)").endswith(_ENDS) or denies(one.quoted):
        return False
    document = passage.document
    above = f"{one.heading}\n{passage.hit.chunk.heading}\n{document.name}\n{document.info.title or ''}"
    return words.union(content_words(above)).issuperset(content_words(one.quoted))


def _is_cause_of_another(one: Extract, found: Sequence[Extract], subject: frozenset[str]) -> bool:
    """Whether it tells what it is the cause of, and that is not what the question is for, but what stands beside it.

    "Cars may not be moved at night. Music is forbidden, because birds breed." says nothing of why cars may not.
    """
    if one.row_words or not _CAUSE_OF_ITS_OWN.search(one.quoted) or points_back(one.quoted):
        return False
    asked = subject.difference(content_words(one.heading))
    if not asked.isdisjoint(content_words(one.scored_text)):
        return False
    beside = (other for other in found if (other.mark, other.heading) == (one.mark, one.heading))
    return any(not asked.isdisjoint(content_words(other.quoted)) for other in beside)
