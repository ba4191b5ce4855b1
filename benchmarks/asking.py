"""Searches as clients ask them: over HTTP from several threads, or as API Gateway's events to a handler."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from benchmarks.load import request, run_load
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
    address = urlsplit(product.url)
    headers = {"Authorization": f"Bearer {product.key}"}
    requests = [request("POST", "/api/search", headers=headers, body=body) for body in bodies]
    found = run_load(
        str(address.hostname), address.port or 0, requests, connections=concurrency, total=len(requests), keep=True
    )
    samples = [
        Sample(seconds, status, json.loads(body))
        for seconds, (status, body) in zip(found.latencies, found.answers, strict=True)
    ]
    return Load([*samples, *[Sample(0.0, 0, {})] * found.statuses[0]], found.seconds)


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
