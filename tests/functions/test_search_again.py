"""Searches where the environment has searched before: what is remembered may be wrong, and must not show."""

import base64
import json
from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from modulo.domain.answers.answer import AnswerDraft, TokenUsage
from modulo.domain.collections.grant import Grant
from modulo.domain.errors import BadModelAnswer, Unavailable
from modulo.domain.search.cache_entry import CacheEntry
from modulo.domain.tenancy.quota import Quotas
from modulo.runtime.auth import authenticate
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from modulo.usecases.cache_keys import embedding_key, grant_key
from tests.functions.conftest import as_user, ingest, replace_metadata

BAKERY = "When does the bakery open?"
VAULT = "When does the vault open?"


class Watched:
    """A port that counts its calls, and does something before each."""

    def __init__(self, port, before=lambda: None, calls=None):
        self._port, self._before, self.calls = port, before, [] if calls is None else calls

    def __getattr__(self, name):
        method = getattr(self._port, name)

        def watched(*args, **kwargs):
            self.calls.append(name)
            self._before()
            return method(*args, **kwargs)

        return watched


class Model:
    """A metered generator: `reserve` counts the characters of its passages."""

    name = "openai:scripted"

    def __init__(self, tokens=50, error=None):
        self.draft, self.error, self.prompts, self.largest = AnswerDraft("", TokenUsage(tokens, 0)), error, [], 0

    def reserve(self, prompt):
        return sum(len(passage.text) + len(passage.document.name) for passage in prompt.passages)

    def generate(self, prompt):
        self.prompts.append(prompt)
        if self.error:
            raise self.error
        return self.draft


def watch_metadata(services):
    """What the metadata are asked from now on, in whichever role."""
    calls = []
    replace_metadata(services, lambda port: Watched(port, calls=calls))
    return calls


@pytest.fixture
def collection(api):
    made = api.create_collection()
    for name, text in {"vault.txt": "The vault opens at noon.", "bakery.txt": "The bakery opens at six."}.items():
        assert ingest(api, made, api.upload(made, text, name)) == []
    ask(api, made, "What opens?")
    return made


def ask(api, collection, question=BAKERY, **config):
    body = {"question": question, "collection_id": collection, "config_metadata": config}
    return api("POST", "/search", json=body)


def sources(found):
    return {result["chunk"]["metadata"]["source"] for result in found["query_results"]}


def member(api, collection):
    """Another user of the tenant, who has searched before, and how to remove them."""
    bob = as_user("bob")
    user = bob("POST", "/collections", json={"name": "own"}).json["owner_id"]
    path = f"/collections/{collection}/members/{user}"
    assert api("PUT", path, json={"role": "viewer"}).status == 200
    assert ask(bob, collection).status == 200
    return bob, path


def caller(api, services):
    return authenticate(api.headers["authorization"].partition(" ")[2], services=services)


def tokens(api, services):
    """Those reserved and those used."""
    period = services.clock.now().date()
    usage = services.usage.get_usage(caller(api, services), period=period, quotas=Quotas())
    return usage.tokens_reserved, usage.tokens_used


def test_metadata_is_asked_once(api, collection, services):
    calls = watch_metadata(services)
    assert ask(api, collection).json["metadata"]["cached"] is False
    assert calls == ["live_documents"]
    assert ask(api, collection).json["metadata"]["cached"] is True
    assert calls == ["live_documents", "grants"]


def test_who_was_removed_finds_nothing_and_costs_no_answer(api, collection, services):
    bob, path = member(api, collection)
    assert api("DELETE", path).status == 204
    services.generator, services.cache = Model(), Watched(services.cache)
    gone = ask(bob, collection, VAULT)
    assert gone.status == ask(bob, "00000000-0000-4000-8000-000000000000", VAULT).status == 404
    assert "noon" not in gone.text
    assert (services.generator.prompts, tokens(bob, services)) == ([], (0, 0))
    assert set(services.cache.calls) == {"get"}


def test_who_was_removed_is_not_answered_from_the_cache(api, collection):
    bob, path = member(api, collection)
    assert ask(bob, collection).json["metadata"]["cached"] is True
    assert api("DELETE", path).status == 204
    assert ask(bob, collection).status == 404
    assert ask(api, collection).json["metadata"]["cached"] is True


