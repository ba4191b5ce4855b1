"""What an embedder over HTTP makes of a provider's answers, good and bad."""

import base64
import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest

from modulo.adapters.models.openai_embedder import OpenAIEmbedder
from modulo.domain.collections.collection import EmbeddingModel
from modulo.domain.errors import BadModelAnswer, ModuloError, RefusedByModel, Throttled, TimedOut, Unavailable
from tests.contracts.provider import Answer, Asked, Provider
from tests.contracts.wire import Wire

MODEL = EmbeddingModel(name="tiny", dimensions=3)
KEY = "sk-very-secret"


@contextmanager
def embedder_of(provider: Provider, *, timeout: float = 5, batch_size: int = 100) -> Iterator[OpenAIEmbedder]:
    with closing(
        OpenAIEmbedder(provider.url + "/v1/", api_key=KEY, batch_size=batch_size, timeout=timeout)
    ) as embedder:
        yield embedder


def data(*vectors: Any) -> dict[str, Any]:
    return {"data": [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]}


def lengths(asked: Asked) -> Answer:
    """Vectors that tell their texts' lengths, last text first."""
    answer = data(*([float(len(text)), 0, 0] for text in asked.body["input"]))
    return Answer({"data": answer["data"][::-1]})


def test_texts_are_sent_in_batches_and_vectors_put_in_order() -> None:
    with Provider(lengths) as provider, embedder_of(provider, batch_size=2) as embedder:
        vectors = embedder.embed(MODEL, ["a", "bb", "ccc", "dddd", "eeeee"])
    assert [vector[0] for vector in vectors] == [1, 2, 3, 4, 5]
    assert [asked.body["input"] for asked in provider.asked] == [["a", "bb"], ["ccc", "dddd"], ["eeeee"]]
    assert {(asked.method, asked.path, asked.body["model"]) for asked in provider.asked} == {
        ("POST", "/v1/embeddings", "tiny")
    }
    assert {asked.headers["Authorization"] for asked in provider.asked} == {f"Bearer {KEY}"}


def test_base64_is_read_as_numbers_are() -> None:
    encoded = base64.b64encode(struct.pack("<3f", 0.5, -1, 2)).decode()
    with Provider(Answer(data(encoded, [0.5, -1, 2]))) as provider, embedder_of(provider) as embedder:
        assert embedder.embed(MODEL, ["a", "b"]) == [[0.5, -1, 2]] * 2


def test_without_a_key_none_is_sent() -> None:
    with (
        Provider(Answer(data([1, 0, 0]))) as provider,
        closing(OpenAIEmbedder(provider.url, api_key=None, batch_size=1, timeout=5)) as embedder,
    ):
        embedder.embed(MODEL, ["a"])
    assert "Authorization" not in provider.asked[0].headers


NAN = b'{"data": [{"index": 0, "embedding": [1, NaN, 0]}]}'
INFINITE = base64.b64encode(struct.pack("<3f", 1, float("inf"), 0)).decode()


@pytest.mark.parametrize(
    "body",
    [
        NAN,
        b"",
        b"<html>busy</html>",
        b"\xff\xfe",
        b"[" * 100_000,
        [],
        None,
        7,
        {},
        {"data": None},
        {"data": [None]},
        {"data": [{"index": 0}]},
        {"data": [{"embedding": [1, 0, 0]}]},
        {"data": [{"index": 1, "embedding": [1, 0, 0]}]},
        {"data": [{"index": [], "embedding": [1, 0, 0]}]},
        data(),
        data([1, 0, 0], [1, 0, 0]),
        data([1, 0]),
        data([1, 0, 0, 0]),
        data([1, "x", 0]),
        data([1, None, 0]),
        data([10**400, 0, 0]),
        data("not base64!"),
        data("AAA="),
        data(INFINITE),
        data({"a": 1}),
        data(None),
    ],
)
def test_an_answer_that_cannot_be_used_is_a_bad_one(body: Any) -> None:
    with Provider(Answer(body)) as provider, embedder_of(provider) as embedder, pytest.raises(BadModelAnswer):
        embedder.embed(MODEL, ["a"])


