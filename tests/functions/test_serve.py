"""All functions in one server."""

import asyncio
import json
import re
from pathlib import Path

import anyio
import httpx
import pytest

from modulo.adapters.aws.emf_metrics import EmfMetrics
from modulo.adapters.prometheus_metrics import PrometheusMetrics
from modulo.cli import pages
from modulo.cli.documentation_site import add_documentation
from modulo.cli.openapi import document
from modulo.runtime.http import RequestMiddleware, application
from modulo.runtime.threads import use_threads
from tests.functions.conftest import LOOP, ingest
from tests.functions.served import composed_once


def request(method, path, app=None, **options):
    async def send():
        transport = httpx.ASGITransport(app or composed_once(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://modulo") as client:
            return await client.request(method, path, **options)

    try:
        return anyio.run(send)
    finally:
        asyncio.set_event_loop(LOOP)  # which functions go on with


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nowhere", 404, "no-such-endpoint"),
        ("GET", "/api/search", 405, "method-not-allowed"),
        ("DELETE", "/", 405, "method-not-allowed"),
    ],
)
def test_what_there_is_not_is_a_problem(services, method, path, status, code):
    reply = request(method, path)
    assert (reply.status_code, reply.json()["type"]) == (status, f"urn:modulo:problem:{code}")
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_broken_form_is_a_problem(api):
    collection = api.create_collection()
    headers = {**api.headers, "content-type": "multipart/form-data; boundary=b"}
    reply = request("POST", f"/api/collections/{collection}/files", content=b"--x", headers=headers)
    assert (reply.status_code, reply.json()["type"]) == (400, "urn:modulo:problem:malformed-request")


@pytest.mark.parametrize("settings", [{"max_upload_bytes": 1_000}], indirect=True)
def test_a_body_without_a_length_is_cut_off_too(api):
    collection = api.create_collection()

    async def endless():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 10_000

    for path in (f"/api/collections/{collection}/files", "/api/collections"):
        headers = {**api.headers, "content-type": "multipart/form-data; boundary=b"}
        assert request("POST", path, content=endless(), headers=headers).status_code == 413
        assert request("POST", path, content=b"x" * 400_000, headers=headers).status_code == 413


def console(folder):
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<script type="module" src="./assets/index-1a2b.js"></script>')
    (folder / "assets/index-1a2b.js").write_text("// of the console")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / ".digest").write_text("of the sources")
    return folder


def test_the_console_is_served_where_it_was_built(services, monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "CONSOLE", console(tmp_path / "console"))
    app = composed_once()
    page = request("GET", "/", app)
    assert "text/html" in page.headers["content-type"]
    assert "assets/index-1a2b.js" in page.text
    assert page.headers["cache-control"] == "no-cache"
    script = request("GET", "/assets/index-1a2b.js", app)
    assert "javascript" in script.headers["content-type"]
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert request("GET", "/icon.svg", app).headers["content-type"] == "image/svg+xml"
    for reply in (page, script):
        assert "default-src 'self'" in reply.headers["content-security-policy"]
        assert "unsafe" not in reply.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        *("/.digest", "/index.html", "/assets", "/assets/", "/assets/none.js"),
        *("/assets/../.digest", "/assets/%2e%2e/.digest", "/assets/%2e%2e%2f.digest", "/assets/.%5c"),
    ],
)
def test_no_other_file_is_served(services, monkeypatch, tmp_path, path):
    monkeypatch.setattr(pages, "CONSOLE", console(tmp_path / "console"))
    assert request("GET", path).status_code == 404


def test_without_a_console_the_page_says_so(services, monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "CONSOLE", tmp_path / "missing")
    page = request("GET", "/")
    assert page.status_code == 200
    assert "make console" in page.text
    assert re.findall(r'(?:src|href)="([^"]*)"', page.text) == ["data:,", "page.css", "api/docs"]
    assert request("GET", "/page.css").status_code == 200


def test_the_reference_loads_nothing_from_elsewhere(services):
    page = request("GET", "/api/docs")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert re.findall(r'(?:src|href)="([^"]*)"', page.text) == ["data:,", "../page.css", "docs.js", "openapi.json"]
    assert "onclick" not in page.text
    assert "style=" not in page.text
    script = request("GET", "/api/docs.js").text
    assert "innerHTML" not in script
    assert "//" not in script.replace("// The API's reference", "")
    described = request("GET", "/api/openapi.json")
    assert described.headers["cache-control"] == "no-cache"
    assert described.json()["paths"]["/api/search"]["post"]["tags"] == ["search"]


