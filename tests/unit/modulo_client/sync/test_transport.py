"""What is sent again, by the number of requests."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from modulo_client.errors import ConnectionFailed, Throttled, UploadRefused, stops_all
from modulo_client.sync.transport import Transport

FORM = "http://store.example/bucket"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "large.txt"
    path.write_text("The bytes of a file.")
    return path


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("modulo_client.sync.transport.time.sleep", pauses.append)
    return pauses


def transport_to(answers: Iterator[int | Exception], received: list[bytes]) -> Transport:
    """A transport whose store gives these answers, and keeps what it received."""

    def answer(request: httpx.Request) -> httpx.Response:
        received.append(request.read())
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given, text="told")

    made = Transport("http://modulo.example", "mod_key", timeout=1, max_retries=3)
    made._store.close()
    made._store = httpx.Client(transport=httpx.MockTransport(answer))
    return made


def test_a_store_that_does_not_answer_for_a_moment_gets_the_whole_form_again(source: Path, slept: list[float]) -> None:
    received: list[bytes] = []
    answers = iter([httpx.ConnectError("reset"), 503, 204])
    transport_to(answers, received).post_form(FORM, {"key": "k"}, "large.txt", source)
    assert len(received) == 3
    assert all(b"The bytes of a file." in body for body in received)
    assert len(slept) == 2


def test_what_the_store_refuses_is_not_sent_again(source: Path) -> None:
    received: list[bytes] = []
    with pytest.raises(UploadRefused, match="status 403: told") as refused:
        transport_to(iter([403]), received).post_form(FORM, {}, "large.txt", source)
    assert len(received) == 1
    assert not stops_all(refused.value), "the next file may well be taken"


@pytest.mark.parametrize("answer", [503, httpx.ConnectError("refused")])
def test_a_store_that_stays_away_is_given_up(answer: int | Exception, source: Path) -> None:
    received: list[bytes] = []
    with pytest.raises(ConnectionFailed):
        transport_to(iter([answer] * 9), received).post_form(FORM, {}, "large.txt", source)
    assert len(received) == 4


@pytest.mark.parametrize(
    ("headers", "code", "count"),
    [
        ({}, "quota-exceeded", 1),  # of files, or of bytes: no time gives it back
        ({"Retry-After": "5"}, "quota-exceeded", 4),
        ({"Retry-After": "3600"}, "quota-exceeded", 1),
        ({}, "throttled", 4),
    ],
)
def test_a_quota_that_no_time_gives_back_is_asked_for_once(headers: dict[str, str], code: str, count: int) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(429, headers=headers, json={"type": f"urn:modulo:problem:{code}", "detail": "full"})

    made = Transport("http://modulo.example", "mod_key", timeout=1, max_retries=3)
    made._http.close()
    made._http = httpx.Client(base_url="http://modulo.example/api", transport=httpx.MockTransport(answer))
    with pytest.raises(Throttled, match="full"):
        made.request("POST", "/collections/c/files")
    assert len(asked) == count