def test_two_vectors_of_one_index_are_a_bad_answer() -> None:
    answer = {"data": [{"index": 0, "embedding": [1, 0, 0]}] * 2}
    with Provider(Answer(answer)) as provider, embedder_of(provider) as embedder, pytest.raises(BadModelAnswer):
        embedder.embed(MODEL, ["a", "b"])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0.2", 1), ("99999", 3_600), ("nan", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), (None, None)],
)
def test_too_many_requests_pass_on_when_to_come_back(header: str | None, seconds: int | None) -> None:
    headers = {} if header is None else {"Retry-After": header}
    with (
        Provider(Answer(status=429, headers=headers)) as provider,
        embedder_of(provider) as embedder,
        pytest.raises(Throttled) as raised,
    ):
        embedder.embed(MODEL, ["a"])
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_provider_that_fails_is_unavailable(status: int) -> None:
    answer = Answer(b"trace", status=status, headers={"Retry-After": "3"})
    with Provider(answer) as provider, embedder_of(provider) as embedder, pytest.raises(Unavailable) as raised:
        embedder.embed(MODEL, ["a"])
    assert raised.value.extra["dependency"] == "embedder"
    assert raised.value.retry_after == 3


class Rotated:
    """A key that is kept elsewhere, and was rotated after it was read."""

    def __init__(self, now: str | None) -> None:
        self.known, self.now = "old", now

    def value(self) -> str:
        return self.known

    def renewed(self, refused: str) -> str | None:
        assert refused == "old"
        self.known = self.now or self.known
        return self.now


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_was_rotated_is_read_again(status: int) -> None:
    def reply(asked: Asked) -> Answer:
        known = asked.headers["Authorization"] == "Bearer new"
        return Answer({"data": [{"index": 0, "embedding": [1.0, 0.0]}]}) if known else Answer(status=status)

    key = Rotated("new")
    with (
        Provider(reply) as provider,
        closing(OpenAIEmbedder(provider.url, api_key=key, batch_size=1, timeout=5)) as embedder,
    ):
        with suppress(BadModelAnswer):  # the vectors are another test's
            embedder.embed(MODEL, ["a"])
        assert [asked.headers["Authorization"] for asked in provider.asked] == ["Bearer old", "Bearer new"]
        with suppress(BadModelAnswer):
            embedder.embed(MODEL, ["a"])
    assert len(provider.asked) == 3


def test_a_key_that_is_refused_and_unchanged_is_unavailable() -> None:
    with (
        Provider(Answer(status=401)) as provider,
        closing(OpenAIEmbedder(provider.url, api_key=Rotated(None), batch_size=1, timeout=5)) as embedder,
        pytest.raises(Unavailable),
    ):
        embedder.embed(MODEL, ["a"])
    assert len(provider.asked) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_logged_but_never_written_out(status: int, caplog: pytest.LogCaptureFixture) -> None:
    answer = Answer({"error": {"message": f"bad key {KEY}", "code": "invalid_api_key"}}, status=status)
    with (
        caplog.at_level(logging.DEBUG),
        Provider(answer) as provider,
        embedder_of(provider) as embedder,
        pytest.raises(Unavailable) as raised,
    ):
        embedder.embed(MODEL, ["a"])
    assert "refuses the API key" in caplog.text
    assert KEY not in caplog.text + str(raised.value) + json.dumps(dict(raised.value.extra))


