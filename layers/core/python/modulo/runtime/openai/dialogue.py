"""What was said in a request, message by message: the question, the turns before it, and the instructions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from modulo.domain.answers.follow_up import Turn
from modulo.domain.conversations.conversation import MessageRole
from modulo.domain.errors import InvalidRequest
from modulo.domain.field_messages import message_of
from modulo.domain.retrieval.search_defaults import MAX_INSTRUCTIONS
from modulo.domain.search.search import Question

INSTRUCTING: Final = (MessageRole.system, MessageRole.developer)
_QUESTION: TypeAdapter[str] = TypeAdapter(Question)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Messages as roles with texts, oldest first; `at` is the field that they come from."""

    said: Sequence[tuple[MessageRole, str]]
    at: str

    def question(self) -> str:
        """The last message.

        Raises:
            InvalidRequest: it is not the user's, or no question.
        """
        role, text = self.said[-1]
        at = f"{self.at}.{len(self.said) - 1}"
        if role is not MessageRole.user:
            raise InvalidRequest.field(f"{at}.role", "must be user: the last message is the question")
        try:
            return _QUESTION.validate_python(text)
        except ValidationError as error:
            raise InvalidRequest.field(f"{at}.content", message_of(error.errors()[0])) from None

    def instructions(self, *others: str | None) -> str:
        """What system and developer messages say, behind other instructions.

        Raises:
            InvalidRequest: they are too long.
        """
        said = [*(one for one in others if one), *(text for role, text in self.said if role in INSTRUCTING)]
        instructions = "\n\n".join(said)
        if len(instructions) > MAX_INSTRUCTIONS:
            raise InvalidRequest.field(self.at, f"holds instructions of more than {MAX_INSTRUCTIONS} characters")
        return instructions

    def turns(self) -> tuple[Turn, ...]:
        """What was said before the question; a question that nobody answered is a turn too."""
        turns: list[Turn] = []
        for role, text in self.said[:-1]:
            if role is MessageRole.user:
                turns.append(Turn(text, ""))
            elif role is MessageRole.assistant:
                before = turns.pop() if turns and not turns[-1].answer else Turn("", "")
                turns.append(Turn(before.question, text))
        return tuple(turns)
