"""The secrets of a deployment, and the migration at its end."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from modulo.cli import deploy
from modulo.cli.build import Build
from modulo.cli.deploy import ARTIFACTS, Cloud, Deployment, FunctionFailed, keep_secrets, resources_of, upload


class Lambda:
    """Answers invocations with the given error types, one each, then with success."""

    def __init__(self, *errors: str) -> None:
        self.errors = list(errors)
        self.calls = 0

    def invoke(self, **_call: Any) -> Mapping[str, Any]:
        self.calls += 1
        if not self.errors:
            return {"Payload": BytesIO(b"null")}
        return {
            "FunctionError": "Unhandled",
            "Payload": BytesIO(json.dumps({"errorType": self.errors.pop(0)}).encode()),
        }


def deployment(functions: Lambda, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    monkeypatch.setattr(deploy, "POLL_SECONDS", 0)
    monkeypatch.setattr(Cloud, "client", lambda _cloud, _service: functions)
    return Deployment(Cloud({}), "modulo", {"Migrate": "modulo-migrate"}, {})


def test_a_database_that_wakes_up_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = Lambda("Unavailable", "Unavailable")
    deployment(functions, monkeypatch).migrate()
    assert functions.calls == 3


def test_a_migration_that_fails_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = Lambda("ProgrammingError")
    with pytest.raises(FunctionFailed, match=r"modulo-migrate failed: .*ProgrammingError"):
        deployment(functions, monkeypatch).migrate()
    assert functions.calls == 1


def test_a_database_that_stays_away_ends_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "TIMEOUT_SECONDS", 0)
    with pytest.raises(FunctionFailed, match="Unavailable"):
        deployment(Lambda(*["Unavailable"] * 1_000), monkeypatch).migrate()


class Secrets:
    """Keeps secrets, as Secrets Manager does."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def create_secret(self, *, Name: str, SecretString: str) -> Mapping[str, str]:  # noqa: N803 - boto3's
        self.kept[f"arn:{Name}"] = SecretString
        return {"ARN": f"arn:{Name}"}


def test_the_cloud_keeps_the_secrets_that_the_template_takes_by_their_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = Secrets()
    monkeypatch.setattr(Cloud, "client", lambda _cloud, _service: secrets)
    given = {"DatabaseUrl": "postgresql+pg8000://ada:p%2Fw@db:1/modulo", "CacheUrl": "redis://:pw@cache", "Scale": "1"}
    assert keep_secrets(Cloud({}), "one", given) == {
        "DatabaseUrl": "postgresql+pg8000://ada@db:1/modulo?sslmode=disable",
        "DatabaseSecret": "arn:one/DatabaseSecret",
        "CacheUrl": "arn:one/CacheUrl",
        "SecretArns": "arn:one/CacheUrl",
    }
    assert secrets.kept == {"arn:one/DatabaseSecret": '{"password": "p/w"}', "arn:one/CacheUrl": "redis://:pw@cache"}


class Objects:
    """Keeps objects, as S3 does."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def create_bucket(self, **_bucket: str) -> None:
        pass

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - boto3's
        self.kept[f"{Bucket}/{Key}"] = Body.decode()


def test_nested_templates_are_where_the_root_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = Objects()
    monkeypatch.setattr(Cloud, "client", lambda _cloud, _service: objects)
    (tmp_path / "V1Door").mkdir()
    (tmp_path / "template.yaml").write_text("      CodeUri: Search\n      TemplateURL: V1Door/template.yaml\n")
    (tmp_path / "V1Door" / "template.yaml").write_text("      CodeUri: V1GetModel\n")
    for name in ("Search", "V1GetModel"):
        (tmp_path / f"{name}.zip").write_text(name)
    url = upload(Cloud({"AWS_ENDPOINT_URL": "http://cloud"}), Build(tmp_path))
    root = objects.kept[url.removeprefix("http://cloud/")].split()
    nested = objects.kept[root[3].removeprefix("http://cloud/")].split()
    assert root[1].startswith(f"s3://{ARTIFACTS}/Search-")
    assert nested[1].startswith(f"s3://{ARTIFACTS}/V1GetModel-")
    assert objects.kept[nested[1].removeprefix("s3://")] == "V1GetModel"


class Formation:
    """Lists a stack with one nested in it, and one that was not made."""

    def get_paginator(self, _operation: str) -> "Formation":
        return self

    def paginate(self, *, StackName: str) -> list[Any]:  # noqa: N803 - boto3's
        stack = "AWS::CloudFormation::Stack"
        found = {
            "modulo": [("V1Door", stack, "arn:v1"), ("Data", stack, ""), ("Search", "AWS::Lambda::Function", "search")],
            "arn:v1": [("V1Api", "AWS::ApiGateway::RestApi", "abc")],
        }
        summaries = [
            {"LogicalResourceId": logical, "ResourceType": kind, "PhysicalResourceId": physical}
            for logical, kind, physical in found[StackName]
        ]
        return [{"StackResourceSummaries": summaries}]


def test_resources_of_nested_stacks_are_the_deployments() -> None:
    assert resources_of(Formation(), "modulo") == {
        "V1Door": ("AWS::CloudFormation::Stack", "arn:v1"),
        "V1Api": ("AWS::ApiGateway::RestApi", "abc"),
        "Data": ("AWS::CloudFormation::Stack", ""),
        "Search": ("AWS::Lambda::Function", "search"),
    }
