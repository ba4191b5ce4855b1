"""Drafts by a generator and the checked answers made of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from modulo.domain.passage import Passage

NOT_FOUND = "The documents of this collection do not answer this question."


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question with the passages an answer may rest on; a mark [n] in a draft names the n-th."""

    question: str
    passages: Sequence[Passage]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one call of a metered model used."""

    prompt: int = 0
    completion: int = 0

    @property
    def total(self) -> int:
        """Both together: what counts against the quota."""
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class Draft:
    """A generator's text before its citations are checked; empty text means that it found no answer."""

    text: str
    tokens: Tokens = Tokens()


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage that an answer rests on, with the part of it that supports the answer."""

    mark: int
    passage: Passage
    excerpt: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A text whose every mark was checked against the passage it names; none left means not found."""

    text: str
    cited: tuple[Cited, ...]

    @property
    def found(self) -> bool:
        """Whether the passages support an answer."""
        return bool(self.cited)
