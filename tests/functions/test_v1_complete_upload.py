import hashlib
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from modulo.domain.errors import Unavailable
from modulo.runtime.worker import function
from modulo.usecases.complete_part_upload import complete_part_upload
from tests.functions.conftest import as_user, ingest_all

TEXT = "The sea is 11 kilometres deep."


def begin(api, *contents, **more):
    upload = api.begin_upload(sum(map(len, contents)), "sea.txt", **more)
    return upload, [api.send_part(upload, content).json["id"] for content in contents]


def complete(api, upload, parts, **more):
    return api("POST", f"/v1/uploads/{upload}/complete", json={"part_ids": parts, **more})


def test_parts_become_a_file_in_the_order_given(api, services, clock, queues, collection):
    upload, parts = begin(api, TEXT[20:], TEXT[:10], TEXT[10:20])
    clock.advance(timedelta(minutes=5))
    done = complete(api, upload, [parts[1], parts[2], parts[0]], md5=hashlib.md5(TEXT.encode()).hexdigest().upper())
    assert done.status == 200, done.text
    assert done.json["status"] == "completed"
    file = done.json["file"]
    assert (file["object"], file["filename"], file["bytes"], file["expires_at"]) == ("file", "sea.txt", 30, None)
    assert file["created_at"] == done.json["created_at"] + 300
    assert api("GET", "/v1/files").json["data"] == [file]
    assert queues.run("purge") == 1
    assert len(services.blobs._objects) == 1, "no part is left"
    api.attach(collection, file["id"])
    ingest_all(api, collection)
    content = api("GET", f"/v1/vector_stores/{collection}/files/{file['id']}/content").json
    assert [chunk["text"] for chunk in content["data"]] == [TEXT]
    assert api("GET", "/usage").json["storage_bytes"] == 60


def test_a_completed_upload_answers_again_with_its_file(api):
    upload, parts = begin(api, TEXT)
    assert complete(api, upload, parts).json == complete(api, upload, parts).json
    assert api.send_part(upload, "more").status == 409
    assert api("POST", f"/v1/uploads/{upload}/cancel").status == 409


@pytest.mark.parametrize("same", [True, False])
def test_who_completes_it_a_moment_later_gets_that_file_or_is_told_of_other_parts(api, services, monkeypatch, same):
    upload, parts = begin(api, TEXT[:10], TEXT[10:])
    begin_completion, order = services.part_uploads.begin_completion, parts if same else parts[::-1]

    def late(principal, upload_id, **more):
        monkeypatch.undo()
        complete_part_upload(
            *(principal, upload_id, [UUID(part) for part in order], None),
            part_uploads=services.part_uploads,
            blobs=services.blobs,
            purges=services.purges,
            clock=services.clock,
        )
        begin_completion(principal, upload_id, **more)

    monkeypatch.setattr(services.part_uploads, "begin_completion", late)
    reply = complete(api, upload, parts)
    [file] = api("GET", "/v1/files").json["data"]
    if same:
        assert (reply.status, reply.json["file"]) == (200, file)
    else:
        assert (reply.status, reply.json["error"]["param"]) == (400, "part_ids")


def test_a_completed_upload_is_not_completed_with_other_parts(api, queues):
    upload, parts = begin(api, TEXT[:10], TEXT[10:])
    done = complete(api, upload, parts)
    assert queues.run("purge") == 1, "nothing is known of the parts any more"
    for others in (parts[::-1], parts[:1], [str(uuid4())]):
        reply = complete(api, upload, others)
        assert (reply.status, reply.json["error"]["param"]) == (400, "part_ids")
    assert complete(api, upload, parts).json == done.json


def test_an_upload_completed_before_its_parts_were_stored_answers_with_its_file(api, database):
    upload, parts = begin(api, TEXT)
    done = complete(api, upload, parts)
    database("UPDATE part_uploads SET completed_with = NULL")
    assert complete(api, upload, parts).json == done.json


def test_parts_that_a_purge_did_not_reach_are_found_by_the_sweep(api, services, clock, queues):
    upload, parts = begin(api, TEXT)
    assert complete(api, upload, parts).status == 200
    for delivery in services.purges.receive(limit=9, wait_seconds=0):
        services.purges.delete(delivery.receipt)
    clock.advance(timedelta(days=1))
    function("sweep").handler({}, None)
    assert queues.run("purge") == 1
    assert len(services.blobs._objects) == 1
    assert function("sweep").handler({}, None)["purges"] == 0
    assert as_user("ada")("GET", f"/v1/files/{upload}").status == 200


def test_a_file_may_expire_from_then_on(api, services, clock):
    upload, parts = begin(api, TEXT, expires_after={"anchor": "created_at", "seconds": 7_200})
    clock.advance(timedelta(minutes=5))
    file = complete(api, upload, parts).json["file"]
    assert file["expires_at"] == int((clock.now() + timedelta(hours=2)).timestamp())


@pytest.mark.parametrize(
    ("chosen", "message"),
    [([0], "parts of 10 bytes"), ([0, 0, 1], "each part once"), ([0, 1, None], "no part of this upload")],
)
def test_parts_that_do_not_make_up_the_file_are_refused(api, chosen, message):
    upload, parts = begin(api, TEXT[:10], TEXT[10:])
    reply = complete(api, upload, [str(uuid4()) if place is None else parts[place] for place in chosen])
    assert (reply.status, reply.json["error"]["param"]) == (400, "part_ids")
    assert message in reply.json["error"]["message"]
    assert complete(api, upload, parts).status == 200, "it may be tried again"


def test_another_checksum_leaves_the_upload_open(api):
    upload, parts = begin(api, TEXT[:10], TEXT[10:])
    md5 = hashlib.md5(TEXT.encode()).hexdigest()
    wrong = complete(api, upload, parts[::-1], md5=md5)
    assert (wrong.status, wrong.json["error"]["param"]) == (400, "md5")
    assert api("GET", "/v1/files").json["data"] == []
    assert complete(api, upload, parts, md5="no checksum").json["error"]["param"] == "md5"
    assert complete(api, upload, parts, md5=md5).status == 200


def test_bytes_that_cannot_be_read_are_refused(api):
    upload, parts = begin(api, b"\x7fELF" + bytes(99))
    reply = complete(api, upload, parts)
    assert reply.status in (400, 415), reply.text
    assert api("GET", "/v1/files").json["data"] == []


def test_a_store_that_is_down_leaves_the_upload_open(api, services, monkeypatch):
    upload, parts = begin(api, TEXT)
    join = services.blobs.join

    def down(*_args, **_more):
        raise Unavailable(dependency="s3")

    monkeypatch.setattr(services.blobs, "join", down)
    assert complete(api, upload, parts).status == 503
    monkeypatch.setattr(services.blobs, "join", join)
    assert complete(api, upload, parts).status == 200


def test_an_upload_of_somebody_else_is_unknown(api):
    upload, parts = begin(api, TEXT)
    assert complete(as_user("bob"), upload, parts).status == 404
