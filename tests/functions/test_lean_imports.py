"""Functions answer the same with stubs for what libraries import and no function uses.

Each program runs every HTTP function in a fresh process, once as a Lambda environment and once as a server's process.
When this fails after an upgrade, `modulo.lean_imports` is what must follow it.
"""

import json
import os
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from modulo.lean_imports import LAMBDA, STUBS
from modulo.runtime.openai.door import is_of_v1
from tests.architecture.sources import FUNCTIONS, PACKAGE, ROOT

UNUSED = {"boto3", "jmespath", "opentelemetry", "prometheus_client"}
"""Packages of the layers that libraries would import, and that no function needs for its import."""

PROGRAM = """
import base64, json, sys
from math import inf
from uuid import UUID

from modulo.domain.tenancy.identity import Principal, Role, Scope, api_key_hash
from modulo.domain.collections.member import Member
from modulo.domain.pagination import Listing
from modulo.runtime.worker import function
from modulo.services import Services, install, services
from modulo.settings import Settings

ONE = UUID(int=1)

class Members:
    def list_members(self, principal, collection_id, *, after, limit):
        return Listing[Member](items=(Member(user_id=principal.user_id, name="ada", role=Role.owner),))

    def set_member(self, principal, collection_id, user_id, role):
        return Member(user_id=user_id, name="ben", role=role)

install(Services(Settings()))
vars(services())["members"] = Members()
services().known_keys[api_key_hash("mod_key")] = (inf, Principal(ONE, ONE, frozenset(Scope)))

def ask(name, *, path=None, query=None, body=None, headers=None):
    (route,) = function(name).router.routes
    headers = {"x-api-key": "mod_key", "x-request-id": "test", "content-type": "application/json",
               "traceparent": f"00-{'1' * 32}-{'2' * 16}-01", **(headers or {})}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    event = {
        "resource": route.path,
        "path": path or route.path,
        "httpMethod": sorted(route.methods)[0],
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()},
        "requestContext": {"requestId": "test", "stage": "api"},
        "body": base64.b64encode(raw).decode() if raw else None,
        "isBase64Encoded": bool(raw),
    }
    answer = function(name).handler(event, None)
    trace, _, _ = answer["headers"]["traceresponse"].rpartition("-")[0].rpartition("-")  # less the step's own random id
    return [answer["statusCode"], {**answer["headers"], "traceresponse": trace}, answer["body"]]

def described(name):
    (route,) = function(name).router.routes
    field = route.response_field
    parameters = [
        [kind, field.alias, field.field_info.is_required()]
        for kind in ("path_params", "query_params", "header_params", "body_params")
        for field in getattr(route.dependant, kind)
    ]
    return [route.path, sorted(route.methods), route.operation_id, route.status_code, field and field.name, parameters]

anonymous = {"health"}
names = [name for name in json.loads(sys.argv[1]) if hasattr(function(name), "router")]
member = f"/collections/{ONE}/members/{ONE}"
upload = b'--b\\r\\nContent-Disposition: form-data; name="other"\\r\\n\\r\\nx\\r\\n--b--\\r\\n'
told = {
    "routes": {name: described(name) for name in names},
    "wrong": {name: ask(name, body={"unknown": 1}, query={"limit": "0", "probe": "x"}) for name in names},
    "unauthenticated": {
        name: ask(name, headers={"x-api-key": "mod_other" * 3000}) for name in names if name not in anonymous
    },
    "not JSON": ask("create_collection", body=b"{"),
    "no such path": ask("get_usage", path="/nowhere"),
    "a list": ask("list_members", path=f"/collections/{ONE}/members"),
    "a model": ask("set_member", path=member, body={"role": "editor"}),
    "a wrong field": ask("set_member", path=member, body={"role": "king"}),
    "a form": ask("upload_file", path=f"/collections/{ONE}/files", body=upload,
                  headers={"content-type": "multipart/form-data; boundary=b"}),
    "health": ask("health", query={"probe": "live"}),
    "database": ask("get_usage"),
    "real": [name for name in json.loads(sys.argv[2]) if getattr(sys.modules.get(name), "__file__", None)],
}
sys.stdout.write("\\n" + json.dumps(told))
"""