@pytest.mark.parametrize("store", [None, "http://127.0.0.1:4566/ignored"])
def test_the_page_may_speak_to_this_server_and_its_object_store_only(services, monkeypatch, store):
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    policy = request("GET", "/").headers["content-security-policy"]
    assert f"connect-src 'self' {'http://127.0.0.1:4566' if store else 'https://*.amazonaws.com'};" in policy
    assert "object-src 'none'" in policy
    assert "base-uri 'none'" in policy


@pytest.mark.parametrize("settings", [{"objects_through_server": True}], indirect=True)
def test_the_page_may_speak_to_this_server_alone_where_objects_go_through_it(services, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    policy = request("GET", "/").headers["content-security-policy"]
    assert "connect-src 'self';" in policy
    refused = request("GET", "/objects/tenants/x")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:modulo:problem:forbidden")


def test_objects_do_not_go_through_a_server_by_themselves(services):
    for method in ("GET", "POST"):
        assert request(method, "/objects").status_code == 404


ISSUER = {"oidc_issuer": "https://id.example.org/realms/acme", "oidc_audience": "modulo-api"}
SIGN_IN = ISSUER | {"oidc_client_id": "modulo-console"}


@pytest.mark.parametrize("settings", [{}, ISSUER], indirect=True)
def test_without_a_client_at_the_issuer_the_console_is_told_of_none(services):
    assert request("GET", "/console.json").json() == {"oidc": None}
    assert "id.example.org" not in request("GET", "/").headers["content-security-policy"]


@pytest.mark.parametrize("settings", [SIGN_IN], indirect=True)
def test_the_console_is_told_where_people_sign_in_and_may_speak_to_it(services):
    told = request("GET", "/console.json")
    assert told.json()["oidc"] == {
        "issuer": ISSUER["oidc_issuer"],
        "client_id": "modulo-console",
        "scope": "openid read write",
        "audience": "modulo-api",
        "token_origin": "",
    }
    assert told.headers["cache-control"] == "no-cache"
    policy = request("GET", "/").headers["content-security-policy"]
    [connect] = [part for part in policy.split("; ") if part.startswith("connect-src")]
    assert connect.split()[-1] == "https://id.example.org"


@pytest.mark.parametrize("settings", [SIGN_IN | {"oidc_token_origin": "https://tokens.example.org"}], indirect=True)
def test_the_console_may_speak_to_where_tokens_are_issued_too(services):
    assert request("GET", "/console.json").json()["oidc"]["token_origin"] == "https://tokens.example.org"
    policy = request("GET", "/").headers["content-security-policy"]
    [connect] = [part for part in policy.split("; ") if part.startswith("connect-src")]
    assert connect.split()[-2:] == ["https://id.example.org", "https://tokens.example.org"]


TOKEN = "a-token-of-more-than-thirty-two-characters"


@pytest.mark.parametrize("settings", [{"metrics_token": TOKEN}], indirect=True)
@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}\u00e9"])
def test_metrics_ask_for_their_token(services, header):
    assert request("GET", "/metrics", headers={"authorization": header.encode()}).status_code == 401


