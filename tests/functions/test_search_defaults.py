"""How a collection is searched where a request does not say: on each door, and the request comes first."""

import pytest

from modulo.domain.answers.answer import AnswerDraft
from modulo.domain.retrieval.search_defaults import SearchDefaults
from tests.functions.conftest import as_user, ingest
from tests.functions.test_mcp_exchange import session, told
from tests.functions.test_search_again import watch_metadata

SEA = "The sea is deep."
TEXTS = {
    "sea.txt": SEA,
    "hill.txt": "The hill by the sea is high.",
    "tea.txt": "Tea is hot.",
    "ice.txt": "Ice is cold.",
}
QUESTION = "How deep is the sea?"


class Model:
    """A generator that keeps the prompts it was given."""

    name = "openai:scripted"

    def __init__(self):
        self.prompts = []

    def reserve(self, prompt):
        return 10

    def generate(self, prompt):
        self.prompts.append(prompt)
        return AnswerDraft(f"{SEA} [1]")


def filled(api, name="papers", **defaults):
    made = api.create_collection(name, search_defaults=defaults)
    for file, text in TEXTS.items():
        assert ingest(api, made, api.upload(made, text, file)) == []
    return made


def ask(api, *collections, **config):
    body = {"question": QUESTION, "collection_ids": collections, "config_metadata": {"retrieve_only": True, **config}}
    reply = api("POST", "/search", json=body)
    assert reply.status == 200, reply.text
    return reply.json


def count(api, *collections, **config):
    return len(ask(api, *collections, **config)["query_results"])


def change(api, collection, **defaults):
    reply = api("PATCH", f"/collections/{collection}", json={"search_defaults": defaults})
    assert reply.status == 200, reply.text
    return reply.json["search_defaults"]


def settle(services, **defaults):
    services.settings = services.settings.model_copy(update={"search_defaults": SearchDefaults(**defaults)})


def test_they_are_told_and_replaced_as_a_whole(api):
    defaults = {"search_type": "dense", "text_weight": 0.1, "score_threshold": 0.2, "top_k": 3, "group_by": "document"}
    made = api.create_collection(search_defaults={**defaults, "instructions": "Be brief."})
    path = f"/collections/{made}"
    assert api("GET", path).json["search_defaults"] == {**defaults, "instructions": "Be brief."}
    assert api("PATCH", path, json={"description": "other"}).json["search_defaults"]["top_k"] == 3
    assert change(api, made, top_k=4) == {"top_k": 4}
    [listed] = api("GET", "/collections").json["items"]
    assert listed["search_defaults"] == {"top_k": 4}
    assert change(api, made) == {}
    assert api("GET", f"/collections/{api.create_collection('plain')}").json["search_defaults"] == {}


@pytest.mark.parametrize(
    ("defaults", "field"),
    [
        ({"top_k": 101}, "search_defaults.top_k"),
        ({"top_k": 0}, "search_defaults.top_k"),
        ({"search_type": "fast"}, "search_defaults.search_type"),
        ({"text_weight": 2}, "search_defaults.text_weight"),
        ({"score_threshold": -1}, "search_defaults.score_threshold"),
        ({"group_by": "page"}, "search_defaults.group_by"),
        ({"instructions": "a" * 20_001}, "search_defaults.instructions"),
        ({"instructions": "\0"}, "search_defaults.instructions"),
        ({"other": 1}, "search_defaults.other"),
    ],
)
def test_what_no_search_can_do_is_refused(api, defaults, field):
    made = api.create_collection()
    for reply in (
        api("POST", "/collections", json={"name": "new", "search_defaults": defaults}),
        api("PATCH", f"/collections/{made}", json={"search_defaults": defaults}),
    ):
        assert reply.status == 422
        assert [error["field"] for error in reply.json["errors"]] == [field]


def test_a_viewer_may_not_change_them(api):
    made, bob = api.create_collection(), as_user("bob")
    bob.create_collection("his")
    user = bob("GET", "/collections").json["items"][0]["owner_id"]
    assert api("PUT", f"/collections/{made}/members/{user}", json={"role": "viewer"}).status == 200
    assert bob("PATCH", f"/collections/{made}", json={"search_defaults": {"top_k": 1}}).status == 403


def test_the_request_comes_before_the_collection_and_that_before_the_settings(api, services):
    made = filled(api)
    assert count(api, made) == 4
    settle(services, top_k=3)
    assert count(api, made) == 3
    change(api, made, top_k=2)
    assert count(api, made) == 2
    assert count(api, made, top_k=1) == 1
    assert count(api, made, top_k=None) == 2
    best = max(one["chunk"]["score"] for one in ask(api, made)["query_results"])
    change(api, made, top_k=2, score_threshold=best - 1e-4)
    assert count(api, made) == 1
    assert count(api, made, score_threshold=0.0) == 2


