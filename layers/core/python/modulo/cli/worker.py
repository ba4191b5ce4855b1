"""`modulo worker`: run event functions in one process, polling their queues."""

import logging
import os
import signal
import threading
from contextlib import AbstractContextManager, nullcontext

from modulo.cli.worker_port import Pulse, worker_port
from modulo.domain.errors import NotConfigured
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
    with _exporting(), nullcontext() if address is None else worker_port(*address, pulse):
        ended = run_worker(names, stop, concurrency=concurrency, grace_seconds=grace_seconds, each_round=pulse.beat)
    services().close()
    if not ended:  # a hanging thread must not keep the process alive
        logging.shutdown()
        os._exit(0)


def _exporting() -> AbstractContextManager[None]:
    """Spans are exported where the variables of OpenTelemetry name a collector.

    Raises:
        NotConfigured: the extra `otlp` is not installed.
    """
    if not {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} & set(os.environ):
        return nullcontext()
    try:
        from modulo.cli.otlp_spans import otlp_spans  # noqa: PLC0415 - an extra, loaded where it is asked for
    except ImportError as error:
        raise NotConfigured("OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra `otlp` is not installed.") from error
    return otlp_spans()
