"""The embedder over Bedrock's protocol: a local server speaks it, for the cloud cannot run here."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import unquote

import pytest

from modulo.adapters.models.bedrock_embedder import (
    MAX_COHERE_CHARACTERS,
    MAX_COHERE_TEXTS,
    MAX_TITAN_CHARACTERS,
    BedrockEmbedder,
)
from modulo.domain.collections.collection import EmbeddingModel
from modulo.domain.errors import BadModelAnswer, ModuloError, RefusedByModel, Throttled, TimedOut, Unavailable
from tests.contracts.provider import Answer, Asked, Provider

TITAN = EmbeddingModel(name="amazon.titan-embed-text-v2:0", dimensions=3, max_tokens=8_192)
COHERE = EmbeddingModel(name="cohere.embed-multilingual-v3", dimensions=3, query_prefix="query: ")
COHERE_4 = COHERE.model_copy(update={"name": "eu.cohere.embed-v4:0"})
SECRET = "aws-very-secret"


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """An embedder whose Bedrock answers as told."""

    @contextmanager
    def served(
        reply: Callable[[Asked], Answer] | Answer, timeout: float = 30
    ) -> Iterator[tuple[BedrockEmbedder, Provider]]:
        with Provider(reply) as provider:
            monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", provider.url)
            monkeypatch.setenv("AWS_REGION", "eu-central-1")
            monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
            with closing(BedrockEmbedder(timeout=timeout)) as embedder:
                yield embedder, provider

    return served


def failure(status: int, code: str) -> Answer:
    return Answer({"message": "no"}, status=status, headers={"x-amzn-ErrorType": code})


def length(asked: Asked) -> Answer:
    return Answer({"embedding": [float(len(asked.body["inputText"])), 0, 0], "inputTextTokenCount": 3})


def lengths(asked: Asked) -> Answer:
    return Answer({"embeddings": {"float": [[float(len(text)), 0, 0] for text in asked.body["texts"]]}})


def test_titan_reads_one_text_a_call(bedrock: Callable[..., Any]) -> None:
    texts = ["x" * n for n in range(1, 26)]
    with bedrock(length) as (embedder, provider):
        assert [vector[0] for vector in embedder.embed(TITAN, texts)] == list(range(1, 26))
    assert len(provider.asked) == 25
    asked = next(asked for asked in provider.asked if asked.body["inputText"] == "x")
    assert unquote(asked.path) == f"/model/{TITAN.name}/invoke"
    assert asked.body == {"inputText": "x", "dimensions": 3, "normalize": True}
    assert asked.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=id/")


def test_titan_s_first_version_takes_no_dimensions(bedrock: Callable[..., Any]) -> None:
    with bedrock(length) as (embedder, provider):
        embedder.embed(TITAN.model_copy(update={"name": "amazon.titan-embed-text-v1"}), [""])
    assert provider.asked[0].body == {"inputText": " "}


def test_cohere_reads_96_texts_a_call(bedrock: Callable[..., Any]) -> None:
    texts = ["x" * (n + 1) for n in range(MAX_COHERE_TEXTS + 4)]
    with bedrock(lengths) as (embedder, provider):
        assert [vector[0] for vector in embedder.embed(COHERE, texts)] == list(range(1, MAX_COHERE_TEXTS + 5))
    assert sorted(len(asked.body["texts"]) for asked in provider.asked) == [4, MAX_COHERE_TEXTS]
    assert {asked.body["input_type"] for asked in provider.asked} == {"search_document"}


def test_cohere_is_told_questions_by_their_prefix(bedrock: Callable[..., Any]) -> None:
    with bedrock(lengths) as (embedder, provider):
        embedder.embed(COHERE, ["query: why?"])
    assert provider.asked[0].body == {
        "texts": ["why?"],
        "input_type": "search_query",
        "truncate": "END",
        "embedding_types": ["float"],
    }


def test_cohere_s_texts_are_cut_to_what_it_takes(bedrock: Callable[..., Any]) -> None:
    with bedrock(lengths) as (embedder, _):
        assert embedder.embed(COHERE, ["x" * 5_000]) == [[MAX_COHERE_CHARACTERS, 0, 0]]


def test_cohere_s_fourth_version_is_told_the_dimensions_and_reads_long_texts(bedrock: Callable[..., Any]) -> None:
    with bedrock(lengths) as (embedder, provider):
        assert embedder.embed(COHERE_4, ["x" * 5_000]) == [[5_000, 0, 0]]
        assert embedder.embed(COHERE_4, ["x" * 5_000], whole=True) == [[5_000, 0, 0]]
    assert [asked.body["output_dimension"] for asked in provider.asked] == [3, 3]
    assert [asked.body["truncate"] for asked in provider.asked] == ["RIGHT", "NONE"]


@pytest.mark.parametrize(("model", "longest"), [(TITAN, MAX_TITAN_CHARACTERS), (COHERE, MAX_COHERE_CHARACTERS)])
def test_what_has_to_be_embedded_whole_is_not_cut(
    bedrock: Callable[..., Any], model: EmbeddingModel, longest: int
) -> None:
    with bedrock(length if model is TITAN else lengths) as (embedder, provider):
        assert embedder.embed(model, ["x" * longest], whole=True) == [[longest, 0, 0]]
        assert provider.asked[0].body.get("truncate") in (None, "NONE")
        with pytest.raises(RefusedByModel, match=f"Text 1 has {longest + 1} characters"):
            embedder.embed(model, ["x", "x" * (longest + 1)], whole=True)
    assert len(provider.asked) == 1


def test_cohere_s_older_form_of_answer_is_read(bedrock: Callable[..., Any]) -> None:
    with bedrock(Answer({"embeddings": [[1, 2, 3]]})) as (embedder, _):
        assert embedder.embed(COHERE, ["a"]) == [[1, 2, 3]]


@pytest.mark.parametrize("model", [TITAN, COHERE])
def test_no_texts_ask_for_nothing(bedrock: Callable[..., Any], model: EmbeddingModel) -> None:
    with bedrock(lengths) as (embedder, provider):
        assert embedder.embed(model, []) == []
    assert provider.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"nothing",
        [],
        None,
        {},
        {"embedding": None},
        {"embedding": [1, 2]},
        b'{"embedding": [1, NaN, 0]}',
        {"embedding": 7},
    ],
)
def test_an_answer_that_cannot_be_used_is_a_bad_one(bedrock: Callable[..., Any], body: Any) -> None:
    with bedrock(Answer(body)) as (embedder, _), pytest.raises(BadModelAnswer):
        embedder.embed(TITAN, ["a"])


@pytest.mark.parametrize("body", [{}, {"embeddings": None}, {"embeddings": {"int8": []}}, {"embeddings": {"float": 3}}])
def test_so_is_one_of_cohere_s(bedrock: Callable[..., Any], body: Any) -> None:
    with bedrock(Answer(body)) as (embedder, _), pytest.raises(BadModelAnswer):
        embedder.embed(COHERE, ["a"])


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "ThrottlingException", Throttled),
        (500, "InternalServerException", Unavailable),
        (503, "ServiceUnavailableException", Unavailable),
        (408, "ModelTimeoutException", Unavailable),
        (429, "ModelNotReadyException", Unavailable),
        (403, "AccessDeniedException", Unavailable),
        (403, "UnrecognizedClientException", Unavailable),
        (400, "ValidationException", BadModelAnswer),
        (404, "ResourceNotFoundException", BadModelAnswer),
        (424, "ModelErrorException", BadModelAnswer),
    ],
)
def test_failures_are_told_apart(
    bedrock: Callable[..., Any], status: int, code: str, error: type[ModuloError], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), bedrock(failure(status, code)) as (embedder, _), pytest.raises(error) as raised:
        embedder.embed(TITAN, ["private words"])
    assert "private words" not in caplog.text + raised.value.detail
    assert SECRET not in caplog.text


def test_a_slow_bedrock_is_given_up(bedrock: Callable[..., Any]) -> None:
    with bedrock(Answer(pause=30), timeout=0.2) as (embedder, _), pytest.raises(TimedOut):
        embedder.embed(TITAN, ["a"])


def test_a_body_that_breaks_off_is_unavailable(bedrock: Callable[..., Any]) -> None:
    answer = Answer(b'{"embedding"', headers={"Content-Length": "100"})
    with bedrock(answer) as (embedder, _), pytest.raises(Unavailable):
        embedder.embed(TITAN, ["a"])


def test_another_model_is_refused_before_anything_is_asked(bedrock: Callable[..., Any]) -> None:
    with bedrock(length) as (embedder, provider), pytest.raises(BadModelAnswer, match="other"):
        embedder.embed(EmbeddingModel(name="other", dimensions=3), ["a"])
    assert provider.asked == []


def test_a_ping_takes_a_refusal_for_an_answer(bedrock: Callable[..., Any]) -> None:
    for answer in (Answer({"asyncInvokeSummaries": []}), failure(403, "AccessDeniedException")):
        with bedrock(answer) as (embedder, provider):
            embedder.ping()
        assert [asked.path.partition("?")[0] for asked in provider.asked] == ["/async-invoke"]


def test_a_ping_with_wrong_credentials_fails(bedrock: Callable[..., Any]) -> None:
    with bedrock(failure(403, "UnrecognizedClientException")) as (embedder, _), pytest.raises(Unavailable):
        embedder.ping()


def test_answers_keep_to_their_texts_under_load(bedrock: Callable[..., Any]) -> None:
    with bedrock(length) as (embedder, _):
        for texts in (["a" * n for n in range(1, 60)], ["b" * n for n in range(59, 0, -1)]):
            assert [vector[0] for vector in embedder.embed(TITAN, texts)] == [len(text) for text in texts]
