"""Push what has changed in a collection to its subscribers, on WebSockets that API Gateway keeps."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from modulo.domain.errors import ModuloError, NotFound, Unauthenticated, Unavailable
from modulo.domain.files.event_batch import push_message
from modulo.domain.files.subscription import StreamPosition
from modulo.domain.operations.messages import ClosingMessage
from modulo.ports.context_threads import ContextThreads
from modulo.usecases.watch_files import watch_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from modulo.domain.files.event_batch import EventBatch, FileChanges
    from modulo.domain.files.subscription import Subscription
    from modulo.domain.operations.messages import PushRequest
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.files import Files
    from modulo.ports.metadata.subscriptions import Subscriptions
    from modulo.ports.queue import Queue
    from modulo.ports.websockets import WebSockets

log = logging.getLogger(__name__)
LEASE_DURATION: Final = timedelta(seconds=60)
"""How long nobody else pushes to a leased subscription."""
SEND_TIMEOUT: Final = timedelta(seconds=15)
"""Longest that one send takes. None starts with less of the lease left, or messages might arrive out of order."""
HEARTBEAT_INTERVAL: Final = timedelta(minutes=5)
"""API Gateway closes a connection after 10 minutes of silence."""
REPEAT_DELAY_SECONDS: Final = 1
"""Before changes that came in during a push are pushed."""
CONCURRENCY: Final = 8


class PushOutcome(StrEnum):
    """What became of one subscription."""

    sent = "sent"
    behind = "behind"
    """Sent; more changed meanwhile."""
    disconnected = "disconnected"
    failed = "failed"


def push_events(
    asked: PushRequest | ClosingMessage,
    *,
    subscriptions: Subscriptions,
    files: Files,
    sockets: WebSockets,
    pushes: Queue,
    clock: Clock,
    ending: Callable[[ModuloError], EventBatch],
) -> list[PushOutcome]:
    """Push to each subscriber what changed since the last push, in order and one push at a time.

    The position is recorded after the send: if this dies in between, the same is sent again once the lease has run
    out. A subscriber whose credential or membership has ended receives `ending` and is disconnected.

    Raises:
        Unavailable: a push failed; those that succeeded are not repeated when the message is delivered again.
    """
    if isinstance(asked, ClosingMessage):
        _disconnect(asked.connection_id, asked.message, subscriptions=subscriptions, sockets=sockets)
        return [PushOutcome.disconnected]
    now = clock.now()
    lease_until = now + LEASE_DURATION
    leased = subscriptions.lease_subscriptions(
        asked.tenant_id, asked.collection_id, since=asked.since, lease_until=lease_until, now=now
    )
    if not leased:
        return []
    pusher = _Pusher(subscriptions, files, sockets, clock, ending, send_until=lease_until - SEND_TIMEOUT)
    with ContextThreads(CONCURRENCY) as threads:
        outcomes = list(threads.map(pusher.push, leased))
    if PushOutcome.behind in outcomes:
        pushes.send(asked.body(), delay_seconds=REPEAT_DELAY_SECONDS)
    if PushOutcome.failed in outcomes:
        failed = outcomes.count(PushOutcome.failed)
        raise Unavailable(
            f"{failed} of {len(outcomes)} pushes to subscribers failed: see the log.", dependency="sockets"
        )
    return outcomes


@dataclass(frozen=True, slots=True)
class _Pusher:
    """Pushes to leased subscriptions, from several threads."""

    subscriptions: Subscriptions
    files: Files
    sockets: WebSockets
    clock: Clock
    ending: Callable[[ModuloError], EventBatch]
    send_until: datetime

    def push(self, subscription: Subscription) -> PushOutcome:
        """Send what is new and release the lease."""
        start = StreamPosition(subscription.looked_at, subscription.delivered)
        position = StreamPosition(subscription.looked_at, subscription.delivered)
        delivered_at = subscription.delivered_at
        try:
            try:
                changes = self._changes(subscription, position)
            except (NotFound, Unauthenticated) as error:
                message = self.ending(error).message
                connection_id = subscription.connection_id
                _disconnect(connection_id, message, subscriptions=self.subscriptions, sockets=self.sockets)
                return PushOutcome.disconnected
            if changes or self.clock.now() - delivered_at >= HEARTBEAT_INTERVAL:
                if not self._send(subscription, push_message(changes, position.last_event_id)):
                    self.subscriptions.forget_subscription(subscription.connection_id)
                    return PushOutcome.disconnected
                delivered_at = self.clock.now()
        except ModuloError as error:
            log.warning("push to connection %s failed: %s", subscription.connection_id, error.detail)
            self.subscriptions.release_subscription(subscription, start, delivered_at=delivered_at)
            return PushOutcome.failed
        wanted = self.subscriptions.release_subscription(subscription, position, delivered_at=delivered_at)
        return PushOutcome.behind if wanted else PushOutcome.sent

    def _changes(self, subscription: Subscription, position: StreamPosition) -> FileChanges:
        if not subscription.authorized:
            raise Unauthenticated("The credential is no longer valid: connect with another one.")
        return watch_files(
            subscription.principal,
            subscription.collection_id,
            position=position,
            files=self.files,
            clock=self.clock,
            fresh=True,
        )

    def _send(self, subscription: Subscription, message: str) -> bool:
        if self.clock.now() > self.send_until:
            raise Unavailable("The lease ends before the message would be sent.")
        return self.sockets.send(subscription.connection_id, message)


def _disconnect(connection_id: str, message: str, *, subscriptions: Subscriptions, sockets: WebSockets) -> None:
    """Send a last message and close the connection; where that fails the subscription stays, to be tried again."""
    if sockets.send(connection_id, message):
        sockets.disconnect(connection_id)
    subscriptions.forget_subscription(connection_id)
