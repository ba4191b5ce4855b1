"""Answers that a server streams: as they are written, to clients that stay, leave or take their time."""

import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from modulo.domain.answers.answer import DraftPart, TokenUsage
from modulo.domain.errors import Unavailable
from modulo.ports.deadline import remaining
from modulo.runtime import answer_stream
from tests.functions.served import served
from tests.functions.test_stream_search import QUESTION, Writer, collection, parsed, text_of

__all__ = ["collection"]
SENTENCE = "Its depth is about 10,935 metres [1]. "


@contextmanager
def server():
    with served(threads=4, grace_seconds=5) as url:
        yield f"{url}/api"


class Paced(Writer):
    """Writes its parts as a test lets it; like an adapter, it looks at the deadline before each."""

    def __init__(self, *parts):
        super().__init__(*parts)
        self.go, self.stopped = threading.Semaphore(0), threading.Event()

    def stream(self, prompt):
        try:
            for number, part in enumerate(self.parts, start=1):
                assert self.go.acquire(timeout=60)
                remaining(60)
                self.sent = number
                yield DraftPart(part, TokenUsage(100, number))
        finally:
            self.stopped.set()


@contextmanager
def opened(base, api, collection, path="/search/stream", accept=None):
    body = {"question": QUESTION, "collection_id": collection}
    headers = {**api.headers, **({"accept": accept} if accept else {})}
    with (
        httpx.Client(timeout=60) as client,
        client.stream("POST", base + path, json=body, headers=headers) as response,
    ):
        yield response


def eventually(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def usage_of(api):
    usage = api("GET", "/usage").json
    return usage["tokens_used"], usage["tokens_reserved"]


@pytest.mark.parametrize(("path", "accept"), [("/search/stream", None), ("/search", "text/event-stream")])
def test_text_reaches_the_client_while_the_model_writes(api, collection, services, path, accept):
    services.generator = writer = Paced(SENTENCE, " And it is deep [1].")
    with server() as base, opened(base, api, collection, path, accept) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        read, lines = "", response.iter_text()
        writer.go.release()
        while "event: text" not in read:
            read += next(lines)
        assert writer.sent == 1, "the model has written no more than this"
        writer.go.release()
        events = parsed(read + "".join(lines))
    assert events[-1][0] == "done"
    assert text_of(events) == events[-1][1]["output"]["answer"]


def test_who_does_not_ask_for_events_gets_the_answer(api, collection):
    with server() as base, opened(base, api, collection, "/search") as response:
        assert response.headers["content-type"] == "application/json"
        assert "10,935" in response.read().decode()


def test_a_client_that_leaves_stops_the_model_and_the_rest_is_given_back(api, collection, services):
    services.generator = writer = Paced(*[SENTENCE] * 50)
    with server() as base:
        with opened(base, api, collection) as response:
            writer.go.release()
            lines = response.iter_text()
            while "event: text" not in next(lines):
                pass
        writer.go.release()  # one part more, with which the model is stopped
        assert writer.stopped.wait(60)
        assert writer.sent <= 2
        eventually(lambda: usage_of(api)[1] == 0)
        assert 101 <= usage_of(api)[0] <= 102


def test_silence_is_filled_with_comments(api, collection, services, monkeypatch):
    monkeypatch.setattr(answer_stream, "HEARTBEAT_SECONDS", 0.05)
    services.generator = writer = Paced(SENTENCE)
    with server() as base, opened(base, api, collection) as response:
        read, lines = "", response.iter_text()
        while read.count(answer_stream.HEARTBEAT) < 2:
            read += next(lines)
        writer.go.release()
        rest = "".join(lines)
    assert parsed((read + rest).replace(answer_stream.HEARTBEAT, ""))[-1][0] == "done"


@pytest.mark.parametrize("settings", [{"stream_seconds": 1.5}], indirect=True)
def test_a_stream_ends_by_its_own_deadline(api, collection, services):
    services.generator = writer = Paced(SENTENCE, SENTENCE)
    with server() as base, opened(base, api, collection) as response:
        writer.go.release()
        events = parsed(response.read().decode())
        assert events[-1][0] == "error"
        assert events[-1][1]["status"] == 503
        writer.go.release()
    assert writer.stopped.wait(60)
    eventually(lambda: usage_of(api)[1] == 0)


def test_a_model_that_hangs_holds_up_no_response_for_long(api, collection, services, monkeypatch):
    monkeypatch.setattr(answer_stream, "CLOSE_SECONDS", 0.1)
    services.generator = writer = Paced(SENTENCE)
    with server() as base:
        with opened(base, api, collection) as response:
            next(response.iter_text())
        with opened(base, api, collection, "/search/stream") as other:
            assert other.status_code == 200
            writer.go.release(2)
            assert parsed(other.read().decode())
    assert writer.stopped.wait(60)


def test_what_fails_before_the_first_event_has_its_status(api, collection, services):
    class Down:
        def search(self, *asked, **options):
            raise Unavailable(dependency="vectors")

    services.vectors = Down()
    with server() as base, opened(base, api, collection) as response:
        assert response.status_code == 503
