"""Events over HTTP: who may send them, and how they are read."""

import asyncio
import json
from uuid import UUID

import pytest
from pydantic import ValidationError

from modulo.domain.errors import Unauthenticated
from modulo.domain.files.file import FileRef
from modulo.settings import Settings
from tests.functions.conftest import LOOP, DownQueue, deliver_queued, ref_of
from tests.functions.test_events import cloudevent, minio, s3
from tests.functions.test_serve import request

TOKEN = "t" * 32
REFS = [FileRef(UUID(int=1), UUID(int=2), UUID(int=3), number) for number in (1, 2)]
ISSUER = {"events_issuer": "https://issuer", "events_audience": "modulo", "events_subject": "trigger"}
by_token = pytest.mark.parametrize("settings", [{"events_token": TOKEN}], indirect=True)
by_issuer = pytest.mark.parametrize("settings", [ISSUER], indirect=True)
BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "minio", "ce-type": "s3:ObjectCreated:Put"}


def post(content, media_type="application/json", token=TOKEN, **headers):
    authorization = {"authorization": f"Bearer {token}"} if token else {}
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    answer = request("POST", "/events", content=body, headers={"content-type": media_type, **authorization, **headers})
    asyncio.set_event_loop(LOOP)  # for the calls of functions to come
    return answer


def queued(services):
    return [json.loads(delivery.body)["ingest"] for delivery in services.ingests.receive(limit=10, wait_seconds=0)]


@by_token
@pytest.mark.parametrize(
    ("content", "media_type", "headers"),
    [
        (cloudevent(minio(REFS[0].key)), "application/cloudevents+json; charset=utf-8", {}),
        (cloudevent(s3(REFS[0].key)), "application/cloudevents+json", BINARY),
        (s3(REFS[0].key), "application/json", BINARY),
        (minio(REFS[0].key), "application/json", {}),
    ],
    ids=["structured", "structured wins", "binary", "webhook"],
)
def test_an_event_is_queued(services, content, media_type, headers):
    answer = post(content, media_type, **headers)
    assert (answer.status_code, answer.content) == (202, b"")
    assert queued(services) == [REFS[0].key]


@by_token
def test_a_batch_is_queued_whole_or_not_at_all(services):
    events = [cloudevent(s3(ref.key)) for ref in REFS]
    assert post(events, "application/cloudevents-batch+json").status_code == 202
    assert queued(services) == [ref.key for ref in REFS]
    broken = [*events, cloudevent({"hello": 1})]
    assert post(broken, "application/cloudevents-batch+json").status_code == 400
    assert queued(services) == []


@by_token
@pytest.mark.parametrize(
    ("content", "media_type", "headers"),
    [
        (b"{", "application/json", {}),
        (b"[" * 100_000, "application/json", {}),
        ([], "application/json", {}),
        ({"hello": 1}, "application/json", {}),
        ({}, "application/cloudevents-batch+json", {}),
        ([7], "application/cloudevents-batch+json", {}),
        (cloudevent(s3(REFS[0].key), id=""), "application/cloudevents+json", {}),
        (cloudevent(s3(REFS[0].key), source=7), "application/cloudevents+json", {}),
        (cloudevent(s3(REFS[0].key), specversion="2.0"), "application/cloudevents+json", {}),
        (s3(REFS[0].key), "application/json", {"ce-specversion": "1.0"}),
        (b"", "application/json", BINARY),
    ],
)
def test_what_cannot_be_read_is_400(services, content, media_type, headers):
    answer = post(content, media_type, **headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:modulo:problem:unreadable-message")
    assert queued(services) == []


@by_token
def test_the_same_function_ingests_it(api, services):
    collection = api.create_collection()
    receipt = api.upload(collection, "Snow fell in July.")
    assert post(minio(ref_of(api, collection, receipt).key)).status_code == 202
    deliver_queued(services)
    path = f"/collections/{collection}/files/{receipt['file_id']}"
    assert api("GET", path).json["stage"] == "ready"


@by_token
def test_a_queue_that_is_down_is_said(services):
    services.ingests = DownQueue()
    assert post(s3(REFS[0].key)).status_code == 503


@by_token
@pytest.mark.parametrize("token", [None, "", "x", TOKEN[:-1], TOKEN + "t", "é"])
def test_nobody_else_may_send(services, token):
    credential = f"Bearer {token}".encode("latin-1") if token else b"Bearer"
    answer = post(s3(REFS[0].key), token=None, authorization=credential)
    assert answer.status_code == 401
    assert queued(services) == []


@by_token
def test_a_client_s_key_is_none_of_a_sender(api, services):
    answer = post(s3(REFS[0].key), token=None, authorization=api.headers["authorization"])
    assert answer.status_code == 401


class Senders:
    def subject(self, token):
        if token == "forged":
            raise Unauthenticated
        return token


@by_issuer
@pytest.mark.parametrize(("token", "status"), [("trigger", 202), ("another", 403), ("forged", 401)])
def test_an_issuer_s_token_must_be_the_sender_s(services, token, status):
    services.event_senders = Senders()
    assert post(s3(REFS[0].key), token=token).status_code == status
    assert len(queued(services)) == (status == 202)


@by_issuer
def test_the_issuer_is_the_configured_one(services):
    assert services.event_senders._issuer == "https://issuer"
    assert services.event_senders._audience == "modulo"


def test_without_a_sender_there_is_no_such_address(services):
    assert services.event_senders is None
    assert post(s3(REFS[0].key)).status_code == 404


@pytest.mark.parametrize(
    "given", [{"events_token": "short"}, {"events_issuer": "https://issuer"}, {**ISSUER, "events_subject": None}]
)
def test_settings_that_would_let_others_in_are_refused(given):
    with pytest.raises(ValidationError):
        Settings(**given)
