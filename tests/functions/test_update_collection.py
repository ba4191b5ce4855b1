from tests.functions.conftest import as_user


def test_changes_only_what_is_given(api):
    collection = api.create_collection()
    path = f"/collections/{collection}"
    renamed = api("PATCH", path, json={"name": "articles"}).json
    assert (renamed["name"], renamed["chunking"]["max_tokens"]) == ("articles", 200)
    cut = api("PATCH", path, json={"chunking": {"max_tokens": 100, "overlap_tokens": 10}}).json
    assert (cut["name"], cut["chunking"]["max_tokens"]) == ("articles", 100)


def test_a_taken_name_is_a_conflict(api):
    api.create_collection("one")
    two = api.create_collection("two")
    assert api("PATCH", f"/collections/{two}", json={"name": "one"}).status == 409


def test_a_viewer_may_not(api):
    collection = api.create_collection()
    bob = as_user("bob")
    bob.create_collection("his")
    owner = bob("GET", "/collections").json["items"][0]["owner_id"]
    assert api("PUT", f"/collections/{collection}/members/{owner}", json={"role": "viewer"}).status == 200
    chunking = {"chunking": {"max_tokens": 100, "overlap_tokens": 10}}
    assert bob("PATCH", f"/collections/{collection}", json=chunking).status == 403
    assert api("PUT", f"/collections/{collection}/members/{owner}", json={"role": "editor"}).status == 200
    assert bob("PATCH", f"/collections/{collection}", json=chunking).status == 200


def test_an_editor_learns_no_other_names_of_the_owner_by_renaming(api):
    api.create_collection("merger with globex")
    shared = api.create_collection("shared")
    bob = as_user("bob")
    bob.create_collection("his")
    user = bob("GET", "/collections").json["items"][0]["owner_id"]
    assert api("PUT", f"/collections/{shared}/members/{user}", json={"role": "editor"}).status == 200
    taken, free = (
        bob("PATCH", f"/collections/{shared}", json={"name": name}) for name in ("merger with globex", "free")
    )
    assert taken.status == free.status == 403
    assert taken.json["detail"] == free.json["detail"]