def test_what_a_collection_says_of_the_ranking_counts(api, services):
    made = filled(api, search_type="text")
    embedder, services.embedder = services.embedder, None
    found = ask(api, made, disable_rerank=True)["query_results"]
    assert {one["chunk"]["metadata"]["source"] for one in found} == {"sea.txt", "hill.txt"}
    services.embedder = embedder
    assert count(api, made, search_type="dense") == 4
    scores = {}
    for weight in (0.0, 1.0):
        change(api, made, text_weight=weight)
        results = ask(api, made, disable_rerank=True)["query_results"]
        scores[weight] = [one["chunk"]["fused_score"] for one in results]
    assert scores[0.0] != scores[1.0]
    assert [one["chunk"]["fused_score"] for one in ask(api, made, text_weight=0.0)["query_results"]] == scores[0.0]


def test_documents_are_counted_unless_the_request_counts_passages(api):
    made = api.create_collection(chunking={"max_tokens": 32, "overlap_tokens": 0}, search_defaults={"top_k": 1})
    text = " ".join(f"The sea is deep in place {n}, as the old chart of the harbour says." for n in range(9))
    assert ingest(api, made, api.upload(made, text, "chart.txt")) == []
    assert count(api, made) == 1
    change(api, made, top_k=1, group_by="document")
    assert count(api, made) == 3
    assert count(api, made, group_by="passage") == 1


def test_a_change_is_seen_by_the_next_search_and_a_search_stays_at_one_statement(api, services):
    made = filled(api, top_k=2)
    watched = watch_metadata(services)
    assert [count(api, made) for _ in range(2)] == [2, 2]
    change(api, made, top_k=1)
    assert count(api, made) == 1
    watched.clear()
    assert count(api, made, disable_rerank=True) == 1
    assert watched == ["live_documents"]


def test_searches_that_say_what_is_the_default_anyway_are_not_those_that_say_nothing(api):
    made = filled(api)
    assert count(api, made, top_k=10) == 4
    change(api, made, top_k=1)
    assert count(api, made, top_k=10) == 4
    assert count(api, made) == 1


def test_of_several_collections_each_is_ranked_as_it_says_and_most_passages_count(api, services):
    one, other = filled(api, search_type="text", top_k=2), filled(api, "others", top_k=3, search_type="dense")
    found = ask(api, one, other, disable_rerank=True)["query_results"]
    assert len(found) == 3
    chunks = [each["chunk"] for each in found]
    assert {each["collection_id"] for each in chunks} == {one, other}
    assert all(("text_score" in each) is (each["collection_id"] == one) for each in chunks)
    change(api, one, instructions="Be brief.")
    services.generator = model = Model()
    for agreed in ("", "Be brief."):
        change(api, other, instructions=agreed or "Be loud.")
        ask(api, one, other, retrieve_only=False)
        assert model.prompts[-1].options.instructions == agreed


def test_a_later_bound_of_the_service_holds_for_what_was_said_before(api, services):
    made = filled(api, top_k=4)
    services.settings = services.settings.model_copy(update={"max_top_k": 2})
    assert count(api, made) == 2


def test_instructions_reach_the_model_unless_the_request_gives_others(api, services):
    made = filled(api, instructions="Be brief.")
    services.generator = model = Model()
    ask(api, made, retrieve_only=False)
    assert model.prompts[-1].options.instructions == "Be brief."


def test_the_openai_door_searches_as_the_collection_says(api):
    made = filled(api, top_k=2)
    path = f"/v1/vector_stores/{made}/search"

    def found(**more):
        reply = api("POST", path, json={"query": QUESTION, **more})
        assert reply.status == 200, reply.text
        return len(reply.json["data"])

    assert (found(), found(max_num_results=1), found(max_num_results=4)) == (2, 1, 4)
    tool = {"type": "file_search", "vector_store_ids": [made]}

    def results(**more):
        asked = {"input": QUESTION, "tools": [{**tool, **more}], "include": ["file_search_call.results"]}
        reply = api("POST", "/v1/responses", json={"model": "modulo", **asked})
        assert reply.status == 200, reply.text
        return len(reply.json["output"][0]["results"])

    assert (results(), results(max_num_results=3)) == (2, 3)
    api("PATCH", f"/collections/{made}", json={"name": "said"})
    reply = api(
        "POST",
        "/v1/chat/completions",
        json={"model": "modulo/said", "messages": [{"role": "user", "content": QUESTION}]},
    )
    assert reply.status == 200, reply.text


def test_assistants_search_as_the_collection_says(api):
    made = filled(api, top_k=2)

    async def talk(client):
        found = told(await client.call_tool("search", {"query": QUESTION, "collection": made}))
        more = told(await client.call_tool("search", {"query": QUESTION, "collection": made, "top_k": 3}))
        answer = told(await client.call_tool("rag_search", {"question": QUESTION, "collection": made}))
        return len(found["results"]), len(more["results"]), len(answer["query_results"])

    assert session(api, "2026-07-28", talk) == (2, 3, 2)
