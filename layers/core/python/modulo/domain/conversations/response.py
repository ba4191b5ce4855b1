"""Answers that a door tells again: what is asked for, and what is stored beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.answers.answer_options import AnswerOptions
    from modulo.domain.conversations.conversation import MessageDraft
    from modulo.domain.search.search import ConfigMetadata

RESPONSE: Final = "response"
"""The detail of a stored answer that holds what its door tells of it."""
INPUT: Final = "input"
"""The ids of the messages that it answers."""
CHAIN: Final = "chain"
"""The ids of the answers before it; null for all of its conversation."""
BEGAN: Final = "began"
"""Whether its conversation began with it."""


@dataclass(frozen=True, slots=True)
class AskedResponse:
    """A question, what goes on with it, and how it is to be answered."""

    id: UUID
    """Of the answer."""
    question: str
    said: tuple[MessageDraft, ...]
    """The messages of the request, the question last."""
    config: ConfigMetadata
    options: AnswerOptions
    previous_id: UUID | None = None
    """The answer that is continued, whatever else was said in its conversation since."""
    conversation_id: UUID | None = None
    """The conversation that goes on."""
    store: bool = True
