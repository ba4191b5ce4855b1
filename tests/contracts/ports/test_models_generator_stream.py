"""What every generator promises of a draft that it streams, whatever the provider sends."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from time import monotonic
from typing import Any

import pytest

from modulo.adapters.models.anthropic_generator import AnthropicGenerator
from modulo.adapters.models.bedrock_generator import BedrockGenerator
from modulo.adapters.models.openai_generator import OpenAIGenerator
from modulo.adapters.models.replies import CHARACTERS_PER_TOKEN
from modulo.domain.answers.answer import DraftPart, Prompt, TokenUsage
from modulo.domain.errors import BadModelAnswer, ModuloError, Throttled, Unavailable
from modulo.ports.deadline import Deadline, under
from modulo.ports.models import Generator
from tests.contracts.adapters.models import streams
from tests.contracts.adapters.models.streams import GOOD
from tests.contracts.provider import Answer, Asked, Provider
from tests.unit.passages import passage

PROMPT = Prompt("How long is the Rhine?", [passage("The Rhine is 1,233 km long.")])
MAX_TOKENS = 50
Reply = Callable[[Asked], Answer] | Answer


@dataclass(frozen=True)
class Kind:
    """A provider: its generator, and how it says things."""

    made: Callable[[str, float], Generator]
    texts: Callable[..., list[bytes]]
    delta: Callable[[str], bytes]
    ends: dict[str, str]
    """Reasons to stop: for the limit of tokens, for a filter, and for a tool."""
    error: Callable[[str], bytes]
    errors: dict[str, type[ModuloError]]


KINDS = {
    "openai": Kind(
        lambda url, seconds: OpenAIGenerator(
            url + "/v1", api_key="key", model="m", max_tokens=MAX_TOKENS, timeout=seconds
        ),
        streams.openai_stream,
        lambda text: streams.openai_chunk({"content": text}),
        {"limit": "length", "filter": "content_filter", "tool": "tool_calls"},
        lambda code: streams.sse({"error": {"message": "secret", "type": "server_error", "param": None, "code": code}}),
        {"rate_limit_exceeded": Throttled, "server_error": Unavailable},
    ),
    "anthropic": Kind(
        lambda url, seconds: AnthropicGenerator(
            url + "/v1", api_key="key", model="m", max_tokens=MAX_TOKENS, timeout=seconds
        ),
        streams.anthropic_stream,
        streams.anthropic_delta,
        {"limit": "max_tokens", "filter": "refusal", "tool": "tool_use"},
        lambda kind: streams.sse({"type": "error", "error": {"type": kind, "message": "secret"}}, "error"),
        {"overloaded_error": Throttled, "rate_limit_error": Throttled, "api_error": Unavailable},
    ),
    "bedrock": Kind(
        lambda _, seconds: BedrockGenerator("eu.amazon.nova", max_tokens=MAX_TOKENS, timeout=seconds),
        streams.bedrock_stream,
        streams.bedrock_delta,
        {"limit": "max_tokens", "filter": "guardrail_intervened", "tool": "tool_use"},
        lambda code: streams.bedrock_event(code, {"message": "secret"}, kind="exception"),
        {
            "throttlingException": Throttled,
            "internalServerException": Unavailable,
            "modelStreamErrorException": BadModelAnswer,
        },
    ),
}
Serve = Callable[..., AbstractContextManager[tuple[Generator, Provider]]]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def serve(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> Serve:
    @contextmanager
    def served(reply: Reply | Iterable[bytes], seconds: float = 20) -> Iterator[tuple[Generator, Provider]]:
        asked: Reply = reply if callable(reply) or isinstance(reply, Answer) else Answer(stream=reply)
        with Provider(asked) as provider:
            monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", provider.url)
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
                monkeypatch.setenv(name, "eu-central-1")
            made: Any = kind.made(provider.url, seconds)
            with closing(made):
                yield made, provider

    return served


def drafted(generator: Generator) -> tuple[str, DraftPart]:
    parts = list(generator.stream(PROMPT))
    return "".join(part.text for part in parts).strip(), parts[-1]


def test_a_draft_comes_in_parts_with_the_provider_s_own_count(kind: Kind, serve: Serve) -> None:
    with serve(kind.texts("The Rhine is ", "1,233 km", " long [1].")) as (generator, provider):
        parts = list(generator.stream(PROMPT))
    assert [part.text for part in parts if part.text] == ["The Rhine is ", "1,233 km", " long [1]."]
    assert parts[-1].tokens.completion == 10
    assert parts[-1].tokens.prompt in (190, 200)
    assert all(0 < part.tokens.total <= generator.reserve(PROMPT) for part in parts)
    assert len(provider.asked) == 1


def test_text_comes_as_soon_as_the_provider_sends_it(kind: Kind, serve: Serve) -> None:
    whole = kind.texts(GOOD, " And")
    begun = whole[: whole.index(kind.delta(GOOD)) + 1]
    with serve(streams.then_nothing(begun)) as (generator, _):
        parts = generator.stream(PROMPT)
        assert next(part.text for part in parts if part.text) == GOOD
        parts.close()


@pytest.mark.parametrize(
    ("texts", "said"),
    [(("NOT", "_FOUND"), ""), (("<thi", "nk>Well.</think>", GOOD), GOOD), (("  ", GOOD, "\n"), GOOD)],
)
def test_replies_are_read_for_what_they_say(texts: tuple[str, ...], said: str, kind: Kind, serve: Serve) -> None:
    with serve(kind.texts(*texts)) as (generator, _):
        assert drafted(generator)[0] == said


def test_a_reply_cut_short_says_so(kind: Kind, serve: Serve) -> None:
    with serve(kind.texts(GOOD, " The Elbe", reason=kind.ends["limit"])) as (generator, _):
        text, last = drafted(generator)
    assert (text, last.cut_short) == (GOOD + " The Elbe", True)
    with serve(kind.texts("The Rhine is", reason=kind.ends["limit"])) as (generator, _), pytest.raises(BadModelAnswer):
        drafted(generator)


@pytest.mark.parametrize("texts", [(), ("", "  ")])
def test_nothing_is_no_answer(texts: tuple[str, ...], kind: Kind, serve: Serve) -> None:
    with serve(kind.texts(*texts)) as (generator, _), pytest.raises(BadModelAnswer):
        drafted(generator)


def test_a_filter_ends_the_draft(kind: Kind, serve: Serve) -> None:
    with serve(kind.texts(GOOD, reason=kind.ends["filter"])) as (generator, _), pytest.raises(BadModelAnswer):
        drafted(generator)


def test_a_call_of_a_tool_that_nobody_offered_is_no_answer(kind: Kind, serve: Serve) -> None:
    with serve(kind.texts(reason=kind.ends["tool"])) as (generator, _), pytest.raises(BadModelAnswer):
        drafted(generator)


def test_an_error_in_the_middle_is_told_apart_and_its_message_never_shown(kind: Kind, serve: Serve) -> None:
    for code, error in kind.errors.items():
        begun = kind.texts(GOOD)[:3]
        with serve([*begun, kind.error(code)]) as (generator, _), pytest.raises(error) as raised:
            drafted(generator)
        assert "secret" not in raised.value.detail


def test_what_ends_without_an_ending_was_broken_off(kind: Kind, serve: Serve) -> None:
    whole = kind.texts(GOOD)
    begun = whole[: whole.index(kind.delta(GOOD)) + 1]
    for cut in (begun, [*begun[:-1], begun[-1][:-9]]):
        with serve(cut) as (generator, _), pytest.raises(Unavailable):
            drafted(generator)


@pytest.mark.parametrize("filler", [" The Elbe is longer.", "[1]", " ", "<think>", "\n"])
def test_an_endless_draft_is_left_where_it_is_long_enough(filler: str, kind: Kind, serve: Serve) -> None:
    whole = kind.texts(GOOD)
    begun = whole[: whole.index(kind.delta(GOOD)) + 1]
    with serve(chain(begun, [kind.delta(" ")], streams.endless(kind.delta(filler)))) as (generator, _):
        text, last = drafted(generator)
    assert text.startswith(GOOD)
    assert len(text) <= MAX_TOKENS * CHARACTERS_PER_TOKEN
    assert last.cut_short


def test_ten_megabytes_in_one_part_are_not_read_to_the_end(kind: Kind, serve: Serve) -> None:
    with serve([*kind.texts(GOOD)[:2], kind.delta("x" * 10 * 1024**2)]) as (generator, _):
        began = monotonic()
        with pytest.raises((BadModelAnswer, Unavailable)):
            drafted(generator)
    assert monotonic() - began < 20


def test_silence_ends_with_the_timeout(kind: Kind, serve: Serve) -> None:
    whole = kind.texts(GOOD)
    begun = whole[: whole.index(kind.delta(GOOD)) + 1]
    with serve(streams.then_nothing(begun, 6), seconds=0.5) as (generator, _), pytest.raises(Unavailable):
        drafted(generator)


def test_a_deadline_that_passes_meanwhile_ends_the_draft(kind: Kind, serve: Serve) -> None:
    whole = kind.texts(GOOD)
    begun = whole[: whole.index(kind.delta(GOOD)) + 1]
    deadline = Deadline(30)
    with serve(chain(begun, streams.endless(kind.delta(" And")))) as (generator, _), under(deadline):
        parts = generator.stream(PROMPT)
        next(parts)
        deadline.end()
        with pytest.raises(Unavailable):
            list(parts)


def test_what_is_refused_at_once_is_told_apart(kind: Kind, serve: Serve) -> None:
    for status, error in ((429, Throttled), (401, Unavailable), (400, BadModelAnswer)):
        code = {429: "ThrottlingException", 401: "AccessDeniedException", 400: "ValidationException"}[status]
        headers = {"x-amzn-ErrorType": code, "Retry-After": "7"}
        answer = Answer({"message": "no"}, status=status, headers=headers)
        with serve(answer) as (generator, _), pytest.raises(error):
            drafted(generator)


def openai(reply: Reply) -> AbstractContextManager[tuple[OpenAIGenerator, Provider]]:
    @contextmanager
    def served() -> Iterator[tuple[OpenAIGenerator, Provider]]:
        with Provider(reply) as provider:
            made = OpenAIGenerator(provider.url + "/v1", api_key="key", model="m", max_tokens=MAX_TOKENS, timeout=20)
            with closing(made):
                yield made, provider

    return served()


def test_only_what_the_sdk_knows_is_sent() -> None:
    def strict(asked: Asked) -> Answer:
        streams.refuse_other_chats(asked)
        return Answer(stream=streams.openai_stream(GOOD))

    with openai(strict) as (generator, provider):
        assert drafted(generator)[0] == GOOD
    assert provider.asked[0].body["stream_options"] == {"include_usage": True}


def test_a_server_that_knows_no_usage_of_streams_is_asked_without_and_tokens_are_estimated() -> None:
    def older(asked: Asked) -> Answer:
        for param in ("stream_options", "max_tokens"):
            if param in asked.body:
                return Answer({"error": {"message": "no", "param": param, "code": "unsupported"}}, status=400)
        return Answer(stream=streams.openai_stream(GOOD, usage=False)[:-1])  # and no [DONE]

    with openai(older) as (generator, provider):
        text, last = drafted(generator)
        drafted(generator)
    assert text == GOOD
    assert 5 <= last.tokens.completion <= 20
    assert len(provider.asked) == 4
    assert provider.asked[-1].body["max_completion_tokens"] == MAX_TOKENS


@pytest.mark.parametrize("usage", [("many", 1), (-1, 2), (None, None), (1e400, 1)])
def test_a_count_that_makes_no_sense_is_estimated(usage: tuple[Any, Any]) -> None:
    parts = streams.openai_stream(GOOD, usage=False)
    with openai(Answer(stream=[*parts[:-1], streams.openai_usage(*usage), parts[-1]])) as (generator, _):
        _, last = drafted(generator)
        assert 0 < last.tokens.total <= generator.reserve(PROMPT)


@pytest.mark.parametrize("kind", ["bedrock"], indirect=True)
@pytest.mark.parametrize("usage", [{"inputTokens": 5}, {"inputTokens": -1, "outputTokens": 2}, {"totalTokens": 9}])
def test_a_count_that_bedrock_tells_in_part_is_estimated(usage: dict[str, int], serve: Serve) -> None:
    told = streams.bedrock_event("metadata", {"usage": usage})
    with serve([*streams.bedrock_stream(GOOD)[:-1], told]) as (generator, _):
        _, last = drafted(generator)
        assert 0 < last.tokens.total <= generator.reserve(PROMPT)


@pytest.mark.parametrize(
    "parts",
    [
        [b"data: {broken\n\n"],
        [b"data: []\n\n"],
        [b"data: " + b"[" * 100_000 + b"\n\n"],
        [streams.sse({"choices": [None]})],
        [streams.sse({"choices": [{"delta": {"content": ["a"]}}]})],
        [b"<html>"],
        [],
    ],
)
def test_a_stream_in_no_format_is_a_bad_answer(parts: list[bytes]) -> None:
    with openai(Answer(stream=parts)) as (generator, _), pytest.raises((BadModelAnswer, Unavailable)):
        drafted(generator)


@pytest.fixture
def anthropic() -> Callable[[Reply], AbstractContextManager[tuple[AnthropicGenerator, Provider]]]:
    @contextmanager
    def served(reply: Reply) -> Iterator[tuple[AnthropicGenerator, Provider]]:
        with Provider(reply) as provider:
            made = AnthropicGenerator(provider.url + "/v1", api_key="k", model="m", max_tokens=MAX_TOKENS, timeout=20)
            with closing(made):
                yield made, provider

    return served


def test_anthropic_is_asked_as_its_sdk_asks(anthropic: Any) -> None:
    with anthropic(Answer(stream=streams.anthropic_stream(GOOD))) as (generator, provider):
        assert drafted(generator)[1].tokens == TokenUsage(190, 10)
    (asked,) = provider.asked
    sent = {name.lower(): value for name, value in asked.headers.items()}
    assert (asked.path, sent["x-api-key"], sent["anthropic-version"]) == ("/v1/messages", "k", "2023-06-01")
    assert "authorization" not in sent
    assert asked.body.keys() == {"model", "max_tokens", "system", "messages", "stream"}
    assert [message["role"] for message in asked.body["messages"]] == ["user"]


def test_thoughts_and_tools_are_no_text_and_what_the_cache_read_counts(anthropic: Any) -> None:
    thought = {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}
    thinking = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}
    parts = [
        streams.anthropic_start(10, cache_read_input_tokens=100, cache_creation_input_tokens=50),
        streams.sse(thought),
        streams.sse(thinking),
        streams.anthropic_delta(GOOD, 1),
        *streams.anthropic_end(),
    ]
    with anthropic(Answer(stream=parts)) as (generator, _):
        text, last = drafted(generator)
    assert (text, last.tokens) == (GOOD, TokenUsage(160, 10))


def message(*blocks: Any, reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 190, "output_tokens": 10}
    return {"type": "message", "content": list(blocks), "stop_reason": reason, "usage": usage, **more}


def test_a_whole_message_is_read_alike(anthropic: Any) -> None:
    text = {"type": "text", "text": GOOD}
    with anthropic(Answer(message({"type": "thinking", "thinking": "hm"}, text))) as (generator, _):
        draft = generator.generate(PROMPT)
        assert (draft.text, draft.tokens, generator.name) == (GOOD, TokenUsage(190, 10), "anthropic:m")
        generator.ping()
    for bad in (message(text, reason="refusal"), message(), {}, [], message("x"), message(text, usage=None)):
        with anthropic(Answer(bad)) as (generator, _), pytest.raises(BadModelAnswer):
            generator.generate(PROMPT)


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        {"type": "message_start"},
        {"type": "content_block_delta"},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": 7}},
        {"type": "message_delta", "delta": None, "usage": {}},
    ],
)
def test_events_in_no_format_are_a_bad_answer(event: Any, anthropic: Any) -> None:
    with anthropic(Answer(stream=[streams.sse(event)])) as (generator, _), pytest.raises(BadModelAnswer):
        drafted(generator)
    with anthropic(Answer(stream=[b"data: {\n\n"])) as (generator, _), pytest.raises(BadModelAnswer):
        drafted(generator)
