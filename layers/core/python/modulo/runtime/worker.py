"""The event functions as plain processes: consumers take messages from queues and run the same handlers."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from modulo.runtime.events import UnreadableMessage
from modulo.runtime.queue import queue_handler
from modulo.runtime.queue_consumer import Consumer, QueueSource
from modulo.services import Services, services
from modulo.usecases.worker_heartbeats import HEARTBEAT_SECONDS, record_heartbeat

if TYPE_CHECKING:
    from modulo.ports.queue import Queue

QUEUES: Final[Mapping[str, Callable[[Services], Queue]]] = {
    "ingest_file": lambda s: s.ingests,
    "fetch_url": lambda s: s.fetches,
    "purge": lambda s: s.purges,
    "push_events": lambda s: s.pushes,
    "record_dead_letter": lambda s: s.dead_letter_queue,
}
SCHEDULED: Final = ("reset_quotas", "sweep")
"""Run for each message of the queue of ticks, which names the function; both may run at any time and repeatedly."""
GRACE_SECONDS: Final = 30.0
UNWIND_SECONDS: Final = 5.0
"""How long an interrupted message has to give up its lease."""
POLL_SECONDS: Final = 0.2


def functions_folder() -> Path:
    """Where the functions are: `MODULO_FUNCTIONS`, or beside the layers in a checkout."""
    chosen = os.environ.get("MODULO_FUNCTIONS")
    return Path(chosen) if chosen else Path(__file__).parents[5] / "functions"


def function_names() -> list[str]:
    """Every function there is."""
    return sorted(path.parent.name for path in functions_folder().glob("*/app.py"))


def function(name: str) -> ModuleType:
    """The module of a function, loaded once.

    Raises:
        LookupError: there is no such function.
    """
    module_name = f"functions.{name}.app"
    if module_name not in sys.modules:
        path = functions_folder() / name / "app.py"
        spec = importlib.util.spec_from_file_location(module_name, path)
        if not path.is_file() or spec is None or spec.loader is None:
            raise LookupError(f"there is no function {name!r}")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[module_name] = module
    return sys.modules[module_name]


def work(
    names: list[str],
    stop: threading.Event,
    *,
    concurrency: int = 1,
    grace_seconds: float = GRACE_SECONDS,
    each_round: Callable[[], None] = lambda: None,
) -> bool:
    """Run the named event functions until `stop` is set, each on so many messages at a time.

    `each_round` is called several times a second, also while messages are finished.

    Messages being worked on then may take `grace_seconds` to finish; the rest are interrupted and go back to their
    queue at once. False where one could not even be interrupted: its queue delivers it again later.

    Raises:
        LookupError: a name is not that of an event function.
    """
    unknown = [name for name in names if name not in (*QUEUES, *SCHEDULED)]
    if unknown:
        raise LookupError(f"no event function: {', '.join(unknown)}; there are {', '.join((*QUEUES, *SCHEDULED))}")
    sources = [
        (QueueSource(name, QUEUES[name], function(name).handler), concurrency) for name in names if name in QUEUES
    ]
    if not set(names).isdisjoint(SCHEDULED):
        sources.append((QueueSource("schedules", _schedules, queue_handler(_ticks, _tick, _schedules), SCHEDULED), 1))
    services()  # made once, before there are threads
    consumers = [Consumer(source, stop) for source, number in sources for _ in range(number)]
    for consumer in consumers:
        consumer.start()
    heartbeat = Heartbeat()
    while not stop.is_set():  # polled, not waited for: a signal's handler may set it in the middle of a wait
        heartbeat.send({name for consumer in consumers if consumer.is_working() for name in consumer.functions})
        each_round()
        consumers[0].join(POLL_SECONDS)
    _join(consumers, grace_seconds, each_round)
    late = [consumer for consumer in consumers if consumer.is_alive()]
    for consumer in late:
        consumer.interrupt()
    _join(late, UNWIND_SECONDS, each_round)
    for consumer in consumers:
        if consumer.error:  # one that broke stopped the others: half a worker would go unnoticed
            raise consumer.error
    return not any(consumer.is_alive() for consumer in late)


class Heartbeat:
    """Tells others, by way of the cache, which event functions this worker runs."""

    def __init__(self) -> None:
        self._sent: set[str] = set()
        self._next = monotonic()

    def send(self, functions: set[str]) -> None:
        """Send it where it is time for it, or a function is new."""
        if monotonic() >= self._next or functions - self._sent:
            s = services()
            record_heartbeat(functions, cache=s.cache, now=s.clock.now())
            self._sent, self._next = functions, monotonic() + HEARTBEAT_SECONDS


def _join(consumers: list[Consumer], seconds: float, each_round: Callable[[], None]) -> None:
    until = monotonic() + seconds
    for consumer in consumers:
        while consumer.is_alive() and monotonic() < until:
            each_round()
            consumer.join(min(POLL_SECONDS, max(0.0, until - monotonic())))


def _schedules(services: Services) -> Queue:
    return services.schedules


def _ticks(message: Mapping[str, Any]) -> list[str]:
    if message.get("function") not in SCHEDULED:
        raise UnreadableMessage
    return [message["function"]]


def _tick(name: str) -> None:
    function(name).handler({"source": "modulo.worker"}, None)
