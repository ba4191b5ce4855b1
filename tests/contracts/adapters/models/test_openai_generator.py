"""What generators make of a provider's answers, good and bad."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from modulo.adapters.models.bedrock_generator import BedrockGenerator
from modulo.adapters.models.openai_generator import OpenAIGenerator
from modulo.adapters.models.replies import CHARACTERS_PER_TOKEN
from modulo.domain.answers.answer import Prompt, TokenUsage
from modulo.domain.answers.answer_options import AnswerOptions
from modulo.domain.errors import BadModelAnswer, ModuloError, Throttled, Unavailable
from tests.contracts.provider import Answer, Asked, Provider
from tests.unit.domain.answers import attacks
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
        closing(
            OpenAIGenerator(provider.url + "/v1", api_key="key", model="m", max_tokens=50, timeout=30)
        ) as generator,
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
            with closing(BedrockGenerator("eu.amazon.nova", max_tokens=50, timeout=30)) as generator:
                yield generator, provider

    return served


def test_a_chat_is_asked_for() -> None:
    with openai(Answer(completion(GOOD))) as (generator, provider):
        draft = generator.generate(PROMPT)
    assert (draft.text, draft.tokens) == (GOOD, TokenUsage(200, 10))
    (asked,) = provider.asked
    assert asked.path == "/v1/chat/completions"
    assert [message["role"] for message in asked.body.pop("messages")] == ["system", "user"]
    assert asked.body == {"model": "m", "temperature": 0, "max_tokens": 50}


def test_attacks_stay_inside_their_passages() -> None:
    texts = [*attacks.TEXTS, *attacks.TEMPLATES, *attacks.HIDDEN, *attacks.SPLIT, *attacks.MARKS, *attacks.TABLES]
    prompt = Prompt("How long is the Rhine?", [passage(text) for text in texts])
    with openai(Answer(completion("NOT_FOUND"))) as (generator, provider):
        assert generator.generate(prompt).text == ""
    (asked,) = provider.asked
    rules, question = asked.body["messages"]
    assert (rules["role"], question["role"]) == ("system", "user")
    fence = rules["content"].split("<passage-")[1][:16]
    for end in (f"<passage-{fence} number=", f"\n</passage-{fence}>"):
        assert question["content"].count(end) == len(texts)
    assert question["content"].endswith("Question: How long is the Rhine?")
    assert not {"<|", "|>"} & {question["content"][at : at + 2] for at in range(len(question["content"]))}


def test_bedrock_is_asked_for_a_conversation(bedrock: Callable[[Reply], Any]) -> None:
    with bedrock(Answer(conversation(GOOD))) as (generator, provider):
        draft = generator.generate(PROMPT)
    assert (draft.text, draft.tokens) == (GOOD, TokenUsage(200, 10))
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


@pytest.mark.parametrize("filler", [" The Elbe is longer.", " <think", " ", "[1]", "«", "\n\n"])
def test_a_reply_longer_than_was_asked_for_is_cut(filler: str, bedrock: Callable[[Reply], Any]) -> None:
    reply = f"{GOOD} " + filler * (10 * 1024**2 // len(filler))
    with openai(Answer(completion(reply))) as (generator, _):
        text = generator.generate(PROMPT).text
    with bedrock(Answer(conversation(reply))) as (converser, _):
        assert converser.generate(PROMPT).text == text
    assert text.startswith(GOOD)
    assert len(text) <= 50 * CHARACTERS_PER_TOKEN


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


CHOSEN = replace(PROMPT, options=AnswerOptions(max_tokens=7, temperature=1.5))


def test_a_bound_and_a_temperature_that_are_asked_for_are_sent(bedrock: Callable[[Reply], Any]) -> None:
    with openai(Answer(completion(GOOD))) as (generator, provider):
        assert generator.reserve(PROMPT) - generator.reserve(CHOSEN) == 43
        generator.generate(CHOSEN)
        generator.generate(replace(PROMPT, options=AnswerOptions(max_tokens=51)))
    sent = [(asked.body["max_tokens"], asked.body["temperature"]) for asked in provider.asked]
    assert sent == [(7, 1.5), (50, 0)]
    with bedrock(Answer(conversation(GOOD))) as (converser, served):
        converser.generate(CHOSEN)
    assert served.asked[0].body["inferenceConfig"] == {"maxTokens": 7, "temperature": 1.0}


def test_a_temperature_that_is_refused_is_left_out_for_whoever_asked_for_it() -> None:
    def sober(asked: Asked) -> Answer:
        if asked.body.get("temperature", 0) > 1:
            return Answer({"error": {"param": "temperature"}}, status=400)
        return Answer(completion(GOOD))

    with openai(sober) as (generator, provider):
        assert [generator.generate(prompt).text for prompt in (CHOSEN, PROMPT)] == [GOOD] * 2
    assert [asked.body["temperature"] for asked in provider.asked] == [1.5, 0, 0]


@pytest.mark.parametrize("reply", ["The Rhine is", "NOT_FOUND"])
def test_a_bound_that_was_asked_for_may_leave_nothing(reply: str) -> None:
    with openai(Answer(completion(reply, "length"))) as (generator, _):
        draft = generator.generate(CHOSEN)
    assert (draft.text, draft.cut_short) == ("", True)


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
        (Answer(pause=60), Unavailable),
    ],
)
def test_failures_are_told_apart(answer: Answer, error: type[ModuloError]) -> None:
    with openai(answer) as (generator, _):
        generator._api._timeout = 0.3 if answer.pause else 30
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
