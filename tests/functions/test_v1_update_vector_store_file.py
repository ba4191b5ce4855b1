import pytest

from tests.functions.conftest import as_user, ingest_all, principal_of


@pytest.fixture
def path(api, collection):
    file = api.keep_file("The sea is deep.", "sea.txt")
    api.attach(collection, file)
    ingest_all(api, collection)
    return f"/v1/vector_stores/{collection}/files/{file}"


def test_attributes_take_the_place_of_what_there_was(api, path):
    for attributes in ({"author": "ada", "year": 2026, "draft": True}, {"year": 2027.5}):
        changed = api("POST", path, json={"attributes": attributes})
        assert (changed.status, changed.json["attributes"]) == (200, attributes)
        assert api("GET", path).json == changed.json
    assert api("POST", path, json={"attributes": None}).json["attributes"] == {}


@pytest.mark.parametrize(
    ("attributes", "param"),
    [
        ({str(number): number for number in range(17)}, "attributes"),
        ({"a": ["b"]}, "attributes"),
        ({"a": {"b": 1}}, "attributes.a"),
        ({"a": "b" * 513}, "attributes.a"),
        ({"a" * 65: "b"}, f"attributes.{'a' * 60}"),
    ],
)
def test_what_a_file_cannot_have_is_refused(api, path, attributes, param):
    refused = api("POST", path, json={"attributes": attributes})
    assert refused.status == 400, refused.text
    assert refused.json["error"]["param"].startswith(param)
    assert api("POST", path, json={}).json["error"]["param"] == "attributes"


def test_lists_of_another_door_are_shown_as_texts(api, collection, path):
    [file] = api("GET", f"/collections/{collection}/files").json["items"]
    api("PATCH", f"/collections/{collection}/files/{file['id']}", json={"attributes": {"tags": ["a", "b"]}})
    assert api("GET", path).json["attributes"] == {"tags": "a, b"}


def test_a_viewer_changes_nothing(api, collection, path):
    bob, user = as_user("bob"), principal_of("bob").user_id
    assert api("PUT", f"/collections/{collection}/members/{user}", json={"role": "viewer"}).status == 200
    assert bob("POST", path, json={"attributes": {"a": 1}}).status == 403
