"""Grants: what a search may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.collections.grant import Grant, LiveDocuments, MatchingFiles
    from modulo.domain.retrieval.filters import Condition, Filter
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Reservation


class Grants(Protocol):
    """What a search may see: the caller's grants and the live documents under them. Each method is one statement.

    Where several collections are asked for, each once, a caller is granted all of them or none.
    """

    def grant(self, principal: Principal, collection_id: UUID) -> Grant:
        """Membership and everything a search needs to know of the collection, in one statement."""
        ...

    def grants(self, principal: Principal, collection_ids: Sequence[UUID]) -> tuple[Grant, ...]:
        """The same of several collections, in their order."""
        ...

    def matching(
        self, principal: Principal, collection_ids: Sequence[UUID], where: Filter, *, limit: int
    ) -> MatchingFiles:
        """The files whose live documents meet the filter, which is on documents only; unnamed if more than `limit`.

        With the grants of that moment, in one statement. A file is meant by each of its names.
        """
        ...

    def live_documents(
        self,
        principal: Principal,
        collection_ids: Sequence[UUID],
        file_ids: Sequence[UUID],
        *,
        reservation: Reservation | None,
        use: bool = False,
        conditions: Sequence[Condition] = (),
    ) -> LiveDocuments:
        """The live generations among the files, with the grants of that moment; tokens are reserved, all or none.

        `use` puts off the expiry of the collections. Each document says which of the conditions, which are those of
        documents, it meets. All of it in one statement.
        """
        ...
