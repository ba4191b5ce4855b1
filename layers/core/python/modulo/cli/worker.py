"""`modulo worker`: run event functions in one process, polling their queues."""

import logging
import os
import signal
import threading

from modulo.runtime.telemetry import configure_logging
from modulo.runtime.worker import work as run_worker
from modulo.services import services


def work(names: list[str], concurrency: int, grace_seconds: float) -> None:
    """Run the named functions until a stop signal; messages in progress are finished or returned to their queue.

    Raises:
        Unavailable: text recognition is enabled but Tesseract does not work.
    """
    configure_logging(services().settings.log_level)
    if "ingest_file" in names and (tesseract := services().tesseract):
        tesseract.ping()  # fail at startup rather than on every scanned file
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    ended = run_worker(names, stop, concurrency=concurrency, grace_seconds=grace_seconds)
    services().close()
    if not ended:  # a hanging thread must not keep the process alive
        logging.shutdown()
        os._exit(0)
