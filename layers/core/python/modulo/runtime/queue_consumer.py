"""Consumers of queues in a plain process: threads that each work on one message at a time."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final

from modulo.domain.errors import ModuloError, Unavailable
from modulo.runtime.queue import QueueHandler, record_of
from modulo.services import Services, services

if TYPE_CHECKING:
    from modulo.domain.operations.messages import Delivery
    from modulo.ports.queue import Queue

log = logging.getLogger(__name__)
POLL_SECONDS: Final = 2
PAUSE_SECONDS: Final = 5
STALLED_SECONDS: Final = 30.0
"""A consumer whose queue has not answered for so long does not work."""


class Interrupted(Unavailable):
    """The worker was stopped while it worked on this message: another worker starts it again."""

    @classmethod
    def code(cls) -> str:
        """To users, as any part that stopped answering."""
        return Unavailable.code()


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What a handler is told of its invocation in a worker, under the names of Lambda's context."""

    function_name: str
    aws_request_id: str


class QueueSource:
    """A queue with the handler of its messages; its consumers take turns in polling, so that one at a time does."""

    def __init__(
        self,
        name: str,
        queue: Callable[[Services], Queue],
        handler: QueueHandler,
        functions: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.functions = functions or (name,)
        self.queue = queue
        self.handler = handler
        self.turn = threading.Lock()


class Consumer(threading.Thread):
    """Takes one message when it is free, so that none waits here for another to end."""

    def __init__(self, source: QueueSource, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.error: Exception | None = None
        self._source = source
        self._stopping = stop
        self._lock = threading.Lock()
        self._busy = False
        self._interrupted = False
        self._polled = -inf

    @property
    def functions(self) -> tuple[str, ...]:
        """The event functions that handle its messages."""
        return self._source.functions

    def is_working(self) -> bool:
        """Whether it handles a message, or its queue answered lately."""
        return self.is_alive() and (self._busy or monotonic() - self._polled < STALLED_SECONDS)

    def run(self) -> None:
        """Work until told to stop; an unexpected error stops every consumer of the worker."""
        while not self._stopping.is_set():
            try:
                self._once()
            except Interrupted:
                log.warning(
                    "message of %s interrupted by the worker's stop; it goes back to its queue", self._source.name
                )
            except ModuloError as error:
                log.warning(
                    "queue of %s does not answer, next try in %d s: %s", self._source.name, PAUSE_SECONDS, error.detail
                )
                self._stopping.wait(PAUSE_SECONDS)
            except Exception as error:
                self.error = error
                self._stopping.set()

    def interrupt(self) -> None:
        """Raise `Interrupted` in what the consumer works on, as soon as that runs Python again."""
        with self._lock:
            if self._busy:
                self._interrupted = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self.ident or 0), ctypes.py_object(Interrupted)
                )

    def _once(self) -> None:
        queue = self._source.queue(services())
        with self._source.turn:
            deliveries = [] if self._stopping.is_set() else self._receive(queue)
        for delivery in deliveries:
            self._take(queue, delivery)

    def _receive(self, queue: Queue) -> list[Delivery]:
        first = self._polled == -inf  # do not wait the first time, so that the first heartbeat is not late
        found = queue.receive(limit=1, wait_seconds=0 if first else POLL_SECONDS)
        self._polled = monotonic()
        return found

    def _take(self, queue: Queue, delivery: Delivery) -> None:
        if self._stopping.is_set():
            queue.postpone(delivery.receipt, 0)
            return
        self._busy = True
        try:
            handled = handle(self._source.handler, queue, delivery, name=self._source.name)
        finally:
            with self._lock:  # from here on it is too late to interrupt
                self._busy = False
        if self._interrupted and not handled:
            queue.postpone(delivery.receipt, 0)


def handle(handler: QueueHandler, queue: Queue, delivery: Delivery, *, name: str = "worker") -> bool:
    """Run the handler of the named function on one message; delete it from its queue where that went well."""
    context = WorkerContext(name, delivery.id)
    if handler({"Records": [record_of(delivery)]}, context)["batchItemFailures"]:
        return False
    queue.delete(delivery.receipt)
    return True
