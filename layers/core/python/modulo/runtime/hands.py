"""Who works on a queue's messages in a plain process: each hand on one message at a time."""

import ctypes
import logging
import threading
from collections.abc import Callable
from typing import Final

from modulo.domain.errors import ModuloError, Unavailable
from modulo.domain.transfer import Delivery
from modulo.ports import Queue
from modulo.runtime.queue import QueueHandler, record_of
from modulo.services import Services, services

log = logging.getLogger(__name__)
POLL_SECONDS: Final = 2
PAUSE_SECONDS: Final = 5


class Interrupted(Unavailable):
    """The worker was stopped in the midst of this: another one begins anew."""

    @classmethod
    def code(cls) -> str:
        """To users, as any part that stopped answering."""
        return Unavailable.code()


class Source:
    """A queue with its handler; its hands take turns in asking, so that an idle worker asks once at a time."""

    def __init__(self, queue: Callable[[Services], Queue], handler: QueueHandler) -> None:
        self.queue = queue
        self.handler = handler
        self.turn = threading.Lock()


class Hand(threading.Thread):
    """Takes a message when it is free, and never more than it works on: none waits here for another to end."""

    def __init__(self, source: Source, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.error: Exception | None = None
        self._source = source
        self._stopping = stop
        self._lock = threading.Lock()
        self._busy = False
        self._interrupted = False

    def run(self) -> None:
        """Work until told to stop; an error that no message explains stops all."""
        while not self._stopping.is_set():
            try:
                self._once()
            except Interrupted:
                log.warning("interrupted")
            except ModuloError as error:
                log.warning("queue: %s", error.detail)
                self._stopping.wait(PAUSE_SECONDS)
            except Exception as error:
                self.error = error
                self._stopping.set()

    def interrupt(self) -> None:
        """Raise `Interrupted` in what the hand works on, as soon as that runs Python again."""
        with self._lock:
            if self._busy:
                self._interrupted = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self.ident or 0), ctypes.py_object(Interrupted)
                )

    def _once(self) -> None:
        queue = self._source.queue(services())
        with self._source.turn:
            deliveries = [] if self._stopping.is_set() else queue.receive(limit=1, wait_seconds=POLL_SECONDS)
        for delivery in deliveries:
            self._take(queue, delivery)

    def _take(self, queue: Queue, delivery: Delivery) -> None:
        if self._stopping.is_set():
            queue.postpone(delivery.receipt, 0)
            return
        self._busy = True
        try:
            handled = handle(self._source.handler, queue, delivery)
        finally:
            with self._lock:  # from here on it is too late to interrupt
                self._busy = False
        if self._interrupted and not handled:
            queue.postpone(delivery.receipt, 0)


def handle(handler: QueueHandler, queue: Queue, delivery: Delivery) -> bool:
    """Run a handler on one message, which is gone from its queue where that went well."""
    if handler({"Records": [record_of(delivery)]}, None)["batchItemFailures"]:
        return False
    queue.delete(delivery.receipt)
    return True
