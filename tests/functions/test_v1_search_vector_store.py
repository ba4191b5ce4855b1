import pytest

from tests.functions.conftest import ingest_all


@pytest.fixture
def store(api, collection):
    for name, text in (("sea.txt", "The sea is deep."), ("hill.txt", "The hill is high.")):
        api.attach(collection, api.keep_file(text, name))
    ingest_all(api, collection)
    return collection


def search(api, store, **body):
    return api("POST", f"/v1/vector_stores/{store}/search", json=body)


def test_passages_are_found_with_the_file_that_was_attached(api, store):
    reply = search(api, store, query="How deep is the sea?", max_num_results=1)
    assert reply.status == 200, reply.text
    found = reply.json
    assert (found["object"], found["search_query"]) == (
        "vector_store.search_results.page",
        ["How deep is the sea?"],
    )
    [result] = found["data"]
    assert result["content"] == [{"type": "text", "text": "The sea is deep."}]
    kept = {file["filename"]: file["id"] for file in api("GET", "/v1/files").json["data"]}
    assert (result["filename"], result["file_id"]) == ("sea.txt", kept["sea.txt"])
    assert 0 < result["score"] <= 1
    assert (found["has_more"], found["next_page"]) == (False, None)


def test_several_queries_are_one_list_of_passages_each_once(api, store):
    found = search(api, store, query=["How deep is the sea?", "How high is the hill?", "The sea?"]).json["data"]
    assert sorted(result["filename"] for result in found) == ["hill.txt", "sea.txt"]
    assert [result["score"] for result in found] == sorted((result["score"] for result in found), reverse=True)


def test_results_below_the_threshold_are_left_out_and_the_ranker_may_rest(api, store):
    options = {"score_threshold": 1.0}
    assert search(api, store, query="volcano", ranking_options=options).json["data"] == []
    assert search(api, store, query="sea", ranking_options={"ranker": "none"}).json["data"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": []}, "query"),
        ({"query": ["a"] * 9}, "query"),
        ({"query": "a", "max_num_results": 51}, "max_num_results"),
        ({"query": "a", "rewrite_query": True}, "rewrite_query"),
        ({"query": "a", "ranking_options": {"ranker": "best"}}, "ranking_options.ranker"),
        ({"query": "a", "ranking_options": {"score_threshold": 2}}, "ranking_options.score_threshold"),
        ({"query": "a", "top_k": 3}, "top_k"),
    ],
)
def test_what_is_not_possible_is_refused_by_name(api, store, body, param):
    reply = search(api, store, **body)
    assert reply.status == 400, reply.text
    assert reply.json["error"]["param"].startswith(param)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"type": "eq", "key": "author", "value": "ada"}, ["hill.txt", "sea.txt"]),
        ({"type": "gt", "key": "year", "value": 2020}, ["sea.txt"]),
        ({"type": "nin", "key": "year", "value": [2020]}, ["sea.txt"]),
        ({"type": "ne", "key": "source", "value": "sea.txt"}, ["hill.txt", "sea.txt"]),  # no attribute of the name
        (
            {
                "type": "and",
                "filters": [
                    {"type": "eq", "key": "author", "value": "ada"},
                    {
                        "type": "or",
                        "filters": [
                            {"type": "lt", "key": "year", "value": 2000},
                            {"type": "in", "key": "year", "value": [2020, 2021]},
                        ],
                    },
                ],
            },
            ["hill.txt"],
        ),
        ({"type": "not", "filter": {"type": "starts_with", "key": "author", "value": "a"}}, []),
    ],
)
def test_filters_compare_attributes(api, store, filters, names):
    for file in api("GET", f"/v1/vector_stores/{store}/files").json["data"]:
        year = {"hill.txt": 2020, "sea.txt": 2026}[api("GET", f"/v1/files/{file['id']}").json["filename"]]
        path = f"/v1/vector_stores/{store}/files/{file['id']}"
        assert api("POST", path, json={"attributes": {"author": "ada", "year": year}}).status == 200
    found = search(api, store, query="How deep is the sea?", filters=filters)
    assert found.status == 200, found.text
    assert sorted(one["filename"] for one in found.json["data"]) == names
    assert all(one["attributes"]["author"] == "ada" for one in found.json["data"])


@pytest.mark.parametrize(
    ("filters", "param"),
    [
        ("author", "filters"),
        ([], "filters"),
        ({}, "filters.type"),
        ({"author": "ada"}, "filters.type"),
        ({"type": "like", "key": "a", "value": 1}, "filters.type"),
        ({"type": "eq", "key": "a"}, "filters.value"),
        ({"type": "eq", "value": 1}, "filters.key"),
        ({"type": "gt", "key": "a", "value": True}, "filters.value"),
        ({"type": "in", "key": "a", "value": 1}, "filters.value"),
        ({"type": "and", "filters": []}, "filters.filters"),
        ({"type": "or", "filters": [{"type": "eq", "key": "a", "value": {}}]}, "filters.filters.0.value"),
        ({"type": "and", "filters": [{"a": 1}]}, "filters.filters.0.type"),
    ],
)
def test_what_is_no_filter_is_refused_by_its_place(api, store, filters, param):
    reply = search(api, store, query="a", filters=filters)
    assert (reply.status, reply.json["error"]["param"]) == (400, param), reply.text


def test_filters_are_not_nested_without_end(api, store):
    filters = {"type": "eq", "key": "a", "value": 1}
    for _ in range(200):
        filters = {"type": "not", "filter": filters}
    reply = search(api, store, query="a", filters=filters)
    assert reply.status == 400
    assert reply.json["error"]["param"].startswith("filters.filter")


def test_words_and_vectors_may_be_weighed(api, store):
    for weights in ((1, 0), (0, 1), (2, 3)):
        hybrid = dict(zip(("embedding_weight", "text_weight"), weights, strict=True))
        found = search(api, store, query="How deep is the sea?", ranking_options={"hybrid_search": hybrid})
        assert found.json["data"][0]["filename"] == "sea.txt"
