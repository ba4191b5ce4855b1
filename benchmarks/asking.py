"""Searches as clients ask them: over HTTP from several threads, or as API Gateway's events to a handler."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks.product import Product
from modulo.domain.transfer import Delivery
from modulo.runtime.events import uploads
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from modulo.services import Services

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: its seconds at the client, its status (0: no answer), and the search's answer."""

    seconds: float
    status: int
    answer: dict[str, Any]

    @property
    def stages(self) -> dict[str, float]:
        """Seconds of each stage."""
        found: dict[str, float] = self.answer["metadata"]["stage_seconds"]
        return found


@dataclass(frozen=True, slots=True)
class Load:
    """All requests of one load, and the seconds from the first question to the last answer."""

    samples: list[Sample]
    seconds: float

    @property
    def good(self) -> list[Sample]:
        """Those answered with 200."""
        return [sample for sample in self.samples if sample.status == 200]

    @property
    def errors(self) -> int:
        """How many were not."""
        return len(self.samples) - len(self.good)


def search_body(collection: str, question: str, **config: Any) -> Body:
    """The body of a search."""
    return {"question": question, "collection_id": collection, "config_metadata": config}


def ask(product: Product, bodies: Sequence[Body], *, concurrency: int = 1) -> Load:
    """Ask everything, so many at a time, each over a kept connection."""
    waiting, lock = iter(bodies), threading.Lock()

    def client() -> list[Sample]:
        address = urlsplit(product.url)
        connection = HTTPConnection(str(address.hostname), address.port, timeout=120)
        headers = {"Authorization": f"Bearer {product.key}", "Content-Type": "application/json"}
        found = [_asked(connection, headers, body) for body in _shared(waiting, lock)]
        connection.close()
        return found

    started = perf_counter()
    with ThreadPoolExecutor(concurrency) as pool:
        clients = [pool.submit(client) for _ in range(concurrency)]
        samples = [sample for one in clients for sample in one.result()]
    return Load(samples, perf_counter() - started)


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions' handlers in this process, called for one collection as AWS calls them."""

    services: Services
    key: str
    collection: str

    def search(self, question: str, **config: Any) -> str:
        """Search as API Gateway asks; the answer."""
        body = json.dumps(search_body(self.collection, question, **config)).encode()
        return self._post(200, "search", "/search", body, content_type="application/json")

    def upload(self, name: str, content: bytes) -> None:
        """Upload as API Gateway asks."""
        head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        form = head.encode() + content + b"\r\n--b--\r\n"
        path = f"/collections/{self.collection}/files"
        self._post(202, "upload_file", path, form, content_type="multipart/form-data; boundary=b")

    def delivery(self) -> Delivery:
        """The queue's message that announces an upload."""
        while True:
            for found in self.services.ingests.receive(limit=1, wait_seconds=2):
                if uploads(json.loads(found.body)):
                    return found
                self.services.ingests.delete(found.receipt)  # S3's test event

    def ingest(self, delivery: Delivery) -> None:
        """Ingest as the queue asks."""
        failed = function("ingest_file").handler({"Records": [record_of(delivery)]}, None)["batchItemFailures"]
        if failed:
            raise RuntimeError("a file was not ingested")
        self.services.ingests.delete(delivery.receipt)

    def _post(self, status: int, name: str, path: str, content: bytes, *, content_type: str) -> str:
        headers = {"authorization": f"Bearer {self.key}", "content-type": content_type}
        event = {
            "resource": path,
            "path": path,
            "httpMethod": "POST",
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "pathParameters": None,
            "stageVariables": None,
            "requestContext": {"requestId": "benchmark", "stage": "api", "identity": {"sourceIp": "127.0.0.1"}},
            "body": base64.b64encode(content).decode(),
            "isBase64Encoded": True,
        }
        answer = function(name).handler(event, None)
        if answer["statusCode"] != status:
            raise RuntimeError(f"{name} answered {answer['statusCode']}: {answer['body']}")
        return str(answer["body"])


def _shared(bodies: Iterator[Body], lock: threading.Lock) -> Iterator[Body]:
    while True:
        with lock:
            body = next(bodies, None)
        if body is None:
            return
        yield body


def _asked(connection: HTTPConnection, headers: Mapping[str, str], body: Body) -> Sample:
    content = json.dumps(body).encode()
    started = perf_counter()
    try:
        connection.request("POST", "/api/search", content, dict(headers))
        response = connection.getresponse()
        status, raw = response.status, response.read()
    except (OSError, HTTPException):
        connection.close()
        return Sample(perf_counter() - started, 0, {})
    return Sample(perf_counter() - started, status, json.loads(raw))
