"""`modulo worker`: event functions as one process."""

import signal
import threading

from modulo.runtime.telemetry import configure_logging
from modulo.runtime.worker import work as run_worker
from modulo.services import services


def work(names: list[str]) -> None:
    """Run the named functions until interrupted; what is under way is finished first."""
    configure_logging(services().settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run_worker(names, stop)
    services().close()
