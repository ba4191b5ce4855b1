from uuid import uuid4

from tests.functions.conftest import give_up_file, letters_of


def test_a_letter_is_thrown_away_and_its_file_stays(api, queues):
    collection = api.create_collection()
    receipt = give_up_file(api, queues, collection)
    [letter] = letters_of(api, collection)
    path = f"/collections/{collection}/dead-letters/{letter['id']}"
    assert api("DELETE", path).status == 204
    assert letters_of(api, collection) == []
    assert api("DELETE", path).status == 404
    assert api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json["stage"] == "failed"


def test_unknown_letters_are_not_found(api):
    collection = api.create_collection()
    assert api("DELETE", f"/collections/{collection}/dead-letters/{uuid4()}").status == 404
