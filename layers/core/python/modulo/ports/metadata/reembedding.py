"""Re-embeddings of collections."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.collections.reembedding import (
        OwnedCollection,
        Reembedding,
        ReembeddingDraft,
        ReembeddingState,
        StartedReembedding,
    )
    from modulo.domain.tenancy.identity import Principal


class Reembeddings(Protocol):
    """Embed a collection anew, with another model or chunking, while searches go on.

    Another index is built beside the one that searches see; then the two change places. A collection has at most one
    re-embedding at a time.
    """

    def start_reembedding(
        self, principal: Principal, collection_id: UUID, draft: ReembeddingDraft, *, now: datetime
    ) -> StartedReembedding:
        """Open another index of the collection and queue every live file for it; needs the owner.

        The draft that was started last answers with what is there.

        Raises:
            Conflict: another index is open.
        """
        ...

    def list_owned(self, tenant_id: UUID, *, after: UUID | None, limit: int) -> list[OwnedCollection]:
        """The tenant's living collections by id, those behind `after`: for operators."""
        ...

    def get_reembedding(self, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
        """The latest one.

        Raises:
            NotFound: there was none, or no such collection is visible to the caller.
        """
        ...

    def move_reembedding(
        self, principal: Principal, collection_id: UUID, to: ReembeddingState, *, leave_out: bool, now: datetime
    ) -> Reembedding:
        """Have searches see the other index, from one moment to the next; needs the owner.

        To `switched`, that is the one that was built; the one they saw is kept up to date for the time the
        draft said. To `rolled_back`, it is the one of before, and what was built is purged. With `leave_out`,
        files that are not ready there are not found until they are.

        Raises:
            NotFound: there was none.
            Conflict: there is nothing to switch to, or files are not ready there and not to be left out.
        """
        ...

    def cancel_reembedding(self, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
        """Drop the index that searches do not see: before the switch the new one, after it the old one.

        Needs the owner.

        Raises:
            NotFound: there was none.
            Conflict: it has ended already.
        """
        ...
