"""Stored objects by way of the server, in front of a real store."""

import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import anyio
import boto3
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from modulo.adapters.aws.s3_blobs import S3Blobs
from modulo.cli import serve
from modulo.cli.object_gateway import ObjectGateway, stored_objects
from modulo.cli.other_machines import own_address
from modulo.cli.prefork import listener
from modulo.domain.errors import NotConfigured
from modulo.domain.files.file import FileRef
from modulo.services import Services, install
from modulo.settings import Settings

Environment = dict[str, str]
PATIENCE_SECONDS = 60.0
"""Of each request: two cores may be busy."""
send, get, head, post = (
    partial(each, timeout=PATIENCE_SECONDS) for each in (httpx.request, httpx.get, httpx.head, httpx.post)
)
LARGE = bytes(range(256)) * 80_000
"""20 MB, five times what a direct upload may have."""
MAX_BYTES = 32 * 1024**2


@pytest.fixture
def store(cloud: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, value in cloud.items():
        monkeypatch.setenv(name, value)
    return cloud


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
def origin(store: Environment, settings: dict[str, Any]) -> Iterator[str]:
    """Where a server is reached that tells presigned forms and addresses."""
    install(Services(Settings(objects_through_server=True, max_file_bytes=MAX_BYTES, **settings)))
    app, blobs = FastAPI(), S3Blobs(store["BLOBS_BUCKET"])

    @app.get("/form/{size}")
    def form(size: int) -> Any:
        ref = FileRef(uuid4(), uuid4(), uuid4(), 1)
        made = blobs.presigned_post(ref, media_type="text/html", size_bytes=size, checksum_sha256=None, expires_in=60)
        return {"url": made.url, "fields": made.fields}

    @app.get("/link/{key:path}")
    def link(key: str) -> str:
        _, tenant, _, collection, _, file, generation, _ = key.split("/")
        ref = FileRef(tenant, collection, file, int(generation))
        return blobs.presigned_get(ref, name="a page.html", media_type="text/html", expires_in=60)

    app.add_middleware(ObjectGateway, objects=stored_objects())
    listening = listener("0.0.0.0", 0)
    server = uvicorn.Server(serve.config(app, grace_seconds=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not server.started:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE_SECONDS)
    listening.close()
    blobs.close()
    install(None)
    assert not thread.is_alive()


def uploaded(origin: str, content: bytes = b"the bytes") -> str:
    """The key of an object that was sent by a presigned form."""
    form = get(f"{origin}/form/{len(content)}").json()
    assert form["url"] == f"{origin}/objects"
    sent = post(form["url"], data=form["fields"], files={"file": ("a page.html", content)})
    assert sent.status_code == 204, sent.text
    return str(form["fields"]["key"])


def link_of(origin: str, key: str) -> str:
    link = get(f"{origin}/link/{key}").json()
    assert link.startswith(f"{origin}/objects/{key}?")
    return str(link)


def changed(link: str, **changes: str | None) -> str:
    parts = urlsplit(link)
    query = {**dict(parse_qsl(parts.query)), **{name.replace("_", "-"): value for name, value in changes.items()}}
    return parts._replace(query=urlencode({name: value for name, value in query.items() if value is not None})).geturl()


def test_a_file_larger_than_a_direct_upload_is_sent_and_read_back_by_another_address(origin: str) -> None:
    origin = origin.replace("127.0.0.1", own_address() or "127.0.0.2")
    link = link_of(origin, uploaded(origin, LARGE))
    assert get(link).content == LARGE
    part = get(link, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, LARGE[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(LARGE)}"
    told = head(link)
    assert (told.status_code, told.headers["content-length"], told.content) == (200, str(len(LARGE)), b"")


def test_an_object_is_a_file_in_a_sandbox_and_no_page_of_the_console(origin: str) -> None:
    answer = get(link_of(origin, uploaded(origin, b"<script>alert(1)</script>")))
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "x-request-id" in answer.headers


def test_a_credential_that_a_client_keeps_on_the_way_does_not_matter(origin: str) -> None:
    link = link_of(origin, uploaded(origin))
    assert get(link, headers={"authorization": "Bearer mod_x", "cookie": "a=b"}).content == b"the bytes"


def test_any_name_of_the_server_works(origin: str) -> None:
    key, port = uploaded(origin), urlsplit(origin).port
    link = get(f"http://127.0.0.1:{port}/link/{key}", headers={"host": f"garden.example:{port}"}).json()
    assert link.startswith(f"http://garden.example:{port}/objects/")
    assert get(link.replace("garden.example", "127.0.0.1")).content == b"the bytes"
    hostile = get(f"http://127.0.0.1:{port}/link/{key}", headers={"host": 'x/"><b>'}).json()
    assert hostile.startswith(f"http://127.0.0.1:{port}/objects/"), "what is no name is not repeated"


@pytest.mark.parametrize("settings", [{"public_url": "https://rag.example.org/"}])
def test_the_public_address_is_told_where_there_is_one(origin: str) -> None:
    assert get(f"{origin}/form/1").json()["url"] == "https://rag.example.org/objects"


def test_what_the_store_does_not_find_signed_is_refused(origin: str) -> None:
    key, other = uploaded(origin), uploaded(origin, b"another's")
    link = link_of(origin, key)
    forged = changed(link, X_Amz_Signature="0" * 64)
    assert (get(forged).status_code, "SignatureDoesNotMatch" in get(forged).text) == (403, True)
    for altered in (
        link.replace(key, other),
        changed(link, X_Amz_Expires="600"),
        changed(link, X_Amz_Date="20200101T000000Z"),
        changed(link, X_Amz_Credential="root/20260101/us-east-1/s3/aws4_request"),
        changed(link, response_content_type="text/plain"),
        changed(link, response_content_disposition="inline"),
    ):
        refused = get(altered)
        assert 400 <= refused.status_code < 500, altered
        assert b"the bytes" not in refused.content
        assert b"another's" not in refused.content


def test_what_is_not_signed_does_not_reach_the_store(origin: str) -> None:
    key = uploaded(origin)
    link = link_of(origin, key)
    for unsigned in (
        f"{origin}/objects/{key}",
        changed(link, X_Amz_Signature=None),
        changed(link, X_Amz_Algorithm="AWS4-ECDSA-P256-SHA256"),
        changed(link, X_Amz_SignedHeaders="host;range"),
        f"{link}&acl",
        f"{link}&X-Amz-Expires=900",
        f"{link}&%ff=1",
        link + "&a=1" * 1_000,
    ):
        refused = get(unsigned)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:modulo:problem:forbidden"), unsigned


@pytest.mark.parametrize(
    "path",
    ["/../other/x", "/..%2fother%2fx", "/%2e%2e/_ministack/reset", "//other/x", "/x/../y", "/x%00y", "/x%3Fa", "/."],
)
def test_a_path_outside_the_bucket_is_refused(origin: str, path: str) -> None:
    _, _, query = link_of(origin, uploaded(origin)).partition("?")
    with httpx.Client(timeout=PATIENCE_SECONDS) as client:
        target = f"/objects{path}?{query}".encode()
        asked = client.build_request("GET", origin, extensions={"target": target})
        refused = client.send(asked)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:modulo:problem:forbidden")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
def test_objects_have_no_other_methods(origin: str, method: str) -> None:
    refused = send(method, link_of(origin, uploaded(origin)))
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    listing = get(f"{origin}/objects")
    assert (listing.status_code, listing.headers["allow"]) == (405, "OPTIONS, POST")


def test_forms_are_within_what_was_signed(origin: str, store: Environment) -> None:
    form = get(f"{origin}/form/4").json()

    def upload(content: bytes, **changes: str | None) -> int:
        fields = {name: value for name, value in {**form["fields"], **changes}.items() if value is not None}
        return post(form["url"], data=fields, files={"file": content}).status_code

    unsigned = dict.fromkeys(("policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"), None)
    refused = [upload(b"12345"), upload(b"1234", key="other"), upload(b"1234", **{"x-amz-signature": "0" * 64})]
    refused += [upload(b"1234", **unsigned), upload(b"1234", bucket="other")]
    assert all(400 <= status < 500 for status in refused), refused
    s3 = boto3.client("s3")
    found = s3.list_objects_v2(Bucket=store["BLOBS_BUCKET"], Prefix=form["fields"]["key"])
    assert found["KeyCount"] == 0
    assert upload(b"1234") == 204


def test_a_body_that_is_no_form_is_refused(origin: str) -> None:
    address = f"{origin}/objects"
    assert post(address, content=b"<Delete/>").status_code == 415
    assert post(f"{address}?delete", files={"file": b"x"}).status_code == 403
    form = {"content-type": "multipart/form-data; boundary=b"}
    assert post(address, content=b"--b--", headers=form).status_code == 403, "the store finds no signature in it"
    assert post(address, content=iter([b"--b--"]), headers=form).status_code == 422


def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(origin: str) -> None:
    place = urlsplit(origin)
    head = "POST /objects HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(f"{head}Content-Length: {MAX_BYTES * 2}\r\n\r\n--b".encode())
        assert connection.recv(4_096).startswith(b"HTTP/1.1 413 ")


def test_an_upload_that_is_given_up_stores_nothing(origin: str, store: Environment) -> None:
    form = get(f"{origin}/form/{len(LARGE)}").json()
    whole = httpx.Request("POST", form["url"], data=form["fields"], files={"file": LARGE})
    body = whole.read()

    def broken() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionAbortedError

    headers = {"content-type": whole.headers["content-type"], "content-length": str(len(body))}
    with pytest.raises(ConnectionAbortedError), httpx.Client(timeout=PATIENCE_SECONDS) as client:
        client.post(form["url"], headers=headers, content=broken())
    assert uploaded(origin)  # others go on
    found = boto3.client("s3").list_objects_v2(Bucket=store["BLOBS_BUCKET"], Prefix=form["fields"]["key"])
    assert found["KeyCount"] == 0


def test_a_store_that_is_gone_is_told(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    link = link_of(origin, uploaded(origin))
    with listener("127.0.0.1", 0) as free:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    objects = stored_objects()

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(ObjectGateway(FastAPI(), objects))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get(link)

    answer = anyio.run(ask)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:modulo:problem:unavailable")


def test_without_an_address_of_the_store_there_is_nothing_to_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    with pytest.raises(NotConfigured):
        stored_objects()
