"""Questions over HTTP, against a server that replies as it is told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from modulo.cli.evaluation import searches
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.searches import Server, ServerRefused, Setup

ID = "00000000-0000-4000-8000-000000000001"
QUESTION = GoldenQuestion(id="leave", question="How many days?", documents={"a.md": 1})
SETUP = Setup("demo", ID, {"top_k": 3})
REPLY = {
    "answer": "Ten. [1]",
    "documents": [{"document_id": "d1", "document_name": "a.md"}],
    "query_results": [{"chunk": {"chunk_id": "c1", "text": "Ten days.", "document_id": "d1"}}],
    "citations": [
        {"document_id": "d1", "chunk_id": "c1", "excerpt": "Ten", "relevance_score": 0.4},
        {"document_id": "d2", "chunk_id": "c9", "excerpt": "Nine", "relevance_score": 0.8},
    ],
    "metadata": {
        "found": True,
        "cached": False,
        "tokens_used": 12,
        "degraded": ["reranker"],
        "stage_seconds": {"rerank": 0.2},
    },
}


class Scripted(ThreadingHTTPServer):
    """Replies in turn; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: list[tuple[int, Any, dict[str, str]]] = []
        self.asked: list[tuple[str, str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Scripted

    def reply(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else self.headers["authorization"]
        self.server.asked.append((self.command, self.path, body))
        status, content, headers = self.server.replies.pop(0)
        sent = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(sent))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = reply  # noqa: N815 - named by the standard library

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Scripted() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join(60)


@pytest.fixture
def address(scripted: Scripted) -> str:
    return f"http://127.0.0.1:{scripted.server_address[1]}"


@pytest.fixture
def server(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(searches.time, "sleep", lambda _: None)
    with Server(address, "key") as made:
        yield made


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/"])
def test_a_server_is_named_with_or_without_the_path_of_its_api(scripted: Scripted, address: str, path: str) -> None:
    scripted.replies = [(200, {"id": ID, "name": "demo", "status": "completed"}, {})]
    with Server(address + path, "key") as server:
        assert server.collection_id(ID) == ID
    assert [asked for _, asked, _ in scripted.asked] == [f"/api/collections/{ID}"]


def test_a_reply_is_read_as_far_as_it_is_judged(scripted: Scripted, server: Server) -> None:
    scripted.replies = [(200, REPLY, {})]
    answers = []
    [found] = server.ask(SETUP, [QUESTION], on_answer=lambda: answers.append(1))
    body = {"question": "How many days?", "collection_id": ID, "config_metadata": {"top_k": 3}}
    assert scripted.asked == [("POST", "/api/search", body)]
    assert [(one.text, one.names) for one in found.passages] == [("Ten days.", {"d1", "a.md"})]
    assert [(one.text, one.names) for one in found.cited] == [("Ten days.", {"d1", "a.md"}), ("Nine", {"d2"})]
    assert (found.answer, found.answered, found.confidence, found.tokens) == ("Ten. [1]", True, 0.8, 12)
    assert (found.degraded, found.stage_seconds, found.cached) == (["reranker"], {"rerank": 0.2}, False)
    assert found.seconds > 0
    assert answers == [1]


def test_a_busy_server_is_asked_again(scripted: Scripted, server: Server) -> None:
    scripted.replies = [(429, {}, {"retry-after": "7"}), (503, {}, {}), (200, REPLY, {})]
    assert len(server.ask(SETUP, [QUESTION])) == 1


def test_a_question_without_an_answer_ends_the_evaluation(scripted: Scripted, server: Server) -> None:
    scripted.replies = [(503, {"detail": "Milvus"}, {})] * 4
    with pytest.raises(ServerRefused, match=r"'leave' got no answer. POST /search answered 503: .*Milvus"):
        server.ask(SETUP, [QUESTION])
    scripted.replies = [(422, {"detail": "top_k"}, {})]
    with pytest.raises(ServerRefused, match="answered 422"):
        server.ask(SETUP, [QUESTION, QUESTION], concurrency=1)


def test_a_server_that_is_not_there_is_told() -> None:
    with Server("http://127.0.0.1:9/api", "key") as server, pytest.raises(ServerRefused, match="does not answer"):
        server.collection_id("demo")


def test_a_collection_is_found_by_its_name_on_any_page(scripted: Scripted, server: Server) -> None:
    one = {"id": ID, "name": "demo", "status": "completed"}
    scripted.replies = [
        (200, {"items": [{**one, "name": "demo 2"}], "next": "x"}, {}),
        (200, {"items": [one]}, {}),
    ]
    assert server.collection_id("demo") == ID
    assert [path for _, path, _ in scripted.asked] == [
        "/api/collections?name=demo",
        "/api/collections?name=demo&after=x",
    ]
    assert scripted.asked[0][2] == "Bearer key"


def test_a_collection_is_found_by_its_id(scripted: Scripted, server: Server) -> None:
    scripted.replies = [(200, {"id": ID, "name": "demo", "status": "error"}, {})]
    assert server.collection_id(ID) == ID


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([], "No collections are named 'demo'"),
        ([{"id": ID, "name": "demo"}] * 2, "2 collections are named 'demo'"),
        ([{"id": ID, "name": "demo", "status": "processing"}], "still has files that are not ready"),
    ],
)
def test_a_collection_that_cannot_be_evaluated_is_told(
    scripted: Scripted, server: Server, items: list[dict[str, str]], told: str
) -> None:
    scripted.replies = [(200, {"items": items}, {})]
    with pytest.raises(ServerRefused, match=told):
        server.collection_id("demo")


def test_files_and_their_passages_are_read_from_all_pages(scripted: Scripted, server: Server) -> None:
    scripted.replies = [(200, {"items": [{"id": "f1"}], "next": "x"}, {}), (200, {"items": [{"id": "f2"}]}, {})]
    assert [file["id"] for file in server.files(ID)] == ["f1", "f2"]
    scripted.replies = [(200, {"items": [{"text": "One."}], "next": "y"}, {}), (200, {"items": [{"text": "Two."}]}, {})]
    assert server.passages(ID, "f1") == ["One.", "Two."]
    assert [path for _, path, _ in scripted.asked] == [
        f"/api/collections/{ID}/files?limit=100",
        f"/api/collections/{ID}/files?limit=100&after=x",
        f"/api/collections/{ID}/files/f1/chunks?limit=100",
        f"/api/collections/{ID}/files/f1/chunks?limit=100&after=y",
    ]
