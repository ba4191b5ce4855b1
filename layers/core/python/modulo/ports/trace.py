"""The trace of what is under way: it travels with the context, into messages and objects, and back out of them."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modulo.domain.trace import Trace

current_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


def trace_header() -> str | None:
    """What tells others of the trace; None outside of any."""
    trace = current_trace.get()
    return trace.header if trace else None


def adopt(trace: Trace | None) -> None:
    """Go on with the trace that an object or a message was made in, unless the present one was told by others too."""
    present = current_trace.get()
    if trace is not None and (present is None or present.begun_here):
        current_trace.set(trace)
