"""`modulo worker`: run event functions in one process, polling their queues."""

import logging
import os
import signal
import threading
from contextlib import nullcontext

from modulo.cli.span_export import exporting
from modulo.cli.worker_port import Pulse, worker_port
from modulo.runtime.telemetry import configure_logging
from modulo.runtime.worker import work as run_worker
from modulo.services import services


def work(names: list[str], concurrency: int, grace_seconds: float, address: tuple[str, int] | None = None) -> None:
    """Run the named functions until a stop signal; messages in progress are finished or returned to their queue.

    With an address, it answers probes there, and Prometheus.

    Raises:
        OSError: the port is in use.
        NotConfigured: spans are to be exported, and what exports them is not installed.
        Unavailable: text recognition is enabled but Tesseract does not work.
    """
    if address is not None:
        os.environ.setdefault("METRICS", "prometheus")
    configure_logging(services().settings.log_level)
    if "ingest_file" in names and (tesseract := services().tesseract):
        tesseract.ping()  # fail at startup rather than on every scanned file
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    pulse = Pulse()
    with exporting(), nullcontext() if address is None else worker_port(*address, pulse):
        ended = run_worker(names, stop, concurrency=concurrency, grace_seconds=grace_seconds, each_round=pulse.beat)
    services().close()
    if not ended:  # a hanging thread must not keep the process alive
        logging.shutdown()
        os._exit(0)
