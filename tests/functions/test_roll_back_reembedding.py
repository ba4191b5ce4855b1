from datetime import timedelta

import pytest

from tests.functions.conftest import ingest
from tests.functions.reembeddings import MODELS, TEXTS, answers, built, collection_of, path, space_of, sweep
from tests.functions.test_purge import run_purges

pytestmark = pytest.mark.parametrize("settings", [MODELS], indirect=True)


@pytest.fixture
def switched(api, services):
    collection = collection_of(api)
    built(api, services, collection)
    assert api("POST", path(collection, "/switch"), json={}).status == 200
    return collection


def test_searches_see_the_old_index_again_and_the_new_one_goes(api, services, clock, switched):
    added = api.upload(switched, "The tower opens at nine.", "tower.txt")
    assert ingest(api, switched, added) == []
    refused = api("POST", path(switched, "/rollback"), json={})
    assert refused.status == 409  # the file of after the switch is not in the old index yet
    sweep(services, clock)
    version = answers(api, switched)[0]
    back = api("POST", path(switched, "/rollback"), json={}).json
    assert (back["state"], back.get("rollback_until"), back.get("files_done")) == ("rolled_back", None, None)
    after = answers(api, switched)
    assert (after[0], after[1], sorted(after[2])) == (version + 1, "small", sorted([*TEXTS, "tower.txt"]))
    sweep(services, clock)
    run_purges(services)
    assert services.vectors.count(space_of(services, "large")) == 0
    assert services.vectors.count(space_of(services, "small")) == 3
    assert len(answers(api, switched)[2]) == 3
    assert api("GET", "/usage").json["storage_bytes"] == sum(map(len, TEXTS.values())) + 24
    for move in ("/rollback", "/switch"):
        assert api("POST", path(switched, move), json={}).status == 409
    assert api("POST", path(switched), json={}).status == 202


def test_there_is_no_way_back_after_its_time(api, services, clock, switched):
    sweep(services, clock, after=timedelta(hours=2))
    assert api("GET", path(switched)).json.get("rollback_until") is None
    assert api("POST", path(switched, "/rollback"), json={}).status == 409
    sweep(services, clock)
    run_purges(services)
    assert services.vectors.count(space_of(services, "small")) == 0
    assert sorted(answers(api, switched)[2]) == sorted(TEXTS)
    assert api("GET", "/usage").json["storage_bytes"] == sum(map(len, TEXTS.values()))
    file = api("GET", f"/collections/{switched}/files").json["items"][0]
    assert file["generation"] != file["source"]
    assert api("GET", f"/collections/{switched}/files/{file['id']}/content").status in (200, 307)


def test_nothing_is_rolled_back_before_the_switch(api, services):
    collection = collection_of(api)
    assert api("POST", path(collection, "/rollback"), json={}).status == 404
    built(api, services, collection)
    assert api("POST", path(collection, "/rollback"), json={}).status == 409
