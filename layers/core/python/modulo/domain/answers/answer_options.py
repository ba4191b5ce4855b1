"""How an answer is to be written, beyond the question and its passages."""

from dataclasses import dataclass
from typing import Final

from modulo.domain.answers.follow_up import Turn

MAX_TEMPERATURE: Final = 2.0


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """What the client of an answer asks of it; what is left out is as Modulo has it.

    A generator that quotes takes the bound of tokens only: nothing in a quotation is left to chance or to style.
    """

    instructions: str = ""
    """On tone, length or form, as far as the rules about passages and citations leave it open."""
    history: tuple[Turn, ...] = ()
    """Turns before the question, oldest first."""
    max_tokens: int | None = None
    """The longest answer; the generator's own bound where that is less."""
    temperature: float = 0.0

    @property
    def leaves_to_chance(self) -> bool:
        """Whether the same question may get another answer, so that none is kept."""
        return self.temperature > 0

    def bound(self, max_tokens: int) -> int:
        """The longest answer of a generator that writes at most so many tokens."""
        return max_tokens if self.max_tokens is None else min(self.max_tokens, max_tokens)


PLAIN: Final = AnswerOptions()
"""Nothing is asked of it."""
