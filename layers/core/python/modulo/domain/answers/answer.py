"""Prompts, a generator's drafts, and the checked answers made of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from modulo.domain.answers.answer_options import PLAIN, AnswerOptions
from modulo.domain.answers.outcome import Outcome
from modulo.domain.answers.reasoning_options import FormatType
from modulo.domain.retrieval.passage import Passage

EXTRACTIVE = "extractive"
"""The name of the generator that quotes instead of writing."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question with the passages that an answer may rest on; a mark [n] in a draft cites the n-th."""

    question: str
    passages: Sequence[Passage]
    form: FormatType = FormatType.standard
    options: AnswerOptions = PLAIN
    """With turns before the question and without passages, the draft is the question made to stand alone."""

    more_tokens: int = 0
    """What passages that are not known yet may add to it."""

    @property
    def asks_to_rewrite(self) -> bool:
        """Whether not an answer is asked for, but the question as it can be understood without the turns before it."""
        return bool(self.options.history) and not self.passages


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """The tokens that one call of a metered model used."""

    prompt: int = 0
    completion: int = 0

    @property
    def total(self) -> int:
        """Both together: what counts against the quota."""
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class AnswerDraft:
    """A generator's text before its citations are checked; empty text means that it found no answer."""

    text: str
    tokens: TokenUsage = TokenUsage()
    generator: str = ""
    """Which one of several wrote it, by name; empty for the only one."""
    cut_short: bool = False
    """Whether the generator ran out of tokens; the text ends with its last whole sentence."""


@dataclass(frozen=True, slots=True)
class DraftPart:
    """The next text of a draft that is being written, which may be none, and the tokens used so far.

    Until the provider tells its count, which is with the last part at the latest, tokens are estimated.
    """

    text: str
    tokens: TokenUsage = TokenUsage()
    cut_short: bool = False
    """Whether the draft ends here because the model ran out of tokens; its last sentence may have no end."""
    generator: str = ""
    """Which one of several wrote it, by name; empty for the only one."""


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A passage that an answer rests on, with the part of it that supports the answer.

    `start` and `end` are the excerpt's offsets in the text of the passage's page; a header row that a table repeats
    stands only at its first place, so an excerpt that begins in it begins with the next row.
    """

    mark: int
    passage: Passage
    excerpt: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A text whose marks were each checked against the cited passage; without any, there is no answer.

    It is `unverified` where there was a draft.
    """

    text: str
    cited: tuple[CitedPassage, ...]
    unverified: bool = False

    @property
    def outcome(self) -> Outcome:
        """What became of the question."""
        if self.cited:
            return Outcome.answered
        return Outcome.unverified if self.unverified else Outcome.not_found

    @property
    def found(self) -> bool:
        """Whether the passages support an answer."""
        return bool(self.cited)
