from uuid import uuid4

import pytest

from tests.functions.conftest import as_user


def test_a_vector_store_is_a_collection(api):
    body = {
        "name": "papers",
        "description": "What was written.",
        "metadata": {"team": "sea"},
        "expires_after": {"anchor": "last_active_at", "days": 7},
        "chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}},
    }
    reply = api("POST", "/v1/vector_stores", json=body)
    assert reply.status == 200, reply.text
    found = reply.json
    assert found["object"] == "vector_store"
    assert {name: found[name] for name in ("name", "description", "metadata", "expires_after")} == {
        name: body[name] for name in ("name", "description", "metadata", "expires_after")
    }
    assert found["expires_at"] == found["last_active_at"] + 7 * 86_400
    assert (found["status"], found["usage_bytes"], found["file_counts"]["total"]) == ("completed", 0, 0)
    collection = api("GET", f"/collections/{found['id']}").json
    assert collection["chunking"] == {"max_tokens": 100, "overlap_tokens": 50}


def test_files_are_attached_at_once(api):
    files = [api.keep_file("text", name) for name in ("a.txt", "b.txt")]
    found = api("POST", "/v1/vector_stores", json={"file_ids": files, "chunking_strategy": {"type": "auto"}}).json
    assert found["file_counts"] == {"in_progress": 2, "completed": 0, "failed": 0, "cancelled": 0, "total": 2}
    assert (found["status"], found["usage_bytes"]) == ("in_progress", 8)
    assert found["name"].startswith("vector store ")


def test_nothing_is_created_for_a_file_that_is_not_the_callers(api):
    foreign = as_user("bob").keep_file("text")
    for file in (foreign, str(uuid4())):
        reply = api("POST", "/v1/vector_stores", json={"name": "papers", "file_ids": [file]})
        assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")
    assert api("GET", "/v1/vector_stores").json["data"] == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"file_ids": ["x"]}, "file_ids.0"),
        ({"name": "a\bc"}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
        ({"metadata": {str(one): "v" for one in range(17)}}, "metadata"),
        ({"expires_after": {"anchor": "created_at", "days": 1}}, "expires_after.anchor"),
        ({"expires_after": {"anchor": "last_active_at", "days": 0}}, "expires_after.days"),
        (
            {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 99}}},
            "chunking_strategy.static.max_chunk_size_tokens",
        ),
        (
            {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 100}}},
            "chunking_strategy.static.chunk_overlap_tokens",
        ),
        (
            {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 800}}},
            "chunking_strategy.static.max_chunk_size_tokens",
        ),
        (
            {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 4_096}}},
            "chunking_strategy.static.max_chunk_size_tokens",
        ),
        ({"chunking_strategy": {"type": "semantic"}}, "chunking_strategy"),
        ({"ranker": "auto"}, "ranker"),
    ],
)
def test_what_is_not_possible_is_refused_by_name(api, body, param):
    reply = api("POST", "/v1/vector_stores", json={"name": "papers", **body})
    assert reply.status == 400, reply.text
    assert reply.json["error"]["param"].startswith(param), reply.text


def test_a_name_is_unique(api):
    assert api("POST", "/v1/vector_stores", json={"name": "papers"}).status == 200
    reply = api("POST", "/v1/vector_stores", json={"name": "papers"})
    assert (reply.status, reply.json["error"]["code"]) == (409, "conflict")
    assert reply.headers["x-should-retry"] == "false"
