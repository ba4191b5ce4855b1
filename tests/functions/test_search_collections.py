"""Searches in several collections at once."""

import json
from uuid import UUID, uuid4

import pytest

from modulo.domain.answers.answer import AnswerDraft, TokenUsage
from modulo.domain.search.search import MAX_COLLECTIONS
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests.functions.conftest import as_user, ingest
from tests.functions.reembeddings import MODELS
from tests.functions.test_search_again import Watched, member, tokens, watch_metadata

TEXTS = {
    "rules": {"rules.txt": "Visitors sign in at the gate.", "badges.txt": "Badges are worn above the belt."},
    "plans": {"plans.txt": "The gate is moved to the north side in May.", "pool.txt": "The pool opens in June."},
}
QUESTION = "Where is the gate?"


def fill(api, name, **more):
    made = api.create_collection(name, **more)
    for file, text in TEXTS[name].items():
        assert ingest(api, made, api.upload(made, text, file)) == []
    return made


@pytest.fixture
def both(api):
    return [fill(api, name) for name in TEXTS]


def ask(api, collections, question=QUESTION, **config):
    body = {"question": question, "collection_ids": list(collections), "config_metadata": config}
    return api("POST", "/search", json=body)


def sources(reply):
    assert reply.status == 200, reply.text
    return [one["chunk"]["metadata"]["source"] for one in reply.json["query_results"]]


def test_passages_of_all_collections_are_ranked_together(api, both):
    found = ask(api, both)
    assert set(sources(found)[:2]) == {"rules.txt", "plans.txt"}
    for result in found.json["query_results"]:
        place = both[0] if result["chunk"]["metadata"]["source"] in TEXTS["rules"] else both[1]
        assert result["chunk"]["collection_id"] == place
    told = {one["document_name"]: one["collection_id"] for one in found.json["documents"]}
    assert (told["rules.txt"], told["plans.txt"]) == tuple(both)
    assert all(one["collection_id"] in both for one in found.json["citations"])
    metadata = found.json["metadata"]
    assert [one["collection_id"] for one in metadata["collections"]] == sorted(both, key=UUID)
    assert "collection_version" not in metadata
    assert "embedding_model" not in metadata


def test_of_several_collections_only_as_much_comes_as_of_one(api, both):
    assert len(sources(ask(api, both, top_k=2, retrieve_only=True))) == 2
    assert len(sources(ask(api, both, top_k=3, retrieve_only=True, disable_rerank=True))) == 3


def test_documents_of_all_collections_are_counted_together(api, both):
    found = ask(api, both, group_by="document", top_k=3, retrieve_only=True).json
    assert len(found["documents"]) == 3


def test_one_statement_one_search_and_two_exchanges_with_the_cache(api, both, services):
    ask(api, both)
    calls = watch_metadata(services)
    services.vectors, services.cache = Watched(services.vectors), Watched(services.cache)
    assert ask(api, both, "Which gate is moved?").json["metadata"]["cached"] is False
    assert (calls, services.vectors.calls) == (["live_documents"], ["search"])
    assert services.cache.calls == ["get", "put"]


def test_a_result_is_the_same_in_any_order_until_one_of_them_changes(api, both):
    def cached(collections):
        return ask(api, collections).json["metadata"]["cached"]

    assert [cached(both), cached(both), cached([*both[::-1], both[0]])] == [False, True, True]
    for collection in both:
        assert ingest(api, collection, api.upload(collection, f"A gate of {collection}.", "late.txt")) == []
        assert [cached(both), cached(both)] == [False, True]


def test_a_single_one_is_the_search_that_names_it_alone(api, both):
    one = {"question": QUESTION, "collection_id": both[0]}
    assert api("POST", "/search", json=one).json["metadata"]["cached"] is False
    found = ask(api, both[:1]).json["metadata"]
    assert (found["cached"], found["collection_version"]) == (True, found["collections"][0]["version"])


def test_what_is_remembered_of_several_goes_with_each(api, both, services):
    def remembered():
        return [key for key in services.cache._entries if ":result:" in key]

    ask(api, both)
    assert len(remembered()) == 1
    assert api("DELETE", f"/collections/{both[1]}").status == 202
    for delivery in services.purges.receive(limit=1, wait_seconds=0):
        assert function("purge").handler({"Records": [record_of(delivery)]}, None)["batchItemFailures"] == []
    assert remembered() == []


@pytest.mark.parametrize("settings", [MODELS], indirect=True)
@pytest.mark.parametrize("config", [{}, {"disable_rerank": True}, {"search_type": "dense"}, {"search_type": "text"}])
def test_each_collection_is_searched_by_its_own_model(api, services, config):
    both = [fill(api, "rules", embedding_model="small"), fill(api, "plans", embedding_model="large")]
    services.embedder = embedder = Watched(services.embedder)
    found = ask(api, both, **config)
    assert {"rules.txt", "plans.txt"} <= set(sources(found)[:3])
    assert embedder.calls == ([] if config.get("search_type") == "text" else ["embed"] * 2)
    models = {one["collection_id"]: one["embedding_model"] for one in found.json["metadata"]["collections"]}
    assert models == dict(zip(both, ("small", "large"), strict=True))


