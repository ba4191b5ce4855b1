"""A fresh stack of the template on a cloud that is reached through one endpoint."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from modulo.cli.build import CONTENT, Build, architecture

ARTIFACTS = "modulo-artifacts"
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.25
PARAMETERS = {
    "DatabaseUrl": "DATABASE_URL",
    "CacheUrl": "CACHE_URL",
    "MilvusUri": "MILVUS_URI",
    "MilvusIndex": "MILVUS_INDEX",
    "EmbeddingUrl": "EMBEDDING_URL",
    "EmbeddingApiKey": "EMBEDDING_API_KEY",
    "RerankUrl": "RERANK_URL",
    "RerankApiKey": "RERANK_API_KEY",
}
"""The template's parameters, by the settings that the embedded servers are reached by."""
LOCAL = {"Infrastructure": "given", "RequireTls": "false"}


class DeployError(Exception):
    """The stack could not be made, or not all of it is there."""


@dataclass(frozen=True)
class Cloud:
    """An endpoint that speaks AWS, and who we are there."""

    environment: Mapping[str, str] = field(repr=False)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_REGION"],
        )

    @property
    def endpoint(self) -> str:
        """Its address."""
        return self.environment["AWS_ENDPOINT_URL"]

    def client(self, service: str) -> Any:
        """A client of one service; nothing is tried again, for everything is on this machine."""
        config = Config(read_timeout=PATIENCE_SECONDS, retries={"total_max_attempts": 1}, proxies={})
        make: Callable[..., Any] = self._session.client
        return make(service, endpoint_url=self.endpoint, config=config)


@dataclass(frozen=True)
class Deployment:
    """A stack that is there."""

    cloud: Cloud
    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, tuple[str, str]]
    """The type and the physical id of each resource, by its logical id."""

    @property
    def url(self) -> str:
        """Where the API answers: the way to a REST API's stage that local clouds share."""
        return f"{self.cloud.endpoint}/restapis/{self.outputs['ApiId']}/api/_user_request_"

    @property
    def sockets_url(self) -> str:
        """Where WebSockets connect: the same way."""
        return f"{self.cloud.endpoint}/restapis/{self.resources['Sockets'][1]}/api/_user_request_"

    @property
    def functions(self) -> dict[str, str]:
        """The functions' names by their logical ids."""
        return {
            logical: physical for logical, (kind, physical) in self.resources.items() if kind == "AWS::Lambda::Function"
        }

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function by its name and wait for its answer.

        Raises:
            DeployError: it failed.
        """
        answer = self.cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        payload = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise DeployError(f"{function} failed: {payload}")
        return json.loads(payload)

    def migrate(self) -> None:
        """Bring the database's schema up to date, by the function that does so.

        Raises:
            DeployError: it failed.
        """
        self.invoke(self.outputs["Migrate"], {})


def deploy(
    built: Build, environment: Mapping[str, str], *, name: str = "modulo", more: Mapping[str, str] | None = None
) -> Deployment:
    """Upload the build and make a stack of it; `more` are parameters of the template besides the servers'.

    Raises:
        DeployError: the cloud refused something, a resource failed, or one has no identity of its own.
    """
    cloud = Cloud({name: value for name, value in environment.items() if name.startswith("AWS_")})
    given = {parameter: environment[setting] for parameter, setting in PARAMETERS.items() if setting in environment}
    parameters = {**LOCAL, "Architecture": architecture(), **given, **(more or {})}
    try:
        template_url = upload(cloud, built)
        formation = cloud.client("cloudformation")
        formation.create_stack(
            StackName=name,
            TemplateURL=template_url,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        outputs = _outputs(formation, name)
        resources = {
            one["LogicalResourceId"]: (one["ResourceType"], one.get("PhysicalResourceId", ""))
            for page in formation.get_paginator("list_stack_resources").paginate(StackName=name)
            for one in page["StackResourceSummaries"]
        }
    except (BotoCoreError, ClientError) as error:
        raise DeployError(f"the cloud refused: {error}") from error
    nameless = sorted(logical for logical, (_, physical) in resources.items() if physical in {"", "unknown"})
    if nameless:
        raise DeployError(f"the cloud does not really have these resources: {', '.join(nameless)}")
    return Deployment(cloud, name, outputs, resources)


def upload(cloud: Cloud, built: Build) -> str:
    """Store the archives, and the template that names them there; its address, for it is too long for a request."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=ARTIFACTS)

    def put(name: str, suffix: str, content: bytes) -> str:
        """The place of a file, by its digest."""
        place = f"{ARTIFACTS}/{name}-{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
        s3.put_object(Bucket=ARTIFACTS, Key=place.removeprefix(f"{ARTIFACTS}/"), Body=content)
        return place

    with ThreadPoolExecutor(4) as threads:
        stored = threads.map(lambda path: put(path.stem, ".zip", path.read_bytes()), built.archives.values())
        places = dict(zip(built.archives, stored, strict=True))
    template = CONTENT.sub(lambda found: f"{found[1]}s3://{places[found[2]]}", built.template)
    return f"{cloud.endpoint}/{put('template', '.yaml', template.encode())}"


def _outputs(formation: Any, name: str) -> dict[str, str]:
    """Wait for the stack to be complete."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        if stack["StackStatus"] != "CREATE_IN_PROGRESS" or time.monotonic() > give_up:
            raise DeployError(f"the stack is {stack['StackStatus']}:\n{_reasons(formation, name)}")
        time.sleep(LOOK_SECONDS)


def _reasons(formation: Any, name: str) -> str:
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("FAILED")]
    return "\n".join(f"  {one['LogicalResourceId']}: {one.get('ResourceStatusReason', '')}" for one in failed)
