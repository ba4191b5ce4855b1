"""One trace from a request to all it leads to, through messages, objects, problems and spans; no hostile header."""

import json
import logging

import anyio
import openai
import pytest
from starlette.responses import StreamingResponse

from modulo.domain.errors import Unavailable
from modulo.domain.operations.messages import IngestRequest
from modulo.domain.trace import Trace
from modulo.ports.trace import adopt, current_trace, trace_header
from modulo.runtime.http import RequestMiddleware
from modulo.runtime.queue import delivery_of, record_of
from modulo.runtime.queue_consumer import WorkerContext
from modulo.runtime.spans import Origin, export_spans
from modulo.runtime.telemetry import _logger, begin_trace, trace_id
from modulo.runtime.worker import function
from tests.functions.conftest import *  # noqa: F403 - the fixtures of functions
from tests.functions.conftest import ref_of, run_async, s3_event, sqs_event
from tests.functions.served import key_of, served
from tests.functions.test_serve import request

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
        found.clear()
        context = WorkerContext("ingest_file", "m0")
        function("ingest_file").handler(sqs_event(s3_event(ref)), context)
        function("ingest_file").handler(sqs_event("{"), context)
    finally:
        export_spans(None)
    assert found[0] == ("ingest_file", None, ID)
    assert found[1][:2] == ("ingest_file", "unreadable-message")


@pytest.fixture
def spans():
    """What is exported meanwhile: spans with their traces."""
    found = []
    export_spans(lambda span, trace: found.append((span, trace)))
    yield found
    export_spans(None)


NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("path", "status", "name", "outcome"),
    [
        ("/api/collections", 200, "GET /collections", None),
        (f"/api/collections/{NOWHERE}", 404, "GET /collections/{collection_id}", None),
        ("/v1/models", 200, "GET /v1/models", None),
        ("/api/nowhere", 404, "GET", None),
    ],
)
def test_a_request_is_a_span_that_names_its_route_and_no_ids(api, spans, path, status, name, outcome):
    reply = request("GET", path, headers={**api.headers, "traceparent": TOLD})
    assert reply.status_code == status
    [(span, trace)] = spans
    assert (span.name, span.origin, span.outcome) == (name, Origin.request, outcome)
    assert span.attributes["http.request.method"] == "GET"
    assert span.attributes["http.response.status_code"] == status
    assert (trace.trace_id, trace.parent_id) == (ID, SPAN)
    assert reply.headers["traceresponse"] == trace.header
    assert NOWHERE not in str(span)


def test_what_a_request_sends_is_under_its_span(api, services, collection, spans):
    receipt = api.upload(collection, "The archive burned down in 1901.")
    spans.clear()
    request("DELETE", f"/api/collections/{collection}/files/{receipt['file_id']}", headers=api.headers)
    [(_, asked)] = spans
    [delivery] = services.purges.receive(limit=10, wait_seconds=0)
    function("purge").handler({"Records": [record_of(delivery)]}, WorkerContext("purge", "m"))
    _, (done, trace) = spans
    assert (done.name, done.origin, done.attributes) == ("purge", Origin.message, {"messaging.message.id": delivery.id})
    assert (trace.trace_id, trace.parent_id) == (asked.trace_id, asked.span_id)


class Broken:
    def list_collections(self, *_, **__):
        raise ZeroDivisionError


def test_a_span_tells_what_went_wrong(api, services, spans):
    services.collections = Broken()
    assert request("GET", "/api/collections", headers=api.headers).status_code == 500
    [(span, _)] = spans
    assert (span.outcome, span.attributes["http.response.status_code"]) == ("ZeroDivisionError", 500)


def test_a_failed_dependency_is_an_error_of_the_server(api, services, spans):
    class Down:
        def list_collections(self, *_, **__):
            raise Unavailable(dependency="postgres")

    services.collections = Down()
    assert request("GET", "/api/collections", headers=api.headers).status_code == 503
    [(span, _)] = spans
    assert span.outcome == "503"


