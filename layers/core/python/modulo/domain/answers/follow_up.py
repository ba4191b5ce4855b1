"""Follow-up questions, made into ones that can be understood alone, from the turns before them.

By rules, in English and German: a pronoun is replaced by what the question before was about, and a question without a
verb ("And for backups?") takes the frame of the question before. A language model does it better, where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modulo.domain.answers.antecedent import named, points, topic_of
from modulo.domain.answers.decomposition import decompose
from modulo.domain.text.question_words import (
    AUXILIARIES,
    JOINTS,
    NAME_QUESTIONS,
    PERSONS_AND_PLACES,
    QUESTION_WORDS,
    Word,
    words_of,
)
from modulo.domain.text.tokens import estimate

MAX_EVIDENCE_CHARACTERS = 160
"""Of the answer that names whom a question points to."""
_ABOUTS = (("what", "about"), ("how", "about"), ("was", "ist", "mit"), ("wie", "ist", "es", "mit"))
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
    return _naming(asked, last) if points(asked) else question


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
    plain = before.rstrip(" ?")
    *_, last = decompose(f"{plain}, and {_text(asked)}?")
    return last.question if last.question != f"{plain}, and {_text(asked)}?" else f"{_text(asked)}? ({plain})"


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words).strip(" .!")
