"""The secrets of a deployment, and the migration at its end."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest

from modulo.cli import deploy
from modulo.cli.deploy import Cloud, Deployment, FunctionFailed, keep_secrets


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
