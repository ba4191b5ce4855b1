"""Custom resources: CloudFormation gets one answer, in time, whatever happens."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from modulo.cli.build import ROOT
from modulo.domain.errors import InternalError
from modulo.runtime import custom_resource
from modulo.runtime.custom_resource import ANSWER_SECONDS, custom_resource_handler
from modulo.services import install
from modulo.settings import settings


class Address:
    """Where CloudFormation takes answers; the first ones get the given statuses, 0 being none at all."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.types: list[str | None] = []
        self.statuses: list[int] = []
        address = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = address.statuses.pop(0) if address.statuses else 200
                if status == 200:
                    assert self.path == "/answer?X-Amz-Signature=s%2F1"
                    address.types.append(self.headers["Content-Type"])
                    address.answers.append(json.loads(body))
                    assert len(body) <= 4_096
                if status:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def event(self, kind: str, **more: str) -> dict[str, str]:
        return {
            "RequestType": kind,
            "RequestId": "request",
            "StackId": "arn:aws:cloudformation:::stack/modulo/1",
            "LogicalResourceId": "Migration",
            "ResponseURL": f"http://127.0.0.1:{self.server.server_port}/answer?X-Amz-Signature=s%2F1",
            **more,
        }


class Context:
    """Lambda's, of a function that has so many seconds left."""

    aws_request_id = "invocation"
    function_name = "migrate"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn"

    def __init__(self, seconds: float = 900) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return round(1_000 * (self._end - time.monotonic()))


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    monkeypatch.setattr(custom_resource, "PAUSE_SECONDS", 0.01)
    made = Address()
    yield made
    made.server.shutdown()
    made.server.server_close()


def revised(_seconds: float | None) -> Mapping[str, str]:
    return {"Revision": "0020"}


def refused(_seconds: float | None) -> Mapping[str, str]:
    raise AssertionError("nothing is to be done")


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_what_was_done_is_answered(address: Address, kind: str) -> None:
    physical = {"PhysicalResourceId": "one of before"} if kind == "Update" else {}
    assert custom_resource_handler(revised)(address.event(kind, **physical), Context()) == {"Revision": "0020"}
    assert address.answers == [
        {
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": physical.get("PhysicalResourceId", "schema"),
            "StackId": "arn:aws:cloudformation:::stack/modulo/1",
            "RequestId": "request",
            "LogicalResourceId": "Migration",
            "Data": {"Configuration": "44136fa355b3678a", "Revision": "0020"},
        }
    ]
    assert address.types == [""], "the address is signed for no type"


def test_deleting_does_nothing_and_is_answered(address: Address) -> None:
    assert custom_resource_handler(refused)(address.event("Delete", PhysicalResourceId="schema"), Context()) == {}
    assert [(one["Status"], one["PhysicalResourceId"]) for one in address.answers] == [("SUCCESS", "schema")]


def test_a_failure_is_answered_with_its_cause_and_raises_nothing(address: Address) -> None:
    def fail(_seconds: float | None) -> Mapping[str, str]:
        raise InternalError from ValueError("relation things is gone: " + "x" * 9_000)

    assert custom_resource_handler(fail)(address.event("Create"), Context()) == {}
    (answer,) = address.answers
    assert (answer["Status"], answer["Data"]) == ("FAILED", {})
    assert "relation things is gone" in answer["Reason"]


LETTERS = ("x", "ü", "界", "\N{GRINNING FACE}", '"', "\\", "\n", "\0", "\ud800")


@pytest.mark.parametrize("letter", LETTERS, ids=[f"U+{ord(letter):04X}" for letter in LETTERS])
def test_an_answer_is_as_short_as_cloudformation_wants_it(
    address: Address, letter: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(
        logging.CRITICAL + 1, custom_resource.log.name
    )  # pytest's processes exchange logs as UTF-8, which has no surrogates

    def fail(_seconds: float | None) -> Mapping[str, str]:
        raise ValueError(letter * 9_000)

    custom_resource_handler(fail)(address.event("Create"), Context())
    assert [one["Status"] for one in address.answers] == ["FAILED"]


BROKEN = """
import json, sys
sys.modules[{module!r}] = None  # as where it was built for another Python
sys.path.insert(0, "functions/migrate")
import app
event = json.loads(sys.argv[1])
print(app.handler(event, None))
"""


@pytest.mark.parametrize("module", ["pydantic_core", "sqlalchemy", "pg8000", "aws_lambda_powertools"])
@pytest.mark.parametrize(("kind", "status"), [("Create", "FAILED"), ("Update", "FAILED"), ("Delete", "SUCCESS")])
def test_a_function_that_cannot_import_its_packages_answers(
    address: Address, module: str, kind: str, status: str
) -> None:
    program = BROKEN.format(module=module)
    environment = {**os.environ, "DATABASE_URL": "postgresql+pg8000://127.0.0.1:9/modulo"}
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(address.event(kind))],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "{}\n"), done.stderr
    (answer,) = address.answers
    assert answer["Status"] == status
    assert (module in answer["Reason"]) == (status == "FAILED")


