"""The runtime client that streams, against the local cloud's runtime API: in this process, and as a process."""

import asyncio
import base64
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

from tests.unit.modulo_localstack.conftest import PLUGIN

sys.path.append(str(PLUGIN))

from modulo_localstack.exchange import Answer, Exchange, Invocation
from modulo_localstack.process import Function, Process
from modulo_localstack.runtime_api import RuntimeApi

from modulo.runtime import streaming_runtime
from modulo.services import Services, install
from modulo.settings import Settings

ROOT = Path(__file__).parents[3]
PAUSE = 0.5
APP = f"""
import asyncio
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from modulo.domain.errors import NotFound
from modulo.runtime.http import handler_of
from modulo.runtime.openai.errors import openai_answer

router = APIRouter()
pauses = {PAUSE}

@router.post("/told/{{name}}")
async def told(name: str, request: Request):
    body = (await request.body()).decode()
    async def parts():
        yield f"{{name}} {{request.url.query}} {{body}} {{request.headers['x-asked']}}"
        await asyncio.sleep(pauses)
        yield " é"
        if name == "broken":
            raise ValueError("secret")
    return StreamingResponse(parts(), media_type="text/event-stream", headers={{"x-more": "1"}})

@router.get("/bytes")
async def raw():
    return Response(b"\\xff\\x00", media_type="application/octet-stream")

@router.get("/endless")
async def endless():
    async def parts():
        for number in range(400):
            yield "x" * 10_000
            await asyncio.sleep(0.01)
    return StreamingResponse(parts())

@router.get("/raise")
async def fail():
    raise ValueError("secret")

@router.get("/refused")
async def refuse():
    raise NotFound

handler = handler_of(router, answer=openai_answer)
"""


def event(method: str, path: str, body: str | None = None, *, encoded: bool = False) -> bytes:
    sent = base64.b64encode(body.encode()).decode() if body and encoded else body
    return json.dumps(
        {
            "httpMethod": method,
            "path": path,
            "multiValueHeaders": {"X-Asked": ["yes"]},
            "multiValueQueryStringParameters": {"a": ["1", "ü"]},
            "requestContext": {"requestId": "r", "identity": {"sourceIp": "10.0.0.1"}},
            "body": sent,
            "isBase64Encoded": encoded,
        }
    ).encode()


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "told_app.py").write_text(APP)
    return folder


@pytest.fixture
def exchange(task: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """The client's loop on a thread, until the process that it believes to be is over."""
    install(Services(Settings()))
    made = Exchange(20)
    api = RuntimeApi(made)
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(task))
    monkeypatch.setenv("_HANDLER", "told_app.handler")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    ended: list[BaseException] = []

    def run() -> None:
        try:
            streaming_runtime.main()
        except (RemoteDisconnected, ConnectionError) as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert made.await_ready(20)
    yield made
    made.end(0)
    thread.join(60)
    api.stop()
    install(None)
    sys.modules.pop("told_app", None)
    assert ended


def invoke(exchange: Exchange, payload: bytes, number: int = 1) -> Answer:
    exchange.offer(Invocation(f"id-{number}", "arn", payload, "Root=1"))
    answer = exchange.await_answer(20)
    assert answer
    return answer


def test_parts_come_as_they_are_made_behind_a_prelude(exchange: Exchange) -> None:
    began = time.monotonic()
    exchange.offer(Invocation("id-1", "arn", event("POST", "/told/caf%C3%A9", "hello", encoded=True), "Root=1"))
    prelude, first = exchange.await_part(0, 20), exchange.await_part(1, 20)
    first_at = time.monotonic() - began
    second = exchange.await_part(2, 20)
    second_at = time.monotonic() - began
    assert prelude
    assert first
    assert second
    head, _, rest = prelude.partition(streaming_runtime.PRELUDE_END)
    assert json.loads(head)["statusCode"] == 200
    assert json.loads(head)["multiValueHeaders"]["content-type"] == ["text/event-stream; charset=utf-8"]
    assert (rest + first).decode() == "café a=1&a=%C3%BC hello yes"
    assert second.decode() == " é"
    assert second_at - first_at > PAUSE / 2
    answer = exchange.await_answer(20)
    assert answer
    whole = json.loads(answer.payload)
    assert (whole["statusCode"], whole["body"]) == (200, "café a=1&a=%C3%BC hello yes é")
    assert whole["multiValueHeaders"]["x-request-id"] == ["r"]
    assert os.environ["_X_AMZN_TRACE_ID"] == "Root=1"


