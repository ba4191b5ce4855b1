"""Subscriptions of WebSocket connections that API Gateway keeps."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.files.subscription import StreamPosition, Subscription, SubscriptionDraft
    from modulo.domain.operations.messages import PushRequest
    from modulo.domain.tenancy.identity import Principal


class Subscriptions(Protocol):
    """Who is subscribed to a collection, on WebSocket connections that API Gateway keeps.

    A subscription is leased by whoever pushes its events, so that nobody else pushes them too.
    """

    def add_subscription(
        self, principal: Principal, collection_id: UUID, draft: SubscriptionDraft, *, limit: int, now: datetime
    ) -> bool:
        """Store a connection's subscription, in place of an earlier one of the same connection.

        False where the caller has `limit` other connections subscribed.

        Raises:
            NotFound: no such collection is visible to the caller.
        """
        ...

    def lease_subscriptions(
        self, tenant_id: UUID, collection_id: UUID, *, since: datetime | None, lease_until: datetime, now: datetime
    ) -> list[Subscription]:
        """Lease the collection's subscriptions whose changes were last read before `since`: nobody else pushes to them.

        A subscription that is leased already is marked; `release_subscription` then asks for another push.
        """
        ...

    def release_subscription(
        self, subscription: Subscription, position: StreamPosition, *, delivered_at: datetime
    ) -> bool:
        """Record how far a leased subscription was told and end the lease; whether another push was asked for.

        Nothing changes where the lease has passed to somebody else.
        """
        ...

    def forget_subscription(self, connection_id: str) -> None:
        """Delete the subscription of a connection that has ended; its id is all that API Gateway tells."""
        ...

    def pending_pushes(self, *, now: datetime, limit: int) -> list[PushRequest]:
        """At most `limit` collections, of all tenants, that have subscriptions, with when each was last read for all.

        Those that wait longest come first. Subscriptions of connections that are closed by now are deleted.
        """
        ...
