"""Spans: what was done in which step of a trace, for whoever asked to be told. Nobody did costs nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from time import time_ns

from modulo.domain.trace import Trace
from modulo.ports.trace import current_trace

Attributes = dict[str, str | int]


class Origin(StrEnum):
    """What a step answers to."""

    message = "message"
    request = "request"


@dataclass(slots=True)
class Span:
    """A step that is under way; its `outcome` is an error's code, or None where it went well.

    Its attributes have the names of OpenTelemetry's semantic conventions.
    """

    name: str
    origin: Origin
    began_ns: int
    attributes: Attributes = field(default_factory=dict)
    outcome: str | None = None


_export: Callable[[Span, Trace], None] | None = None


def export_spans(export: Callable[[Span, Trace], None] | None) -> None:
    """Hand spans of this process to `export` from now on, each at its end; it must not block."""
    global _export  # noqa: PLW0603 - of the whole process
    _export = export


@contextmanager
def span(name: str, origin: Origin) -> Iterator[Span]:
    """Work on a message or a request, to its end, however it ends.

    Its trace is the one that is known at the end, as an object may tell of it in between.
    """
    made = Span(name, origin, time_ns() if _export else 0)
    try:
        yield made
    finally:
        trace = current_trace.get()
        if _export is not None and trace is not None:
            _export(made, trace)