def test_a_wrong_setting_is_answered_and_no_password_with_it(
    address: Address, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+pg8000://modulo:hidden@127.0.0.1:9/modulo")
    monkeypatch.setenv("OIDC_ISSUER", "https://issuer.example.org")
    install(None)
    settings.cache_clear()
    try:
        assert custom_resource_handler(refused)(address.event("Create"), Context()) == {}
        assert custom_resource_handler(refused)(address.event("Delete"), Context()) == {}
        with pytest.raises(ValueError, match="OIDC_AUDIENCE"):
            custom_resource_handler(refused)({}, Context())
    finally:
        settings.cache_clear()
    assert [one["Status"] for one in address.answers] == ["FAILED", "SUCCESS"]
    assert "OIDC_ISSUER needs OIDC_AUDIENCE" in address.answers[0]["Reason"]
    assert "hidden" not in address.answers[0]["Reason"] + caplog.text


def test_the_work_is_told_its_time_and_what_takes_longer_is_answered_before_the_function_ends(address: Address) -> None:
    told: list[float | None] = []
    ended = threading.Event()

    def dawdle(seconds: float | None) -> Mapping[str, str]:
        told.append(seconds)
        ended.wait(10)
        return {"Revision": "late"}

    context = Context(ANSWER_SECONDS + 0.5)
    running = threading.Thread(target=custom_resource_handler(dawdle), args=(address.event("Create"), context))
    running.start()
    while not address.answers:
        assert context.get_remaining_time_in_millis() > 0
        time.sleep(0.01)
    ended.set()
    running.join(60)
    assert [answer["Status"] for answer in address.answers] == ["FAILED"], "and nothing more"
    assert told == [1.0]
    custom_resource_handler(lambda seconds: told.append(seconds) or {})(address.event("Create"), Context(900))
    assert told[1] == pytest.approx(900 - 2 * ANSWER_SECONDS, abs=1)


def test_no_time_is_no_limit(address: Address) -> None:
    told: list[float | None] = []
    custom_resource_handler(lambda seconds: told.append(seconds) or {})(address.event("Create"), None)
    assert (told, [answer["Status"] for answer in address.answers]) == ([None], ["SUCCESS"])


@pytest.mark.parametrize("statuses", [[500], [0, 503, 0]])
def test_an_answer_that_is_not_taken_is_sent_again(address: Address, statuses: list[int]) -> None:
    address.statuses = list(statuses)
    custom_resource_handler(revised)(address.event("Create"), Context())
    assert [answer["Status"] for answer in address.answers] == ["SUCCESS"]


def test_an_answer_that_nobody_takes_fails_the_invocation_which_lambda_repeats(address: Address) -> None:
    address.statuses = [403] * 4
    with pytest.raises(OSError, match="status 403"):
        custom_resource_handler(revised)(address.event("Create"), Context())


def test_by_hand_the_work_is_done_and_its_failure_raised() -> None:
    told: list[float | None] = []
    assert custom_resource_handler(revised)({}, None) == {"Revision": "0020"}
    assert custom_resource_handler(lambda seconds: told.append(seconds) or {})({}, Context(60)) == {}
    assert told == [None]
    with pytest.raises(AssertionError):
        custom_resource_handler(refused)({}, Context())


def test_other_properties_have_another_digest(address: Address) -> None:
    for properties in ({"Code": "1"}, {"Code": "1", "ServiceToken": "another"}, {"Code": "2"}):
        custom_resource_handler(revised)({**address.event("Update"), "ResourceProperties": properties}, Context())
    one, same, other = (answer["Data"]["Configuration"] for answer in address.answers)
    assert one == same != other


KEY, OTHER = (f"arn:aws:secretsmanager:eu-west-1:111122223333:secret:modulo/{name}-AbCdEf" for name in ("key", "other"))


@pytest.mark.parametrize("named", [KEY, json.dumps([{"kind": "anthropic", "model": "m", "api_key": KEY}], indent=1)])
def test_a_secret_that_no_function_could_read_fails_the_deployment(address: Address, named: str) -> None:
    properties = {"Secrets": ["", "redis://cache:6379", named, OTHER], "SecretArns": [OTHER]}
    handle = custom_resource_handler(lambda _: pytest.fail("nothing is migrated"))
    handle({**address.event("Create"), "ResourceProperties": properties}, Context())
    (answer,) = address.answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].endswith(f"SecretArns lacks them: {KEY}")
    custom_resource_handler(revised)(
        {**address.event("Create"), "ResourceProperties": {**properties, "SecretArns": [KEY, OTHER]}}, Context()
    )
    assert address.answers[1]["Status"] == "SUCCESS"
