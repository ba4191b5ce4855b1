"""Spans of workers and servers, sent by OTLP over HTTP to where OTEL_EXPORTER_OTLP_ENDPOINT says (the extra `otlp`)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from modulo.domain.trace import Trace
from modulo.runtime.spans import Attributes, Origin, Span, export_spans

SEND_SECONDS = 5
"""For one request to the collector. Spans that it does not take are dropped: work goes on without them."""
KINDS: Mapping[Origin, SpanKind] = {Origin.message: SpanKind.CONSUMER, Origin.request: SpanKind.SERVER}
OF_MESSAGES: Attributes = {"messaging.system": "aws_sqs"}
_exported: ContextVar[Trace | None] = ContextVar("exported", default=None)


class _OwnIds(RandomIdGenerator):
    """Gives a span the ids that its messages and log lines have told already."""

    def generate_span_id(self) -> int:
        trace = _exported.get()
        return int(trace.span_id, 16) if trace else super().generate_span_id()

    def generate_trace_id(self) -> int:
        trace = _exported.get()
        return int(trace.trace_id, 16) if trace else super().generate_trace_id()


@contextmanager
def otlp_spans() -> Iterator[None]:
    """Send the spans of this process meanwhile, from a thread of their own; at the end, those that are left."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": "modulo"}),
        id_generator=_OwnIds(),
        sampler=ParentBased(ALWAYS_ON),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=SEND_SECONDS)))
    tracer = provider.get_tracer("modulo")

    def export(made: Span, trace: Trace) -> None:
        parent = None
        if trace.parent_id is not None:
            flags = TraceFlags(int(trace.flags, 16))
            told = SpanContext(int(trace.trace_id, 16), int(trace.parent_id, 16), is_remote=True, trace_flags=flags)
            parent = set_span_in_context(NonRecordingSpan(told))
        token = _exported.set(trace)
        try:
            step = tracer.start_span(
                made.name,
                context=parent,
                kind=KINDS[made.origin],
                attributes=(OF_MESSAGES if made.origin is Origin.message else {}) | made.attributes,
                start_time=made.began_ns,
            )
        finally:
            _exported.reset(token)
        if made.outcome is not None:
            step.set_status(Status(StatusCode.ERROR, made.outcome))
        step.end()

    export_spans(export)
    try:
        yield
    finally:
        export_spans(None)
        provider.shutdown()
