"""Collections: their files, their members, and questions about them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, overload
from uuid import UUID

from modulo_client.aio.answers import AsyncAnswerStream
from modulo_client.aio.files import AsyncFiles
from modulo_client.aio.transport import AsyncTransport
from modulo_client.errors import NotFound
from modulo_client.models import Answer, CollectionInfo, DeletionRequested, Member, Result, Role

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class AsyncMembers:
    """The users with access to a collection."""

    def __init__(self, transport: AsyncTransport, collection_id: UUID) -> None:
        self._transport = transport
        self._path = f"/collections/{collection_id}/members"

    def list(self) -> AsyncIterator[Member]:
        """All members, by role and name."""
        return self._transport.pages(Member, self._path)

    async def set(self, user_id: UUID | str, role: Role) -> Member:
        """Give a user a role: `owner`, `editor` or `viewer`."""
        return await self._transport.send(Member, "PUT", f"{self._path}/{user_id}", {"role": role})

    async def remove(self, user_id: UUID | str) -> None:
        """Take a user's access."""
        await self._transport.request("DELETE", f"{self._path}/{user_id}")


class AsyncCollection:
    """One collection."""

    def __init__(self, transport: AsyncTransport, info: CollectionInfo) -> None:
        self._transport = transport
        self.info = info
        self.files = AsyncFiles(transport, info.id)
        self.add = self.files.add
        self.sync = self.files.sync
        self.members = AsyncMembers(transport, info.id)

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.info.id

    @property
    def name(self) -> str:
        """Its name, unique for its owner."""
        return self.info.name

    async def refresh(self) -> CollectionInfo:
        """Ask for its present state."""
        self.info = await self._transport.get(CollectionInfo, f"/collections/{self.id}")
        return self.info

    @overload
    async def ask(self, question: str, *, stream: Literal[False] = False, **options: Any) -> Answer: ...

    @overload
    async def ask(self, question: str, *, stream: Literal[True], **options: Any) -> AsyncAnswerStream: ...

    async def ask(self, question: str, *, stream: bool = False, **options: Any) -> Answer | AsyncAnswerStream:
        """Answer a question from the collection's documents, with citations.

        `options` are those of a search's `config_metadata`, such as `top_k`, `filters` or `cot_enabled`. With `stream`,
        the answer can be read while it is written.

        Raises:
            ApiProblem: the server refused; `Throttled` where a quota is used up.
            ConnectionFailed: it did not answer.
        """
        if stream:
            return AsyncAnswerStream(self._transport, self._body(question, options))
        return await self._transport.send(Answer, "POST", "/search", self._body(question, options))

    async def search(self, query: str, **options: Any) -> tuple[Result, ...]:
        """The passages that are nearest to a query, best first, without an answer."""
        body = self._body(query, {**options, "retrieve_only": True})
        return (await self._transport.send(Answer, "POST", "/search", body)).query_results

    def _body(self, question: str, options: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in options.items() if value is not None}
        return {"question": question, "collection_id": str(self.id), "config_metadata": given or None}

    async def update(self, **changes: Any) -> CollectionInfo:
        """Change its `name`, `description`, `metadata`, `chunking`, `expires_after_days` or `search_defaults`."""
        self.info = await self._transport.send(CollectionInfo, "PATCH", f"/collections/{self.id}", changes)
        return self.info

    async def delete(self) -> DeletionRequested:
        """Delete it with all its files."""
        return await self._transport.send(DeletionRequested, "DELETE", f"/collections/{self.id}")


class AsyncCollections:
    """The collections that the credential may read."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> AsyncIterator[AsyncCollection]:
        """All of them."""
        async for info in self._transport.pages(CollectionInfo, "/collections"):
            yield AsyncCollection(self._transport, info)

    async def create(self, name: str, **options: Any) -> AsyncCollection:
        """Make a collection; `options` are `description`, `metadata`, `chunking`, `embedding_model` and more.

        Raises:
            Conflict: a collection of the same owner has the name.
        """
        body = {"name": name, **options}
        return AsyncCollection(
            self._transport, await self._transport.send(CollectionInfo, "POST", "/collections", body)
        )

    async def get(self, name_or_id: UUID | str) -> AsyncCollection:
        """A collection by its name or its id.

        Raises:
            NotFound: there is none, or several of different owners have the name.
        """
        wanted = str(name_or_id)
        if _ID.fullmatch(wanted):
            return AsyncCollection(self._transport, await self._transport.get(CollectionInfo, f"/collections/{wanted}"))
        pages = self._transport.pages(CollectionInfo, "/collections", name=wanted)
        found = [info async for info in pages if info.name == wanted]
        if len(found) != 1:
            why = (
                f"several collections are named {wanted!r}: use an id"
                if found
                else f"no collection is named {wanted!r}"
            )
            raise NotFound(404, {"type": "not-found", "title": "Not found", "detail": why})
        return AsyncCollection(self._transport, found[0])
