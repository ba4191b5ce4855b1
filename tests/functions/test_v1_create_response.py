import json
from uuid import uuid4

import pytest

from modulo.domain.errors import Throttled, Unavailable
from tests.doubles.rewriting_model import RewritingModel
from tests.functions.conftest import as_user, ingest_all

QUESTION = "How deep is the sea?"
USER = {"role": "user", "content": "a"}


@pytest.fixture
def store(api):
    collection = api.create_collection("papers")
    for name, text in (("sea.txt", "The sea is 11 kilometres deep."), ("hill.txt", "The hill is 300 metres high.")):
        api.attach(collection, api.keep_file(text, name))
    ingest_all(api, collection)
    return collection


def ask(api, searched, said=QUESTION, /, *, tool=None, **more):
    tools = [{"type": "file_search", "vector_store_ids": [searched], **(tool or {})}]
    return api("POST", "/v1/responses", json={"model": "gpt-5", "input": said, "tools": tools, **more})


def told(api, searched, said=QUESTION, /, **more):
    reply = ask(api, searched, said, **more)
    assert reply.status == 200, reply.text
    return reply.json


def text_of(response):
    return response["output"][1]["content"][0]["text"]


def events_of(reply):
    assert reply.status == 200, reply.text
    assert reply.headers["content-type"].startswith("text/event-stream")
    parts = [part.split("\n") for part in reply.text.strip().split("\n\n")]
    found = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in parts]
    assert all(name == event["type"] for name, event in found)
    assert [event["sequence_number"] for _, event in found] == list(range(len(found)))
    return [event for _, event in found]


def conversations(api):
    return api("GET", "/conversations").json["items"]


def test_an_answer_cites_the_file_that_was_attached(api, store):
    found = told(api, store, metadata={"a": "b"}, instructions="Be brief.")
    assert (found["object"], found["status"], found["model"]) == ("response", "completed", "gpt-5")
    search, message = found["output"]
    assert (search["type"], search["status"], search["queries"]) == ("file_search_call", "completed", [QUESTION])
    assert search["results"] is None
    [part] = message["content"]
    assert (message["role"], message["status"], part["type"]) == ("assistant", "completed", "output_text")
    assert "11 kilometres" in part["text"]
    kept = {file["filename"]: file["id"] for file in api("GET", "/v1/files").json["data"]}
    [cited] = part["annotations"]
    at = cited.pop("index")
    assert cited == {"type": "file_citation", "file_id": kept["sea.txt"], "filename": "sea.txt"}
    assert part["text"][at : at + 3] == "[1]"
    assert (found["metadata"], found["instructions"], found["store"]) == ({"a": "b"}, "Be brief.", True)
    assert found["usage"]["total_tokens"] == found["usage"]["input_tokens"] + found["usage"]["output_tokens"]


def test_what_was_found_is_told_where_that_is_asked_for(api, store):
    tool = {"max_num_results": 1, "ranking_options": {"ranker": "auto", "score_threshold": 0.0}}
    [result] = told(api, store, tool=tool, include=["file_search_call.results"])["output"][0]["results"]
    assert (result["filename"], result["text"]) == ("sea.txt", "The sea is 11 kilometres deep.")
    assert 0 < result["score"] <= 1
    hybrid = {"ranking_options": {"hybrid_search": {"embedding_weight": 1, "text_weight": 3}}}
    assert "11 kilometres" in text_of(told(api, store, tool=hybrid))


def test_filters_are_on_attributes(api, store):
    [sea] = [one for one in api("GET", f"/collections/{store}/files").json["items"] if one["name"] == "sea.txt"]
    changed = {"attributes": {"author": "ada", "year": 2024}}
    assert api("PATCH", f"/collections/{store}/files/{sea['id']}", json=changed).status == 200
    for year, expected in ((2024, ["sea.txt"]), (2025, [])):
        compared = [{"type": "eq", "key": "author", "value": "ada"}, {"type": "gte", "key": "year", "value": year}]
        tool = {"filters": {"type": "and", "filters": compared}}
        results = told(api, store, tool=tool, include=["file_search_call.results"])["output"][0]["results"]
        assert [one["filename"] for one in results] == expected
        assert [one["attributes"] for one in results] == [changed["attributes"]] * len(expected)


