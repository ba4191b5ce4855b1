"""Conversations: messages of one user, in order, with the citations of each answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from modulo.domain.errors import Conflict
from modulo.domain.labels import Labels
from modulo.domain.model import STORABLE, VISIBLE, FrozenModel
from modulo.domain.request_model import RequestModel
from modulo.domain.search.search import Citation
from modulo.domain.tenancy.quota import quota_exceeded
from modulo.domain.text.unicode_text import visible_name, without_hidden

MAX_TITLE_CHARACTERS = 200
MAX_COMMENT_CHARACTERS = 2_000
MAX_MESSAGE_CHARACTERS = 100_000


def _visible_words(title: str) -> str:
    """The title, if every word can be seen; any white space may stand between them."""
    visible_name(" ".join(title.split()))
    return title


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE_CHARACTERS, pattern=VISIBLE),
    AfterValidator(_visible_words),
]
MessageText = Annotated[str, StringConstraints(max_length=MAX_MESSAGE_CHARACTERS, pattern=STORABLE)]


class MessageRole(StrEnum):
    """Who speaks; `system` and `developer` are instructions that a client of another door stored."""

    user = "user"
    assistant = "assistant"
    system = "system"
    developer = "developer"


class Rating(StrEnum):
    """What a reader thinks of an answer."""

    up = "up"
    down = "down"


class Feedback(RequestModel):
    """A rating and what the reader says about it; without a rating, what was said before is taken back."""

    rating: Rating | None
    comment: Annotated[str, StringConstraints(max_length=MAX_COMMENT_CHARACTERS, pattern=STORABLE)] | None = None


class Message(FrozenModel):
    """One message; an answer has citations, and its reader may rate it."""

    id: UUID
    conversation_id: UUID
    role: MessageRole
    content: str
    citations: tuple[Citation, ...] = ()
    rewritten_query: str | None = Field(
        default=None, description="the question as it was searched for, where it was understood from those before it"
    )
    feedback: Feedback | None = None
    created_at: datetime


class Conversation(FrozenModel):
    """A conversation of the caller: nobody else sees it."""

    id: UUID
    title: str = Field(description="empty until the first question, which becomes the title where none was given")
    collection_id: UUID | None = Field(description="where questions are asked that name no collection")
    metadata: Mapping[str, str] = Field(default={})
    archived: bool = False
    message_count: int = 0
    created_at: datetime
    updated_at: datetime = Field(description="when it was last asked, or changed")

    def require_room(self, messages: int, *, most: int) -> None:
        """Refuse to go on where so many messages more would be too many.

        Raises:
            Conflict: it is archived.
            QuotaExceeded: it is full.
        """
        if self.archived:
            raise Conflict("The conversation is archived: take it out of the archive to go on.")
        if self.message_count + messages > most:
            raise quota_exceeded("messages in a conversation", most)


class NewConversation(RequestModel):
    """What a conversation begins with; all of it may be left out."""

    title: Title | None = None
    collection_id: UUID | None = None
    metadata: Labels = Field(default={})


class ConversationChange(RequestModel):
    """What to change; null fields stay."""

    title: Title | None = None
    archived: bool | None = None
    collection_id: UUID | None = None
    metadata: Labels | None = None


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message about to be stored."""

    id: UUID
    role: MessageRole
    content: str
    citations: tuple[Citation, ...] = ()
    rewritten_query: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    """What a door needs to show the message in its own form; JSON."""


@dataclass(frozen=True, slots=True)
class ConversationDraft:
    """A conversation about to be created, with its first messages."""

    id: UUID
    title: str = ""
    collection_id: UUID | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    messages: tuple[MessageDraft, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with what its door stored beside it."""

    message: Message
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages of a conversation, in the order asked for; `more` where others follow."""

    items: tuple[StoredMessage, ...]
    more: bool


def title_of(question: str) -> str:
    """The title of a conversation that begins with this question: its first words on one line."""
    line = " ".join(without_hidden(" ".join(question.split())).split())
    if len(line) <= 80:
        return line
    return line[:80].rsplit(" ", 1)[0].rstrip(" ,;:") + "\u2026"
