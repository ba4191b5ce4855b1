"""What answers have in common by whichever door they are asked for."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest

from modulo.domain.answers.answer import AnswerDraft, Prompt, TokenUsage
from modulo.services import Services
from tests.functions.conftest import LOOP, Api, ingest
from tests.functions.served import composed_once

ANSWERS = ("/api/search", "/v1/chat/completions", "/v1/responses", "/mcp")
"""Where a whole answer is asked for."""
QUESTION = "When does the vault open?"
TWO = "When does the vault open and at how many degrees is green tea brewed?"
PARTS = ["When does the vault open?", "at how many degrees is green tea brewed?"]


def body_of(door: str, collection: str, question: str) -> dict[str, Any]:
    """The question as the door takes it, to a collection by its id or, by `/v1`, as a model."""
    arguments = {"question": question, "collection": collection}
    bodies: dict[str, dict[str, Any]] = {
        "/api/search": {"question": question, "collection_id": collection},
        "/v1/chat/completions": {"model": collection, "messages": [{"role": "user", "content": question}]},
        "/v1/responses": {"model": collection, "input": question, "store": False},
        "/mcp": {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "rag_search", "arguments": arguments},
        },
    }
    return bodies[door]


def ask_door(api: Api, door: str, collection: str, question: str, *, heard: list[str] | None = None) -> dict[str, Any]:
    """The answer of the application that a server runs; `heard` is told when it was sent."""
    sent = json.dumps(body_of(door, collection, question)).encode()
    accepted = "application/json, text/event-stream" if door == "/mcp" else "application/json"
    given = {"content-type": "application/json", "accept": accepted, **api.headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": door,
        "raw_path": door.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
    }
    messages: list[MutableMapping[str, Any]] = []

    async def received() -> AsyncIterator[dict[str, Any]]:
        yield {"type": "http.request", "body": sent, "more_body": False}
        await asyncio.Event().wait()  # the client stays

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)
        if heard is not None and message["type"] == "http.response.body" and not message.get("more_body"):
            heard.append("sent")

    try:
        asyncio.run(composed_once()(scope, received().__anext__, send))
    finally:
        asyncio.set_event_loop(LOOP)  # which functions go on with
    text = b"".join(message.get("body", b"") for message in messages)
    assert messages[0]["status"] == 200, text
    answer: dict[str, Any] = json.loads(text)
    return answer


@pytest.fixture
def collection(api: Api) -> str:
    made = api.create_collection()
    for name, text in (("vault.txt", "The vault opens at noon."), ("tea.txt", "Green tea is brewed at 80 degrees.")):
        assert ingest(api, made, api.upload(made, text, name)) == []
    return made


@pytest.mark.parametrize("door", ANSWERS)
def test_an_answer_is_sent_before_the_cache_is_written(
    api: Api, collection: str, services: Services, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    happened: list[str] = []
    put = services.cache.put

    def noted(entries: Any) -> None:
        happened.append("cached")
        put(entries)

    monkeypatch.setattr(services.cache, "put", noted)
    ask_door(api, door, collection, QUESTION, heard=happened)
    assert happened == ["sent", "cached"]
    ask_door(api, door, collection, QUESTION, heard=happened)
    assert happened == ["sent", "cached", "sent"]


class Drafts:
    """A metered generator that writes whole drafts, and nothing part by part."""

    name = "openai:scripted"

    def reserve(self, _prompt: Prompt) -> int:
        return 100

    def generate(self, prompt: Prompt) -> AnswerDraft:
        return AnswerDraft(f"{prompt.passages[0].text} [1]", TokenUsage(20, 5))


@pytest.mark.parametrize("door", ANSWERS)
def test_a_whole_answer_asks_for_whole_drafts(api: Api, collection: str, services: Services, door: str) -> None:
    vars(services)["generator"] = Drafts()
    answer = json.dumps(ask_door(api, door, collection, TWO))
    assert "noon" in answer
    assert "80 degrees" in answer
    assert api("GET", "/usage").json["tokens_used"] == 50


@pytest.mark.parametrize(
    ("door", "usage"),
    [
        ("/v1/chat/completions", {"prompt_tokens": 40, "completion_tokens": 10, "total_tokens": 50}),
        ("/v1/responses", {"input_tokens": 40, "output_tokens": 10, "total_tokens": 50}),
    ],
)
def test_the_tokens_of_all_parts_are_told(
    api: Api, collection: str, services: Services, door: str, usage: dict[str, int]
) -> None:
    vars(services)["generator"] = Drafts()
    told = ask_door(api, door, collection, TWO)["usage"]
    assert {name: told[name] for name in usage} == usage


def test_a_response_tells_the_parts_that_were_searched_for_from_the_cache_too(api: Api, collection: str) -> None:
    for _ in range(2):
        search, _message = ask_door(api, "/v1/responses", collection, TWO)["output"]
        assert search["queries"] == PARTS
