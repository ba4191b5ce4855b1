"""Conversations of `/v1`, and their items: messages."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from modulo.domain.conversations.conversation import (
    Conversation,
    ConversationChange,
    Message,
    MessageDraft,
    MessageRole,
    NewConversation,
    StoredMessage,
)
from modulo.domain.conversations.response import RESPONSE
from modulo.domain.labels import Labels
from modulo.domain.pagination import Page, Window
from modulo.domain.request_model import RequestModel
from modulo.runtime.openai.response_request import InputMessage

MAX_ITEMS = 20
"""That are added at once, as in OpenAI's API."""


class CreateConversation(RequestModel):
    """What a conversation begins with."""

    items: tuple[InputMessage, ...] | None = Field(default=None, max_length=MAX_ITEMS)
    metadata: Labels | None = None

    def new(self) -> NewConversation:
        """The conversation to create."""
        return NewConversation(metadata=self.metadata or {})

    def drafts(self) -> tuple[MessageDraft, ...]:
        """Its first messages."""
        return tuple(one.draft() for one in self.items or ())


class UpdateConversation(RequestModel):
    """The metadata that takes the place of what there is."""

    metadata: Labels | None

    def change(self) -> ConversationChange:
        """The change of the conversation."""
        return ConversationChange(metadata=self.metadata or {})


class CreateItems(RequestModel):
    """Messages to add."""

    items: tuple[InputMessage, ...] = Field(min_length=1, max_length=MAX_ITEMS)

    def drafts(self) -> tuple[MessageDraft, ...]:
        """The messages about to be stored."""
        return tuple(one.draft() for one in self.items)


class ConversationObject(BaseModel):
    """A conversation of the caller's."""

    id: UUID
    object: Literal["conversation"] = "conversation"
    created_at: int
    metadata: dict[str, str]


class ConversationDeleted(BaseModel):
    """A conversation that is gone."""

    id: UUID
    object: Literal["conversation.deleted"] = "conversation.deleted"
    deleted: Literal[True] = True


class Item(BaseModel):
    """A message."""

    id: UUID
    type: Literal["message"] = "message"
    role: MessageRole
    status: Literal["completed"] = "completed"
    content: list[dict[str, Any]]


def conversation_answer(conversation: Conversation) -> ConversationObject:
    """A conversation in the shape of the door."""
    return ConversationObject(
        id=conversation.id,
        created_at=int(conversation.created_at.timestamp()),
        metadata=dict(conversation.metadata),
    )


def item_answer(stored: StoredMessage) -> Item:
    """A message in the shape of the door; an answer's citations are those that were told with it."""
    message = stored.message
    if message.role is not MessageRole.assistant:
        return input_item(message)
    text: dict[str, Any] = {"type": "output_text", "text": message.content, "annotations": _cited(stored)}
    return Item(id=message.id, role=message.role, content=[{**text, "logprobs": []}])


def input_item(message: Message) -> Item:
    """A message that a client sent."""
    kind = "output_text" if message.role is MessageRole.assistant else "input_text"
    more: dict[str, Any] = {"annotations": [], "logprobs": []} if message.role is MessageRole.assistant else {}
    return Item(id=message.id, role=message.role, content=[{"type": kind, "text": message.content, **more}])


def _cited(stored: StoredMessage) -> list[dict[str, Any]]:
    """The citations of an answer; one that another door gave cites the documents themselves."""
    if RESPONSE in stored.details:
        annotations: list[dict[str, Any]] = stored.details[RESPONSE]["output"][1]["content"][0]["annotations"]
        return annotations
    cited = {citation.mark: citation for citation in stored.message.citations}
    return [
        {"type": "file_citation", "file_id": str(one.document_id), "filename": one.title, "index": at}
        for mark, one in cited.items()
        if (at := stored.message.content.find(f"[{mark}]")) >= 0
    ]


def input_page(messages: Sequence[Message], window: Window) -> Page[Message]:
    """The window of messages that come oldest first.

    Raises:
        InvalidRequest: there is none of that id.
    """
    listed = list(messages if window.ascending else reversed(messages))
    if window.after is not None:
        at = [number for number, one in enumerate(listed) if one.id == window.after]
        if not at:
            raise window.refusal()
        listed = listed[at[0] + 1 :]
    return Page(tuple(listed[: window.limit]), len(listed) > window.limit)
