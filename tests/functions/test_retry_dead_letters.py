from modulo.domain.errors import EncryptedFile
from modulo.domain.files.file import FileProblem
from tests.functions.conftest import give_up_file, letters_of


def test_all_that_wait_are_retried_page_by_page(api, queues):
    collection = api.create_collection()
    names = ["a.txt", "b.txt", "c.txt"]
    for name in names:
        give_up_file(api, queues, collection, name)
    sent, query = [], {"limit": "2"}
    while True:
        page = api("POST", f"/collections/{collection}/dead-letters/retry", query=query)
        assert page.status == 202
        sent += page.json["items"]
        if page.json.get("next") is None:
            break
        query["after"] = page.json["next"]
    assert sorted(letter["name"] for letter in sent) == names
    assert {letter["state"] for letter in sent} == {"retried"}
    assert api("POST", f"/collections/{collection}/dead-letters/retry").json == {"items": []}
    assert queues.run("ingest_file") == 3
    assert {letter["state"] for letter in letters_of(api, collection)} == {"closed"}


def test_what_a_retry_cannot_help_is_passed_over(api, queues, database):
    collection = api.create_collection()
    give_up_file(api, queues, collection)
    problem = FileProblem.of(EncryptedFile()).model_dump_json()
    assert database("UPDATE dead_letters SET problem = CAST(:problem AS jsonb) RETURNING id", problem=problem)
    assert api("POST", f"/collections/{collection}/dead-letters/retry").json["items"] == []
    assert queues.run("ingest_file") == 0
