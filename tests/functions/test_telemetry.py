"""One structured line a request and a message, in functions, workers and servers alike."""

import json
import logging
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from modulo.runtime import telemetry
from tests.architecture.sources import ROOT

SECRET = "mod_secret"
TEXT = "The lighthouse of Tarnby"
PROGRAM = """
import json, logging, sys, threading
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from uuid import UUID

from modulo.domain.errors import Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.tenancy.identity import Principal, Role, Scope, api_key_hash
from modulo.domain.collections.member import Member
from modulo.domain.pagination import Listing
from modulo.domain.operations.messages import Delivery, FetchRequest
from modulo.runtime.events import fetches
from modulo.runtime.queue import queue_handler, record_of
from modulo.runtime.queue_consumer import handle
from modulo.runtime.schedule import schedule_handler
from modulo.runtime.worker import function
from modulo.services import Services, install, services
from modulo.settings import Settings

ONE, TWO = UUID(int=1), UUID(int=2)

class Members:
    def list_members(self, principal, collection_id, *, after, limit):
        services().metrics.count("rag_test_total")
        logging.getLogger("modulo.test").warning("asked")
        thread = threading.Thread(target=logging.getLogger("modulo.test").warning, args=("asked in a thread",))
        thread.start()
        thread.join()
        return Listing[Member](items=(Member(user_id=principal.user_id, name="ada", role=Role.owner),))

class Outcome(StrEnum):
    stored = "stored"

class Queue:
    def postpone(self, receipt, seconds): pass
    def delete(self, receipt): pass

@dataclass
class Context:
    function_name: str = "staging-list_members"
    aws_request_id: str = "invocation-1"

install(Services(Settings(metrics="emf", metrics_stack="staging")))
vars(services())["members"] = Members()
services().known_keys[api_key_hash("mod_secret")] = (inf, Principal(TWO, ONE, frozenset(Scope)))

headers = {"x-api-key": "mod_secret", "x-request-id": "request-1"}
event = {
    "resource": "", "path": f"/collections/{ONE}/members", "httpMethod": "GET", "headers": headers,
    "multiValueHeaders": {}, "queryStringParameters": None, "multiValueQueryStringParameters": None,
    "requestContext": {"requestId": "gateway-1", "stage": "api"}, "body": None, "isBase64Encoded": False,
}
answer = function("list_members").handler(event, Context())
assert answer["statusCode"] == 200, answer
function("list_members").handler({**event, "headers": {**headers, "x-request-id": "request-2"}}, Context())

def fetch(request):
    if request.ref.generation == 2:
        raise Unavailable("S3 does not answer.", dependency="s3")
    if request.ref.generation == 3:
        raise KeyError("x")
    return Outcome.stored

queue = Queue()
handler = queue_handler(fetches, fetch, lambda s: queue)
for generation in (1, 2, 3):
    body = json.dumps(FetchRequest(FileRef(TWO, ONE, TWO, generation)).body() | {"text": "The lighthouse of Tarnby"})
    handle(handler, queue, Delivery(f"message-{generation}", "receipt", body, 4), name="fetch_url")
handle(handler, queue, Delivery("message-4", "receipt", "{The lighthouse of Tarnby", 1), name="fetch_url")
schedule_handler(lambda: {"swept": 1})({"id": "tick-1"}, None)
"""