def test_events_come_in_order_and_end_with_the_same_response(api, store):
    events = events_of(ask(api, store, stream=True, include=["file_search_call.results"]))
    kinds = [event["type"].removeprefix("response.") for event in events]
    deltas = kinds.count("output_text.delta")
    assert kinds == [
        *("created", "in_progress", "output_item.added"),
        *("file_search_call.in_progress", "file_search_call.searching", "file_search_call.completed"),
        *("output_item.done", "output_item.added", "content_part.added"),
        *["output_text.delta"] * deltas,
        *("output_text.annotation.added", "output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    done = events[-1]["response"]
    assert "".join(event["delta"] for event in events if event["type"].endswith("text.delta")) == text_of(done)
    assert events[-2]["item"] == done["output"][1]
    assert [event["item"] for event in events if event["type"].endswith("item.done")] == done["output"]
    assert events[0]["response"]["status"] == "in_progress"
    stored = api("GET", f"/v1/responses/{done['id']}").json
    assert stored["output"][0].pop("results") is None
    done["output"][0].pop("results")
    assert stored == done


def test_a_failure_behind_the_first_event_is_told_and_nothing_is_kept(api, store, services, monkeypatch):
    for error, code in ((Throttled("Busy."), "rate_limit_exceeded"), (Unavailable("Gone."), "server_error")):

        def broken(prompt, error=error):
            raise error
            yield

        monkeypatch.setattr(services.generator, "stream", broken)
        events = events_of(ask(api, store, stream=True))
        failed = events[-1]["response"]
        assert (events[-1]["type"], failed["status"]) == ("response.failed", "failed")
        assert failed["error"] == {"code": code, "message": error.detail}
    assert conversations(api) == []


def test_a_response_is_continued_by_its_id_and_each_branch_by_itself(api, store, services):
    first = told(api, store)
    services.generator = model = RewritingModel("How high is the hill?")
    second = told(api, store, "And the hill?", previous_response_id=first["id"])
    assert second["previous_response_id"] == first["id"]
    assert second["output"][0]["queries"] == ["How high is the hill?"]
    assert "300 metres" in text_of(second)
    told(api, store, "And a third?", previous_response_id=second["id"])
    model.rewritten = "How steep is the hill?"
    told(api, store, "And beside it?", previous_response_id=first["id"])
    asked = [[turn.question for turn in prompt.options.history] for prompt in model.prompts if prompt.passages]
    assert asked == [[QUESTION], [QUESTION, "How high is the hill?"], [QUESTION]]
    [conversation] = conversations(api)
    assert (conversation["title"], conversation["message_count"]) == (QUESTION, 8)


def test_a_conversation_goes_on(api, store, services):
    said = [{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "What of the sea?"}]
    items = [
        *said,
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "It is deep."}]},
    ]
    conversation = api("POST", "/v1/conversations", json={"items": items}).json["id"]
    services.generator = model = RewritingModel()
    for given in (conversation, {"id": conversation}):
        found = told(api, store, "How much?", conversation=given, instructions="Be brief.")
        assert found["conversation"] == {"id": conversation}
    first, *_ = [prompt for prompt in model.prompts if prompt.passages]
    assert first.options.instructions == "Be kind.\n\nBe brief."
    assert [turn.answer for turn in first.options.history] == ["It is deep."]
    listed = api("GET", f"/v1/conversations/{conversation}/items", query={"order": "asc"}).json["data"]
    assert [one["role"] for one in listed] == ["developer", *["user", "assistant"] * 3]
    continued = told(api, store, "And more?", previous_response_id=found["id"])
    assert continued["conversation"] is None
    assert api("GET", f"/conversations/{conversation}").json["message_count"] == 9


def test_what_is_not_to_be_stored_is_not(api, store):
    first = told(api, store, store=False)
    assert conversations(api) == []
    assert api("GET", f"/v1/responses/{first['id']}").status == 404
    assert ask(api, store, previous_response_id=first["id"]).status == 404
    kept = told(api, store)
    told(api, store, "Why?", previous_response_id=kept["id"], store=False)
    assert [one["message_count"] for one in conversations(api)] == [2]


def test_the_input_may_be_what_was_said_so_far(api, store, services):
    services.generator = model = RewritingModel()
    first = told(api, store, store=False)
    said = [{"role": "user", "content": QUESTION}, *first["output"], {"role": "user", "content": "And why?"}]
    told(api, store, said)
    assert [turn.question for turn in model.prompts[-1].options.history] == [QUESTION]


