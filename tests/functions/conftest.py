"""Functions on a real Postgres and doubles of the rest, called as AWS calls them."""

import asyncio
import atexit
import base64
import json
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from modulo.cli.main import app
from modulo.domain.errors import ModuloError, Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.operations.dead_letter import DeadLetterQuery
from modulo.domain.operations.messages import Delivery, IngestRequest
from modulo.domain.tenancy.identity import Principal, Scope, external_id
from modulo.runtime.admin.keys import create_key
from modulo.runtime.openai.door import V1_PREFIX, is_of_v1
from modulo.runtime.queue import record_of
from modulo.runtime.queue_consumer import handle
from modulo.runtime.worker import QUEUES, function, function_names
from modulo.services import Services, install
from modulo.settings import Settings
from tests.databases import Database
from tests.doubles.doubled_services import doubled_services
from tests.doubles.memory_clock import MemoryClock
from tests.doubles.memory_queue import MemoryQueue
from tests.functions.gateway import Gateway

T = TypeVar("T")
LOOP = asyncio.new_event_loop()
"""What Mangum runs on: an environment has one for its whole life."""
asyncio.set_event_loop(LOOP)
atexit.register(LOOP.close)
SETTLED = {"DATABASE_URL": "the one of the services that are installed"}
"""For operators' commands, which otherwise look for a stack that runs on this machine."""
NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Route:
    """An endpoint as its function's router declares it; the path of a door other than /api begins with the door's."""

    function: str
    method: str
    path: str

    def matches(self, method: str, path: str) -> bool:
        return method == self.method and self._pattern.fullmatch(path) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{[^}]+\}", "[^/]+", re.sub(r"\{[^}]+:path\}", ".+", self.path)))

    @property
    def stage(self) -> str:
        """The stage of the function's REST API."""
        return V1_PREFIX if is_of_v1(self.function) else "/api"


@cache
def routes() -> tuple[Route, ...]:
    """Every endpoint; made once, as each call of the API looks for its own."""
    return tuple(
        Route(name, next(iter(route.methods)), (V1_PREFIX if is_of_v1(name) else "") + route.path)
        for name in function_names()
        for route in getattr(getattr(function(name), "router", None), "routes", [])
    )


@dataclass
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Api:
    """Calls handlers with API Gateway's events, under one credential."""

    headers: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: str | bytes | None = None,
        query: Mapping[str, str | list[str]] | None = None,
        headers: Mapping[str, str | list[str]] | None = None,
    ) -> Reply:
        return invoke(method, path, json_body=json, body=body, query=query, headers={**self.headers, **(headers or {})})

    def create_collection(self, name: str = "papers", **more: Any) -> str:
        reply = self("POST", "/collections", json={"name": name, **more})
        assert reply.status == 201, reply.text
        return str(reply.json["id"])

    def upload(self, collection: str, content: str | bytes, name: str = "notes.txt") -> dict[str, Any]:
        reply = self.try_upload(collection, content, name, "new")
        assert reply.status == 202, reply.text
        found: dict[str, Any] = reply.json
        return found

    def send_file(self, content: str | bytes, name: str = "notes.txt", **fields: str) -> Reply:
        """Upload a file of the user's by /v1."""
        parts = {"purpose": "assistants", **fields}
        body = b"".join(
            f'--b\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
            for field, value in parts.items()
        )
        content = content.encode() if isinstance(content, str) else content
        disposition = f'form-data; name="file"; filename="{name}"'
        body += b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n--b--\r\n"
        return self("POST", "/v1/files", body=body, headers={"content-type": "multipart/form-data; boundary=b"})

    def begin_upload(self, size: int, name: str = "notes.txt", **more: Any) -> str:
        """An upload in parts by /v1."""
        body = {"filename": name, "purpose": "assistants", "bytes": size, "mime_type": "text/plain", **more}
        reply = self("POST", "/v1/uploads", json=body)
        assert reply.status == 200, reply.text
        return str(reply.json["id"])

    def send_part(self, upload: str, content: str | bytes) -> Reply:
        content = content.encode() if isinstance(content, str) else content
        body = (
            b'--b\r\nContent-Disposition: form-data; name="data"; filename="part"\r\n\r\n' + content + b"\r\n--b--\r\n"
        )
        form = {"content-type": "multipart/form-data; boundary=b"}
        return self("POST", f"/v1/uploads/{upload}/parts", body=body, headers=form)

    def keep_file(self, content: str | bytes, name: str = "notes.txt", **fields: str) -> str:
        reply = self.send_file(content, name, **fields)
        assert reply.status == 200, reply.text
        return str(reply.json["id"])

    def attach(self, collection: str, file: str) -> dict[str, Any]:
        reply = self("POST", f"/v1/vector_stores/{collection}/files", json={"file_id": file})
        assert reply.status == 200, reply.text
        found: dict[str, Any] = reply.json
        return found

    def try_upload(
        self,
        collection: str,
        content: str | bytes,
        name: str = "notes.txt",
        on_duplicate: str = "existing",
        attributes: str | None = None,
        **headers: str,
    ) -> Reply:
        content = content.encode() if isinstance(content, str) else content
        disposition = f'form-data; name="file"; filename="{name}"'
        body = b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content
        if attributes is not None:
            part = '\r\n--b\r\nContent-Disposition: form-data; name="attributes"\r\n\r\n'
            body += part.encode() + attributes.encode()
        body += b"\r\n--b--\r\n"
        form = {"content-type": "multipart/form-data; boundary=b", **headers}
        query = {"on_duplicate": on_duplicate}
        return self("POST", f"/collections/{collection}/files", body=body, query=query, headers=form)


