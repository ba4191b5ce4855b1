from tests.functions.conftest import as_user


def test_name_metadata_and_expiry_change(api, clock):
    store = api("POST", "/v1/vector_stores", json={"name": "papers", "metadata": {"a": "b"}}).json["id"]
    body = {"name": "letters", "metadata": {"c": "d"}, "expires_after": {"anchor": "last_active_at", "days": 2}}
    found = api("POST", f"/v1/vector_stores/{store}", json=body).json
    assert (found["name"], found["metadata"], found["expires_after"]) == tuple(body.values())
    found = api("POST", f"/v1/vector_stores/{store}", json={}).json
    assert (found["name"], found["metadata"], found["expires_after"]) == tuple(body.values())
    found = api("POST", f"/v1/vector_stores/{store}", json={"metadata": None, "expires_after": None}).json
    assert (found["metadata"], found["expires_after"], found["expires_at"]) == ({}, None, None)


def test_only_the_owner_has_it_expire(api, collection):
    bob = as_user("bob")
    own = bob.create_collection("own")
    user = bob("GET", f"/collections/{own}/members").json["items"][0]["user_id"]
    api("PUT", f"/collections/{collection}/members/{user}", json={"role": "editor"})
    path = f"/v1/vector_stores/{collection}"
    assert bob("POST", path, json={"metadata": {"a": "b"}}).json["metadata"] == {"a": "b"}
    reply = bob("POST", path, json={"expires_after": {"anchor": "last_active_at", "days": 1}})
    assert (reply.status, reply.json["error"]["code"]) == (403, "forbidden")
