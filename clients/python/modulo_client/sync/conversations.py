# Generated from modulo_client/aio by generate_sync.py: change it there.
"""Conversations: questions that refer to those before them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from modulo_client.models import ConversationAnswer, ConversationInfo, DeletionRequested, Message, Rating
from modulo_client.sync.transport import Transport


class Conversation:
    """One conversation."""

    def __init__(self, transport: Transport, info: ConversationInfo) -> None:
        self._transport = transport
        self._path = f"/conversations/{info.id}"
        self.info = info

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.info.id

    def ask(self, question: str, **options: Any) -> ConversationAnswer:
        """Ask the next question; `options` are those of a search's `config_metadata`."""
        body = {"question": question, "config_metadata": options or None}
        return self._transport.send(ConversationAnswer, "POST", f"{self._path}/messages", body)

    def messages(self, *, newest_first: bool = False) -> Iterator[Message]:
        """Its questions and answers."""
        return self._transport.pages(Message, f"{self._path}/messages", newest_first=newest_first)

    def rate(self, message_id: UUID | str, rating: Rating | None, comment: str | None = None) -> Message:
        """Say whether an answer helped."""
        body = {"rating": rating, "comment": comment}
        return self._transport.send(Message, "PUT", f"{self._path}/messages/{message_id}/feedback", body)

    def update(self, **changes: Any) -> ConversationInfo:
        """Change its `title`, `archived`, `collection_id` or `metadata`."""
        self.info = self._transport.send(ConversationInfo, "PATCH", self._path, changes)
        return self.info

    def delete(self) -> DeletionRequested:
        """Delete it with its messages."""
        return self._transport.send(DeletionRequested, "DELETE", self._path)


class Conversations:
    """The user's conversations."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, archived: bool | None = None) -> Iterator[Conversation]:
        """All of them, or only the archived ones or the others."""
        for info in self._transport.pages(ConversationInfo, "/conversations", archived=archived):
            yield Conversation(self._transport, info)

    def create(self, *, collection_id: UUID | str | None = None, title: str | None = None) -> Conversation:
        """Begin a conversation, about a collection."""
        body = {"collection_id": str(collection_id) if collection_id else None, "title": title}
        return Conversation(self._transport, self._transport.send(ConversationInfo, "POST", "/conversations", body))

    def get(self, conversation_id: UUID | str) -> Conversation:
        """A conversation by its id."""
        info = self._transport.get(ConversationInfo, f"/conversations/{conversation_id}")
        return Conversation(self._transport, info)