@pytest.mark.parametrize("stream", [False, True])
def test_a_bound_of_tokens_leaves_the_response_incomplete(api, store, services, stream):
    services.generator = RewritingModel()
    reply = ask(api, store, max_output_tokens=3, stream=stream)
    found = events_of(reply)[-1]["response"] if stream else reply.json
    assert (found["status"], found["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert (text_of(found), found["usage"]["output_tokens"], found["completed_at"]) == ("", 3, None)
    assert api("GET", f"/v1/responses/{found['id']}").json == found


def test_a_collection_may_be_the_model(api, store):
    reply = api("POST", "/v1/responses", json={"model": "modulo/papers", "input": QUESTION})
    assert "11 kilometres" in text_of(reply.json)
    assert api("POST", "/v1/responses", json={"input": QUESTION}).status == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": ""}, "input.0.content"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": ["a"]}, "input.0"),
        ({"input": [USER] * 101}, "input"),
        ({"input": [{"role": "assistant", "content": "a"}]}, "input.0.role"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "a"}]}]}, "input.0.content"),
        ({"input": [{"type": "function_call_output", "call_id": "a", "output": "b"}]}, "input.0.type"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"tools": [{"type": "file_search"}]}, "tools.0.vector_store_ids"),
        ({"tools": [{"type": "file_search", "vector_store_ids": [str(uuid4())], "top_k": 1}]}, "tools.0.top_k"),
        ({"tool_choice": "none"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "a"}}, "tool_choice"),
        ({"include": ["message.output_text.logprobs"]}, "include.0"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"conversation": str(uuid4()), "previous_response_id": str(uuid4())}, "previous_response_id"),
        ({"background": True}, "background"),
        ({"reasoning": {"effort": "low"}}, "reasoning"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format.type"),
        ({"truncation": "disabled"}, "truncation"),
        ({"temperature": 3}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"instructions": "a" * 20_001}, "instructions"),
        ({"instructions": "a" * 20_000, "input": [{"role": "system", "content": "b"}, USER]}, "input"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(api, body, param):
    reply = api("POST", "/v1/responses", json={"model": "modulo/papers", "input": "a", **body})
    assert (reply.status, reply.json["error"]["param"]) == (400, param), reply.text


@pytest.mark.parametrize(
    ("filters", "param"),
    [
        ({"type": "near", "key": "a", "value": 1}, "tools.0.filters.type"),
        ({"author": "ada"}, "tools.0.filters.type"),
        ({"type": "eq", "key": "a"}, "tools.0.filters.value"),
        ({"type": "and", "filters": [{"type": "eq", "key": "a", "value": None}]}, "tools.0.filters.filters.0.value"),
    ],
)
def test_so_are_filters(api, store, filters, param):
    reply = ask(api, store, tool={"filters": filters})
    assert (reply.status, reply.json["error"]["param"]) == (400, param), reply.text


def test_nulls_stand_for_fields_left_out(api, store):
    nulls = dict.fromkeys(("reasoning", "user", "prompt", "previous_response_id", "conversation", "text", "include"))
    assert ask(api, store, **nulls).status == 200


def test_nothing_of_another_user_is_continued(api, store):
    mine = told(api, store)
    conversation = api("POST", "/v1/conversations", json={}).json["id"]
    for stranger in (as_user("bob"), as_user("ada", "evil")):
        own = stranger.create_collection("own")
        for more in ({"previous_response_id": mine["id"]}, {"conversation": conversation}, {}):
            reply = ask(stranger, store if not more else own, **more)
            assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")
    question = api("GET", f"/v1/responses/{mine['id']}/input_items").json["data"][0]["id"]
    assert ask(api, store, previous_response_id=question).status == 404


def test_an_archived_conversation_takes_no_more(api, store):
    conversation = api("POST", "/v1/conversations", json={}).json["id"]
    api("PATCH", f"/conversations/{conversation}", json={"archived": True})
    assert ask(api, store, conversation=conversation).status == 409
    assert ask(api, store, conversation=conversation, store=False).status == 200


@pytest.mark.parametrize("settings", [{"quotas": {"messages": 3, "conversations": 1}}], indirect=True)
def test_quotas_hold(api, store):
    first = told(api, store)
    for reply in (ask(api, store, previous_response_id=first["id"]), ask(api, store)):
        assert (reply.status, reply.json["error"]["code"]) == (429, "insufficient_quota")
