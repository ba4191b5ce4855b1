import json

import pytest

from tests.functions.conftest import as_user, ingest
from tests.functions.test_search import ask

LAW = {"department": "law", "year": 2024, "open": True, "due": "2026-05-31", "tags": ["a", "b"]}


@pytest.fixture
def shelf(api):
    """Three files, of which each got its attributes in another way."""
    made = api.create_collection("shelf")
    files = {}
    for name, attributes in (("law.txt", LAW), ("tax.txt", {"department": "tax", "year": 2026}), ("none.txt", None)):
        given = None if attributes is None else json.dumps(attributes)
        receipt = api.try_upload(made, f"Walls are in {name}.", name, "new", attributes=given).json
        assert ingest(api, made, receipt) == []
        files[name] = receipt["file_id"]
    return made, files


def found(api, collection, filters):
    body = ask(api, collection, question="What are walls?", filters=filters, retrieve_only=True).json
    return body["metadata"]["cached"], {document["document_name"] for document in body["documents"]}


def test_attributes_of_an_upload_are_shown_and_filtered_by(api, shelf):
    collection, files = shelf
    path = f"/collections/{collection}/files"
    assert api("GET", f"{path}/{files['law.txt']}").json["attributes"] == LAW
    assert {file["name"]: file["attributes"] for file in api("GET", path).json["items"]}["none.txt"] == {}
    for filters, names in (
        ({"department": "law"}, {"law.txt"}),
        ({"year": {"gt": 2024}}, {"tax.txt"}),
        ({"due": {"lt": "2027"}}, {"law.txt"}),
        ({"tags": "b", "open": True}, {"law.txt"}),
        ({"department": {"ne": "law"}}, {"tax.txt", "none.txt"}),
        ({"department": {"exists": False}}, {"none.txt"}),
        ({"type": "or", "filters": [{"department": "tax"}, {"source": "none.txt"}]}, {"tax.txt", "none.txt"}),
        ({"type": "or", "filters": [{"department": "tax"}, {"page_number": 99}]}, {"tax.txt"}),
    ):
        assert found(api, collection, filters) == (False, names)
    body = ask(api, collection, filters={"department": "law"}).json
    assert body["documents"][0]["attributes"] == body["query_results"][0]["chunk"]["metadata"]["attributes"] == LAW


def test_a_change_is_seen_at_once_and_embeds_nothing(api, shelf, services):
    collection, files = shelf
    path = f"/collections/{collection}/files/{files['tax.txt']}"
    for cached in (False, True):
        assert found(api, collection, {"department": "law"}) == (cached, {"law.txt"})
    before = api("GET", path).json
    embedder, services.embedder = services.embedder, None
    changed = api("PATCH", path, json={"attributes": {"department": "law"}}).json
    services.embedder = embedder
    assert changed == {**before, "attributes": {"department": "law"}}
    assert found(api, collection, {"department": "law"}) == (False, {"law.txt", "tax.txt"})
    assert found(api, collection, {"year": 2026}) == (False, set())
    for unchanged in ({"attributes": {"department": "law"}}, {}, {"attributes": None}):
        assert api("PATCH", path, json=unchanged).json == changed
    assert found(api, collection, {"department": "law"}) == (True, {"law.txt", "tax.txt"})
    assert api("PATCH", path, json={"attributes": {}}).json["attributes"] == {}
    assert found(api, collection, {"department": "law"}) == (False, {"law.txt"})


def test_the_files_that_match_are_looked_up_anew_once_they_may_be_others(api, shelf):
    """Another question with the same filter takes the files from the cache, which may be out of date."""
    collection, files = shelf
    config = {"filters": {"department": "law"}, "retrieve_only": True}
    ask(api, collection, question="What are walls?", **config)
    path = f"/collections/{collection}/files/{files['tax.txt']}"
    assert api("PATCH", path, json={"attributes": {"department": "law"}}).status == 200
    again = ask(api, collection, question="Where are the walls?", **config).json
    assert {document["document_name"] for document in again["documents"]} == {"law.txt", "tax.txt"}


@pytest.mark.parametrize(
    ("attributes", "field"),
    [
        ({"k": None}, "attributes.k"),
        ({"k": {}}, "attributes.k"),
        ({"k": "x" * 513}, "attributes.k"),
        ({"k": 2**60}, "attributes.k"),
        ({"k": "a\0"}, "attributes.k"),
        ({"k": [1]}, "attributes.k"),
        ({"": 1}, "attributes"),
        ({str(number): number for number in range(17)}, "attributes"),
        ("law", "attributes"),
    ],
)
def test_what_is_no_attribute_is_named(api, attributes, field):
    collection = api.create_collection()
    file = api.upload(collection, "content")["file_id"]
    uploads = {"name": "b.txt", "size_bytes": 1, "attributes": attributes}
    url = {"url": "https://docs.example.org/a.txt", "attributes": attributes}
    for reply in (
        api("PATCH", f"/collections/{collection}/files/{file}", json={"attributes": attributes}),
        api("POST", f"/collections/{collection}/uploads", json=uploads),
        api("POST", f"/collections/{collection}/urls", json=url),
        api.try_upload(collection, "content", "b.txt", attributes=json.dumps(attributes)),
    ):
        assert reply.status == 422, reply.text
        assert reply.json["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize("text", ["{", "[]", "null", "\0"])
def test_a_part_of_a_form_that_is_no_json_object_is_named(api, text):
    reply = api.try_upload(api.create_collection(), "content", attributes=text)
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "attributes")


def test_every_way_to_upload_takes_attributes(api):
    collection = api.create_collection()
    path = f"/collections/{collection}"
    uploads = {"name": "a.txt", "size_bytes": 1, "attributes": LAW}
    url = {"url": "https://docs.example.org/b.txt", "attributes": LAW}
    for created in (api("POST", f"{path}/uploads", json=uploads), api("POST", f"{path}/urls", json=url)):
        assert api("GET", f"{path}/files/{created.json['file_id']}").json["attributes"] == LAW


def test_an_upload_gives_attributes_to_the_file_of_its_name(api, shelf):
    collection, files = shelf

    def shown(name):
        return api("GET", f"/collections/{collection}/files/{files[name]}").json["attributes"]

    same = "Walls are in law.txt."
    known = api.try_upload(collection, same, "law.txt", attributes='{"department": "tax"}')
    assert (known.status, shown("law.txt")) == (200, {"department": "tax"})
    assert api.try_upload(collection, same, "other.txt", attributes='{"department": "none"}').status == 200
    assert shown("law.txt") == {"department": "tax"}
    assert api.try_upload(collection, "Walls are new.", "tax.txt").status == 202
    assert shown("tax.txt") == {"department": "tax", "year": 2026}


def test_a_viewer_may_not(api, shelf):
    collection, files = shelf
    bob = as_user("bob")
    bob.create_collection("his")
    user = bob("GET", "/collections").json["items"][0]["owner_id"]
    assert api("PUT", f"/collections/{collection}/members/{user}", json={"role": "viewer"}).status == 200
    path = f"/collections/{collection}/files/{files['law.txt']}"
    assert bob("PATCH", path, json={"attributes": {}}).status == 403
    assert bob("GET", path).json["attributes"] == LAW
