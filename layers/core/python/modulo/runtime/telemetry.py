"""Logs as one JSON object a line (Powertools Logger), the same in functions, workers and servers.

Every line carries the fields of its request or message: its id, tenant, collection and file, the function, whether this
is the environment's first invocation, and the trace. Text of documents and credentials never become fields.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from time import perf_counter
from typing import Any, Final, TextIO

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.filters import SuppressFilter

from modulo.domain.errors import ModuloError, Throttled
from modulo.domain.trace import Trace
from modulo.lean_imports import in_lambda
from modulo.ports.trace import current_trace
from modulo.services import services

SERVICE: Final = "modulo"
request_id: ContextVar[str] = ContextVar("request_id", default="-")
NAMED_IDS: Final = ("tenant_id", "collection_id", "file_id", "generation")
_MAX_ID: Final = 100
_cold_start = True


_latest: Trace | None = None
"""The trace of the last invocation, for threads of a function that have no context."""


class _TraceFilter(logging.Filter):
    """Has every line tell the trace that it is written in."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything pass."""
        trace = current_trace.get() or (_latest if in_lambda(os.environ) else None)
        if trace is not None:
            record.trace_id = trace.trace_id
        vars(record).pop("taskName", None)  # Python 3.12 adds asyncio's name of a task, which says nothing
        return True


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.addFilter(_TraceFilter())

    @property
    def stream(self) -> TextIO:  # type: ignore[override] # as logging's own handler of last resort has it
        return sys.stderr


@cache
def _logger() -> Logger:
    """The logger of `modulo` and all below it; what other libraries warn of is written alike."""
    made = Logger(
        service=SERVICE,
        logger_handler=_StandardError(),
        location="%(name)s:%(lineno)d",
        utc=True,
        use_rfc3339=True,
        serialize_stacktrace=False,
    )
    others = _StandardError()
    others.setFormatter(made.registered_formatter)
    others.addFilter(SuppressFilter(SERVICE))
    root = logging.getLogger()
    root.handlers[:] = [others]
    root.setLevel(logging.WARNING)
    return made


def configure_logging(level: str) -> None:
    """Send the logs of this process to standard error; doing it again changes nothing, and costs nothing."""
    if logging.getLevelName(_logger().log_level) != level:
        _logger().setLevel(level)


def set_log_fields(**fields: Any) -> None:
    """Have these fields, and no others, on every line of this request or message."""
    logger = _logger()
    if in_lambda(os.environ):  # one request at a time: the threads that it starts have its fields too
        logger.clear_state()
        logger.append_keys(**fields)
    else:
        logger.thread_safe_clear_keys()
        logger.thread_safe_append_keys(**fields)


def add_log_fields(**fields: Any) -> None:
    """Have these fields too on every line of this request or message from here on."""
    if in_lambda(os.environ):
        _logger().append_keys(**fields)
    else:
        _logger().thread_safe_append_keys(**fields)


def ids_of(named: Mapping[str, Any]) -> dict[str, str]:
    """The ids among these values, as log fields."""
    return {name: str(named[name])[:_MAX_ID] for name in NAMED_IDS if named.get(name) is not None}


def begin_trace(told: str | None = None) -> Trace:
    """Go on with the trace that somebody tells of, or that X-Ray has begun, or begin one."""
    global _latest  # noqa: PLW0603 - of the whole process
    trace = Trace.of_header(told) or Trace.of_xray(os.environ.get("_X_AMZN_TRACE_ID")) or Trace.begin()
    current_trace.set(trace)
    _latest = trace
    return trace


def trace_id() -> str | None:
    """The id of the trace under way."""
    trace = current_trace.get()
    return trace.trace_id if trace else None


@contextmanager
def invocation(context: Any) -> Iterator[dict[str, Any]]:
    """Handle one event: logs carry the fields it gives, and what is measured is handed over when it ends.

    `context` is Lambda's, or None.
    """
    global _cold_start  # noqa: PLW0603 - of the whole process
    configure_logging(services().settings.log_level)
    fields: dict[str, Any] = {"cold_start": _cold_start}
    _cold_start = False
    if context is not None:
        fields["function_name"] = context.function_name
        fields["function_request_id"] = context.aws_request_id
    set_log_fields(**fields)
    begin_trace()
    try:
        yield fields
    finally:
        services().metrics.flush()


def ended(outcome: str, started: float) -> dict[str, Any]:
    """The fields that a request's or message's one line has besides: how it ended, and after how long."""
    return {"outcome": outcome, "milliseconds": round((perf_counter() - started) * 1000, 1)}


def count_failure(error: Exception) -> None:
    """Count the server that an error is about, if it names one."""
    dependency = error.extra.get("dependency") if isinstance(error, ModuloError) else None
    if dependency is not None:
        kind = "throttled" if isinstance(error, Throttled) else "unavailable"
        services().metrics.count("rag_dependency_failures_total", dependency=str(dependency), kind=kind)


def outcome_of(error: Exception) -> str:
    """An error as an outcome: the code of its problem, or its type."""
    return error.code() if isinstance(error, ModuloError) else type(error).__name__
