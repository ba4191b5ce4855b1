"""Each door names what is wrong in a request by the field that its caller wrote."""

import pytest
from mcp.shared.exceptions import MCPError

from modulo.domain.errors import InvalidRequest
from tests.functions.test_mcp_exchange import session

ASK = {"role": "user", "content": "When?"}
NEAR = {"page_number": {"near": 3}}
UNKNOWN = {"type": "near", "key": "a", "value": 1}
CONFIG = {"question": "When?", "collection_id": "{}"}
OPTIONS = {"query": "When?", "collection_id": "{}"}
TOOL = {"type": "file_search", "vector_store_ids": ["{}"]}


def tools(**more):
    return [TOOL | more]


def filled(body, collection):
    """The body with the collection's id in it."""
    if isinstance(body, dict):
        return {name: filled(value, collection) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(value, collection) for value in body]
    return body.replace("{}", collection) if isinstance(body, str) else body


few = pytest.mark.parametrize("settings", [{"max_top_k": 5}], indirect=True)

OF_API = [
    ("/search", CONFIG | {"config_metadata": {"top_k": 9}}, "config_metadata.top_k"),
    ("/search", CONFIG | {"config_metadata": {"top_k_rerank": 9}}, "config_metadata.top_k_rerank"),
    ("/search", CONFIG | {"config_metadata": {"filters": NEAR}}, "config_metadata.filters.page_number.near"),
    ("/search", OPTIONS | {"options": {"top_k": 9}}, "options.top_k"),
    ("/search", OPTIONS | {"options": {"top_k": 0}}, "options.top_k"),
    ("/search", OPTIONS | {"options": {"top_k_rerank": 9}}, "options.top_k_rerank"),
    ("/search", OPTIONS | {"options": {"filters": NEAR}}, "options.filters.page_number.near"),
    ("/search", OPTIONS | {"options": {"format_type": "summary"}}, "options.format_type"),
    ("/search", OPTIONS | {"query": ""}, "query"),
    ("/search", {"query": "When?"}, "collection_id"),
    ("/search/stream", OPTIONS | {"options": {"filters": NEAR}}, "options.filters.page_number.near"),
    ("/collections", {"name": "a", "chunking": {"max_tokens": 510}}, "chunking.max_tokens"),
    ("/collections", {"name": "a", "search_defaults": {"top_k": 9}}, "search_defaults.top_k"),
    ("/collections/{}/uploads", {"name": "a/b.txt", "size_bytes": 1}, "name"),
    ("/collections/{}/documents", {"name": "a/b.txt", "text": "A."}, "name"),
    ("/collections/{}/urls", {"url": "no address"}, "url"),
]
OF_V1 = [
    ("/vector_stores/{}/search", {"query": "When?", "max_num_results": 9}, "max_num_results"),
    ("/vector_stores/{}/search", {"query": "When?", "filters": UNKNOWN}, "filters.type"),
    ("/responses", {"input": "When?", "tools": tools(max_num_results=9)}, "tools.0.max_num_results"),
    ("/responses", {"input": "When?", "tools": tools(max_num_results=9), "stream": True}, "tools.0.max_num_results"),
    ("/responses", {"input": "When?", "tools": tools(filters=UNKNOWN)}, "tools.0.filters.type"),
    ("/vector_stores", {"name": ""} | {"expires_after": {"anchor": "x", "days": 1}}, "expires_after.anchor"),
    (
        "/vector_stores",
        {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 510, "chunk_overlap_tokens": 0}}},
        "chunking_strategy.static.max_chunk_size_tokens",
    ),
    ("/uploads", {"filename": "a/b.txt", "purpose": "assistants", "bytes": 1, "mime_type": "text/plain"}, "filename"),
]
OF_MCP = [
    ("search", {"query": "When?", "top_k": 9}, "top_k"),
    ("search", {"query": "When?", "filters": NEAR}, "filters.page_number.near"),
    ("search", {"query": "When?", "filters": UNKNOWN}, "filters.type"),
    ("rag_search", {"question": "When?", "top_k": 9}, "top_k"),
    ("rag_search", {"question": "When?", "filters": {"filters": []}}, "filters.filters"),
    ("rag_ingest", {"name": "a/b.txt", "text": "A."}, "name"),
    ("rag_ingest", {"url": "no address"}, "url"),
]


def by_mcp(api, tool, arguments):
    async def talk(client):
        with pytest.raises(MCPError) as refused:
            await client.call_tool(tool, arguments)
        return refused.value

    return session(api, "auto", talk)


@few
@pytest.mark.parametrize(("path", "body", "field"), OF_API)
def test_a_field_of_api(api, path, body, field):
    collection = api.create_collection()
    reply = api("POST", path.format(collection), json=filled(body, collection))
    [error] = reply.json["errors"]
    assert (reply.status, error["field"]) == (422, field)
    assert reply.json["detail"] == f"{field}: {error['message']}"


@few
@pytest.mark.parametrize(("path", "body", "field"), OF_V1)
def test_a_field_of_v1(api, path, body, field):
    collection = api.create_collection()
    reply = api("POST", "/v1" + path.format(collection), json=filled(body, collection))
    assert (reply.status, reply.json["error"]["param"]) == (400, field)
    assert reply.json["error"]["message"].startswith(f"{field}: ")


@few
@pytest.mark.parametrize(("tool", "arguments", "field"), OF_MCP)
def test_a_field_of_mcp(api, tool, arguments, field):
    api.create_collection()
    error = by_mcp(api, tool, arguments)
    assert error.data["errors"][0]["field"] == field
    assert error.message.startswith(f"{field}: ")


def test_what_a_request_leaves_out_is_named_as_what_it_is_taken_from(api, services):
    collection = api.create_collection(search_defaults={"search_type": "text"})

    class WithoutWords:
        def search(self, *args, **kwargs):
            raise InvalidRequest.field("config_metadata.search_type", "must be dense or hybrid")

    services.vectors = WithoutWords()
    for config, field in (
        ({"config_metadata": {"search_type": "text"}}, "config_metadata.search_type"),
        ({"options": {"search_type": "text"}}, "options.search_type"),
        ({}, "search_defaults.search_type"),
    ):
        reply = api("POST", "/search", json=filled(CONFIG, collection) | config)
        assert reply.json["errors"][0]["field"] == field
    reply = api("POST", f"/v1/vector_stores/{collection}/search", json={"query": "When?"})
    assert reply.json["error"]["param"] == "search_defaults.search_type"
    error = by_mcp(api, "search", {"query": "When?"})
    assert error.data["errors"][0]["field"] == "search_defaults.search_type"
