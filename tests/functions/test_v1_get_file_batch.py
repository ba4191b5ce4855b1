from uuid import uuid4

from tests.functions.conftest import as_user, principal_of


def test_a_batch_is_found_through_its_own_store_only(api, collection):
    path = f"/v1/vector_stores/{collection}/file_batches"
    made = api("POST", path, json={"file_ids": [api.keep_file("text")]}).json
    assert api("GET", f"{path}/{made['id']}").json == made
    other = api.create_collection("other")
    for store, batch in ((other, made["id"]), (collection, uuid4())):
        assert api("GET", f"/v1/vector_stores/{store}/file_batches/{batch}").status == 404


def test_a_member_sees_it_and_a_viewer_makes_none(api, collection):
    path = f"/v1/vector_stores/{collection}/file_batches"
    made = api("POST", path, json={"file_ids": [api.keep_file("text")]}).json
    bob = as_user("bob")
    file = bob.keep_file("text")
    member = principal_of("bob").user_id
    assert api("PUT", f"/collections/{collection}/members/{member}", json={"role": "viewer"}).status == 200
    assert bob("GET", f"{path}/{made['id']}").json == made
    assert bob("POST", path, json={"file_ids": [file]}).status == 403
    assert bob("POST", f"{path}/{made['id']}/cancel").status == 403