def invoke(
    method: str,
    path: str,
    *,
    json_body: Any = None,
    body: str | bytes | None = None,
    query: Mapping[str, str | list[str]] | None = None,
    headers: Mapping[str, str | list[str]] | None = None,
) -> Reply:
    route = next(route for route in routes() if route.matches(method, path))
    sent = {name.lower(): [value] if isinstance(value, str) else value for name, value in (headers or {}).items()}
    if json_body is not None:
        body = json.dumps(json_body)
        sent.setdefault("content-type", ["application/json"])
    raw = body.encode() if isinstance(body, str) else body or b""
    parameters = {name: [value] if isinstance(value, str) else value for name, value in (query or {}).items()}
    event = {
        "resource": route.path.removeprefix(V1_PREFIX),
        "path": path.removeprefix(V1_PREFIX),
        "httpMethod": method,
        "headers": {name: values[-1] for name, values in sent.items()},
        "multiValueHeaders": sent,
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "requestContext": {"requestId": str(uuid4()), "identity": {"sourceIp": "127.0.0.1"}, "stage": route.stage[1:]},
        "body": base64.b64encode(raw).decode() if raw else None,
        "isBase64Encoded": bool(raw),
    }
    answer = function(route.function).handler(event, None)
    assert not answer["isBase64Encoded"], "text must not be encoded"
    listed = {name: values[0] for name, values in (answer.get("multiValueHeaders") or {}).items()}
    return Reply(answer["statusCode"], {**(answer.get("headers") or {}), **listed}, answer["body"])


@pytest.fixture(autouse=True)
def event_loop() -> None:
    """A test may have set another, or none."""
    asyncio.set_event_loop(LOOP)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own, and leave the one that functions go on with."""
    try:
        return asyncio.run(work)
    finally:
        asyncio.set_event_loop(LOOP)


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(NOW)


@pytest.fixture
def settings(request: pytest.FixtureRequest, database: Database) -> Settings:
    """What a test changes, it changes by `@pytest.mark.parametrize("settings", [{...}], indirect=True)`."""
    return Settings(**database.settings | {"blobs_bucket": "uploads"} | getattr(request, "param", {}))


@pytest.fixture
def services(
    settings: Settings, clock: MemoryClock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    """Services of their own for each test, on an empty database, which they reach by shared connections."""
    monkeypatch.setattr("modulo.adapters.postgres.engine.engines", lambda settings: database.pools)
    monkeypatch.setattr("modulo.adapters.postgres.connection_gauge.count_in_use", lambda pools, metrics: pools)
    database.empty()
    made = doubled_services(settings, clock)
    install(made)
    yield made
    install(None)


@pytest.fixture
def api(services: Services) -> Api:
    """The API under a key of the user ada of the tenant acme."""
    return as_user("ada")


@pytest.fixture
def collection(api: Api) -> str:
    """An empty collection of ada's."""
    return api.create_collection()


