# Generated from modulo_client/aio by generate_sync.py: change it there.
"""Collections: their files, their members, and questions about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, overload
from uuid import UUID

from modulo_client.errors import NotFound
from modulo_client.models import Answer, CollectionInfo, DeletionRequested, Member, Result, Role
from modulo_client.sync.answers import AnswerStream
from modulo_client.sync.files import Files
from modulo_client.sync.transport import Transport

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Members:
    """The users with access to a collection."""

    def __init__(self, transport: Transport, collection_id: UUID) -> None:
        self._transport = transport
        self._path = f"/collections/{collection_id}/members"

    def list(self) -> Iterator[Member]:
        """All members, by role and name."""
        return self._transport.pages(Member, self._path)

    def set(self, user_id: UUID | str, role: Role) -> Member:
        """Give a user a role: `owner`, `editor` or `viewer`."""
        return self._transport.send(Member, "PUT", f"{self._path}/{user_id}", {"role": role})

    def remove(self, user_id: UUID | str) -> None:
        """Take a user's access."""
        self._transport.request("DELETE", f"{self._path}/{user_id}")


class Collection:
    """One collection."""

    def __init__(self, transport: Transport, info: CollectionInfo) -> None:
        self._transport = transport
        self.info = info
        self.files = Files(transport, info.id)
        self.add = self.files.add
        self.sync = self.files.sync
        self.members = Members(transport, info.id)

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.info.id

    @property
    def name(self) -> str:
        """Its name, unique for its owner."""
        return self.info.name

    def refresh(self) -> CollectionInfo:
        """Ask for its present state."""
        self.info = self._transport.get(CollectionInfo, f"/collections/{self.id}")
        return self.info

    @overload
    def ask(self, question: str, *, stream: Literal[False] = False, **options: Any) -> Answer: ...

    @overload
    def ask(self, question: str, *, stream: Literal[True], **options: Any) -> AnswerStream: ...

    def ask(self, question: str, *, stream: bool = False, **options: Any) -> Answer | AnswerStream:
        """Answer a question from the collection's documents, with citations.

        `options` are those of a search's `config_metadata`, such as `top_k`, `filters` or `cot_enabled`. With `stream`,
        the answer can be read while it is written.

        Raises:
            ApiProblem: the server refused; `Throttled` where a quota is used up.
            ConnectionFailed: it did not answer.
        """
        if stream:
            return AnswerStream(self._transport, self._body(question, options))
        return self._transport.send(Answer, "POST", "/search", self._body(question, options))

    def search(self, query: str, **options: Any) -> tuple[Result, ...]:
        """The passages that are nearest to a query, best first, without an answer."""
        body = self._body(query, {**options, "retrieve_only": True})
        return (self._transport.send(Answer, "POST", "/search", body)).query_results

    def _body(self, question: str, options: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in options.items() if value is not None}
        return {"question": question, "collection_id": str(self.id), "config_metadata": given or None}

    def update(self, **changes: Any) -> CollectionInfo:
        """Change its `name`, `description`, `metadata`, `chunking`, `expires_after_days` or `search_defaults`."""
        self.info = self._transport.send(CollectionInfo, "PATCH", f"/collections/{self.id}", changes)
        return self.info

    def delete(self) -> DeletionRequested:
        """Delete it with all its files."""
        return self._transport.send(DeletionRequested, "DELETE", f"/collections/{self.id}")


class Collections:
    """The collections that the credential may read."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[Collection]:
        """All of them."""
        for info in self._transport.pages(CollectionInfo, "/collections"):
            yield Collection(self._transport, info)

    def create(self, name: str, **options: Any) -> Collection:
        """Make a collection; `options` are `description`, `metadata`, `chunking`, `embedding_model` and more.

        Raises:
            Conflict: a collection of the same owner has the name.
        """
        body = {"name": name, **options}
        return Collection(self._transport, self._transport.send(CollectionInfo, "POST", "/collections", body))

    def get(self, name_or_id: UUID | str) -> Collection:
        """A collection by its name or its id.

        Raises:
            NotFound: there is none, or several of different owners have the name.
        """
        wanted = str(name_or_id)
        if _ID.fullmatch(wanted):
            return Collection(self._transport, self._transport.get(CollectionInfo, f"/collections/{wanted}"))
        pages = self._transport.pages(CollectionInfo, "/collections", name=wanted)
        found = [info for info in pages if info.name == wanted]
        if len(found) != 1:
            why = (
                f"several collections are named {wanted!r}: use an id"
                if found
                else f"no collection is named {wanted!r}"
            )
            raise NotFound(404, {"type": "not-found", "title": "Not found", "detail": why})
        return Collection(self._transport, found[0])
