"""A running LocalStack as tests see it, and tiny functions on it."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import psutil

ROLE = "arn:aws:iam::000000000000:role/anything"
Environment = dict[str, str]
Files = Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What an invocation gave."""

    value: Any
    error: str | None
    log: str


@dataclass(frozen=True)
class Cloud:
    """A running LocalStack."""

    environment: Environment
    process: psutil.Process

    def client(self, service: str, **settings: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_REGION"],
            **settings,
        )

    def create(self, code: str | Path, **settings: Any) -> str:
        """A function, from the text of its app.py or from a directory that stays where it is."""
        name = f"f-{uuid4()}"
        hot = {"S3Bucket": "hot-reload", "S3Key": str(code)}
        client = self.client("lambda")
        created = client.create_function(
            FunctionName=name,
            Runtime=settings.pop("Runtime", "python3.11"),
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": zipped({"app.py": code})} if isinstance(code, str) else hot,
            **{"Timeout": 5, "MemorySize": 256, **settings},
        )
        give_up = time.monotonic() + 60
        while created.get("State") == "Pending":
            assert time.monotonic() < give_up, f"{name} is still pending"
            time.sleep(0.02)
            created = client.get_function_configuration(FunctionName=name)
        return name

    def invoke(self, name: str, event: Any = None) -> Reply:
        reply = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        log = base64.b64decode(reply.get("LogResult", "")).decode()
        return Reply(json.load(reply["Payload"]), reply.get("FunctionError"), log)

    def layer(self, code: Files | Path) -> str:
        content = (
            {"S3Bucket": "hot-reload", "S3Key": str(code)} if isinstance(code, Path) else {"ZipFile": zipped(code)}
        )
        published = self.client("lambda").publish_layer_version(LayerName=f"l-{uuid4()}", Content=content)
        return str(published["LayerVersionArn"])

    def queue(self, **attributes: str) -> str:
        return str(self.client("sqs").create_queue(QueueName=f"q-{uuid4()}", Attributes=attributes)["QueueUrl"])

    def arn(self, queue: str) -> str:
        return f"arn:aws:sqs:us-east-1:000000000000:{queue.rpartition('/')[2]}"

    def receive(self, queue: str, count: int = 1, *, within: float = 60) -> list[str]:
        """The bodies of the next messages, once there are so many."""
        sqs, found, give_up = self.client("sqs"), [], time.monotonic() + within
        while len(found) < count and time.monotonic() < give_up:
            for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10).get(
                "Messages", []
            ):
                found.append(message["Body"])
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return found


def zipped(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()
