"""Every envelope in which an object store's events come."""

import base64
import json
from urllib.parse import quote_plus
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modulo.domain.errors import Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.operations.messages import IngestRequest
from modulo.runtime.events import UnreadableMessage, uploads
from modulo.runtime.worker import function
from tests.doubles.memory_blobs import MemoryBlobs
from tests.functions.conftest import Failing, deliver_queued, ref_of, sqs_event

OURS = "uploads"
REF = FileRef(UUID(int=1), UUID(int=2), UUID(int=3), 4)


def record(key, name="ObjectCreated:Put", bucket=OURS, **more):
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": name,
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key), "versionId": "3sL4kqtJ", **more}},
    }


def s3(key, **more):
    return {"Records": [record(key, **more)]}


def minio(key, name="s3:ObjectCreated:Put", bucket=OURS, **more):
    return {"EventName": name, "Key": f"{bucket}/{key}", "Records": [record(key, name, bucket, **more)]}


def minio_bare(key, name="s3:ObjectCreated:Put", bucket=OURS):
    return {"EventName": name, "Key": f"{bucket}/{key}", "Records": None}


def eventbridge(key, name="Object Created", bucket=OURS, **more):
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": name,
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "version-id": "3sL4kqtJ", **more}},
    }


def sns(key):
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:::t", "Message": json.dumps(s3(key))}


def sns_invoked(key):
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(s3(key))}}]}


def cloudevent(data, kind="com.amazonaws.s3.ObjectCreated:Put", **more):
    return {"specversion": "1.0", "id": "1", "source": "s3", "type": kind, "data": data} | more


def cloudevent_record(key, kind="com.amazonaws.s3.ObjectCreated:Put"):
    unnamed = record(key)
    del unnamed["eventName"]
    return cloudevent(unnamed, kind)


def cloudevent_base64(key):
    return cloudevent(None, data_base64=base64.b64encode(json.dumps(minio(key)).encode()).decode())


ENVELOPES = [
    s3,
    minio,
    minio_bare,
    eventbridge,
    sns,
    sns_invoked,
    cloudevent_record,
    cloudevent_base64,
    lambda key: cloudevent(json.dumps(minio(key))),
    lambda key: cloudevent({"ingest": key}, "modulo.ingest"),
    lambda key: {"ingest": key},
    lambda key: {"Type": "Notification", "Message": json.dumps(eventbridge(key))},
]
NAMES = ["s3", "minio", "minio without records", "eventbridge", "sns", "sns invoked", "cloudevent of a record"]
NAMES += ["cloudevent in base64", "cloudevent of a text", "cloudevent of our own", "our own", "eventbridge by sns"]
every_envelope = pytest.mark.parametrize("envelope", ENVELOPES, ids=NAMES)
in_our_bucket = pytest.mark.parametrize("settings", [{"blobs_bucket": OURS}], indirect=True)


@every_envelope
@in_our_bucket
def test_an_envelope_names_the_generation(services, envelope):
    assert uploads(envelope(REF.key)) == [IngestRequest(REF)]


@every_envelope
@pytest.mark.parametrize(
    "key", ["", "x", "tenants/é ü+%20/🚀", REF.key + "/x", REF.key.upper(), REF.key.replace("/4/", "/٤/")]
)
def test_other_keys_are_passed_over(services, envelope, key):
    assert uploads(envelope(key)) == []


@every_envelope
def test_a_message_in_a_queue_is_ingested(api, services, envelope):
    collection = api.create_collection()
    receipt = api.upload(collection, "Snow fell in July.")
    event = sqs_event(envelope(ref_of(api, collection, receipt).key))
    assert function("ingest_file").handler(event, None)["batchItemFailures"] == []
    assert stage(api, collection, receipt) == "ready"


