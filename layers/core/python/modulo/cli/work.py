"""`modulo worker`: event functions as one process."""

import logging
import os
import signal
import threading

from modulo.runtime.telemetry import configure_logging
from modulo.runtime.worker import work as run_worker
from modulo.services import services


def work(names: list[str], concurrency: int, grace_seconds: float) -> None:
    """Run the named functions until interrupted; what is under way is finished, or given back to its queue.

    Raises:
        Unavailable: text recognition is turned on and cannot work.
    """
    configure_logging(services().settings.log_level)
    if "ingest_file" in names and (tesseract := services().tesseract):
        tesseract.ping()  # rather than have every scanned file fail
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    ended = run_worker(names, stop, concurrency=concurrency, grace_seconds=grace_seconds)
    services().close()
    if not ended:  # a thread that hangs must not keep the process
        logging.shutdown()
        os._exit(0)
