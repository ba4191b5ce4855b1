"""One trace from a request to all it leads to: through messages, objects and problems; hostile headers are ignored."""

import json
import logging

import pytest

from modulo.domain.messages import IngestRequest
from modulo.domain.trace import Trace
from modulo.ports.trace import adopt, current_trace, trace_header
from modulo.runtime.queue import delivery_of, record_of
from modulo.runtime.queue_consumer import WorkerContext
from modulo.runtime.spans import export_spans
from modulo.runtime.telemetry import _logger, begin_trace, trace_id
from modulo.runtime.worker import function
from tests.functions.conftest import *  # noqa: F403 - the fixtures of functions
from tests.functions.conftest import ref_of, s3_event, sqs_event

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TOLD = f"00-{ID}-{SPAN}-01"


@pytest.fixture
def lines(capsys):
    """The log lines written since, as JSON."""

    def read():
        return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]

    return read


def of_line(lines, beginning):
    return [line for line in lines() if line["message"].startswith(beginning)]


def test_a_request_goes_on_with_the_trace_it_is_told(api, lines):
    api("GET", "/collections", headers={"traceparent": TOLD})
    [line] = of_line(lines, "GET /collections")
    assert line["trace_id"] == ID


def test_a_problem_names_the_trace(api):
    found = api("GET", "/collections/00000000-0000-0000-0000-000000000000", headers={"traceparent": TOLD})
    assert (found.status, found.json["trace_id"]) == (404, ID)


@pytest.mark.parametrize("hostile", ["", "x" * 5_000, f"{TOLD}\n", f"ff{TOLD[2:]}", "00-" + "0" * 32, "{{7*7}}"])
def test_a_hostile_header_is_as_none(api, hostile):
    told = api("GET", "/collections/00000000-0000-0000-0000-000000000000", headers={"traceparent": hostile}).json
    assert len(told["trace_id"]) == 32
    assert hostile == "" or hostile not in json.dumps(told)


def test_an_upload_is_ingested_in_its_trace(api, services, collection, lines):
    api.headers["traceparent"] = TOLD
    receipt = api.upload(collection, "The archive burned down in 1901.")
    ref = ref_of(api, collection, receipt)
    assert Trace.of_header(services.blobs.info(ref).trace).trace_id == ID
    lines()
    event = sqs_event(s3_event(ref))
    assert function("ingest_file").handler(event, None) == {"batchItemFailures": []}
    [line] = of_line(lines, "message m0")
    assert line["trace_id"] == ID


def test_a_message_carries_the_trace_of_who_sends_it(api, services, collection, lines):
    receipt = api.upload(collection, "The archive burned down in 1901.")
    api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}", headers={"traceparent": TOLD})
    [delivery] = services.purges.receive(limit=10, wait_seconds=0)
    assert delivery.trace.startswith(f"00-{ID}-")
    assert SPAN not in delivery.trace, "a step of its own"
    assert delivery_of(record_of(delivery)) == delivery
    lines()
    function("purge").handler({"Records": [record_of(delivery)]}, None)
    assert {line["trace_id"] for line in of_line(lines, "message ")} == {ID}


def test_what_a_message_tells_goes_before_what_its_object_does(api, services, collection, lines):
    api.headers["traceparent"] = f"00-{'a' * 32}-{SPAN}-01"
    ref = ref_of(api, collection, api.upload(collection, "The archive burned down in 1901."))
    current_trace.set(Trace.of_header(TOLD))
    services.ingests.send(IngestRequest(ref).body())
    [delivery] = services.ingests.receive(limit=1, wait_seconds=0)
    lines()
    function("ingest_file").handler({"Records": [record_of(delivery)]}, None)
    assert {line["trace_id"] for line in of_line(lines, "message ")} == {ID}


@pytest.mark.parametrize("told", [{"stringValue": "nonsense"}, {"stringValue": 3}, {"binaryValue": "AA=="}])
def test_a_message_that_tells_nonsense_begins_a_trace(api, told):
    record = {"messageId": "m", "receiptHandle": "r", "body": "{}", "messageAttributes": {"traceparent": told}}
    begin_trace(delivery_of(record).trace)
    assert len(trace_id()) == 32


def test_each_message_of_a_batch_has_its_own_trace(services, lines):
    function("purge").handler(sqs_event({"purge": 1}, {"purge": 2}), None)
    found = of_line(lines, "message ")
    assert len({line["trace_id"] for line in found}) == 2


def test_threads_of_a_function_without_a_context_write_in_its_trace(services, monkeypatch, lines):
    monkeypatch.setattr("modulo.runtime.telemetry.in_lambda", lambda _: True)
    begun = begin_trace(TOLD)
    current_trace.set(None)
    _logger().setLevel("INFO")
    logging.getLogger("modulo.tests").warning("from a thread")
    [line] = of_line(lines, "from a thread")
    assert line["trace_id"] == begun.trace_id


def test_x_rays_trace_is_gone_on_with(monkeypatch):
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-{ID[:8]}-{ID[8:]};Parent={SPAN};Sampled=0")
    assert begin_trace().trace_id == ID


def test_outside_of_any_trace_there_is_nothing_to_tell():
    assert (trace_header(), trace_id()) == (None, None)
    adopt(None)
    assert trace_header() is None
    adopt(Trace.of_header(TOLD))
    assert trace_header().startswith(f"00-{ID}-")


def test_spans_tell_of_the_trace_that_an_object_was_stored_in(api, services, collection):
    found = []
    export_spans(lambda span, trace: found.append((span.name, span.outcome, trace.trace_id)))
    try:
        api.headers["traceparent"] = TOLD
        ref = ref_of(api, collection, api.upload(collection, "The archive burned down in 1901."))
        context = WorkerContext("ingest_file", "m0")
        function("ingest_file").handler(sqs_event(s3_event(ref)), context)
        function("ingest_file").handler(sqs_event("{"), context)
    finally:
        export_spans(None)
    assert found[0] == ("ingest_file", None, ID)
    assert found[1][:2] == ("ingest_file", "unreadable-message")
