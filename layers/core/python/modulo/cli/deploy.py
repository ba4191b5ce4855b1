"""Deploy the built template as a new CloudFormation stack to a local cloud."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from modulo.cli.build import CONTENT, Build, architecture

ARTIFACTS = "modulo-artifacts"
TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 0.25
PARAMETERS = {
    "DatabaseUrl": "DATABASE_URL",
    "DatabaseOwnerUrl": "DATABASE_OWNER_URL",
    "CacheUrl": "CACHE_URL",
    "MilvusUri": "MILVUS_URI",
    "MilvusIndex": "MILVUS_INDEX",
    "EmbeddingUrl": "EMBEDDING_URL",
    "EmbeddingApiKey": "EMBEDDING_API_KEY",
    "RerankUrl": "RERANK_URL",
    "RerankApiKey": "RERANK_API_KEY",
}
"""Template parameters and the settings that supply their values."""
KEPT = {"CacheUrl", "EmbeddingApiKey", "RerankApiKey"}
"""Parameters that are secrets: the cloud keeps them, and the template takes their ARNs."""
WITH_PASSWORD = {"DatabaseUrl": "DatabaseSecret", "DatabaseOwnerUrl": "DatabaseOwnerSecret"}
"""URLs, and the parameters of their passwords."""
LOCAL_PARAMETERS = {
    "Infrastructure": "given",
    "RequireTls": "false",
    "Alarms": "false",
    "StreamTransferMode": "BUFFERED",
}
ROLLOUT = re.compile(r"^( +)DeploymentPreference:.*\n(?:\1 +.*\n)+", re.MULTILINE)
"""A property by which SAM makes resources of CodeDeploy, which local clouds do not have."""

NESTED = re.compile(r"^(\s+TemplateURL: )(\w+)/template\.yaml$", re.MULTILINE)
"""The template of a nested stack, as `sam build` refers to it."""
ALIAS = re.compile(r"\bRef: (\w+)Aliaslive\b")
ALIAS_NAME = re.compile(r"\$\{(\w+)Aliaslive\}")
"""Resources that SAM makes: LocalStack looks for what is referred to before it has the template translated."""


class DeployError(Exception):
    """The stack was not created, or some of its resources are missing."""


class FunctionFailed(DeployError):
    """A function answered with an error; `kind` is the name of its type."""

    def __init__(self, function: str, payload: str) -> None:
        super().__init__(f"{function} failed: {payload}")
        self.kind = json.loads(payload).get("errorType")


@dataclass(frozen=True)
class Cloud:
    """An AWS-compatible endpoint with credentials."""

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
        """The endpoint's URL."""
        return self.environment["AWS_ENDPOINT_URL"]

    def client(self, service: str) -> Any:
        """A boto3 client for one service, without retries: the endpoint is local."""
        config = Config(read_timeout=TIMEOUT_SECONDS, retries={"total_max_attempts": 1}, proxies={})
        make: Callable[..., Any] = self._session.client
        return make(service, endpoint_url=self.endpoint, config=config)


