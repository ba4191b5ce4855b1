"""The event functions as plain processes: hands take messages from their queues and run the same handlers."""

import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any, Final

from modulo.ports import Queue
from modulo.runtime.events import UnreadableMessage
from modulo.runtime.hands import Hand, Source
from modulo.runtime.queue import queue_handler
from modulo.services import Services, services

QUEUES: Final[Mapping[str, Callable[[Services], Queue]]] = {
    "ingest_file": lambda s: s.ingests,
    "fetch_url": lambda s: s.fetches,
    "purge": lambda s: s.purges,
    "push_events": lambda s: s.pushes,
    "bury": lambda s: s.dead_letters,
}
SCHEDULED: Final = ("reset_quotas", "sweep")
"""Fed by one queue of ticks, each naming the function to run; both may run at any time, any number of times."""
GRACE_SECONDS: Final = 30.0
UNWIND_SECONDS: Final = 5.0
"""What is interrupted has so long to give its lease and its message up."""
LOOK_SECONDS: Final = 0.2


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
    names: list[str], stop: threading.Event, *, concurrency: int = 1, grace_seconds: float = GRACE_SECONDS
) -> bool:
    """Run the named event functions until `stop` is set, each on so many messages at a time.

    What is under way then may take `grace_seconds` to finish; what does not is interrupted and given back to its
    queue at once. False where something could not even be interrupted: its queue delivers it again later.

    Raises:
        LookupError: a name is not that of an event function.
    """
    unknown = [name for name in names if name not in (*QUEUES, *SCHEDULED)]
    if unknown:
        raise LookupError(f"no event function: {', '.join(unknown)}; there are {', '.join((*QUEUES, *SCHEDULED))}")
    sources = [(Source(QUEUES[name], function(name).handler), concurrency) for name in names if name in QUEUES]
    if not set(names).isdisjoint(SCHEDULED):
        sources.append((Source(_schedules, queue_handler(_ticks, _tick, _schedules)), 1))
    services()  # made once, before there are threads
    hands = [Hand(source, stop) for source, number in sources for _ in range(number)]
    for hand in hands:
        hand.start()
    while not stop.is_set():  # asked rather than awaited: a signal's handler may set it in the middle of a wait
        hands[0].join(LOOK_SECONDS)
    _join(hands, grace_seconds)
    late = [hand for hand in hands if hand.is_alive()]
    for hand in late:
        hand.interrupt()
    _join(late, UNWIND_SECONDS)
    for hand in hands:
        if hand.error:  # one that broke took the others along: half a worker would go unnoticed
            raise hand.error
    return not any(hand.is_alive() for hand in late)


def _join(hands: list[Hand], seconds: float) -> None:
    until = monotonic() + seconds
    for hand in hands:
        hand.join(max(0.0, until - monotonic()))


def _schedules(services: Services) -> Queue:
    return services.schedules


def _ticks(message: Mapping[str, Any]) -> list[str]:
    if message.get("function") not in SCHEDULED:
        raise UnreadableMessage
    return [message["function"]]


def _tick(name: str) -> None:
    function(name).handler({"source": "modulo.worker"}, None)