def test_what_one_may_search_is_no_other_s_to_search(api, collection, services):
    services.embedder, services.vectors = Watched(services.embedder), Watched(services.vectors)
    for stranger in (as_user("eve"), as_user("ada", tenant="other")):
        assert ask(stranger, collection).status == 404
    assert (services.embedder.calls, services.vectors.calls) == ([], [])


def test_a_deleted_file_is_not_found(api, collection):
    file = next(d["document_id"] for d in ask(api, collection).json["documents"] if d["document_name"] == "bakery.txt")
    assert api("DELETE", f"/collections/{collection}/files/{file}").status in (202, 204)
    for question in (BAKERY, VAULT):
        found = ask(api, collection, question).json
        assert (sources(found), found["metadata"]["cached"]) == ({"vault.txt"}, False)


def test_a_deleted_collection_is_not_found(api, collection):
    assert api("DELETE", f"/collections/{collection}").status in (202, 204)
    assert {ask(api, collection, question).status for question in (BAKERY, VAULT)} == {404}


def test_only_the_newest_upload_of_a_name_is_found(api, collection):
    ask(api, collection)
    assert ingest(api, collection, api.upload(collection, "The bakery opens at five.", "bakery.txt")) == []
    for question in (BAKERY, VAULT):
        found = ask(api, collection, question).json
        assert found["metadata"]["cached"] is False
        assert "at five" in str(found["query_results"])
        assert "at six" not in str(found)


def test_a_result_is_kept_only_where_nothing_was_published_meanwhile(api, collection, services):
    def cached(question):
        return ask(api, collection, question).json["metadata"]["cached"]

    assert [cached(BAKERY) for _ in range(2)] == [False, True]
    ingest(api, collection, api.upload(collection, "The bakery bakes.", "more.txt"))
    assert [cached(BAKERY) for _ in range(2)] == [False, True]
    receipt, vectors = api.upload(collection, "The vault closes at four.", "late.txt"), services.vectors

    def publish():
        services.vectors = vectors
        assert ingest(api, collection, receipt) == []

    services.vectors = Watched(vectors, publish)
    assert ask(api, collection, VAULT).json["metadata"]["collection_version"] == 5
    assert [cached(VAULT) for _ in range(2)] == [False, True]
    assert "late.txt" in sources(ask(api, collection, VAULT).json)


@pytest.mark.parametrize("change", [{"dimensions": 8}, {"name": "former"}])
def test_what_was_found_in_a_former_space_is_sought_again(api, collection, services, change):
    user = caller(api, services)
    now = services.grants.grant(user, UUID(collection))
    former = replace(now, space=replace(now.space, model=now.space.model.model_copy(update=change)))
    key, value = grant_key(user, UUID(collection)), TypeAdapter(Grant).dump_json(former)
    services.cache.put([CacheEntry(key, value, 60)])
    calls, services.embedder = watch_metadata(services), Watched(services.embedder)
    found = ask(api, collection).json
    assert sources(found) == {"bakery.txt", "vault.txt"}
    assert calls == ["live_documents"] * 2
    assert services.embedder.calls == ["embed"] * 2
    assert found["metadata"]["embedding_model"] == now.space.model.name
    assert ask(api, collection).json["metadata"]["cached"] is True


def test_a_vector_cut_short_is_made_anew(api, collection, services):
    user = caller(api, services)
    model = services.grants.grant(user, UUID(collection)).space.model
    value = json.dumps([[model.model_dump(mode="json"), base64.b64encode(bytes(8)).decode()]])
    services.cache.put([CacheEntry(embedding_key(user.tenant_id, BAKERY), value.encode(), 60)])
    assert ask(api, collection).status == 200


def test_tokens_are_reserved_for_the_largest_prompt_and_settled(api, collection, services):
    services.generator = model = Model(tokens=7)
    reserved = []
    model.generate = lambda prompt: reserved.append(tokens(api, services)[0]) or model.draft
    assert ask(api, collection, top_k_rerank=1).json["metadata"]["tokens_used"] == 7
    assert reserved == [max(len("The vault opens at noon.vault.txt"), len("The bakery opens at six.bakery.txt"))]
    assert tokens(api, services) == (0, 7)


