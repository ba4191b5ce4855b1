"""Operators' commands in a deployment on AWS."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from modulo.cli.main import app
from modulo.cli.operators import Refused, invoke
from modulo.domain.errors import Unavailable


class Functions:
    """Lambda, which gives one answer and keeps what it was asked."""

    def __init__(self, answer: Any, *, failed: bool = False) -> None:
        self.answer, self.failed = answer, failed
        self.asked: list[tuple[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self.asked.append((FunctionName, json.loads(Payload)))
        if isinstance(self.answer, Exception):
            raise self.answer
        failed = {"FunctionError": "Unhandled"} if self.failed else {}
        return {"Payload": BytesIO(json.dumps(self.answer).encode()), **failed}


@pytest.fixture
def lambdas(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(answer: Any, **more: Any) -> Functions:
        made = Functions(answer, **more)
        monkeypatch.setattr(boto3, "client", lambda _service, **_options: made)
        return made

    return use


def test_a_command_is_run_by_the_stacks_function(lambdas: Any, tmp_path: Path) -> None:
    functions = lambdas({"result": "mod_secret"})
    arguments = ["keys", "--aws", "prod", "create", "--tenant", "acme", "--user", "ada", "--name", "laptop"]
    done = CliRunner().invoke(app, [*arguments, "--data", str(tmp_path)], env={"MODULO_AWS_STACK": None})
    assert (done.exit_code, done.stdout) == (0, "mod_secret\n")
    wanted = {"tenant": "acme", "user": "ada", "name": "laptop"}
    assert functions.asked == [("prod-admin", {"command": "keys.create", "arguments": wanted})]


def test_the_stack_may_be_named_by_the_environment(lambdas: Any) -> None:
    functions = lambdas({"result": None})
    key = UUID(int=7)
    done = CliRunner().invoke(app, ["keys", "revoke", str(key), "--tenant", "acme"], env={"MODULO_AWS_STACK": "prod"})
    assert done.exit_code == 0, done.output
    assert functions.asked[0][1]["arguments"] == {"tenant": "acme", "key_id": str(key)}


def test_what_is_refused_ends_the_command_with_the_reason(lambdas: Any) -> None:
    lambdas({"problem": {"detail": "There is no such tenant."}})
    arguments = ["tenants", "--aws", "prod", "delete", str(UUID(int=7)), "--yes"]
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stderr) == (1, "modulo: There is no such tenant.\n")
    with pytest.raises(Refused):
        invoke("prod-admin", "tenants.delete", {})


def test_a_function_that_fails_or_is_out_of_reach_is_unavailable(lambdas: Any) -> None:
    lambdas({"errorMessage": "out of memory"}, failed=True)
    with pytest.raises(Unavailable, match="prod-admin failed: out of memory"):
        invoke("prod-admin", "keys.list", {})
    lambdas(ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Invoke"))
    with pytest.raises(Unavailable, match=r"prod-admin cannot be invoked: .*AccessDenied"):
        invoke("prod-admin", "keys.list", {})
