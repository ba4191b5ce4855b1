"""Tell those who watch a collection on connections of API Gateway what has changed there."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from modulo.domain.errors import ModuloError, NotFound, Unauthenticated, Unavailable
from modulo.domain.watching import Farewell, News, PushRequest, Told, Watch, Watcher, fitting
from modulo.ports import Clock, Metadata, Queue, Sockets
from modulo.usecases.watch_files import watch_files

log = logging.getLogger(__name__)
LEASE: Final = timedelta(seconds=60)
"""How long nobody else tells a watcher who is held."""
TELLING: Final = timedelta(seconds=15)
"""What saying one thing takes at most: none is begun with less of the lease left, or it might come out of order."""
SIGN_OF_LIFE: Final = timedelta(minutes=5)
"""API Gateway closes a connection on which nothing is said for 10."""
PAUSE_SECONDS: Final = 1
"""Between two pushes to the same watcher."""
AT_ONCE: Final = 8


class Push(StrEnum):
    """What became of a watcher."""

    told = "told"
    again = "again"
    ended = "ended"
    failed = "failed"


def push_events(
    asked: PushRequest | Farewell,
    *,
    metadata: Metadata,
    sockets: Sockets,
    pushes: Queue,
    clock: Clock,
    ending: Callable[[ModuloError], Told],
) -> list[Push]:
    """Tell each watcher what is new since they were told last, in order and one push at a time.

    How far they were told is recorded once it is said: whoever dies in between has it said again, when the lease has
    run out. Who may not watch any longer is told so by `ending`, and their connection is closed.

    Raises:
        Unavailable: not everybody could be told; those who were are passed over when the message comes again.
    """
    if isinstance(asked, Farewell):
        _part(asked.connection_id, asked.message, metadata=metadata, sockets=sockets)
        return [Push.ended]
    until = clock.now() + LEASE
    held = metadata.hold_watchers(
        asked.tenant_id, asked.collection_id, since=asked.since, lease_until=until, now=clock.now()
    )
    if not held:
        return []
    push = partial(_push, until=until - TELLING, metadata=metadata, sockets=sockets, clock=clock, ending=ending)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        done = list(threads.map(lambda context, one: context.run(push, one), [copy_context() for _ in held], held))
    if Push.again in done:
        pushes.send(asked.body(), delay_seconds=PAUSE_SECONDS)
    if Push.failed in done:
        raise Unavailable("Not everybody who watches could be told.", dependency="sockets")
    return done


def _push(
    watcher: Watcher,
    *,
    until: datetime,
    metadata: Metadata,
    sockets: Sockets,
    clock: Clock,
    ending: Callable[[ModuloError], Told],
) -> Push:
    watch, told_at = Watch(watcher.looked_at, watcher.told), watcher.told_at
    try:
        try:
            news = _news(watcher, watch, metadata=metadata, clock=clock)
        except (NotFound, Unauthenticated) as error:
            _part(watcher.connection_id, ending(error).message, metadata=metadata, sockets=sockets)
            return Push.ended
        if news or clock.now() - told_at >= SIGN_OF_LIFE:
            if clock.now() > until:
                raise Unavailable("The lease is nearly over.")
            if not sockets.tell(watcher.connection_id, fitting(news, watch.position)):
                metadata.forget_watcher(watcher.connection_id)
                return Push.ended
            told_at = clock.now()
    except ModuloError as error:
        log.warning("somebody who watches could not be told: %s", error.detail)
        metadata.let_go(watcher, Watch(watcher.looked_at, watcher.told), told_at=watcher.told_at)
        return Push.failed
    return Push.again if metadata.let_go(watcher, watch, told_at=told_at) else Push.told


def _news(watcher: Watcher, watch: Watch, *, metadata: Metadata, clock: Clock) -> News:
    if not watcher.admitted:
        raise Unauthenticated("The credential is no longer valid: connect with another one.")
    return watch_files(
        watcher.principal, watcher.collection_id, watch=watch, metadata=metadata, clock=clock, fresh=True
    )


def _part(connection_id: str, message: str, *, metadata: Metadata, sockets: Sockets) -> None:
    """Say the last thing on a connection; where that fails, the watcher stays known and is told later."""
    if sockets.tell(connection_id, message):
        sockets.end(connection_id)
    metadata.forget_watcher(connection_id)
