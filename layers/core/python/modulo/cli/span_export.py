"""Whether a worker or a server exports spans: where the variables of OpenTelemetry name a collector."""

import os
from contextlib import AbstractContextManager, nullcontext

from modulo.domain.errors import NotConfigured

VARIABLES = frozenset({"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"})


def exporting() -> AbstractContextManager[None]:
    """Exports the spans of the process that enters it; nothing without a collector, and then nothing of it is loaded.

    Raises:
        NotConfigured: the extra `otlp` is not installed.
    """
    if not VARIABLES & set(os.environ):
        return nullcontext()
    try:
        from modulo.cli.otlp_spans import otlp_spans  # noqa: PLC0415 - an extra, loaded where it is asked for
    except ImportError as error:
        raise NotConfigured("OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra `otlp` is not installed.") from error
    return otlp_spans()