def test_one_invocation_follows_the_other(exchange: Exchange) -> None:
    assert base64.b64decode(json.loads(invoke(exchange, event("GET", "/bytes")).payload)["body"]) == b"\xff\x00"
    failed = json.loads(invoke(exchange, event("GET", "/raise"), 2).payload)
    assert (failed["statusCode"], "secret" in failed["body"]) == (500, False)
    assert json.loads(invoke(exchange, event("GET", "/nowhere"), 3).payload)["statusCode"] == 404


def test_a_request_by_a_custom_domain_leads_to_the_same_route(exchange: Exchange) -> None:
    asked = json.loads(event("GET", "/v1/refused"))
    missing = json.loads(invoke(exchange, json.dumps(asked).encode()).payload)
    asked["requestContext"] |= {"stage": "v1", "path": "/v1/refused"}
    by_domain = json.loads(invoke(exchange, json.dumps(asked).encode(), 2).payload)
    by_stage = json.loads(invoke(exchange, event("GET", "/refused"), 3).payload)
    assert [(told["statusCode"], told["body"]) for told in (by_domain, by_stage)] == [(404, by_stage["body"])] * 2
    assert by_domain["body"] != missing["body"]


def test_an_error_behind_the_first_part_is_told_in_trailers(exchange: Exchange) -> None:
    answer = invoke(exchange, event("POST", "/told/broken", "x"))
    assert answer.failed
    assert json.loads(answer.payload) == {"errorType": "ValueError", "errorMessage": "see the log"}


def test_an_event_that_is_no_request_fails_and_the_next_is_served(exchange: Exchange) -> None:
    answer = invoke(exchange, b"{}")
    assert (answer.failed, json.loads(answer.payload)["errorType"]) == (True, "KeyError")
    assert not invoke(exchange, event("GET", "/bytes"), 2).failed


def test_a_client_that_left_ends_the_response_and_the_next_is_served(exchange: Exchange) -> None:
    exchange.offer(Invocation("id-1", "arn", event("GET", "/endless"), "Root=1"))
    assert exchange.await_part(3, 20)
    exchange._taken = None  # Lambda listens no longer
    assert not invoke(exchange, event("POST", "/told/next", "x"), 2).failed
    assert len(exchange._parts) < 10


def test_who_asks_for_more_than_the_body_waits() -> None:
    call = streaming_runtime.Invocation(streaming_runtime.RuntimeApi("127.0.0.1:1"), "id", {"body": "é"})

    async def ask() -> None:
        assert await call.receive() == {"type": "http.request", "body": "é".encode(), "more_body": False}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call.receive(), 0.05)

    asyncio.run(ask())


def test_an_error_is_told_as_the_functions_door_tells_it(exchange: Exchange) -> None:
    answer = json.loads(invoke(exchange, event("GET", "/refused")).payload)
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"]["code"] == "not_found"


def test_a_function_that_cannot_be_imported_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange(5)
    api = RuntimeApi(exchange)
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("_HANDLER", "no_such_app.handler")
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(ModuleNotFoundError):
        streaming_runtime.main()
    answer = exchange.await_answer(5)
    assert answer
    assert json.loads(answer.payload)["errorType"] == "ModuleNotFoundError"
    api.stop()


@pytest.fixture
def process(task: Path, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """A function process with the core layer, whose runtime AWS starts through the wrapper."""
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "python").symlink_to(ROOT / "layers" / "core" / "python")
    (layer / "stream_responses").symlink_to(ROOT / "layers" / "core" / "stream_responses")
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/stream_responses", "AWS_LAMBDA_FUNCTION_NAME": "told"}
    made: list[Process] = []

    def start() -> Process:
        import subprocess

        directory = tmp_path / "environment"
        directory.mkdir()
        function = Function(
            "told_app.handler",
            "1",
            Path(sys.executable),
            task,
            timeout=30,
            memory=512,
            layers=(layer,),
            variables=variables,
            start_timeout=120,
        )
        made.append(Process(function, directory, subprocess.Popen))
        return made[0]

    yield start
    for one in made:
        one.stop()


def test_the_wrapper_starts_it_in_place_of_awss_own_client(process: Callable[[], Process]) -> None:
    started = process()
    started.await_ready()
    found: list[Any] = []
    payload = event("POST", "/told/you", "hello")
    thread = threading.Thread(target=lambda: found.append(started.invoke(Invocation("id-1", "arn", payload))))
    thread.start()
    thread.join(60)
    (result,) = found
    assert not result.answer.failed, result.log
    assert json.loads(result.answer.payload)["body"] == "you a=1&a=%C3%BC hello yes é"