@pytest.mark.parametrize("status", [301, 400, 404, 413, 422])
def test_a_refused_request_is_a_bad_answer_and_its_text_is_kept_out_of_the_logs(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Answer({"error": {"message": "cannot embed 'private words'", "code": "too_long"}}, status=status)
    with Provider(answer) as provider, embedder_of(provider) as embedder, pytest.raises(BadModelAnswer) as raised:
        embedder.embed(MODEL, ["private words"])
    assert "too_long" in caplog.text
    assert "private words" not in caplog.text + raised.value.detail
    assert isinstance(raised.value, RefusedByModel) == (status in (400, 413, 422))


@pytest.mark.serial
@pytest.mark.parametrize("answer", [Answer(pause=30), Answer({"data": "x" * 500}, drip=0.05)])
def test_a_slow_provider_is_given_up_in_time(answer: Answer) -> None:
    with Provider(answer) as provider, embedder_of(provider, timeout=0.3) as embedder:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            embedder.embed(MODEL, ["a"])
        assert time.monotonic() - started < 10


def test_nobody_there_is_unavailable() -> None:
    with Provider(Answer()) as provider:
        pass
    with embedder_of(provider) as embedder, pytest.raises(Unavailable):
        embedder.embed(MODEL, ["a"])


def test_a_cut_connection_is_unavailable_and_the_next_call_works() -> None:
    with Provider(lengths) as provider:
        host, port = provider.url.removeprefix("http://").split(":")
        with Wire(host, int(port)) as wire:
            url = f"http://{wire.host}:{wire.port}/v1"
            with closing(OpenAIEmbedder(url, api_key=None, batch_size=1, timeout=5)) as embedder:
                embedder.embed(MODEL, ["a"])
                wire.cut()
                with pytest.raises(Unavailable):
                    embedder.embed(MODEL, ["a"])
                wire.mend()
                assert embedder.embed(MODEL, ["a"]) == [[1, 0, 0]]


@pytest.mark.parametrize("url", ["not a url", "http://", "ftp://127.0.0.1/v1", "http://127.0.0.1:99999/v1"])
def test_an_address_that_leads_nowhere_is_unavailable(url: str) -> None:
    with closing(OpenAIEmbedder(url, api_key=None, batch_size=1, timeout=1)) as embedder, pytest.raises(Unavailable):
        embedder.embed(MODEL, ["a"])


@pytest.mark.parametrize("key", ["schl\u00fcssel", "two\nlines", " "])
def test_a_key_that_is_none_does_no_harm(key: str) -> None:
    with (
        Provider(Answer(status=401)) as provider,
        closing(OpenAIEmbedder(provider.url, api_key=key, batch_size=1, timeout=5)) as embedder,
        pytest.raises(Unavailable),
    ):
        embedder.embed(MODEL, ["a"])


def test_text_that_is_no_unicode_is_left_to_the_provider_to_refuse() -> None:
    with Provider(Answer(status=400)) as provider, embedder_of(provider) as embedder, pytest.raises(BadModelAnswer):
        embedder.embed(MODEL, ["\ud800"])


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, None), (404, None), (405, None), (401, Unavailable), (500, Unavailable), (429, Throttled)],
)
def test_a_ping_asks_for_the_models(status: int, error: type[ModuloError] | None) -> None:
    with Provider(Answer(status=status)) as provider, embedder_of(provider) as embedder:
        if error is None:
            embedder.ping()
        else:
            with pytest.raises(error):
                embedder.ping()
    assert [(asked.method, asked.path) for asked in provider.asked] == [("GET", "/v1/models")]


@pytest.mark.parametrize(("hangups", "answered"), [(1, True), (2, False)])
def test_a_connection_that_was_closed_meanwhile_is_replaced_once(hangups: int, answered: bool) -> None:
    body = json.dumps(data([1.0, 0.0, 0.0])).encode()
    reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def serve(listener: socket.socket) -> None:
        for number in range(hangups + answered):
            connection, _ = listener.accept()
            with connection:
                received = b""
                while b"}" not in received:
                    part = connection.recv(65_536)
                    assert part, "the client closed early"
                    received += part
                if number >= hangups:
                    connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,), daemon=True)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with closing(OpenAIEmbedder(url, api_key=KEY, batch_size=1, timeout=5)) as embedder:
            if answered:
                assert embedder.embed(MODEL, ["a"]) == [[1.0, 0.0, 0.0]]
            else:
                with pytest.raises(Unavailable):
                    embedder.embed(MODEL, ["a"])
        server.join(60)
        assert not server.is_alive()
