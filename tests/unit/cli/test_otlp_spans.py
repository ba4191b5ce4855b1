"""Spans of workers and servers, as a collector takes them."""

import subprocess
import sys

import pytest

from modulo.cli.otlp_spans import otlp_spans
from modulo.cli.span_export import exporting
from modulo.domain.errors import NotConfigured
from modulo.domain.trace import Trace
from modulo.ports.trace import current_trace
from modulo.runtime.spans import Origin, span
from tests.otlp_collector import collecting

SERVER, CONSUMER = 2, 5
"""Kinds of spans, as OTLP numbers them."""
ID, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def collector(monkeypatch):
    with collecting() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        yield server


@pytest.fixture
def trace():
    found = Trace.of_header(f"00-{ID}-{PARENT}-01")
    token = current_trace.set(found)
    yield found
    current_trace.reset(token)


def test_a_span_has_the_ids_that_messages_and_log_lines_tell(collector, trace):
    with otlp_spans(), span("ingest_file", Origin.message) as made:
        made.attributes["messaging.message.id"] = "m1"
    [found] = collector.spans
    assert (found.name, found.trace_id.hex(), found.span_id.hex()) == ("ingest_file", ID, trace.span_id)
    assert found.parent_span_id.hex() == PARENT
    told = {one.key: one.value.string_value for one in found.attributes}
    assert told == {"messaging.system": "aws_sqs", "messaging.message.id": "m1"}
    assert found.kind == CONSUMER
    assert found.start_time_unix_nano <= found.end_time_unix_nano
    assert found.status.code == 0


def test_a_request_is_a_span_of_a_server(collector, trace):
    with otlp_spans(), span("GET", Origin.request) as made:
        made.name = "GET /collections"
        made.attributes |= {"http.route": "/collections", "http.response.status_code": 200}
    [found] = collector.spans
    assert (found.name, found.kind, found.span_id.hex()) == ("GET /collections", SERVER, trace.span_id)
    told = {one.key: one.value.string_value or one.value.int_value for one in found.attributes}
    assert told == {"http.route": "/collections", "http.response.status_code": 200}


def test_work_that_ends_in_an_exception_is_told_too(collector, trace):
    with otlp_spans(), pytest.raises(RuntimeError), span("GET", Origin.request):
        raise RuntimeError
    assert len(collector.spans) == 1


def test_a_failure_is_told_by_its_code(collector, trace):
    with otlp_spans(), span("purge", Origin.message) as made:
        made.outcome = "unavailable"
    [found] = collector.spans
    assert (found.status.code, found.status.message) == (2, "unavailable")


def test_a_trace_that_begins_here_has_no_parent(collector):
    token = current_trace.set(Trace.begin())
    with otlp_spans(), span("purge", Origin.message):
        pass
    current_trace.reset(token)
    [found] = collector.spans
    assert found.parent_span_id == b""


def test_what_is_not_sampled_is_not_sent(collector):
    token = current_trace.set(Trace.of_header(f"00-{ID}-{PARENT}-00"))
    with otlp_spans(), span("purge", Origin.message):
        pass
    current_trace.reset(token)
    assert collector.spans == []


def test_it_ends_with_the_worker(collector, trace):
    with otlp_spans():
        pass
    with span("purge", Origin.message):
        pass
    assert collector.spans == []


def test_without_a_collector_nothing_of_it_is_loaded():
    program = (
        "import sys, modulo.cli.worker, modulo.cli.serve\nfrom modulo.cli.span_export import exporting\n"
        "of_exports = ('opentelemetry.sdk', 'opentelemetry.exporter', 'modulo.cli.otlp_spans')\n"
        "with exporting(): print([name for name in sys.modules if name.startswith(of_exports)])"
    )
    done = subprocess.run([sys.executable, "-c", program], env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_a_collector_without_the_extra_is_told_at_the_start(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/v1/traces")
    monkeypatch.setitem(sys.modules, "modulo.cli.otlp_spans", None)
    with pytest.raises(NotConfigured, match="otlp"):
        exporting()
