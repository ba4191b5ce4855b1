"""Decomposition: the parts of a question that asks for several things, in English and German.

Rules of word order only, in a few passes over the words. They split where a second question word, a parallel
preposition or article, a list or a comparison says that something else is asked for, and leave the question whole
where that is not clear: a whole question is still answered, while a wrong split costs a search.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modulo.domain.answers.antecedent import named, points, topic_of
from modulo.domain.answers.coordination import coordinated
from modulo.domain.text.question_words import (
    AUXILIARIES,
    MEASURES,
    NAME_QUESTIONS,
    PERSONS_AND_PLACES,
    PREPOSITIONS,
    QUESTION_WORDS,
    REQUESTS,
    SUBJECTS,
    Word,
    joint_end,
    words_of,
)

MAX_DEPTH = 3
"""The architecture's reasoning depth; what is asked beyond it stays together in the last part."""
MAX_HEAD_WORDS = 8
"""Within how many words something is asked for."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a question.

    `about` is what a part that points back ("its", "they" …) is searched for with: the first part, and the evidence of
    earlier answers once it is known. It `waits` where only that evidence names what it points to.
    """

    text: str
    about: str = ""
    waits: bool = False

    @property
    def question(self) -> str:
        """The part as it is searched for, which can be understood alone."""
        return f"{self.text} ({self.about})" if self.about else self.text

    def knowing(self, evidence: str) -> "Part":
        """The same part with what an earlier answer rests on."""
        return Part(self.text, f"{self.about}: {evidence}" if self.about else evidence)


def decompose(question: str, most: int = MAX_DEPTH) -> tuple[Part, ...]:
    """The parts of a question, each once, at most `most`; one that asks for one thing comes back as it was written."""
    found = [part for clause in _clauses(words_of(question)) for part in coordinated(clause) if len(part) > 1]
    once: dict[tuple[str, ...], list[Word]] = {}
    for part in found:
        once.setdefault(tuple(word.key for word in part), part)
    parts = list(once.values())
    if len(parts) < 2 or most < 2:
        return (Part(question if len(found) < 2 or most < 2 else f"{_text(found[0])}?"),)
    texts = [_text(part) for part in parts[: most - 1]]
    texts.append("? ".join(map(_text, parts[most - 1 :])))
    first, *others = texts
    made, topic = [Part(f"{first}?")], topic_of(parts[0])
    for text, words in zip(others, parts[1:], strict=False):
        if not points(words):
            made.append(Part(f"{text}?"))
        elif _is_named_by(parts[0], words):
            made.append(Part(f"{text}?", topic or first, waits=True))
        else:
            said, about = named(words, topic) if topic else (text, first)
            made.append(Part(f"{_cleaned(said)}?", about) if len(made) < most - 1 else Part(f"{text}?", topic))
    return tuple(made)


def _is_named_by(first: Sequence[Word], words: Sequence[Word]) -> bool:
    """Whether a part points to a person or a place that only the answer to the first part names."""
    keys = {word.key for word in words}
    return bool(keys & PERSONS_AND_PLACES) and any(word.key in NAME_QUESTIONS for word in first[:3])


def _text(words: Sequence[Word]) -> str:
    return _cleaned(" ".join(word.text for word in words))


def _cleaned(text: str) -> str:
    return text.replace(" ,", ",").strip(" ,.!:")


def _clauses(words: Sequence[Word]) -> list[list[Word]]:
    """The words of each question; what asks for nothing ("I am new here.") stays with its neighbour.

    "How and by when do I …" is two questions, which share what follows.
    """
    found: list[list[Word]] = []
    for clause in _cut(words):
        if found and _is_bare(found[-1]):
            found[-1] += clause[next((at for at, word in enumerate(clause) if word.key in AUXILIARIES), 1) :]
            found.append(clause)
        elif found and not (_asks(clause) and _asks(found[-1])):
            found[-1] += clause
        else:
            found.append(clause)
    return found


def _cut(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words between question marks and semicolons, and before joints that another question follows."""
    clause: list[Word] = []
    place = 0
    while place < len(words):
        word, behind = words[place], joint_end(words, place)
        if word.text in ("?", ";"):
            if clause:
                yield clause
            clause, place = [], max(joint_end(words, place + 1) - 1, place)
        elif clause and behind and _begins(words, behind):
            yield clause
            clause, place = [], behind - 1
        elif clause and _is_next_sentence(clause[-1], word):
            yield clause
            clause = [word]
        else:
            clause.append(word)
        place += 1
    if clause:
        yield clause


def _is_next_sentence(last: Word, word: Word) -> bool:
    return last.text.endswith(".") and word.text[0].isupper() and word.key in QUESTION_WORDS | REQUESTS


def _begins(words: Sequence[Word], place: int) -> bool:
    """Whether a question begins here: a question word, "by when", a request, or an auxiliary with its subject."""
    keys = [word.key for word in words[place : place + 2]]
    if len(keys) < 2:
        return False
    first, second = keys
    if first in QUESTION_WORDS:
        # A comma alone before a pronoun begins a relative clause: "the author, who …".
        return first not in ("who", "which", "whose", "whom", "where") or words[place - 1].text != ","
    if first in PREPOSITIONS:
        return second in QUESTION_WORDS and words[place - 1].text != ","
    return first in REQUESTS or (first in AUXILIARIES and second in SUBJECTS)


def _asks(words: Sequence[Word]) -> bool:
    """Whether something is asked for: by a question word or a request near the beginning, or an auxiliary in front."""
    return words[0].key in AUXILIARIES or any(
        word.key in QUESTION_WORDS or word.key in REQUESTS for word in words[:MAX_HEAD_WORDS]
    )


def _is_bare(words: Sequence[Word]) -> bool:
    """Whether it is a question word alone, such as "by when" or "how much"."""
    return len(words) <= 2 and words[-1].key in QUESTION_WORDS | MEASURES
