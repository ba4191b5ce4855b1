import json
from uuid import uuid4

import pytest

from modulo.domain.errors import Unavailable
from tests.doubles.rewriting_model import RewritingModel
from tests.functions.conftest import ingest_all

QUESTION = "How deep is the sea?"


@pytest.fixture
def model(api):
    collection = api.create_collection("papers")
    api.attach(collection, api.keep_file("The sea is 11 kilometres deep.", "sea.txt"))
    ingest_all(api, collection)
    return "modulo/papers"


def ask(api, model, *messages, **more):
    sent = messages or ({"role": "user", "content": QUESTION},)
    return api("POST", "/v1/chat/completions", json={"model": model, "messages": list(sent), **more})


def chunks(reply):
    assert reply.status == 200, reply.text
    assert reply.headers["content-type"].startswith("text/event-stream")
    *documents, last = [part.removeprefix("data: ") for part in reply.text.strip().split("\n\n")]
    assert last == "[DONE]"
    return [json.loads(document) for document in documents]


def test_an_answer_cites_the_file(api, model):
    reply = ask(api, model)
    assert reply.status == 200, reply.text
    found = reply.json
    assert (found["object"], found["model"]) == ("chat.completion", model)
    assert found["id"].startswith("chatcmpl-")
    [choice] = found["choices"]
    message = choice["message"]
    assert (choice["index"], choice["finish_reason"], message["role"]) == (0, "stop", "assistant")
    assert "11 kilometres" in message["content"]
    [annotation] = message["annotations"]
    cited = annotation["url_citation"]
    assert (annotation["type"], cited["title"]) == ("url_citation", "sea.txt")
    assert message["content"][cited["start_index"] : cited["end_index"]] == "[1]"
    assert "/api/collections/" in cited["url"]
    assert "/content#page=1&char=" in cited["url"]
    assert set(found["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}


def test_what_the_documents_do_not_say_is_not_found_and_cites_nothing(api):
    api.create_collection("empty")
    [choice] = ask(api, "modulo/empty").json["choices"]
    assert choice["message"]["content"]
    assert choice["message"]["annotations"] == []


@pytest.mark.parametrize("again", [False, True], ids=["first", "from the cache"])
def test_a_streamed_answer_is_the_same_text(api, model, again):
    whole = ask(api, model).json["choices"][0]["message"] if again else None
    told = chunks(ask(api, model, stream=True, stream_options={"include_usage": True}))
    *parts, usage = told
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] >= 0
    assert {part["object"] for part in told} == {"chat.completion.chunk"}
    assert len({part["id"] for part in told}) == 1
    deltas = [part["choices"][0]["delta"] for part in parts]
    assert deltas[0]["role"] == "assistant"
    assert [part["choices"][0]["finish_reason"] for part in parts] == [None] * (len(parts) - 1) + ["stop"]
    text = "".join(delta.get("content", "") for delta in deltas)
    whole = whole or ask(api, model).json["choices"][0]["message"]
    assert text == whole["content"]
    assert deltas[-2]["annotations"] == whole["annotations"]


def test_without_asking_a_stream_tells_no_usage(api, model):
    assert all(part["choices"] for part in chunks(ask(api, model, stream=True)))


def test_text_may_come_in_parts_and_neutral_values_are_taken(api, model):
    parts = {"role": "user", "content": [{"type": "text", "text": "How deep"}, {"type": "text", "text": "is the sea?"}]}
    neutral = {"n": 1, "temperature": 0, "top_p": 1, "logprobs": False, "response_format": {"type": "text"}}
    assert "11 kilometres" in ask(api, model, parts, **neutral).json["choices"][0]["message"]["content"]


USER = {"role": "user", "content": "a"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 2}, "n"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"top_p": 0.5}, "top_p"),
        ({"seed": 1}, "seed"),
        ({"stop": ["."]}, "stop"),
        ({"colour": None}, "colour"),
        ({"logprobs": True}, "logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"max_tokens": 1, "max_completion_tokens": 2}, "max_tokens"),
        ({"vector_store_ids": []}, "vector_store_ids"),
        ({"vector_store_ids": ["vs_1"]}, "vector_store_ids.0"),
        ({"vector_store_ids": [str(uuid4()) for _ in range(11)]}, "vector_store_ids"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "a"}] * 10_000}, "messages"),
        ({"messages": "a"}, "messages"),
        ({"messages": ["a"]}, "messages.0"),
        ({"messages": [{"role": "system", "content": "a"}]}, "messages.0.role"),
        ({"messages": [USER, {"role": "assistant", "content": "a"}]}, "messages.1.role"),
        ({"messages": [{"role": "tool", "content": "a", "tool_call_id": "1"}, USER]}, "messages.0.role"),
        ({"messages": [{"role": "assistant", "content": None, "tool_calls": [{}]}, USER]}, "messages.0.tool_calls"),
        ({"messages": [{"role": "system", "content": "a" * 20_001}, USER]}, "messages"),
        ({"messages": [{"role": "user", "content": "a" * 8_001}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": "a" * 100_001}, USER]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_honoured_is_refused_by_name(api, body, param, stream):
    known = {"model": "modulo/papers", "messages": [{"role": "user", "content": "a"}], "stream": stream}
    reply = api("POST", "/v1/chat/completions", json={**known, **body})
    assert (reply.status, reply.json["error"]["param"]) == (400, param), reply.text


def test_an_unknown_model_is_not_found(api):
    assert ask(api, "gpt-5").status == 404


def test_what_fails_before_the_first_event_has_a_status_of_its_own(api, model, services, monkeypatch):
    def down(*args, **more):
        raise Unavailable(dependency="milvus")

    monkeypatch.setattr(services.vectors, "search", down)
    for stream in (False, True):
        reply = ask(api, model, stream=stream)
        assert (reply.status, reply.json["error"]["type"]) == (503, "server_error")


def test_what_fails_later_is_told_as_the_last_event(api, model, services, monkeypatch):
    def broken(prompt):
        raise Unavailable("The model is gone.")
        yield

    monkeypatch.setattr(services.generator, "stream", broken)
    reply = ask(api, model, stream=True)
    assert reply.status == 200
    last = json.loads(reply.text.strip().split("\n\n")[-1].removeprefix("data: "))
    assert last["error"]["message"] == "The model is gone."


def said(role, content, **more):
    return {"role": role, "content": content, **more}


def test_earlier_messages_and_instructions_go_to_the_rewriting_and_to_the_answer(api, model, services):
    services.generator = generator = RewritingModel()
    turns = (said("user", "What is the sea?"), said("assistant", "Deep water [1].", refusal=None, annotations=[]))
    rules = (said("system", "Be brief."), said("developer", [{"type": "text", "text": "Be kind."}]))
    reply = ask(api, model, *rules, *turns, said("user", "And how deep is it?"), temperature=0.7)
    assert reply.status == 200, reply.text
    rewriting, answering = generator.prompts
    assert (rewriting.question, answering.question) == ("And how deep is it?", "How deep is the sea?")
    for prompt in generator.prompts:
        assert [(turn.question, turn.answer) for turn in prompt.options.history] == [
            ("What is the sea?", "Deep water [1].")
        ]
    assert answering.options.instructions == "Be brief.\n\nBe kind."
    assert answering.options.temperature == 0.7
    assert reply.json["usage"] == {"prompt_tokens": 27, "completion_tokens": 9, "total_tokens": 36}
    assert api("GET", "/usage").json["tokens_used"] == 36


def test_questions_nobody_answered_and_answers_nobody_asked_for_are_turns_too(api, model, services):
    services.generator = generator = RewritingModel()
    told = (said("assistant", "Hello."), said("user", "Sea?"), said("user", "Hill?"), said("assistant", None))
    assert ask(api, model, *told, said("user", QUESTION)).status == 200
    turns = [(turn.question, turn.answer) for turn in generator.prompts[-1].options.history]
    assert turns == [("", "Hello."), ("Sea?", ""), ("Hill?", "")]


def test_a_follow_up_is_understood_without_a_model_too(api, model):
    told = (said("user", "How deep is the sea?"), said("assistant", "11 kilometres."))
    assert (
        "11 kilometres"
        in ask(api, model, *told, said("user", "How many kilometres is it?")).json["choices"][0]["message"]["content"]
    )


@pytest.mark.parametrize("settings", [{"conversation_window_tokens": 0}], indirect=True)
def test_the_window_bounds_what_is_read_of_earlier_messages(api, model, services):
    services.generator = generator = RewritingModel()
    ask(api, model, said("user", "Sea?"), said("assistant", "Yes."), said("user", QUESTION))
    assert [prompt.options.history for prompt in generator.prompts] == [()]


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_bound_of_tokens_holds_and_is_told(api, model, services, field, stream):
    services.generator = RewritingModel()
    reply = ask(api, model, **{field: 3, "stream": stream})
    assert reply.status == 200, reply.text
    choice = chunks(reply)[-1]["choices"][0] if stream else reply.json["choices"][0]
    assert choice["finish_reason"] == "length"
    if not stream:
        assert choice["message"]["content"] == ""
        assert reply.json["usage"]["completion_tokens"] == 3
    enough = ask(api, model, **{field: 100}).json["choices"][0]
    assert (enough["finish_reason"], enough["message"]["content"]) == ("stop", "The sea is 11 kilometres deep. [1]")


def test_extracts_end_within_the_bound_too(api, model):
    [choice] = ask(api, model, max_tokens=1).json["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("length", "")


def test_what_is_left_to_chance_is_asked_for_each_time(api, model, services):
    services.generator = generator = RewritingModel()
    for temperature, asked in ((0, 1), (0, 1), (1.5, 2), (1.5, 3), (0, 3)):
        assert ask(api, model, temperature=temperature).status == 200
        assert len(generator.prompts) == asked


def test_several_vector_stores_are_searched_together(api, model):
    hills = api.create_collection("hills")
    api.attach(hills, api.keep_file("The hill is 300 metres high.", "hill.txt"))
    ingest_all(api, hills)
    [sea] = [one["id"] for one in api("GET", "/v1/vector_stores").json["data"] if one["name"] == "papers"]
    stores = [sea, hills, sea]
    for question, name, holder in ((QUESTION, "sea.txt", sea), ("How high is the hill?", "hill.txt", hills)):
        for _ in range(2):
            message = ask(api, "gpt-5", said("user", question), vector_store_ids=stores).json["choices"][0]["message"]
            cited = message["annotations"][0]["url_citation"]
            assert cited["title"] == name
            assert f"/{holder}/" in cited["url"]
    reply = ask(api, "gpt-5", vector_store_ids=[sea, str(uuid4())])
    assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")


def test_nulls_stand_for_fields_left_out(api, model):
    nulls = dict.fromkeys(("seed", "stop", "tools", "user", "max_tokens", "vector_store_ids"))
    assert ask(api, model, **nulls).status == 200
