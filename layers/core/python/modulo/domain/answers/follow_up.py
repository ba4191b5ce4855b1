"""Follow-up questions, made into ones that can be understood alone, from the turns before them.

By rules, in English and German: a pronoun is replaced by what the question before was about, and a question without a
verb ("And for backups?") takes the frame of the question before. A language model does it better, where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modulo.domain.answers.antecedent import named, points, topic_of
from modulo.domain.answers.decomposition import decompose
from modulo.domain.text.question_words import (
    ARTICLES,
    AUXILIARIES,
    JOINTS,
    MEASURES,
    NAME_QUESTIONS,
    PERSONS_AND_PLACES,
    PREPOSITIONS,
    QUESTION_WORDS,
    Word,
    words_of,
)
from modulo.domain.text.tokens import estimate

MAX_EVIDENCE_CHARACTERS = 160
"""Of the answer that names whom a question points to."""
_ABOUTS = (("what", "about"), ("how", "about"), ("was", "ist", "mit"), ("wie", "ist", "es", "mit"))
_DEFINITE = frozenset(("the", "der", "die", "das", "den", "dem"))
_NOT_TELLING = ARTICLES | AUXILIARIES | JOINTS | MEASURES | PREPOSITIONS | QUESTION_WORDS
_FIGURE = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_FEWEST_WORDS = 3
"""A question of fewer words asks for something that was named before, such as "Why?"."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question as it was understood, and the answer that it got, with the first of what that rests on."""

    question: str
    answer: str
    evidence: str = ""


def recent(turns: Sequence[Turn], max_tokens: int) -> tuple[Turn, ...]:
    """The last turns, oldest first, that have no more than so many tokens together."""
    kept: list[Turn] = []
    for turn in reversed(turns):
        max_tokens -= estimate(turn.question) + estimate(turn.answer)
        if max_tokens < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))


def standalone(question: str, turns: Sequence[Turn]) -> str:
    """The question as it can be understood alone; as it is where it points to nothing, or to nothing known."""
    words = [word for word in words_of(question) if word.text not in ("?", ",", ";")]
    asked, bare = _without_joint(words) if turns and words else ((), False)
    if not asked:
        return question
    last = turns[-1]
    if bare and not any(word.key in QUESTION_WORDS for word in asked):
        return _in_frame(last.question, asked)
    if len(asked) < _FEWEST_WORDS:
        return f"{_text(asked)}? ({last.question.rstrip(' ?')})"
    return _naming(asked, last) if points(asked) or _leaves_open(asked) else question


def _leaves_open(asked: Sequence[Word]) -> bool:
    """Whether it asks for "the trainer" without saying whose: nothing but that word tells what it is about."""
    keys = [word.key for word in asked]
    telling = [word for word in asked if word.key not in _NOT_TELLING]
    return len(telling) == 1 and not _FIGURE.search(telling[0].text) and any(key in _DEFINITE for key in keys)


def _naming(asked: Sequence[Word], last: Turn) -> str:
    """The question with what its pronouns point to."""
    before = words_of(decompose(last.question)[-1].text.rstrip(" ?"))
    topic = topic_of(before) or last.question.rstrip(" ?")
    if not topic:
        return f"{_text(asked)}?"
    named_by_answer = any(word.key in NAME_QUESTIONS for word in before[:3])
    if last.evidence and named_by_answer and any(word.key in PERSONS_AND_PLACES for word in asked):
        return f"{_text(asked)}? ({topic}: {last.evidence[:MAX_EVIDENCE_CHARACTERS]})"
    said, about = named(asked, topic)
    return f"{said}? ({about})" if about else f"{said}?"


def _without_joint(words: Sequence[Word]) -> tuple[Sequence[Word], bool]:
    """The question without "and" or "what about" in front; whether it is without a verb of its own."""
    start = 1 if words[0].key in JOINTS else 0
    for phrase in _ABOUTS:
        if tuple(word.key for word in words[start : start + len(phrase)]) == phrase:
            return words[start + len(phrase) :], True
    return words[start:], start > 0 and not any(word.key in AUXILIARIES for word in words)


def _in_frame(before: str, asked: Sequence[Word]) -> str:
    """The question before, asked of something else."""
    if swapped := _swapped(before, asked):
        return swapped
    plain = before.rstrip(" ?")
    *_, last = decompose(f"{plain}, and {_text(asked)}?")
    return last.question if last.question != f"{plain}, and {_text(asked)}?" else f"{_text(asked)}? ({plain})"


def _swapped(before: str, asked: Sequence[Word]) -> str:
    """The question before with another code or year in the place of its own; empty where it has none, or several."""
    telling = [word for word in asked if word.key not in ARTICLES | PREPOSITIONS]
    if len(telling) != 1 or not _FIGURE.search(telling[0].key):
        return ""
    same = [word for word in words_of(before) if _shape(word.key) == _shape(telling[0].key)]
    if len(same) != 1:
        return ""
    return f"{before[: same[0].start]}{_text(telling)}{before[same[0].end :]}"


def _shape(key: str) -> str:
    """AB-1077 and XY-3 have one shape, and so have two years."""
    return "0" * len(key) if key.isdigit() else _FIGURE.sub("0", _LETTERS.sub("a", key))


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words).strip(" .!")
