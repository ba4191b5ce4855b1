"""Collections."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.collections.collection import Chunking, Collection, CollectionDraft, CollectionEntry
    from modulo.domain.pagination import Cursor, Listing, Page, Window
    from modulo.domain.retrieval.search_defaults import SearchDefaults
    from modulo.domain.tenancy.identity import Principal


class Collections(Protocol):
    """Create, read, change and delete collections, as the caller's membership allows."""

    def create_collection(
        self, principal: Principal, draft: CollectionDraft, *, limit: int, now: datetime
    ) -> Collection:
        """Create it with the caller as owner; creating the same id again answers with what is there.

        A caller whom only an identity provider knows becomes a user of the tenant.

        Raises:
            Conflict: the caller owns another collection of that name, or the id was used for another.
            QuotaExceeded: the caller owns `limit` collections.
        """
        ...

    def list_collections(
        self, principal: Principal, *, after: Cursor | None, limit: int, name: str | None
    ) -> Listing[Collection]:
        """The collections the caller is a member of, newest first; `name` keeps those whose name contains it."""
        ...

    def page_collections(self, principal: Principal, window: Window) -> Page[Collection]:
        """A window of them.

        Raises:
            InvalidRequest: it begins at none of them.
        """
        ...

    def list_entries(self, principal: Principal, *, name: str | None, limit: int) -> list[CollectionEntry]:
        """Of at most `limit` of them what it takes to choose one, newest first; `name` keeps those of that name."""
        ...

    def get_collection(self, principal: Principal, collection_id: UUID) -> Collection:
        """One of them."""
        ...

    def update_collection(
        self,
        principal: Principal,
        collection_id: UUID,
        *,
        name: str | None,
        chunking: Chunking | None,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        expires_after_days: int | None = None,
        search_defaults: SearchDefaults | None = None,
        now: datetime,
    ) -> Collection:
        """Change what is not None; name and expiry need the owner, the rest an editor. 0 days end the expiry.

        Raises:
            Forbidden: the caller may not change that.
            Conflict: the caller owns another collection of that name.
        """
        ...

    def tombstone_collection(self, principal: Principal, collection_id: UUID, *, now: datetime) -> None:
        """Make it and its files invisible and open the receipt; needs the owner. Doing it again changes nothing.

        Deletions of its files that are under way become part of it.
        """
        ...