@pytest.mark.parametrize("fails", [False, True])
def test_the_span_of_a_stream_ends_with_it(services, spans, fails):
    seen = []

    async def events():
        for number in range(3):
            seen.append(len(spans))
            yield f"data: {number}\n\n"
        if fails:
            raise ZeroDivisionError

    async def app(scope, receive, send):
        await StreamingResponse(events(), media_type="text/event-stream")(scope, receive, send)

    async def receive():
        await anyio.sleep_forever()

    async def send(message):
        seen.append(len(spans))

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {"spec_version": "2.4"}}
    try:
        run_async(RequestMiddleware(app)(scope, receive, send))
    except ZeroDivisionError:
        assert fails
    else:
        assert not fails
    assert len(seen) > 3
    assert set(seen) == {0}, "not before its end"
    [(span, _)] = spans
    assert (span.outcome is not None) == fails


def test_errors_of_v1_tell_the_trace_by_a_header_and_their_lines_by_its_id(api, lines):
    with (
        served() as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key=key_of(api), default_headers={"traceparent": TOLD}) as client,
        pytest.raises(openai.NotFoundError) as refused,
    ):
        client.vector_stores.retrieve(NOWHERE)
    told = refused.value.response.headers["traceresponse"]
    assert told.startswith(f"00-{ID}-")
    [line] = [one for one in lines() if one["message"].startswith("GET /v1/vector_stores")]
    assert (line["trace_id"], line["request_id"]) == (ID, refused.value.request_id)


CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
ACCEPT = {"accept": "application/json, text/event-stream", "traceparent": TOLD}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("forget", {}), ("search", {}), ("search", {"query": "sea", "top_k": 1_000}), ("fetch", {"id": "7"})],
)
def test_errors_of_mcp_tell_the_trace_in_their_data(api, collection, lines, name, arguments):
    body = {**CALL, "params": {"name": name, "arguments": arguments}}
    reply = request("POST", "/mcp", json=body, headers={**ACCEPT, **api.headers})
    data = reply.json()["error"]["data"]
    assert (data["trace_id"], data["request_id"]) == (ID, reply.headers["x-request-id"])
    assert reply.headers["traceresponse"].startswith(f"00-{ID}-")
    [line] = of_line(lines, "POST /mcp")
    assert (line["trace_id"], line["request_id"]) == (ID, data["request_id"])


def test_a_call_that_mcp_refuses_tells_the_trace(services):
    data = request("POST", "/mcp", json=CALL, headers=ACCEPT).json()["error"]["data"]
    assert (data["status"], data["trace_id"]) == (401, ID)


def test_a_result_of_a_tool_that_is_an_error_tells_the_trace_beside_its_text(api, collection):
    arguments = {"id": f"{collection}:{NOWHERE}"}
    body = {**CALL, "params": {"name": "fetch", "arguments": arguments}}
    reply = request("POST", "/mcp", json=body, headers={**ACCEPT, **api.headers})
    result = reply.json()["result"]
    assert result["isError"]
    assert result["_meta"] == {"trace_id": ID, "request_id": reply.headers["x-request-id"]}
    assert ID not in result["content"][0]["text"], "which a model reads"


def test_an_answer_that_is_refused_for_its_size_keeps_its_ids(api, collection, monkeypatch):
    monkeypatch.setattr("modulo.runtime.http.MAX_ANSWER_BYTES", 10)
    reply = api("GET", "/collections", headers={"traceparent": TOLD, "x-request-id": "r-1"})
    assert (reply.status, reply.json["trace_id"], reply.json["request_id"]) == (422, ID, "r-1")
    assert reply.headers["x-request-id"] == "r-1"
    assert reply.headers["traceresponse"].startswith(f"00-{ID}-")
    openai_error = api("GET", "/v1/models", headers={"traceparent": TOLD, "x-request-id": "r-2"})
    assert openai_error.status == 400
    assert openai_error.headers["x-request-id"] == "r-2"
    assert openai_error.headers["traceresponse"].startswith(f"00-{ID}-")
