from datetime import timedelta
from uuid import UUID

import pytest

from modulo.domain.errors import Conflict
from tests.functions.conftest import principal_of


def test_a_part_is_stored_under_an_id_of_its_own(api, services, clock):
    upload = api.begin_upload(14)
    ids = set()
    for content in ("The sea", "is deep"):
        part = api.send_part(upload, content)
        assert part.status == 200, part.text
        assert (part.json["object"], part.json["upload_id"]) == ("upload.part", upload)
        assert part.json["created_at"] == int(clock.now().timestamp())
        ids.add(part.json["id"])
    assert {key.rpartition("/")[2] for key in services.blobs._objects} == ids


@pytest.mark.parametrize("settings", [{"max_upload_bytes": 10}], indirect=True)
def test_a_part_larger_than_a_function_takes_says_so(api):
    reply = api.send_part(api.begin_upload(99), "x" * 11)
    assert (reply.status, reply.json["error"]["code"]) == (413, "too_large")
    assert "10 bytes" in reply.json["error"]["message"]


def test_parts_may_be_sent_again_but_not_without_end(api, services, monkeypatch):
    upload = api.begin_upload(4)
    for _ in range(2):
        assert api.send_part(upload, "text").status == 200
    refused = api.send_part(upload, "t")
    assert (refused.status, refused.json["error"]["param"]) == (400, "data")
    assert len(services.blobs._objects) == 2
    empty = api.send_part(api.begin_upload(4), "")
    assert (empty.status, empty.json["error"]["param"]) == (400, "data")
    monkeypatch.setattr("modulo.domain.files.part_upload.MAX_PARTS", 2)
    assert "one part too many" in api.send_part(upload, "t").json["error"]["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\ntext\r\n--b--\r\n', "data"),
        (b'--b\r\nContent-Disposition: form-data; name="more"\r\n\r\ntext\r\n--b--\r\n', "more"),
        (b"--b--\r\n", "data"),
        (b'--b\r\nContent-Disposition: form-data; name="data"; filename="a"\r\n\r\nx\r\n' * 2 + b"--b--\r\n", "data"),
    ],
)
def test_another_form_is_refused_by_name(api, body, field):
    form = {"content-type": "multipart/form-data; boundary=b"}
    reply = api("POST", f"/v1/uploads/{api.begin_upload(4)}/parts", body=body, headers=form)
    assert (reply.status, reply.json["error"]["param"]) == (400, field)


def test_a_part_that_comes_while_the_upload_is_completed_is_a_conflict(api, services, clock):
    upload, now = UUID(api.begin_upload(4)), clock.now()
    services.part_uploads.begin_completion(principal_of("ada"), upload, until=now + timedelta(minutes=1), now=now)
    assert api.send_part(str(upload), "text").status == 409
    with pytest.raises(Conflict):
        services.part_uploads.begin_completion(principal_of("ada"), upload, until=now, now=now)
    clock.advance(timedelta(minutes=2))
    assert api.send_part(str(upload), "text").status == 200