@pytest.mark.parametrize("settings", [MODELS], indirect=True)
def test_a_question_is_embedded_once_by_each_model(api, services):
    both = [fill(api, "rules", embedding_model="small"), fill(api, "plans", embedding_model="large")]
    services.embedder = embedder = Watched(services.embedder)
    for collections in (both[:1], both, both[1:], both):
        ask(api, collections, top_k=4)
        ask(api, collections, top_k=5)
    assert embedder.calls == ["embed"] * 2


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("stranger", [("eve", "evil"), ("ada", "evil"), ("bob", "acme")])
def test_one_foreign_collection_is_answered_like_an_unknown_one(api, both, services, stranger, place):
    """Whatever else is asked for: nothing of the own collection is told, nothing is reserved or recorded."""
    other = as_user(*stranger)
    own = other.create_collection("own", expires_after_days=3)
    assert ask(other, [own]).status == 200
    used = other("GET", f"/collections/{own}").json
    doors = [("/search", {}), ("/search/stream", {}), ("/search", {"filters": {"author": "Ada"}})]
    for path, config in doors:
        told = []
        for unseen in (both[place], str(uuid4())):
            body = {"question": QUESTION, "collection_ids": [own, unseen], "config_metadata": config}
            reply = other("POST", path, json=body)
            assert reply.status == 404, reply.text
            told.append({**reply.json, "request_id": "", "trace_id": ""})
        assert told[0] == told[1]
    assert other("GET", f"/collections/{own}").json == used
    assert tokens(other, services) == (0, 0)


def test_a_member_who_is_removed_from_one_sees_none(api, both, services):
    bob, path = member(api, both[0])
    assert ask(bob, both).status == 404
    user = path.rpartition("/")[2]
    assert api("PUT", f"/collections/{both[1]}/members/{user}", json={"role": "viewer"}).status == 200
    assert len(sources(ask(bob, both))) == 4
    assert api("DELETE", path).status == 204
    assert ask(bob, both).status == 404
    assert ask(bob, both[1:]).status == 200


class Metered:
    """A generator whose tokens count."""

    name = "openai:scripted"

    def reserve(self, prompt):
        return 100

    def generate(self, prompt):
        return AnswerDraft("It is moved to the north side in May [1].", TokenUsage(7, 0))


def test_tokens_are_reserved_once_for_all(api, both, services):
    services.generator = Metered()
    assert ask(api, both).json["metadata"]["tokens_used"] == 7
    assert tokens(api, services) == (0, 7)


def test_a_filter_on_documents_holds_in_all(api, both, services):
    for collection, name in zip(both, ("rules.txt", "pool.txt"), strict=True):
        files = api("GET", f"/collections/{collection}/files").json["items"]
        chosen = next(file["id"] for file in files if file["name"] == name)
        reply = api("PATCH", f"/collections/{collection}/files/{chosen}", json={"attributes": {"kind": "chosen"}})
        assert reply.status == 200, reply.text
    config = {"filters": {"kind": "chosen"}, "retrieve_only": True}
    for _ in range(2):
        assert set(sources(ask(api, both, **config))) == {"rules.txt", "pool.txt"}
    assert sources(ask(api, both[:1], **config)) == ["rules.txt"]
    calls = watch_metadata(services)
    ask(api, both, "What is chosen?", **config)
    assert calls == ["live_documents"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "collection_id"),
        ({"collection_ids": []}, "collection_ids"),
        ({"collection_ids": [str(UUID(int=n)) for n in range(MAX_COLLECTIONS + 1)]}, "collection_ids"),
        ({"collection_ids": ["papers"]}, "collection_ids.0"),
        ({"collection_id": str(UUID(int=1)), "collection_ids": [str(UUID(int=2))]}, "collection_ids"),
        ({"collection_id": None, "collection_ids": None}, "collection_id"),
    ],
)
@pytest.mark.parametrize("path", ["/search", "/search/stream"])
def test_collections_that_are_named_badly_are_refused(api, services, path, fields, named):
    reply = api("POST", path, json={"question": QUESTION, **fields})
    assert reply.status == 422, reply.text
    assert reply.json["errors"][0]["field"] in (named, f"body.{named}")


def test_as_many_as_may_be(api, both, services):
    others = [api.create_collection(f"other {n}") for n in range(MAX_COLLECTIONS - 2)]
    assert len(sources(ask(api, [*both, *others]))) == 4


def test_a_streamed_search_tells_where_each_passage_is(api, both):
    reply = api("POST", "/search/stream", json={"question": QUESTION, "collection_ids": both})
    assert reply.status == 200
    documents = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: ")]
    found = next(one for one in documents if "query_results" in one)
    assert {result["chunk"]["collection_id"] for result in found["query_results"]} == set(both)


def test_a_conversation_asks_several(api, both):
    talk = api("POST", "/conversations", json={"collection_id": both[0]}).json["id"]
    path = f"/conversations/{talk}/messages"
    asked = api("POST", path, json={"question": QUESTION, "collection_ids": both})
    assert asked.status == 200, asked.text
    assert len(asked.json["search"]["metadata"]["collections"]) == 2
    twice = {"question": QUESTION, "collection_id": both[0], "collection_ids": both}
    assert api("POST", path, json=twice).status == 422
    assert len(api("POST", path, json={"question": QUESTION}).json["search"]["metadata"]["collections"]) == 1


def test_a_chat_completion_asks_several(api, both):
    body = {"model": "modulo/rules", "messages": [{"role": "user", "content": "When is the gate moved?"}]}
    reply = api("POST", "/v1/chat/completions", json={**body, "vector_store_ids": both})
    assert reply.status == 200, reply.text
    message = reply.json["choices"][0]["message"]
    assert "May" in message["content"]
    assert all(f"/api/collections/{both[1]}/" in one["url_citation"]["url"] for one in message["annotations"][:1])
    foreign = as_user("eve", "evil").create_collection("theirs")
    told = [
        api("POST", "/v1/chat/completions", json={**body, "vector_store_ids": [both[0], one]})
        for one in (foreign, str(uuid4()))
    ]
    assert [one.status for one in told] == [404, 404]
    assert told[0].json == told[1].json
