from datetime import timedelta

from tests.functions.conftest import ingest_all, upload_failed


def ids(reply):
    assert reply.status == 200, reply.text
    return [file["id"] for file in reply.json["data"]]


def test_files_are_paged_and_filtered_by_status(api, services, clock, collection):
    path, files = f"/v1/vector_stores/{collection}/files", []
    for number in range(3):
        clock.advance(timedelta(seconds=1))
        files.append(api.keep_file("The sea is deep.", f"{number}.txt"))
        api.attach(collection, files[-1])
    ingest_all(api, collection)
    clock.advance(timedelta(seconds=1))
    failed = upload_failed(api, services, collection, "vault.txt")["file_id"]
    clock.advance(timedelta(seconds=1))
    api.attach(collection, waiting := api.keep_file("text", "more.txt"))
    assert ids(api("GET", path)) == [waiting, failed, *files[::-1]]
    assert ids(api("GET", path, query={"filter": "completed"})) == files[::-1]
    assert ids(api("GET", path, query={"filter": "failed"})) == [failed]
    assert ids(api("GET", path, query={"filter": "in_progress"})) == [waiting]
    assert ids(api("GET", path, query={"filter": "cancelled"})) == []
    assert ids(api("GET", path, query={"order": "asc", "limit": "2"})) == files[:2]
