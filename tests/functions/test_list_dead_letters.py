from tests.functions.conftest import as_user, deliver_queued, give_up_file, letters_of


def test_letters_are_listed_page_by_page_and_by_state(api, queues):
    collection = api.create_collection()
    names = ["a.txt", "b.txt", "c.txt"]
    files = {name: give_up_file(api, queues, collection, name)["file_id"] for name in names}
    path, query, found = f"/collections/{collection}/dead-letters", {"limit": "2"}, []
    while True:
        page = api("GET", path, query=query).json
        found += page["items"]
        if page.get("next") is None:
            break
        query["after"] = page["next"]
    assert sorted(letter["name"] for letter in found) == names
    api("POST", f"/collections/{collection}/files/{files['a.txt']}/retry")
    deliver_queued(queues.services)
    assert {letter["name"] for letter in letters_of(api, collection, state="closed")} == {"a.txt"}
    assert {letter["name"] for letter in letters_of(api, collection, state="waiting")} == {"b.txt", "c.txt"}
    assert api("GET", path, query={"state": "lost"}).status == 422
    assert api("GET", path, query={"after": "nonsense"}).status == 422


def test_a_viewer_sees_no_letters(api, queues):
    collection = api.create_collection()
    give_up_file(api, queues, collection)
    letter = letters_of(api, collection)[0]["id"]
    bob = as_user("bob")
    bob.create_collection("his")
    bob_id = bob("GET", "/collections").json["items"][0]["owner_id"]
    path = f"/collections/{collection}/dead-letters"
    routes = [
        ("GET", path),
        ("POST", f"{path}/retry"),
        ("POST", f"{path}/{letter}/retry"),
        ("DELETE", f"{path}/{letter}"),
    ]
    assert {bob(*route).status for route in routes} == {404}
    api("PUT", f"/collections/{collection}/members/{bob_id}", json={"role": "viewer"})
    assert {bob(*route).status for route in routes} == {403}
    api("PUT", f"/collections/{collection}/members/{bob_id}", json={"role": "editor"})
    assert [letter["name"] for letter in letters_of(bob, collection)] == ["vault.txt"]


def test_nothing_of_a_letter_is_another_tenants(api, queues):
    collection = api.create_collection()
    give_up_file(api, queues, collection)
    assert set(letters_of(api, collection)[0]) == {
        "id", "message_id", "function", "file_id", "name", "generation", "source", "problem", "attempts",
        "state", "buried_at",
    }  # fmt: skip