@pytest.mark.parametrize("lie", [10**9, int(1e308), -5, 0])
def test_a_model_that_lies_about_its_tokens_costs_at_most_what_was_reserved(api, collection, services, lie):
    services.generator = model = Model(tokens=lie)
    reserved = []
    model.generate = lambda prompt: reserved.append(tokens(api, services)[0]) or model.draft
    reply = ask(api, collection, top_k_rerank=1)
    assert reply.status == 200, reply.text
    charged = max(0, min(lie, reserved[0]))
    assert reply.json["metadata"]["tokens_used"] == charged
    assert tokens(api, services) == (0, charged)


def test_a_reservation_that_cannot_be_settled_counts_as_used_and_the_answer_stands(api, collection, services, caplog):
    services.generator = Model(tokens=7)
    usage = services.usage

    class Unsettled:
        def settle_tokens(self, *args, **kwargs):
            raise Unavailable("down", dependency="postgres")

        def __getattr__(self, name):
            return getattr(usage, name)

    services.usage = Unsettled()
    assert ask(api, collection, top_k_rerank=1).status == 200
    services.usage = usage
    reserved, used = tokens(api, services)
    assert reserved > 7
    assert used == 0
    assert f"{reserved} reserved tokens of user" in caplog.text


def test_passages_alone_reserve_nothing(api, collection, services):
    services.generator = Model(error=AssertionError("asked"))
    calls = watch_metadata(services)
    assert ask(api, collection, retrieve_only=True).status == 200
    assert calls == ["live_documents"]


@pytest.mark.parametrize("fault", ["generator", "threshold", "reranker"])
def test_tokens_that_no_answer_took_are_given_back(api, collection, services, fault):
    services.generator = Model(error=BadModelAnswer() if fault == "generator" else None)
    if fault == "reranker":
        services.reranker = Watched(services.reranker, lambda: 1 / 0)
    reply = ask(api, collection, min_confidence=1.0 if fault == "threshold" else 0.0)
    assert reply.status == {"generator": 502, "threshold": 200, "reranker": 500}[fault]
    assert tokens(api, services) == (0, 0)


def test_a_wider_search_reserves_what_it_needs_more(api, collection, services):
    """Chunks that are being written crowd out the live ones, so that other and longer ones come up."""
    long = "The bakery opens. " * 60
    ingest(api, collection, api.upload(collection, long, "long.txt"))
    receipt = api.upload(collection, "\n\n".join(f"{BAKERY} Part {n}. " * 3 for n in range(40)), "new.txt")
    vectors, seen = services.vectors, []

    class Crowded:
        def flush(self, space, **how):
            services.generator = model = Model(tokens=5)
            model.generate = lambda prompt: (
                seen.append((tokens(api, services)[0], model.reserve(prompt))) or model.draft
            )
            assert ask(api, collection, top_k=2, max_context_per_doc=100, disable_rerank=True).status == 200
            vectors.flush(space, **how)

        def __getattr__(self, name):
            return getattr(vectors, name)

    services.vectors = Crowded()
    assert ingest(api, collection, receipt) == []
    ((reserved, needed),) = seen
    assert reserved >= needed
    assert tokens(api, services) == (0, 5)


def test_all_parts_of_a_question_are_reserved_and_settled_at_once(api, collection, services):
    services.generator = model = Model(tokens=9)
    calls = watch_metadata(services)
    found = ask(api, collection, f"{BAKERY} {VAULT}", cot_enabled=True).json
    assert [step["token_usage"] for step in found["cot_output"]["reasoning_steps"]] == [9, 9]
    assert calls == ["live_documents", "settle_tokens"]
    assert len(model.prompts) == 2
    assert tokens(api, services) == (0, 18)


@pytest.mark.parametrize("settings", [{"quotas": {"tokens_per_day": 100}}], indirect=True)
def test_tokens_for_all_parts_or_for_none(api, collection, services):
    services.generator = model = Model(tokens=9)
    assert ask(api, collection, f"{BAKERY} {VAULT}", cot_enabled=True).status == 429
    assert (model.prompts, tokens(api, services)) == ([], (0, 0))
    assert ask(api, collection).status == 200


def test_what_is_remembered_goes_with_the_collection(api, collection, services):
    key = grant_key(caller(api, services), UUID(collection))
    assert services.cache.get([key]) != [None]
    assert api("DELETE", f"/collections/{collection}").status in (202, 204)
    for delivery in services.purges.receive(limit=1, wait_seconds=0):
        assert function("purge").handler({"Records": [record_of(delivery)]}, None)["batchItemFailures"] == []
    assert services.cache.get([key]) == [None]