@cache
def printed(*, in_lambda: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The logged lines, and the metrics."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "_X_AMZN"))}
    if in_lambda:
        environment |= {"AWS_LAMBDA_FUNCTION_NAME": "x", "_X_AMZN_TRACE_ID": "Root=1-trace;Parent=p;Sampled=1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert SECRET not in done.stderr + done.stdout
    assert TEXT not in done.stderr + done.stdout
    return [json.loads(line) for line in done.stderr.splitlines()], [
        json.loads(line) for line in done.stdout.splitlines()
    ]


def ended(*, in_lambda: bool) -> list[dict[str, Any]]:
    return [line for line in printed(in_lambda=in_lambda)[0] if "outcome" in line]


ONE, TWO = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


@pytest.mark.parametrize("in_lambda", [True, False])
def test_a_request_is_one_line(in_lambda: bool) -> None:
    line = dict(ended(in_lambda=in_lambda)[0])
    assert line.pop("milliseconds") >= 0
    assert line.pop("timestamp").endswith("+00:00")
    assert line.pop("location").startswith("modulo.runtime.http:")
    assert len(line.pop("trace_id")) == 32
    assert line.pop("xray_trace_id", None) == ("1-trace" if in_lambda else None)
    assert line == {
        "level": "INFO",
        "message": "GET /collections/{collection_id}/members",
        "service": "modulo",
        "cold_start": True,
        "function_name": "staging-list_members",
        "function_request_id": "invocation-1",
        "request_id": "request-1",
        "tenant_id": TWO,
        "collection_id": ONE,
        "outcome": "200",
    }


@pytest.mark.parametrize("in_lambda", [True, False])
def test_a_later_request_is_no_cold_start_and_has_its_own_id(in_lambda: bool) -> None:
    line = ended(in_lambda=in_lambda)[1]
    assert (line["cold_start"], line["request_id"]) == (False, "request-2")


@pytest.mark.parametrize("in_lambda", [True, False])
def test_what_is_logged_meanwhile_has_the_fields_too(in_lambda: bool) -> None:
    asked = next(line for line in printed(in_lambda=in_lambda)[0] if line["message"] == "asked")
    assert (asked["request_id"], asked["tenant_id"], asked["level"]) == ("request-1", TWO, "WARNING")


def test_in_a_function_threads_have_the_fields_of_the_request() -> None:
    asked = next(line for line in printed(in_lambda=True)[0] if line["message"] == "asked in a thread")
    assert (asked["request_id"], asked["tenant_id"]) == ("request-1", TWO)


@pytest.mark.parametrize("in_lambda", [True, False])
def test_a_message_is_one_line(in_lambda: bool) -> None:
    first, second, third, unreadable = ended(in_lambda=in_lambda)[2:6]
    names = ("level", "outcome", "request_id", "attempt", "tenant_id", "collection_id", "file_id", "generation")
    shared = (4, TWO, ONE, TWO)
    assert [first.get(name) for name in names] == ["INFO", "stored", "message-1", *shared, "1"]
    assert [second.get(name) for name in names] == ["WARNING", "unavailable", "message-2", *shared, "2"]
    assert second["message"] == f"message message-2 (file {TWO}) failed on attempt 4: S3 does not answer."
    assert "exception" not in second
    assert [third.get(name) for name in names] == ["WARNING", "KeyError", "message-3", *shared, "3"]
    assert "KeyError" in third["exception"]
    assert [unreadable.get(name) for name in names] == [
        "WARNING",
        "unreadable-message",
        "message-4",
        1,
        None,
        None,
        None,
        None,
    ]
    assert {line["function_name"] for line in (first, second, third, unreadable)} == {"fetch_url"}


@pytest.mark.parametrize("in_lambda", [True, False])
def test_scheduled_work_is_one_line(in_lambda: bool) -> None:
    line = ended(in_lambda=in_lambda)[6]
    assert (line["outcome"], line["request_id"]) == ("done", "tick-1")
    assert "file_id" not in line
    assert len(ended(in_lambda=in_lambda)) == 7


def test_metrics_are_handed_over_once_an_invocation() -> None:
    metrics = printed(in_lambda=True)[1]
    assert {line["stack"] for line in metrics} == {"staging"}
    first = [line for line in metrics if "rag_test_total" in line]
    assert [line["rag_test_total"] for line in first] == [[1], [1]]
    requests = [line for line in metrics if "rag_requests_total" in line]
    assert [line["status"] for line in requests] == ["200", "200"]


def test_only_ids_become_fields() -> None:
    path = {"collection_id": "1" * 500, "alias": "contract.pdf", "file_id": None}
    assert telemetry.ids_of(path) == {"collection_id": "1" * 100}


def test_the_level_can_change() -> None:
    telemetry.configure_logging("WARNING")
    assert not logging.getLogger("modulo.runtime").isEnabledFor(logging.INFO)
    telemetry.configure_logging("INFO")
    assert logging.getLogger("modulo.runtime").isEnabledFor(logging.INFO)
