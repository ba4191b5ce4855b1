from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from modulo.domain.documents.chunk import CHUNKS_PER_PART
from tests.functions.conftest import ingest, principal_of

TEXT = "\n\n".join(
    f"# Pier {number}\n\nPier {number} lies on the {side} side. " + f"It is {number} metres long and very old. " * 20
    for number, side in enumerate(("north", "south", "east", "west"))
)


@pytest.fixture
def file(api, collection):
    receipt = api.upload(collection, TEXT, "piers.md")
    assert ingest(api, collection, receipt) == []
    return receipt["file_id"]


def page(api, collection, file, **query):
    return api("GET", f"/collections/{collection}/files/{file}/chunks", query=query)


def pages(api, collection, file, limit):
    found, after = [], {}
    while True:
        reply = page(api, collection, file, limit=str(limit), **after)
        assert reply.status == 200, reply.text
        found.append(reply.json["items"])
        if "next" not in reply.json:
            return found
        after = {"after": reply.json["next"]}


def test_every_passage_comes_once_with_its_place_and_url(api, collection, file):
    [chunks] = pages(api, collection, file, 100)
    told = api("GET", f"/collections/{collection}/files/{file}").json
    assert len(chunks) == told["chunk_count"] > 3
    assert [chunk["chunk_number"] for chunk in chunks] == list(range(len(chunks)))
    assert {chunk["heading"] for chunk in chunks} == {f"Pier {number}" for number in range(4)}
    for chunk in chunks:
        span = f"char={chunk['start_index']},{chunk['end_index']}"
        assert urlsplit(chunk["url"]).fragment == f"page={chunk['page_number']}&{span}"
        assert chunk["url"].startswith(f"{told['url']}#")


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_any_size_hold_the_same(api, collection, file, limit):
    [whole] = pages(api, collection, file, 100)
    parts = pages(api, collection, file, limit)
    assert [chunk for part in parts for chunk in part] == whole
    assert {len(part) for part in parts[:-1]} == {limit}


def test_a_passage_of_a_search_is_one_of_them(api, collection, file):
    body = {"question": "Which pier is on the east side?", "collection_id": collection}
    [chunks] = pages(api, collection, file, 100)
    by_id = {chunk["chunk_id"]: chunk for chunk in chunks}
    for result in api("POST", "/search", json=body).json["query_results"]:
        chunk = result["chunk"]
        assert (by_id[chunk["chunk_id"]]["text"], by_id[chunk["chunk_id"]]["url"]) == (chunk["text"], chunk["url"])


def test_one_statement_a_page(api, collection, file, services):
    asked = []
    grants = services.grants

    class Watched:
        def __getattr__(self, name):
            asked.append(name)
            return getattr(grants, name)

    services.grants, services.files = Watched(), None
    assert page(api, collection, file).status == 200
    assert asked == ["live_documents"]


def test_parts_of_a_large_file_follow_each_other(api, collection, file, services):
    """Numbers leap from part to part, and a part may hold nothing."""
    real = services.vectors

    class Parted:
        def __getattr__(self, name):
            return getattr(real, name)

        def chunks(self, space, ref, numbers):
            found = []
            for number in numbers:
                stored = number if number < 2 else number - 3 * CHUNKS_PER_PART + 2
                if stored >= 2 or number < 2:
                    kept = real.chunks(space, ref, range(stored, stored + 1))
                    found += [replace(chunk, number=number) for chunk in kept]
            return found

    whole = pages(api, collection, file, 100)[0]
    services.vectors = Parted()
    for limit in (1, 2, 3, 100):
        found = [chunk["text"] for part in pages(api, collection, file, limit) for chunk in part]
        assert found == [chunk["text"] for chunk in whole]


def test_a_store_that_holds_too_little_is_an_outage(api, collection, file, services):
    space = services.grants.grant(principal_of("ada"), UUID(collection)).space
    services.vectors.delete(space, file_id=UUID(file))
    reply = page(api, collection, file)
    assert (reply.status, reply.json["type"]) == (503, "urn:modulo:problem:unavailable")


def test_a_new_generation_ends_a_listing_begun_before(api, collection, file):
    cursor = page(api, collection, file, limit="1").json["next"]
    assert ingest(api, collection, api.upload(collection, "New piers. " * 400, "piers.md")) == []
    reply = page(api, collection, file, limit="1", after=cursor)
    assert (reply.status, reply.json["type"]) == (409, "urn:modulo:problem:conflict")
    assert page(api, collection, file).status == 200


def test_what_is_not_ready_has_none(api, collection):
    receipt = api.upload(collection, TEXT, "late.md")
    reply = page(api, collection, receipt["file_id"])
    assert (reply.status, reply.json["type"]) == (409, "urn:modulo:problem:conflict")


@pytest.mark.parametrize("after", ["x", "1", "1-2", "1-2-3-4", "-1-2-3", "1-2-" + "9" * 10, "٣-1-1"])
def test_what_is_no_cursor_is_refused(api, collection, file, after):
    reply = page(api, collection, file, after=after)
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "after")


def test_a_cursor_behind_the_last_finds_nothing(api, collection, file):
    count = api("GET", f"/collections/{collection}/files/{file}").json["chunk_count"]
    assert page(api, collection, file, after=f"1-0-{count}").json == {"items": []}
    assert page(api, collection, file, after=f"1-0-{count + 5}").json == {"items": []}
