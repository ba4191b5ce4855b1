"""What generators make of a provider's answers, good and bad."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from modulo.adapters.bedrock_generator import BedrockGenerator
from modulo.adapters.openai_generator import OpenAIGenerator
from modulo.domain.answer import Prompt, Tokens
from modulo.domain.errors import BadModelAnswer, ModuloError, Throttled, Unavailable
from tests.contracts.provider import Answer, Asked, Provider
from tests.unit.passages import passage

PROMPT = Prompt("How long is the Rhine?", [passage("The Rhine is 1,233 km long.")])
GOOD = "The Rhine is 1,233 km long [1]."
Reply = Callable[[Asked], Answer] | Answer


def completion(content: Any, reason: str = "stop", **more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 200, "completion_tokens": 10, "total_tokens": 210}
    return {
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": reason}],
        "usage": usage,
        **more,
    }


def conversation(text: str, reason: str = "end_turn") -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": reason,
        "usage": {"inputTokens": 200, "outputTokens": 10, "totalTokens": 210},
        "metrics": {"latencyMs": 1},
    }


@contextmanager
def openai(reply: Reply) -> Iterator[tuple[OpenAIGenerator, Provider]]:
    with (
        Provider(reply) as provider,
        closing(OpenAIGenerator(provider.url + "/v1", api_key="key", model="m", max_tokens=50, timeout=2)) as generator,
    ):
        yield generator, provider


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Reply], Any]:
    @contextmanager
    def served(reply: Reply) -> Iterator[tuple[BedrockGenerator, Provider]]:
        with Provider(reply) as provider:
            monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", provider.url)
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
                monkeypatch.setenv(name, "eu-central-1")
            with closing(BedrockGenerator("eu.amazon.nova", max_tokens=50, timeout=2)) as generator:
                yield generator, provider

    return served


def test_a_chat_is_asked_for() -> None:
    with openai(Answer(completion(GOOD))) as (generator, provider):
        draft = generator.generate(PROMPT)
    assert (draft.text, draft.tokens) == (GOOD, Tokens(200, 10))
    (asked,) = provider.asked
    assert asked.path == "/v1/chat/completions"
    assert [message["role"] for message in asked.body.pop("messages")] == ["system", "user"]
    assert asked.body == {"model": "m", "temperature": 0, "max_tokens": 50}


def test_bedrock_is_asked_for_a_conversation(bedrock: Callable[[Reply], Any]) -> None:
    with bedrock(Answer(conversation(GOOD))) as (generator, provider):
        draft = generator.generate(PROMPT)
    assert (draft.text, draft.tokens) == (GOOD, Tokens(200, 10))
    (asked,) = provider.asked
    assert asked.path == "/model/eu.amazon.nova/converse"
    assert asked.body["inferenceConfig"] == {"maxTokens": 50, "temperature": 0}
    assert asked.body["system"][0]["text"].startswith("You answer questions")
    assert [message["role"] for message in asked.body["messages"]] == ["user"]
    assert asked.body["messages"][0]["content"][0]["text"].endswith("Question: How long is the Rhine?")


@pytest.mark.parametrize(
    ("reply", "text"),
    [("NOT_FOUND", ""), ("<think>Well.</think>" + GOOD, GOOD), (f"  {GOOD}\n", GOOD)],
)
def test_replies_are_read_for_what_they_say(reply: str, text: str, bedrock: Callable[[Reply], Any]) -> None:
    with openai(Answer(completion(reply))) as (generator, _):
        assert generator.generate(PROMPT).text == text
    with bedrock(Answer(conversation(reply))) as (converser, _):
        assert converser.generate(PROMPT).text == text


def test_a_reply_cut_short_loses_its_last_sentence(bedrock: Callable[[Reply], Any]) -> None:
    with openai(Answer(completion(GOOD + " The Elbe", "length"))) as (generator, _):
        assert generator.generate(PROMPT).text == GOOD
    with bedrock(Answer(conversation(GOOD + " The Elbe", "max_tokens"))) as (converser, _):
        assert converser.generate(PROMPT).text == GOOD


def test_thoughts_are_no_part_of_a_conversation_s_text(bedrock: Callable[[Reply], Any]) -> None:
    answer = conversation(GOOD)
    thought = {"reasoningContent": {"reasoningText": {"text": "hm"}}}
    answer["output"]["message"]["content"].insert(0, thought)
    with bedrock(Answer(answer)) as (generator, _):
        assert generator.generate(PROMPT).text == GOOD


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": "many"}, {"prompt_tokens": -1, "completion_tokens": 2}, []]
)
def test_tokens_that_the_server_does_not_count_are_estimated(usage: Any) -> None:
    with openai(Answer(completion(GOOD, usage=usage))) as (generator, _):
        tokens = generator.generate(PROMPT).tokens
        assert 0 < tokens.total <= generator.reserve(PROMPT)
        assert 5 <= tokens.completion <= 20


def test_a_model_that_knows_the_limit_by_another_name_is_understood() -> None:
    def newer(asked: Asked) -> Answer:
        for param in ("max_tokens", "temperature"):
            if param in asked.body:
                error = {"message": "no", "param": param, "code": "unsupported_parameter"}
                return Answer({"error": error}, status=400)
        return Answer(completion(GOOD))

    with openai(newer) as (generator, provider):
        assert [generator.generate(PROMPT).text for _ in range(2)] == [GOOD] * 2
    assert len(provider.asked) == 4
    assert provider.asked[-1].body.keys() == {"model", "messages", "max_completion_tokens"}


def test_a_model_that_refuses_again_and_again_is_given_up() -> None:
    def stubborn(asked: Asked) -> Answer:
        param = "temperature" if "temperature" in asked.body else "messages"
        return Answer({"error": {"param": param}}, status=400)

    with openai(stubborn) as (generator, provider), pytest.raises(BadModelAnswer):
        generator.generate(PROMPT)
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data: [DONE]",
        [],
        None,
        {},
        {"choices": []},
        {"choices": [None]},
        {"choices": [{"message": None}]},
        completion(None),
        completion(""),
        completion("  "),
        completion(["parts"]),
        completion("Something", "content_filter"),
        completion("", "length"),
        completion("The Rhine is 3.5 times", "length"),
    ],
)
def test_a_reply_that_cannot_be_used_is_a_bad_answer(body: Any) -> None:
    with openai(Answer(body)) as (generator, _), pytest.raises(BadModelAnswer):
        generator.generate(PROMPT)


@pytest.mark.parametrize(
    "body",
    [
        b"nothing",
        {},
        {"output": {}},
        {"output": {"message": {"role": "assistant", "content": []}}, "stopReason": "end_turn"},
        conversation(""),
        conversation("x", "guardrail_intervened"),
        conversation("x", "content_filtered"),
        conversation("The Rhine is", "max_tokens"),
    ],
)
def test_so_is_one_of_bedrock_s(body: Any, bedrock: Callable[[Reply], Any]) -> None:
    with bedrock(Answer(body)) as (generator, _), pytest.raises(BadModelAnswer):
        generator.generate(PROMPT)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(status=429), Throttled),
        (Answer(status=500), Unavailable),
        (Answer(status=401), Unavailable),
        (Answer(status=404), BadModelAnswer),
        (Answer(pause=30), Unavailable),
    ],
)
def test_failures_are_told_apart(answer: Answer, error: type[ModuloError]) -> None:
    with openai(answer) as (generator, _):
        generator._api._timeout = 0.3
        with pytest.raises(error) as raised:
            generator.generate(PROMPT)
    assert raised.value.extra.get("dependency") == (None if error is BadModelAnswer else "generator")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "ThrottlingException", Throttled),
        (503, "ServiceUnavailableException", Unavailable),
        (403, "AccessDeniedException", Unavailable),
        (400, "ValidationException", BadModelAnswer),
    ],
)
def test_bedrock_s_failures_are_told_apart(
    status: int, code: str, error: type[ModuloError], bedrock: Callable[[Reply], Any]
) -> None:
    answer = Answer({"message": "no"}, status=status, headers={"x-amzn-ErrorType": code})
    with bedrock(answer) as (generator, _), pytest.raises(error):
        generator.generate(PROMPT)


@pytest.mark.parametrize("ending", [b"", b'{"error'])
def test_a_model_that_breaks_off_behind_its_first_words_is_unavailable(ending: bytes) -> None:
    begun = json.dumps(completion("The tower is 38 metres")).encode()[:60] + ending
    headers = {"Content-Length": "5000"}  # of what it does not come to say
    with openai(Answer(begun, headers=headers)) as (generator, _):
        generator._api._timeout = 1
        with pytest.raises(Unavailable):
            generator.generate(PROMPT)
