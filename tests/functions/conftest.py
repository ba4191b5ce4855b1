"""Functions on in-memory services, called as AWS calls them."""

import asyncio
import atexit
import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from modulo.adapters.memory_queue import MemoryQueue
from modulo.adapters.system_clock import MemoryClock
from modulo.cli.keys import create_key
from modulo.domain.errors import Unavailable
from modulo.domain.file import FileRef
from modulo.domain.identity import Scope
from modulo.domain.letter import LetterPage
from modulo.domain.transfer import Delivery, IngestRequest
from modulo.runtime.hands import handle
from modulo.runtime.queue import record_of
from modulo.runtime.worker import QUEUES, function, function_names
from modulo.services import Services, install
from modulo.settings import Settings

LOOP = asyncio.new_event_loop()
"""What Mangum runs on: an environment has one for its whole life."""
asyncio.set_event_loop(LOOP)
atexit.register(LOOP.close)
NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Route:
    """An endpoint as its function's router declares it."""

    function: str
    method: str
    path: str

    def matches(self, method: str, path: str) -> bool:
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", self.path)
        return method == self.method and re.fullmatch(pattern, path) is not None


def routes() -> list[Route]:
    return [
        Route(name, next(iter(route.methods)), route.path)
        for name in function_names()
        for route in getattr(getattr(function(name), "router", None), "routes", [])
    ]


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
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
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

    def try_upload(
        self,
        collection: str,
        content: str | bytes,
        name: str = "notes.txt",
        on_duplicate: str = "existing",
        **headers: str,
    ) -> Reply:
        content = content.encode() if isinstance(content, str) else content
        disposition = f'form-data; name="file"; filename="{name}"'
        body = b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n--b--\r\n"
        form = {"content-type": "multipart/form-data; boundary=b", **headers}
        query = {"on_duplicate": on_duplicate}
        return self("POST", f"/collections/{collection}/files", body=body, query=query, headers=form)


def invoke(
    method: str,
    path: str,
    *,
    json_body: Any = None,
    body: str | bytes | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    route = next(route for route in routes() if route.matches(method, path))
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    if json_body is not None:
        body = json.dumps(json_body)
        sent.setdefault("content-type", "application/json")
    raw = body.encode() if isinstance(body, str) else body or b""
    event = {
        "resource": route.path,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": dict(query or {}) or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()} or None,
        "requestContext": {"requestId": str(uuid4()), "identity": {"sourceIp": "127.0.0.1"}, "stage": "api"},
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


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(NOW)


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """In-memory everything; a test changes some by `@pytest.mark.parametrize("settings", [{...}], indirect=True)`."""
    return Settings(**getattr(request, "param", {}))


@pytest.fixture
def services(settings: Settings, clock: MemoryClock) -> Iterator[Services]:
    made = Services(settings)
    made.clock = clock
    install(made)
    yield made
    install(None)


@pytest.fixture
def api(services: Services) -> Api:
    """The API under a key of the user ada of the tenant acme."""
    return as_user("ada")


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
    from modulo.domain.identity import external_id

    tenant = external_id("modulo", "tenant:acme")
    return FileRef(tenant, UUID(collection), UUID(file["file_id"]), file["generation"])


def ingest(api: Api, collection: str, file: Mapping[str, Any], *, attempt: int = 1) -> list[dict[str, str]]:
    """Deliver the upload's event; the failures answered."""
    event = sqs_event(s3_event(ref_of(api, collection, file)), attempt=attempt)
    failures: list[dict[str, str]] = function("ingest_file").handler(event, None)["batchItemFailures"]
    return failures


class Failing:
    """An embedder that is down."""

    def embed(self, model: Any, texts: Any) -> Any:
        raise Unavailable("busy", dependency="embedder")


def upload_failed(api: Api, services: Services, collection: str, name: str) -> dict[str, Any]:
    """A file that failed for a passing reason: the embedder was down at each attempt."""
    working, services.embedder = services.embedder, Failing()
    receipt = api.upload(collection, f"The {name} opens at noon.", name)
    for attempt in range(1, 5):
        ingest(api, collection, receipt, attempt=attempt)
    services.embedder = working
    return receipt


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


class Queues:
    """In-memory queues of a service whose time passes when it is told to."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.seconds = 0.0
        services.dead_letters = MemoryQueue(clock=lambda: self.seconds)
        made = (MemoryQueue(services.dead_letters, clock=lambda: self.seconds) for _ in range(3))
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
        """Let time pass until what is queued is done or given up, and bury that; how many messages were."""
        for _ in range(6):
            self.seconds += 1_000
            self.run("ingest_file", "fetch_url", "purge")
        return self.run("bury")


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


def bury_about(ref: FileRef) -> str:
    """A message about the generation was given up; the id of its letter."""
    from modulo.services import services

    event = {"Records": [record_of(Delivery(str(uuid4()), "receipt", json.dumps(IngestRequest(ref).body()), 1))]}
    assert function("bury").handler(event, None) == {"batchItemFailures": []}
    page = services().metadata.buried_letters(LetterPage(99))
    return str(next(letter.id for letter in page.items if letter.file_id == ref.file_id))


def letters_of(api: Api, collection: str, **query: str) -> list[dict[str, Any]]:
    reply = api("GET", f"/collections/{collection}/dead-letters", query=query)
    assert reply.status == 200, reply.text
    found: list[dict[str, Any]] = reply.json["items"]
    return found
