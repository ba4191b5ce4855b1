from contextlib import suppress
from uuid import UUID

import pytest

from modulo.domain.collections.reembedding import ReembeddingState
from modulo.domain.errors import Conflict
from modulo.domain.tenancy.identity import Principal, Scope, external_id
from tests.functions.conftest import deliver_queued
from tests.functions.reembeddings import MODELS, TEXTS, answers, built, collection_of, path, start

pytestmark = pytest.mark.parametrize("settings", [MODELS], indirect=True)


def test_it_switches_once(api, services):
    collection = collection_of(api)
    built(api, services, collection)
    switched = api("POST", path(collection, "/switch"), json={})
    assert (switched.status, switched.json["state"], switched.json["files_done"]) == (200, "switched", 2)
    assert switched.json["rollback_until"] > switched.json["switched_at"]
    assert api("POST", path(collection, "/switch"), json={}).status == 409
    assert answers(api, collection)[1] == "large"


def test_a_search_that_began_before_sees_one_index(api, services, clock, monkeypatch):
    """The switch comes between what Milvus answers and what is live."""
    collection = collection_of(api)
    built(api, services, collection)
    search, owner = services.vectors.search, external_id("modulo", "user:acme:ada")
    ada = Principal(external_id("modulo", "tenant:acme"), owner, frozenset(Scope))

    def slow(*given, **more):
        hits = search(*given, **more)
        with suppress(Conflict):  # a second time
            services.reembeddings.move_reembedding(
                ada, UUID(collection), ReembeddingState.switched, leave_out=False, now=clock.now()
            )
        return hits

    monkeypatch.setattr(services.vectors, "search", slow)
    _, model, names = answers(api, collection)
    assert (model, sorted(names)) == ("large", sorted(TEXTS))


def test_files_are_left_out_only_where_that_is_asked_for(api, services):
    collection = collection_of(api)
    start(api, collection)
    refused = api("POST", path(collection, "/switch"), json={})
    assert (refused.status, refused.json["detail"][:35]) == (409, "2 files are still being embedded an")
    assert api("POST", path(collection, "/switch"), json={"leave_out": True}).json["state"] == "switched"
    assert answers(api, collection)[1:] == ("large", [])
    deliver_queued(services)  # they are found as soon as they are there
    assert sorted(answers(api, collection)[2]) == sorted(TEXTS)
