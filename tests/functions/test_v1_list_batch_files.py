import pytest


@pytest.fixture
def batch(api, collection):
    ids = [api.keep_file("text", f"{number}.txt") for number in range(5)]
    made = api("POST", f"/v1/vector_stores/{collection}/file_batches", json={"file_ids": ids}).json
    return ids, f"/v1/vector_stores/{collection}/file_batches/{made['id']}/files"


def page(api, path, **query):
    reply = api("GET", path, query=query)
    assert reply.status == 200, reply.text
    return [file["id"] for file in reply.json["data"]], reply.json["has_more"]


def test_files_are_paged_in_the_order_in_which_they_were_given(api, batch):
    ids, path = batch
    assert page(api, path) == (ids[::-1], False)
    assert page(api, path, order="asc", limit="2") == (ids[:2], True)
    assert page(api, path, order="asc", limit="2", after=ids[1]) == (ids[2:4], True)
    assert page(api, path, order="asc", limit="2", after=ids[3]) == (ids[4:], False)
    assert page(api, path, order="asc", limit="2", before=ids[3]) == (ids[1:3], True)
    assert page(api, path, order="asc", before=ids[1]) == (ids[:1], False)
    assert page(api, path, order="desc", limit="1", after=ids[3]) == (ids[2:3], True)


def test_one_status_is_kept(api, batch):
    ids, path = batch
    assert page(api, path, filter="in_progress", order="asc") == (ids, False)
    for status in ("completed", "failed", "cancelled"):
        assert page(api, path, filter=status) == ([], False)
    assert api("GET", path, query={"filter": "no_such"}).status == 400
