"""A deployed stack as tests see it: its API through the gateway, and its cloud through boto3."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from modulo.cli.deploy import Deployment
from modulo.runtime.admin.keys import create_key

PATIENCE_SECONDS = 90.0
LIGHTHOUSE = "The lighthouse of Tarnby was built in 1868. It is 41 metres tall and has 212 steps."
QUESTION = "How tall is the lighthouse?"


def until(condition: Callable[[], Any], *, what: str, patience: float = PATIENCE_SECONDS) -> Any:
    give_up = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < give_up, f"it took too long until {what}"
        time.sleep(0.1)
    return found


@dataclass
class Deployed:
    """A deployment, and what was seen while it was made."""

    emulator: str
    made: Deployment
    http: httpx.Client
    seconds: Mapping[str, float]
    log: Path
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.made.cloud.client(service)
        return self.clients[service]

    def user(self, name: str = "ada", tenant: str | None = None) -> "User":
        tenant = tenant or f"tenant-{uuid4()}"
        return User(self.http, create_key(tenant, name, "e2e"), tenant)

    def send(self, queue: str, body: Mapping[str, Any]) -> None:
        self.client("sqs").send_message(QueueUrl=self.made.outputs[queue], MessageBody=json.dumps(body))

    def waiting(self, queue: str) -> int:
        """Messages in a queue, those in work or put off among them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = self.client("sqs").get_queue_attributes(QueueUrl=self.made.outputs[queue], AttributeNames=names)
        return sum(int(count) for count in asked["Attributes"].values())

    def until_empty(self, *queues: str) -> None:
        until(lambda: all(self.waiting(queue) == 0 for queue in queues), what=f"{queues} are empty")

    def invocations(self, function: str) -> int:
        """How often a function ran, as the cloud itself counted; MiniStack tells only of the first runs."""
        if self.emulator == "ministack":
            return self.log.read_text().count(f"Lambda worker spawned for {function} ")
        now = datetime.now(UTC)
        counted = self.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3_600,
            Statistics=["Sum"],
        )
        return int(sum(point["Sum"] for point in counted["Datapoints"]))

    def versions(self, prefix: str) -> list[str]:
        """Everything the bucket holds below a prefix: each version and delete marker."""
        pages = self.client("s3").get_paginator("list_object_versions")
        return [
            item["Key"]
            for page in pages.paginate(Bucket=self.made.outputs["Uploads"], Prefix=prefix)
            for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        ]

    def set_environment(self, function: str, **values: str) -> None:
        """Change settings of a deployed function."""
        functions = self.client("lambda")
        present = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": {**present, **values}})
        functions.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})


class User:
    """One user's view of the API, through the gateway."""

    def __init__(self, http: httpx.Client, key: str, tenant: str) -> None:
        self.tenant = tenant
        self.key = key
        self._http = http
        self._headers = {"authorization": f"Bearer {key}"}

    def __call__(self, method: str, path: str, status: int, **options: Any) -> Any:
        reply = self._http.request(method, path, headers=self._headers, follow_redirects=False, **options)
        assert reply.status_code == status, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def create(self, name: str = "papers") -> str:
        return str(self("POST", "/collections", 201, json={"name": name})["id"])

    def upload(self, collection: str, name: str, content: bytes | str) -> str:
        """Upload a file of its own, whatever others hold; its id."""
        path = f"/collections/{collection}/files?on_duplicate=new"
        return str(self("POST", path, 202, files={"file": (name, content)})["file_id"])

    def announce(self, collection: str, name: str, size: int, **more: Any) -> Any:
        return self("POST", f"/collections/{collection}/uploads", 201, json={"name": name, "size_bytes": size, **more})

    def file(self, collection: str, file: str) -> Any:
        return self("GET", f"/collections/{collection}/files/{file}", 200)

    def finished(self, collection: str, file: str, *stages: str) -> Any:
        """Wait for the file to reach one of the stages, or any end."""
        wanted = stages or ("ready", "failed")
        return until(lambda: (found := self.file(collection, file))["stage"] in wanted and found, what=f"{wanted}")

    def watch(self, collection: str, position: str = "") -> tuple[list[tuple[str, Any]], str]:
        """What is new since a position, and the position now."""
        headers = self._headers | ({"last-event-id": position} if position else {})
        reply = self._http.get(f"/collections/{collection}/events", headers=headers)
        assert reply.status_code == 200, reply.text
        assert reply.headers["content-type"].startswith("text/event-stream")
        blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in reply.text.split("\n\n")[:-1]]
        told = [(block["event"], json.loads(block["data"])) for block in blocks if "data" in block]
        return told, blocks[-1]["id"]

    def ask(self, collection: str, question: str = QUESTION, **config: Any) -> Any:
        body = {"question": question, "collection_id": collection, "config_metadata": config}
        return self("POST", "/search", 200, json=body)


def send_form(form: Mapping[str, Any], content: bytes) -> httpx.Response:
    return httpx.post(form["url"], data=form["fields"], files={"file": ("file", content)}, timeout=60, trust_env=False)


def object_created(bucket: str, key: str, *, size: int, sequencer: str) -> dict[str, Any]:
    """A notification as S3 sends it."""
    found = {"key": key, "size": size, "eTag": "0" * 32, "versionId": "1", "sequencer": sequencer}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": bucket}, "object": found},
    }
    return {"Records": [record]}
