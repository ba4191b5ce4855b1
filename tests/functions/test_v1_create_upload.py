from datetime import timedelta

import pytest

from modulo.runtime.worker import function
from tests.functions.conftest import as_user

BODY = {"filename": "sea.txt", "purpose": "assistants", "bytes": 16, "mime_type": "text/plain"}


def test_an_upload_is_pending_for_an_hour_and_shows_no_file(api, clock):
    reply = api("POST", "/v1/uploads", json=BODY)
    assert reply.status == 200, reply.text
    made, now = reply.json, int(clock.now().timestamp())
    assert (made["object"], made["status"], made["file"]) == ("upload", "pending", None)
    assert (made["filename"], made["bytes"], made["purpose"]) == ("sea.txt", 16, "assistants")
    assert (made["created_at"], made["expires_at"]) == (now, now + 3_600)
    assert api("GET", "/v1/files").json["data"] == []
    for call in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
        assert api(call[0], f"/v1/files/{made['id']}{call[1]}").status == 404


def test_its_bytes_are_charged_at_once_and_given_back_at_its_end(api, services, clock, queues):
    upload = api.begin_upload(16)
    assert api.send_part(upload, "The sea").status == 200
    assert api("GET", "/usage").json["storage_bytes"] == 16
    clock.advance(timedelta(hours=1, minutes=1))
    api = as_user("ada")
    assert api.send_part(upload, " is deep").status == 404
    function("sweep").handler({}, None)
    assert api("GET", "/usage").json["storage_bytes"] == 0
    assert queues.run("purge") == 1
    assert services.blobs._objects == {}


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"filename": "a.exe"}, 400, None),
        ({"filename": ""}, 400, "filename"),
        ({"filename": "/"}, 400, "filename"),
        ({"purpose": "batch"}, 400, "purpose"),
        ({"bytes": 0}, 400, "bytes"),
        ({"bytes": 10**12}, 413, None),
        ({"expires_after": {"anchor": "created_at", "seconds": 60}}, 400, "expires_after.seconds"),
        ({"mime_type": None}, 400, "mime_type"),
    ],
)
def test_what_cannot_be_kept_is_refused_at_once(api, change, status, field):
    reply = api("POST", "/v1/uploads", json={**BODY, **change})
    assert reply.status == status, reply.text
    if field is not None:
        assert reply.json["error"]["param"] == field


@pytest.mark.parametrize("settings", [{"quotas": {"storage_bytes": 15}}], indirect=True)
def test_a_file_that_does_not_fit_is_not_begun(api):
    reply = api("POST", "/v1/uploads", json=BODY)
    assert (reply.status, reply.json["error"]["code"]) == (429, "insufficient_quota")
