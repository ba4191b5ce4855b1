"""Conversations: questions that refer to those before them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from modulo_client.aio.transport import AsyncTransport
from modulo_client.models import ConversationAnswer, ConversationInfo, DeletionRequested, Message, Rating


class AsyncConversation:
    """One conversation."""

    def __init__(self, transport: AsyncTransport, info: ConversationInfo) -> None:
        self._transport = transport
        self._path = f"/conversations/{info.id}"
        self.info = info

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.info.id

    async def ask(self, question: str, **options: Any) -> ConversationAnswer:
        """Ask the next question; `options` are those of a search's `config_metadata`."""
        body = {"question": question, "config_metadata": options or None}
        return await self._transport.send(ConversationAnswer, "POST", f"{self._path}/messages", body)

    def messages(self, *, newest_first: bool = False) -> AsyncIterator[Message]:
        """Its questions and answers."""
        return self._transport.pages(Message, f"{self._path}/messages", newest_first=newest_first)

    async def rate(self, message_id: UUID | str, rating: Rating | None, comment: str | None = None) -> Message:
        """Say whether an answer helped."""
        body = {"rating": rating, "comment": comment}
        return await self._transport.send(Message, "PUT", f"{self._path}/messages/{message_id}/feedback", body)

    async def update(self, **changes: Any) -> ConversationInfo:
        """Change its `title`, `archived`, `collection_id` or `metadata`."""
        self.info = await self._transport.send(ConversationInfo, "PATCH", self._path, changes)
        return self.info

    async def delete(self) -> DeletionRequested:
        """Delete it with its messages."""
        return await self._transport.send(DeletionRequested, "DELETE", self._path)


class AsyncConversations:
    """The user's conversations."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self, *, archived: bool | None = None) -> AsyncIterator[AsyncConversation]:
        """All of them, or only the archived ones or the others."""
        async for info in self._transport.pages(ConversationInfo, "/conversations", archived=archived):
            yield AsyncConversation(self._transport, info)

    async def create(self, *, collection_id: UUID | str | None = None, title: str | None = None) -> AsyncConversation:
        """Begin a conversation, about a collection."""
        body = {"collection_id": str(collection_id) if collection_id else None, "title": title}
        return AsyncConversation(
            self._transport, await self._transport.send(ConversationInfo, "POST", "/conversations", body)
        )

    async def get(self, conversation_id: UUID | str) -> AsyncConversation:
        """A conversation by its id."""
        info = await self._transport.get(ConversationInfo, f"/conversations/{conversation_id}")
        return AsyncConversation(self._transport, info)