@pytest.fixture
def gateway(services: Services, clock: MemoryClock) -> Gateway:
    return Gateway(services, clock)


def principal_of(user: str, tenant: str = "acme") -> Principal:
    """Whom such a user's key stands for."""
    tenant_id, user_id = external_id("modulo", f"tenant:{tenant}"), external_id("modulo", f"user:{tenant}:{user}")
    return Principal(tenant_id, user_id, frozenset(Scope))


def as_user(user: str, tenant: str = "acme", scopes: list[Scope] | None = None) -> Api:
    return Api({"authorization": f"Bearer {create_key(tenant, user, 'test', scopes=scopes)}"})


def sqs_event(*bodies: Mapping[str, Any] | str, attempt: int = 1) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"r{number}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": str(attempt)},
                "eventSource": "aws:sqs",
            }
            for number, body in enumerate(bodies)
        ]
    }


def s3_event(*refs: FileRef) -> dict[str, Any]:
    return {
        "Records": [
            {"eventName": "ObjectCreated:Post", "s3": {"bucket": {"name": "uploads"}, "object": {"key": ref.key}}}
            for ref in refs
        ]
    }


def ref_of(api: Api, collection: str, file: Mapping[str, Any]) -> FileRef:
    return FileRef(external_id("modulo", "tenant:acme"), UUID(collection), UUID(file["file_id"]), file["generation"])


def ingest(api: Api, collection: str, file: Mapping[str, Any], *, attempt: int = 1) -> list[dict[str, str]]:
    """Deliver the upload's event; the failures answered."""
    event = sqs_event(s3_event(ref_of(api, collection, file)), attempt=attempt)
    failures: list[dict[str, str]] = function("ingest_file").handler(event, None)["batchItemFailures"]
    return failures


METADATA = (
    *("user_files", "file_batches", "part_uploads", "conversations", "conversation_messages"),
    *("collections", "database", "dead_letters", "deletions", "fetching", "files", "grants", "identities", "ingestion"),
    *("members", "parts", "purging", "reembeddings", "subscriptions", "sweeping", "tenants", "uploads", "usage"),
    *("backups", "user_deletions", "vector_rebuilds"),
)
"""The roles that Postgres plays."""


def replace_metadata(services: Services, replacement: Callable[[Any], Any]) -> Callable[[], None]:
    """Put something in the place of each role of the metadata; the call returned puts back what was there."""
    real = {role: getattr(services, role) for role in METADATA}
    vars(services).update({role: replacement(port) for role, port in real.items()})
    return lambda: vars(services).update(real)


class Failing:
    """An embedder that is down, or fails in another way."""

    def __init__(self, error: ModuloError | None = None) -> None:
        self._error = error or Unavailable("busy", dependency="embedder")

    def embed(self, model: Any, texts: Any, *, whole: bool = False) -> Any:
        raise self._error


class DownQueue:
    """A queue that is down."""

    def send(self, body: Any) -> Any:
        raise Unavailable(dependency="sqs")


def upload_failed(api: Api, services: Services, collection: str, name: str) -> dict[str, Any]:
    """A file that failed for a passing reason: the embedder was down at each attempt."""
    working, services.embedder = services.embedder, Failing()
    receipt = api.upload(collection, f"The {name} opens at noon.", name)
    for attempt in range(1, 5):
        ingest(api, collection, receipt, attempt=attempt)
    services.embedder = working
    return receipt


def ingest_all(api: Api, collection: str) -> None:
    """Deliver the event of every file of the collection that waits to be ingested."""
    _ingest_waiting(api, collection, api("GET", f"/collections/{collection}/files").json["items"])


def ingest_everything(api: Api) -> None:
    """Deliver the event of every waiting file of all collections, of which any may be deleted meanwhile."""
    for collection in api("GET", "/collections", query={"limit": "100"}).json["items"]:
        listed = api("GET", f"/collections/{collection['id']}/files")
        if listed.status != 404:
            _ingest_waiting(api, collection["id"], listed.json["items"])


