import pytest

from modulo.domain.errors import Unavailable
from tests.functions.conftest import as_user


def test_a_file_is_kept_and_charged(api):
    reply = api.send_file("The sea is deep.", "sea.txt")
    assert reply.status == 200
    found = reply.json
    assert (found["object"], found["bytes"], found["filename"], found["purpose"], found["status"]) == (
        "file",
        16,
        "sea.txt",
        "assistants",
        "processed",
    )
    assert found["expires_at"] is None
    assert api("GET", "/usage").json["storage_bytes"] == 16


def test_a_name_in_a_form_is_what_its_sender_calls_the_file(api):
    assert api.send_file("The sea is deep.", "the %22sea%22 海.txt").json["filename"] == 'the "sea" 海.txt'


def test_a_file_expires_when_it_is_asked_to(api):
    fields = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    found = api.send_file("The sea is deep.", **fields).json
    assert found["expires_at"] - found["created_at"] == 3600


@pytest.mark.parametrize(
    ("content", "name", "fields", "param"),
    [
        ("x", "sea.txt", {"purpose": "fine-tune"}, "purpose"),
        ("x", "sea.txt", {"unknown": "1"}, "unknown"),
        ("x", "sea.txt", {"expires_after[seconds]": "3600"}, "expires_after.anchor"),
        ("x", "sea.txt", {"expires_after[anchor]": "created_at"}, "expires_after.seconds"),
        (
            "x",
            "sea.txt",
            {"expires_after[anchor]": "created_at", "expires_after[seconds]": "60"},
            "expires_after.seconds",
        ),
        ("x", "a/sea.txt", {}, "file"),
        ("x", "sea\u202etxt.exe.txt", {}, "file"),
        ("", "sea.txt", {}, None),
        ("x", "sea.exe", {}, None),
    ],
)
def test_what_cannot_be_kept_is_named(api, content, name, fields, param):
    reply = api.send_file(content, name, **fields)
    assert reply.status == 400, reply.text
    assert reply.json["error"]["param"] == param
    assert reply.json["error"]["type"] == "invalid_request_error"
    assert api("GET", "/usage").json["storage_bytes"] == 0


FORM = {"content-type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize(
    "body",
    [
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--b--\r\n',
    ],
)
def test_a_form_without_a_file_names_it(api, body):
    reply = api("POST", "/v1/files", body=body, headers=FORM)
    assert (reply.status, reply.json["error"]["param"]) == (400, "file")


def test_a_field_is_given_once(api):
    part = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    reply = api("POST", "/v1/files", body=part * 2 + b"--b--\r\n", headers=FORM)
    assert (reply.status, reply.json["error"]["param"]) == (400, "purpose")


@pytest.mark.parametrize("settings", [{"max_upload_bytes": 10}], indirect=True)
def test_a_large_file_is_too_large(api):
    reply = api.send_file("more than ten bytes")
    assert (reply.status, reply.json["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("settings", [{"quotas": {"storage_bytes": 20, "user_files": 1}}], indirect=True)
def test_a_used_up_quota_is_not_tried_again(api):
    assert api.send_file("x" * 30).status == 429
    api.keep_file("x")
    reply = api.send_file("x")
    assert (reply.status, reply.json["error"]["code"]) == (429, "insufficient_quota")
    assert reply.headers["x-should-retry"] == "false"
    assert as_user("bob").send_file("x").status == 200


def test_bytes_that_were_not_stored_are_not_charged(api, services, monkeypatch):
    def down(*args, **more):
        raise Unavailable(dependency="s3")

    monkeypatch.setattr(services.blobs, "put", down)
    reply = api.send_file("The sea is deep.")
    assert (reply.status, reply.json["error"]["type"]) == (503, "server_error")
    assert api("GET", "/usage").json["storage_bytes"] == 0
    assert api("GET", "/v1/files").json["data"] == []
