import pytest

from tests.functions.conftest import as_user


@pytest.fixture
def bob(services):
    made = as_user("bob")
    made.create_collection("his")
    return made


@pytest.fixture
def bob_id(bob):
    return bob("GET", "/collections").json["items"][0]["owner_id"]


def test_a_member_comes_and_goes(api, bob, bob_id):
    collection = api.create_collection()
    path = f"/collections/{collection}"
    assert bob("GET", path).status == 404
    assert api("PUT", f"{path}/members/{bob_id}", json={"role": "viewer"}).json["role"] == "viewer"
    assert bob("GET", path).json["role"] == "viewer"
    members = {member["name"]: member["role"] for member in bob("GET", f"{path}/members").json["items"]}
    assert members == {"ada": "owner", "bob": "viewer"}
    assert api("DELETE", f"{path}/members/{bob_id}").status == 204
    assert api("DELETE", f"{path}/members/{bob_id}").status == 404
    assert bob("GET", path).status == 404


def test_only_the_owner_decides(api, bob, bob_id):
    collection = api.create_collection()
    path = f"/collections/{collection}"
    owner = api("GET", path).json["owner_id"]
    api("PUT", f"{path}/members/{bob_id}", json={"role": "editor"})
    assert bob("PUT", f"{path}/members/{bob_id}", json={"role": "viewer"}).status == 403
    assert bob("DELETE", f"{path}/members/{owner}").status == 403
    assert bob("DELETE", path).status == 403


def test_nobody_becomes_owner_and_no_stranger_a_member(api, bob_id):
    collection = api.create_collection()
    as_user("eve", "evil").create_collection("hers")
    eve = as_user("eve", "evil")("GET", "/collections").json["items"][0]["owner_id"]
    path = f"/collections/{collection}/members"
    refused = api("PUT", f"{path}/{bob_id}", json={"role": "owner"})
    assert (refused.status, refused.json["detail"]) == (422, "role: must be 'editor' or 'viewer'")
    assert api("PUT", f"{path}/{eve}", json={"role": "viewer"}).status == 404