@cache
def answers(*, in_lambda: bool) -> dict[str, Any]:
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql+pg8000://nobody@127.0.0.1:1/none",
        "PYTHONWARNINGS": "error",
    }
    environment.pop(LAMBDA, None)
    if in_lambda:
        environment[LAMBDA] = "test"
    arguments = [json.dumps(FUNCTIONS), json.dumps(list(STUBS))]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_a_function_loads_none_of_the_modules_and_a_server_all() -> None:
    assert answers(in_lambda=True)["real"] == []
    assert set(answers(in_lambda=False)["real"]) == set(STUBS) - {"fastapi.telemetry._runtime"}  # loaded by a lifespan


@cache
def imported_by(name: str) -> set[str]:
    """The modules with a file that importing a function in a Lambda environment loads."""
    program = (
        "import json, sys, app; print(json.dumps([m for m, at in sys.modules.items() if hasattr(at, '__file__')]))"
    )
    path = [ROOT / "functions" / name, PACKAGE.parent, Path(sysconfig.get_path("purelib"))]
    environment = {LAMBDA: name, "PYTHONPATH": os.pathsep.join(map(str, path))}
    interpreter = [str(getattr(sys, "_base_executable", sys.executable)), "-S"]
    done = subprocess.run([*interpreter, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("name", ["search", "list_members", "v1_create_response"])
def test_importing_a_function_loads_none_of_the_packages(name: str) -> None:
    loaded = {module.partition(".")[0] for module in imported_by(name)}
    assert {"fastapi", "pydantic"} <= loaded
    assert loaded & UNUSED == set()


def test_a_response_loads_no_models_of_vector_stores() -> None:
    loaded = imported_by("v1_create_response")
    assert "modulo.runtime.openai.responses" in loaded
    assert loaded & {"modulo.runtime.openai.store_files", "modulo.runtime.openai.vector_stores"} == set()


def test_a_function_that_streams_starts_and_stops_as_a_server() -> None:
    program = """
import asyncio, json
from modulo.runtime.worker import function

async def receive():
    return next(received)

async def send(message):
    sent.append(message["type"])

sent, received = [], iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
app = function("stream_search").handler.application
asyncio.run(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send))
print(json.dumps(sent))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, LAMBDA: "stream_search"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert json.loads(done.stdout) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("what", ["routes", "wrong", "unauthenticated", "no such path"])
def test_routes_and_refusals_are_the_same(what: str) -> None:
    assert answers(in_lambda=True)[what] == answers(in_lambda=False)[what]


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("a list", 200),
        ("a model", 200),
        ("a wrong field", 422),
        ("a form", 422),
        ("health", 200),
        ("not JSON", 400),
        ("database", 503),  # nobody answers at its address
    ],
)
def test_answers_are_the_same(what: str, status: int) -> None:
    assert answers(in_lambda=True)[what] == answers(in_lambda=False)[what]
    assert answers(in_lambda=True)[what][0] == status


def test_invalid_requests_are_refused_by_every_function() -> None:
    statuses = {name: answer[0] for name, answer in answers(in_lambda=True)["wrong"].items()}
    expected = {name: 400 if is_of_v1(name) else 422 for name in statuses}
    assert {name for name, status in statuses.items() if status != expected[name]} <= {"get_usage"}
    assert {answer[0] for answer in answers(in_lambda=True)["unauthenticated"].values()} == {401}


def test_the_document_is_still_made_where_functions_are_served() -> None:
    environment = {name: value for name, value in os.environ.items() if name != LAMBDA}
    command = [str(Path(sys.executable).with_name("modulo")), "openapi"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert (
        json.loads(done.stdout)["paths"].keys()
        == json.loads((ROOT / "infra" / "openapi.json").read_text())["paths"].keys()
    )