def test_without_a_token_there_are_no_metrics(services):
    assert request("GET", "/metrics", headers={"authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("settings", [{"metrics_token": TOKEN, "metrics": "emf"}], indirect=True)
def test_metrics_that_go_to_logs_are_not_found_and_say_why(services):
    services.metrics = EmfMetrics("modulo")
    answer = request("GET", "/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:modulo:problem:not-found")
    assert "METRICS=emf" in answer.json()["detail"]
    assert "METRICS=prometheus" in answer.json()["detail"]
    refused = request("GET", "/metrics", headers={"authorization": "Bearer x"})
    assert refused.status_code == 401, "where metrics go is told to holders of the token only"


@pytest.mark.parametrize("settings", [{"metrics_token": TOKEN}], indirect=True)
def test_metrics_count_requests_by_route(services):
    services.metrics = PrometheusMetrics()
    request("GET", "/api/health?probe=live")
    request("GET", "/api/collections/7")
    for path in ("/api/conversations/7", "/v1/conversations/7"):
        request("GET", path)
    for number in range(20):
        request(f"FORGED{number}", "/api/health")
    text = request("GET", "/metrics", headers={"authorization": f"Bearer {TOKEN}"}).text
    assert text.count("# HELP rag_requests_total Requests, by method, endpoint and status.") == 1
    assert "FORGED" not in text
    assert 'method="other"' in text
    assert 'rag_requests_total{endpoint="/health",method="GET",status="200"} 1.0' in text
    assert "rag_request_duration_seconds_bucket" in text
    assert "/7" not in text
    for door in ("", "/v1"):
        path = f"{door}/conversations/{{conversation_id}}"
        assert f'rag_requests_total{{endpoint="{path}",method="GET",status="401"}} 1.0' in text, "each on its own"


def test_the_description_kept_is_the_description_served(services):
    kept = Path("infra/openapi.json").read_text()
    assert kept == document(), "run `make openapi`"
    assert json.loads(kept)["paths"]["/api/search"]["post"]["operationId"] == "search"


def test_an_error_after_the_answer_began_is_not_hidden(services):
    async def broken(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("later")

    with pytest.raises(RuntimeError, match="later"):
        called(RequestMiddleware(broken), {"type": "http", "method": "GET", "headers": []})


def test_what_is_no_request_is_passed_on(services):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    called(RequestMiddleware(app), {"type": "lifespan"})
    assert seen == ["lifespan"]


def called(app, scope):
    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        pass

    anyio.run(app, scope, receive, send)


@pytest.mark.parametrize("threads", [None, 2])
def test_a_search_is_remembered_once_its_answer_is_out(api, services, monkeypatch, threads):
    collection, happened, put = api.create_collection(), [], services.cache.put
    ingest(api, collection, api.upload(collection, "The sea is deep."))
    monkeypatch.setattr(services.cache, "put", lambda entries: happened.append("put") or put(entries))

    async def asked():
        body = json.dumps({"question": "How deep is the sea?", "collection_id": collection}).encode()

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            happened.append(message["type"])

        headers = [(name.lower().encode(), value.encode()) for name, value in api.headers.items()]
        scope = {"type": "http", "method": "POST", "path": "/api/search", "query_string": b"", "root_path": ""}
        scope |= {"headers": [*headers, (b"content-type", b"application/json")], "http_version": "1.1"}
        await composed_once()(scope, receive, send)

    use_threads(threads)
    try:
        for _ in range(2):
            anyio.run(asked)
    finally:
        use_threads(None)
    answer = ["http.response.start", "http.response.body"]
    assert happened == [*answer, "put", *answer]  # the second is cached


def test_a_client_that_goes_in_the_midst_of_an_upload_leaves_nothing(api, caplog):
    collection, sent = api.create_collection(), []
    begun = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nThe sea is'
    messages = iter([{"type": "http.request", "body": begun, "more_body": True}, {"type": "http.disconnect"}])

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in api.headers.items()]
    headers.append((b"content-type", b"multipart/form-data; boundary=b"))
    scope = {"type": "http", "method": "POST", "path": f"/api/collections/{collection}/files", "query_string": b""}
    anyio.run(composed_once(), scope | {"root_path": "", "headers": headers, "http_version": "1.1"}, receive, send)
    assert request("GET", f"/api/collections/{collection}/files", headers=api.headers).json()["items"] == []
    assert request("GET", "/api/usage", headers=api.headers).json()["storage_bytes"] == 0
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.fixture
def site(tmp_path):
    """The website of the documentation where it is not built yet."""
    app = application()
    add_documentation(app, tmp_path / "site")
    return app


def test_the_documentation_says_how_to_build_it_and_is_served_once_it_is(services, site, tmp_path):
    missing = request("GET", "/docs/index.html", site)
    assert (missing.status_code, "make site" in missing.text) == (404, True)
    (tmp_path / "site" / "guides").mkdir(parents=True)
    for name in ("index.html", "guides/start.html", "guides/index.html"):
        (tmp_path / "site" / name).write_text(f"<p>{name}")
    found = request("GET", "/docs/guides/start.html", site)
    assert (found.status_code, found.text) == (200, "<p>guides/start.html")
    assert "script-src 'self';" in found.headers["content-security-policy"]
    for path in ("/docs/nowhere", "/docs/guides/", "/docs/%2e%2e/%2e%2e/serve.py", "/docs/%00"):
        unknown = request("GET", path, site)
        assert (unknown.status_code, "no such page" in unknown.text) == (404, True)
    assert request("POST", "/docs/index.html", site).status_code == 405


def test_the_server_has_the_documentation_below_its_address(services):
    for path in ("/docs", "/docs/"):
        assert request("GET", path).headers["location"] == "/docs/index.html"
    assert request("GET", "/docs/nowhere").status_code == 404