@every_envelope
def test_a_direct_invocation_is_ingested(api, services, envelope):
    collection = api.create_collection()
    receipt = api.upload(collection, "Snow fell in July.")
    event = envelope(ref_of(api, collection, receipt).key)
    assert function("ingest_file").handler(event, None) == {"batchItemFailures": []}
    assert stage(api, collection, receipt) == "ready"
    function("ingest_file").handler(event, None)
    assert services.ingests.receive(limit=1, wait_seconds=0) == []


@pytest.mark.parametrize("error", [Unavailable("busy", dependency="embedder"), RuntimeError("a bug")])
def test_a_direct_invocation_that_fails_is_queued(api, services, error):
    collection = api.create_collection()
    receipt = api.upload(collection, "Snow fell in July.")
    working, services.embedder = services.embedder, Failing()
    services.embedder.embed = lambda *_: raised(error)
    function("ingest_file").handler(eventbridge(ref_of(api, collection, receipt).key), None)
    services.embedder = working
    deliver_queued(services)
    assert stage(api, collection, receipt) == "ready"


def raised(error):
    raise error


def test_a_direct_invocation_that_cannot_be_read_is_not_queued(services):
    with pytest.raises(UnreadableMessage):
        function("ingest_file").handler({"hello": 1}, None)
    assert services.ingests.receive(limit=1, wait_seconds=0) == []


@in_our_bucket
@pytest.mark.parametrize("envelope", [s3, minio, minio_bare, eventbridge])
def test_other_buckets_are_passed_over(services, envelope):
    assert uploads(envelope(REF.key, bucket="theirs")) == []


@pytest.mark.parametrize(
    "message",
    [
        {"Event": "s3:TestEvent", "Service": "Amazon S3"},
        {"Type": "Notification", "Message": json.dumps({"Event": "s3:TestEvent"})},
        s3(REF.key, name="ObjectRemoved:DeleteMarkerCreated"),
        s3(REF.key, name="NotObjectCreated:Put"),
        minio(REF.key, "s3:ObjectRemoved:Delete"),
        minio_bare(REF.key, "s3:ObjectAccessed:Head"),
        eventbridge(REF.key, "Object Deleted"),
        cloudevent_record(REF.key, "com.amazonaws.s3.ObjectRemoved:Delete"),
        {"Records": []},
    ],
)
def test_what_is_no_arrival_is_passed_over(services, message):
    assert uploads(message) == []


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"Records": 7},
        {"Records": [7]},
        {"Records": [{}]},
        {"ingest": 7},
        {"ingest": REF.key, "part": "1"},
        {"ingest": REF.key, "part": True},
        {"ingest": REF.key, "part": -1},
        {"Type": "Notification", "Message": "no json"},
        {"Type": "Notification", "Message": "[" * 100_000},
        {"Type": "SubscriptionConfirmation", "Message": "{}"},
        eventbridge(REF.key) | {"source": "theirs"},
        cloudevent(7),
        cloudevent({}),
        cloudevent(None, data_base64="*"),
        cloudevent(s3(REF.key), specversion="0.3"),
        {"Records": [{"Records": [{"Records": [{"Records": [s3(REF.key)]}]}]}]},
    ],
)
def test_what_cannot_be_read_is_refused(services, message):
    with pytest.raises(UnreadableMessage):
        uploads(message)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("created", "removed", "arrived"),
    [("0A", "0B", False), ("0B", "0A", True), ("0a1", "0A", True), ("0A", "0A01", False), ("", "0A", True)],
)
def test_the_last_change_of_a_key_decides(services, created, removed, arrived, order):
    records = [record(REF.key, sequencer=created), record(REF.key, "ObjectRemoved:Delete", sequencer=removed)]
    assert uploads({"Records": records[::order]}) == [IngestRequest(REF)] * arrived


def test_a_key_named_twice_is_ingested_once(services):
    again = record(REF.key, sequencer="0B")
    assert uploads({"Records": [record(REF.key, sequencer="0A"), again, again]}) == [IngestRequest(REF)]


