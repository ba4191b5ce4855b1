"""Spans: what was done in which step of a trace, for whoever asked to be told. Nobody did costs nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import time_ns

from modulo.domain.trace import Trace
from modulo.ports.trace import current_trace


@dataclass(slots=True)
class Span:
    """A step that is under way; its `outcome` is an error's code, or None where it went well."""

    name: str
    message_id: str
    began_ns: int
    outcome: str | None = None


_export: Callable[[Span, Trace], None] | None = None


def export_spans(export: Callable[[Span, Trace], None] | None) -> None:
    """Hand spans of this process to `export` from now on, each at its end; it must not block."""
    global _export  # noqa: PLW0603 - of the whole process
    _export = export


@contextmanager
def span(name: str, message_id: str) -> Iterator[Span]:
    """Work on a message; its trace is the one that is known at the end, as an object may tell of it in between."""
    made = Span(name, message_id, time_ns() if _export else 0)
    yield made
    trace = current_trace.get()
    if _export is not None and trace is not None:
        _export(made, trace)