def _ingest_waiting(api: Api, collection: str, files: list[dict[str, Any]]) -> None:
    for file in files:
        if file["stage"] == "awaiting_upload":
            receipt = {"file_id": file["id"], "generation": file["generation"]}
            assert ingest(api, collection, receipt) == []


def fetch(services: Services, *, attempts: int = 1) -> list[dict[str, str]]:
    """Have `fetch_url` handle what is queued for it, so many times as it fails; the failures of the last time."""
    (delivery,) = services.fetches.receive(limit=10, wait_seconds=0)
    for attempt in range(1, attempts + 1):
        event = sqs_event(delivery.body, attempt=attempt)
        failures: list[dict[str, str]] = function("fetch_url").handler(event, None)["batchItemFailures"]
    services.fetches.delete(delivery.receipt)
    return failures


def deliver_queued(services: Services) -> None:
    """Have `ingest_file` handle everything that is queued for it."""
    for delivery in services.ingests.receive(limit=10, wait_seconds=0):
        answer = function("ingest_file").handler({"Records": [record_of(delivery)]}, None)
        assert answer["batchItemFailures"] == []
        services.ingests.delete(delivery.receipt)


class Queues:
    """In-memory queues of a service whose time passes when it is told to."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.seconds = 0.0
        services.dead_letter_queue = MemoryQueue(clock=lambda: self.seconds)
        made = (MemoryQueue(services.dead_letter_queue, clock=lambda: self.seconds) for _ in range(3))
        services.ingests, services.fetches, services.purges = made

    def run(self, *names: str) -> int:
        """Deliver once what is visible to these functions; how many deliveries were handled."""
        handled = 0
        for name in names:
            queue = QUEUES[name](self.services)
            for delivery in queue.receive(limit=100, wait_seconds=0):
                handled += handle(function(name).handler, queue, delivery)
        return handled

    def give_up(self) -> int:
        """Let time pass until what is queued is done or given up, and record that; how many messages were."""
        for _ in range(6):
            self.seconds += 1_000
            self.run("ingest_file", "fetch_url", "purge")
        return self.run("record_dead_letter")


@pytest.fixture
def queues(services: Services) -> Queues:
    return Queues(services)


def give_up_file(api: Api, queues: Queues, collection: str, name: str = "vault.txt") -> dict[str, Any]:
    """A file whose message was given up, the embedder being down; it works again."""
    services = queues.services
    working, services.embedder = services.embedder, Failing()
    receipt = api.upload(collection, f"The {name} opens at noon.", name)
    services.ingests.send(IngestRequest(ref_of(api, collection, receipt)).body())
    assert queues.give_up() == 1
    services.embedder = working
    return receipt


def record_dead_letter_about(ref: FileRef) -> str:
    """A message about the generation was given up; the id of its letter."""
    from modulo.services import services

    event = {"Records": [record_of(Delivery(str(uuid4()), "receipt", json.dumps(IngestRequest(ref).body()), 1))]}
    assert function("record_dead_letter").handler(event, None) == {"batchItemFailures": []}
    page = services().dead_letters.list_all_dead_letters(DeadLetterQuery(99))
    return str(next(letter.id for letter in page.items if letter.file_id == ref.file_id))


def letters_of(api: Api, collection: str, **query: str) -> list[dict[str, Any]]:
    reply = api("GET", f"/collections/{collection}/dead-letters", query=query)
    assert reply.status == 200, reply.text
    found: list[dict[str, Any]] = reply.json["items"]
    return found


RETRIES = ("file", "collection", "letter", "letters", "operator")
"""The ways in which a file's work may be asked for again."""


def retry_by(way: str, api: Api, collection: str, file_id: str) -> None:
    """Ask in this way for the work of a file that has one dead letter."""
    [letter] = letters_of(api, collection)
    ask = {
        "file": f"/files/{file_id}/retry",
        "collection": "/retry",
        "letter": f"/dead-letters/{letter['id']}/retry",
        "letters": "/dead-letters/retry",
    }
    if way == "operator":
        assert CliRunner().invoke(app, ["dead-letters", "retry", "--all"], env=SETTLED).exit_code == 0
    else:
        assert api("POST", f"/collections/{collection}{ask[way]}").status == 202