@dataclass(frozen=True)
class Deployment:
    """A deployed stack."""

    cloud: Cloud
    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, tuple[str, str]]
    """Type and physical id of each resource, by logical id, those of nested stacks too."""

    @property
    def url(self) -> str:
        """The API's base URL, in the form that local clouds share for a REST API's stage."""
        return self.url_of("Api", "api")

    def url_of(self, api: str, stage: str) -> str:
        """The base URL of a stage of the REST API with that logical id."""
        return f"{self.cloud.endpoint}/restapis/{self.resources[api][1]}/{stage}/_user_request_"

    @property
    def sockets_url(self) -> str:
        """The URL for WebSocket connections."""
        return f"{self.cloud.endpoint}/restapis/{self.resources['Sockets'][1]}/api/_user_request_"

    @property
    def functions(self) -> dict[str, str]:
        """Function names by logical id."""
        return {
            logical: physical for logical, (kind, physical) in self.resources.items() if kind == "AWS::Lambda::Function"
        }

    @property
    def migrated(self) -> bool:
        """Whether deploying has migrated the database."""
        return "Migration" in self.resources

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function by name and return its result.

        Raises:
            FunctionFailed: the function failed.
        """
        answer = self.cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        payload = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise FunctionFailed(function, payload)
        return json.loads(payload)

    def migrate(self) -> None:
        """Migrate the database by invoking the `migrate` function, again while a database is still waking up.

        Raises:
            FunctionFailed: the migration failed, or the database did not answer for `TIMEOUT_SECONDS`.
        """
        give_up = time.monotonic() + TIMEOUT_SECONDS
        while True:
            try:
                self.invoke(self.outputs["Migrate"], {})
            except FunctionFailed as failure:
                if failure.kind != "Unavailable" or time.monotonic() > give_up:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return


def deploy(
    built: Build, environment: Mapping[str, str], *, name: str = "modulo", more: Mapping[str, str] | None = None
) -> Deployment:
    """Upload the build and create a stack from it; `more` holds further template parameters.

    Raises:
        DeployError: the cloud answered with an error, a resource failed, or a resource has no physical id.
    """
    cloud = Cloud({name: value for name, value in environment.items() if name.startswith("AWS_")})
    given = {parameter: environment[setting] for parameter, setting in PARAMETERS.items() if setting in environment}
    parameters = {**LOCAL_PARAMETERS, "Architecture": architecture(), **given, **(more or {})}
    try:
        parameters |= keep_secrets(cloud, name, parameters)
        template_url = upload(cloud, built)
        formation = cloud.client("cloudformation")
        formation.create_stack(
            StackName=name,
            TemplateURL=template_url,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        outputs = _outputs(formation, name)
        resources = resources_of(formation, name)
    except (BotoCoreError, ClientError) as error:
        raise DeployError(f"the deployment to {cloud.endpoint} failed: {error}") from error
    nameless = sorted(logical for logical, (_, physical) in resources.items() if physical in {"", "unknown"})
    if nameless:
        raise DeployError(f"the cloud did not create these resources: {', '.join(nameless)}")
    return Deployment(cloud, name, outputs, resources)


def keep_secrets(cloud: Cloud, stack: str, given: Mapping[str, str]) -> dict[str, str]:
    """Have the cloud keep the secrets among these parameters of a stack; those that change by it."""
    client = cloud.client("secretsmanager")

    def keep(parameter: str, secret: str) -> str:
        return str(client.create_secret(Name=f"{stack}/{parameter}", SecretString=secret)["ARN"])

    kept = {parameter: keep(parameter, given[parameter]) for parameter in sorted(KEPT & given.keys())}
    found = {**kept, "SecretArns": ",".join(kept.values())}
    for address, parameter in WITH_PASSWORD.items():
        if address in given:
            url = urlsplit(given[address])
            password = url.password or ""
            place = url.netloc.replace(f":{password}@", "@")
            # LocalStack takes an empty `DatabaseCaFile` for the default.
            found[address] = url._replace(netloc=place, query="sslmode=disable").geturl()
            found[parameter] = keep(parameter, json.dumps({"password": unquote(password)}))
    return found


def upload(cloud: Cloud, built: Build) -> str:
    """Upload the archives and the templates that refer to them; the root's URL, as it is too long for a request."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=ARTIFACTS)

    def put(name: str, suffix: str, content: bytes) -> str:
        """Store a file under its digest; `bucket/key`."""
        place = f"{ARTIFACTS}/{name}-{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
        s3.put_object(Bucket=ARTIFACTS, Key=place.removeprefix(f"{ARTIFACTS}/"), Body=content)
        return place

    with ThreadPoolExecutor(4) as threads:
        stored = threads.map(lambda path: put(path.stem, ".zip", path.read_bytes()), built.archives.values())
        places = dict(zip(built.archives, stored, strict=True))

    def publish(name: str, template: str) -> str:
        """Store a template; its URL."""
        text = CONTENT.sub(lambda found: f"{found[1]}s3://{places[found[2]]}", deployable(template))
        return f"{cloud.endpoint}/{put(name, '.yaml', text.encode())}"

    urls = {name: publish(name, template) for name, template in built.nested.items()}
    return publish("template", NESTED.sub(lambda found: found[1] + urls[found[2]], built.template))


def deployable(template: str) -> str:
    """The template without what local clouds do not support."""
    return ALIAS_NAME.sub(r"${\1.Arn}:live", ALIAS.sub(r"Fn::Sub: ${\1.Arn}:live", ROLLOUT.sub("", template)))


def resources_of(formation: Any, stack: str) -> dict[str, tuple[str, str]]:
    """Type and physical id of each resource of a stack and of those nested in it, by logical id."""
    found: dict[str, tuple[str, str]] = {}
    for page in formation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for one in page["StackResourceSummaries"]:
            kind, physical = one["ResourceType"], one.get("PhysicalResourceId", "")
            found[one["LogicalResourceId"]] = kind, physical
            if kind == "AWS::CloudFormation::Stack" and physical:
                found |= resources_of(formation, physical)
    return found


def _outputs(formation: Any, name: str) -> dict[str, str]:
    """Wait until the stack is complete; its outputs."""
    give_up = time.monotonic() + TIMEOUT_SECONDS
    while True:
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        if stack["StackStatus"] != "CREATE_IN_PROGRESS" or time.monotonic() > give_up:
            raise DeployError(f"the stack ended as {stack['StackStatus']}:\n{_reasons(formation, name)}")
        time.sleep(POLL_SECONDS)


def _reasons(formation: Any, name: str) -> str:
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("FAILED")]
    return "\n".join(f"  {one['LogicalResourceId']}: {one.get('ResourceStatusReason', '')}" for one in failed)
