"""The event functions as plain processes: polls their queues and runs the same handlers."""

import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from modulo.domain.errors import ModuloError
from modulo.ports import Queue
from modulo.runtime.queue import QueueHandler, UnreadableMessage, queue_handler, record_of
from modulo.services import Services, services

log = logging.getLogger(__name__)
QUEUES: Final[Mapping[str, Callable[[Services], Queue]]] = {
    "ingest_file": lambda s: s.ingests,
    "purge": lambda s: s.purges,
}
SCHEDULED: Final = ("reset_quotas", "sweep")
"""Fed by one queue of ticks, each naming the function to run; both may run at any time, any number of times."""
POLL_SECONDS: Final = 2
PAUSE_SECONDS: Final = 5
BATCH: Final = 5


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


def work(names: list[str], stop: threading.Event) -> None:
    """Run the named event functions until `stop` is set; what is under way is finished first.

    Raises:
        LookupError: a name is not that of an event function.
    """
    unknown = [name for name in names if name not in (*QUEUES, *SCHEDULED)]
    if unknown:
        raise LookupError(f"no event function: {', '.join(unknown)}; there are {', '.join((*QUEUES, *SCHEDULED))}")
    loops = [(QUEUES[name], function(name).handler) for name in names if name in QUEUES]
    if not set(names).isdisjoint(SCHEDULED):
        loops.append((_schedules, queue_handler(_ticks, _tick, _schedules)))
    with ThreadPoolExecutor(max_workers=len(loops)) as pool:
        running = [pool.submit(_loop, *loop, stop) for loop in loops]
        wait(running, return_when=FIRST_EXCEPTION)
        stop.set()  # one that broke takes the others along: half a worker would go unnoticed
    for ended in running:
        ended.result()


def _schedules(services: Services) -> Queue:
    return services.schedules


def _ticks(message: Mapping[str, Any]) -> list[str]:
    if message.get("function") not in SCHEDULED:
        raise UnreadableMessage
    return [message["function"]]


def _tick(name: str) -> None:
    function(name).handler({"source": "modulo.worker"}, None)


def _loop(queue: Callable[[Services], Queue], handler: QueueHandler, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            poll(queue(services()), handler, stop)
        except ModuloError as error:
            log.warning("queue: %s", error.detail)
            stop.wait(PAUSE_SECONDS)


def poll(queue: Queue, handler: QueueHandler, stop: threading.Event | None = None) -> int:
    """Handle one batch of messages, if there is one; the number of those that were handled.

    Once `stop` is set, the rest of the batch is given back to the queue for others.

    Raises:
        Unavailable: the queue did not answer; what was not deleted is delivered again.
    """
    handled = 0
    for delivery in queue.receive(limit=BATCH, wait_seconds=POLL_SECONDS):
        if stop is not None and stop.is_set():
            queue.postpone(delivery.receipt, 0)
        elif not handler({"Records": [record_of(delivery)]}, None)["batchItemFailures"]:
            queue.delete(delivery.receipt)
            handled += 1
    return handled
