"""Clients for benchmarks: concurrent searches over HTTP, and API Gateway or SQS events sent to handlers."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from benchmarks.load_generator import request, run_load
from benchmarks.product import Product
from modulo.domain.operations.messages import Delivery
from modulo.runtime.events import uploads
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from modulo.services import Services

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One search: its latency in seconds, status (0: no response) and response."""

    seconds: float
    status: int
    answer: dict[str, Any]

    @property
    def stages(self) -> dict[str, float]:
        """Seconds spent in each stage."""
        found: dict[str, float] = self.answer["metadata"]["stage_seconds"]
        return found


@dataclass(frozen=True, slots=True)
class SearchLoad:
    """All searches of one load, and the seconds from the first request to the last response."""

    samples: list[Sample]
    seconds: float

    @property
    def succeeded(self) -> list[Sample]:
        """Searches answered with 200."""
        return [sample for sample in self.samples if sample.status == 200]

    @property
    def errors(self) -> int:
        """Number of searches not answered with 200."""
        return len(self.samples) - len(self.succeeded)


def search_body(collection: str, question: str, **config: Any) -> Body:
    """The request body of a search."""
    return {"question": question, "collection_id": collection, "config_metadata": config}


def send_searches(product: Product, bodies: Sequence[Body], *, concurrency: int = 1) -> SearchLoad:
    """Send all searches over `concurrency` keep-alive connections."""
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
    return SearchLoad([*samples, *[Sample(0.0, 0, {})] * found.statuses[0]], found.seconds)


@dataclass(frozen=True, slots=True)
class FunctionClient:
    """Calls the functions' handlers in this process with the events that AWS would send, for one collection."""

    services: Services
    key: str
    collection: str

    def search(self, question: str, **config: Any) -> str:
        """Send a search event; the response body."""
        body = json.dumps(search_body(self.collection, question, **config)).encode()
        return self._post(200, "search", "/search", body, content_type="application/json")

    def upload(self, name: str, content: bytes) -> None:
        """Send an upload event."""
        head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        form = head.encode() + content + b"\r\n--b--\r\n"
        path = f"/collections/{self.collection}/files"
        self._post(202, "upload_file", path, form, content_type="multipart/form-data; boundary=b")

    def receive_upload(self) -> Delivery:
        """Receive the queue message that announces an upload."""
        while True:
            for found in self.services.ingests.receive(limit=1, wait_seconds=2):
                if uploads(json.loads(found.body)):
                    return found
                self.services.ingests.delete(found.receipt)  # S3's test event

    def ingest(self, delivery: Delivery) -> None:
        """Send the queue message to `ingest_file`, then delete it."""
        failed = function("ingest_file").handler({"Records": [record_of(delivery)]}, None)["batchItemFailures"]
        if failed:
            raise RuntimeError("ingest_file reported a failed message")
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