def test_parts_are_told_apart(services):
    messages = [{"ingest": REF.key, "part": number} for number in (0, 1)]
    assert uploads({"Records": messages}) == [IngestRequest(REF, 0), IngestRequest(REF, 1)]


def test_a_request_says_whose_bytes_are_read(services):
    twin = FileRef(REF.tenant_id, REF.collection_id, REF.file_id, REF.generation + 1, source=REF.generation)
    (read,) = uploads(IngestRequest(twin).body())
    assert (read.ref, read.ref.key) == (twin, REF.key)


def test_a_stale_event_changes_nothing(api, services):
    """The events of an older generation come again, late, behind the newer one's: with higher sequencers even."""
    collection = api.create_collection()
    first = api.upload(collection, "The launch is on Monday.")
    old = ref_of(api, collection, first).key
    function("ingest_file").handler(minio(old, sequencer="01"), None)
    second = api.upload(collection, "The launch is on Friday.")
    function("ingest_file").handler(minio(ref_of(api, collection, second).key, sequencer="02"), None)
    before = api("GET", f"/collections/{collection}/files/{first['file_id']}").json
    for envelope in (s3, minio, eventbridge):
        function("ingest_file").handler(envelope(old, sequencer="FF"), None)
    assert api("GET", f"/collections/{collection}/files/{first['file_id']}").json == before
    question = {"question": "When is the launch?", "collection_id": collection}
    found = api("POST", "/search", json=question).json["query_results"]
    assert [result["chunk"]["text"] for result in found] == ["The launch is on Friday."]


def test_an_event_of_a_deleted_file_changes_nothing(api, services):
    collection = api.create_collection()
    receipt = api.upload(collection, "Snow fell in July.")
    key = ref_of(api, collection, receipt).key
    assert api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}").status == 202
    for envelope in (s3, minio, eventbridge):
        function("ingest_file").handler(envelope(key), None)
    assert api("GET", f"/collections/{collection}/files/{receipt['file_id']}").status == 404


def stage(api, collection, receipt):
    return api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json["stage"]


texts = st.text(max_size=30) | st.sampled_from(
    ["Records", "s3", "ingest", "s3:TestEvent", REF.key, "1.0", "Notification"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=30,
)
whole = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
refs = st.builds(FileRef, st.uuids(), st.uuids(), st.uuids(), st.integers(1, 2**31 - 1))


@whole
@given(st.dictionaries(texts, json_values, max_size=6))
def test_any_object_is_read_or_refused(services, message):
    try:
        found = uploads(message)
    except UnreadableMessage:
        return
    assert all(isinstance(request, IngestRequest) for request in found)


@whole
@given(st.sampled_from(ENVELOPES), refs, st.data())
def test_a_damaged_envelope_names_no_other_generation(services, envelope, ref, data):
    """Whatever is put in place of any one value, what is read is the generation named or nothing."""
    message = json.loads(json.dumps(envelope(ref.key)))
    where = data.draw(st.sampled_from(list(paths(message))))
    if where:
        *outer, last = where
        holder = message
        for step in outer:
            holder = holder[step]
        holder[last] = data.draw(json_values)
    try:
        found = uploads(message)
    except UnreadableMessage:
        return
    assert {request.ref for request in found} <= {ref, REF}


def paths(value, here=()):
    yield here
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(inner, (*here, key))


@whole
@given(st.sampled_from(ENVELOPES), st.text())
def test_any_key_survives_its_envelope(services, envelope, key):
    """Keys are read as the store has them: none turns into an upload's by being escaped or not."""
    key = key.encode(errors="replace").decode()
    assert uploads(envelope(key)) == []
    assert uploads(envelope(f"{REF.prefix}{uuid4()}/{key}")) == []


def test_an_ingestion_by_an_event_reads_the_bytes_of_its_own_bucket(services):
    assert isinstance(services.blobs, MemoryBlobs)
    function("ingest_file").handler(s3(REF.key, bucket="theirs"), None)
    assert services.ingestion.viable(REF) is False
