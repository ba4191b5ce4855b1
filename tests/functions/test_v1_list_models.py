from modulo.settings import BGE_SMALL
from tests.functions.conftest import as_user

EMBEDDING = BGE_SMALL.name


def test_each_collection_that_may_be_searched_is_a_model(api):
    for name in ("papers", "Letters"):
        api.create_collection(name)
    as_user("bob").create_collection("secret")
    answer = api("GET", "/v1/models").json
    assert answer["object"] == "list"
    assert {model["id"] for model in answer["data"]} == {"modulo/Letters", "modulo/papers", EMBEDDING}
    assert answer["data"][-1]["id"] == EMBEDDING, "whoever takes the first gets a collection"
    assert api("GET", f"/v1/models/{EMBEDDING}").json == answer["data"][-1]
    assert {(model["object"], model["owned_by"]) for model in answer["data"]} == {("model", "modulo")}
    assert all(isinstance(model["created"], int) for model in answer["data"])


def test_collections_of_one_name_are_models_by_their_ids(api):
    own, bob = api.create_collection("papers"), as_user("bob")
    shared = bob.create_collection("papers")
    user = api("GET", f"/collections/{own}/members").json["items"][0]["user_id"]
    assert bob("PUT", f"/collections/{shared}/members/{user}", json={"role": "viewer"}).status == 200
    models = {model["id"] for model in api("GET", "/v1/models").json["data"]}
    assert models == {f"modulo/{own}", f"modulo/{shared}", EMBEDDING}
    reply = api("GET", "/v1/models/modulo/papers")
    assert reply.status == 400
    assert reply.json["error"]["param"] == "model"
    assert own in reply.json["error"]["message"]
