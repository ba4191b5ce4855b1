"""Generators behind each other: who is asked, how often, and who is named."""

from collections.abc import Generator
from typing import Any

import pytest

from modulo.adapters.models.circuit_breaker import FAILURES
from modulo.adapters.models.generator_chain import ATTEMPTS, BASE_SECONDS, LONGEST_WAIT_SECONDS, GeneratorChain
from modulo.domain.answers.answer import AnswerDraft, DraftPart, Prompt, TokenUsage
from modulo.domain.errors import BadModelAnswer, ModuloError, Throttled, TimedOut, Unavailable
from modulo.ports.deadline import too_late, within

PROMPT = Prompt("How long is it?", ())
DOWN, BUSY = Unavailable("down", dependency="generator"), Throttled("busy", retry_after=2)
Outcome = ModuloError | str


class Scripted:
    """A generator with one outcome for each call: a text, or an error; `told` text comes before an error."""

    def __init__(self, name: str, *outcomes: Outcome, told: str = "", reserve: int = 10) -> None:
        self.name, self.outcomes, self.told, self.reserved = name, list(outcomes), told, reserve
        self.calls, self.open = 0, 0

    def reserve(self, _: Prompt) -> int:
        return self.reserved

    def _next(self) -> str:
        self.calls += 1
        outcome = self.outcomes.pop(0) if self.outcomes else "Done."
        if isinstance(outcome, ModuloError):
            raise outcome
        return outcome

    def generate(self, _: Prompt) -> AnswerDraft:
        return AnswerDraft(self._next())

    def stream(self, _: Prompt) -> Generator[DraftPart, None, None]:
        self.open += 1
        try:
            yield DraftPart(self.told, TokenUsage(5, 0))
            yield DraftPart(self._next())
            yield DraftPart(" More.")
        finally:
            self.open -= 1

    def ping(self) -> None:
        self._next()


class Waits(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


def asked(chain: GeneratorChain, how: str) -> tuple[str, str]:
    """The text and who wrote it, by `generate` or by `stream`."""
    if how == "generate":
        draft = chain.generate(PROMPT)
        return draft.text, draft.generator
    parts = list(chain.stream(PROMPT))
    return "".join(part.text for part in parts).removesuffix(" More."), parts[-1].generator


BOTH = pytest.mark.parametrize("how", ["generate", "stream"])


@BOTH
def test_one_that_does_not_answer_is_asked_again_after_a_growing_wait(how: str, waits: Waits) -> None:
    first = Scripted("a", DOWN, DOWN, DOWN)
    assert asked(GeneratorChain([first], waits), how) == ("Done.", "a")
    assert first.calls == ATTEMPTS == len(waits) + 1
    assert all(0 <= wait <= BASE_SECONDS * 2**attempt for attempt, wait in enumerate(waits))


@BOTH
def test_a_wait_is_as_long_as_the_provider_asks(how: str, waits: Waits) -> None:
    assert asked(GeneratorChain([Scripted("a", BUSY)], waits), how) == ("Done.", "a")
    assert [2 <= wait <= 2 + BASE_SECONDS for wait in waits] == [True]


@BOTH
@pytest.mark.parametrize(
    "error",
    [
        TimedOut("slow", dependency="generator"),
        BadModelAnswer("refused"),
        Throttled("busy", retry_after=int(LONGEST_WAIT_SECONDS) + 1),
    ],
)
def test_where_asking_again_cannot_help_the_next_writes(error: ModuloError, how: str, waits: Waits) -> None:
    first, second = Scripted("a", error), Scripted("b")
    assert asked(GeneratorChain([first, second], waits), how) == ("Done.", "b")
    assert (first.calls, second.calls, waits) == (1, 1, [])


@BOTH
def test_the_last_error_is_raised_where_nobody_writes(how: str, waits: Waits) -> None:
    chain = GeneratorChain([Scripted("a", *[DOWN] * ATTEMPTS), Scripted("b", BadModelAnswer("refused"))], waits)
    with pytest.raises(BadModelAnswer):
        asked(chain, how)


@BOTH
def test_no_wait_reaches_beyond_the_deadline(how: str, waits: Waits) -> None:
    first = Scripted("a", BUSY, BUSY)
    with within(1), pytest.raises(Throttled):
        asked(GeneratorChain([first], waits), how)
    assert (first.calls, waits) == (1, [])


@BOTH
def test_one_that_fails_again_and_again_is_left_out(how: str, waits: Waits) -> None:
    first, second = Scripted("a", *[TimedOut("slow", dependency="generator")] * FAILURES), Scripted("b")
    chain = GeneratorChain([first, second], waits)
    for _ in range(FAILURES + 3):
        assert asked(chain, how) == ("Done.", "b")
    assert first.calls == FAILURES


@BOTH
def test_where_all_are_left_out_it_says_when_to_come_back(how: str, waits: Waits) -> None:
    chain = GeneratorChain([Scripted("a", *[TimedOut("slow", dependency="generator")] * FAILURES)], waits)
    for _ in range(FAILURES):
        with pytest.raises(TimedOut):
            asked(chain, how)
    with pytest.raises(Unavailable) as raised:
        asked(chain, how)
    assert raised.value.retry_after


def test_once_text_was_let_through_nobody_else_goes_on(waits: Waits) -> None:
    first, second = Scripted("a", DOWN, told="It is"), Scripted("b")
    with pytest.raises(Unavailable):
        list(GeneratorChain([first, second], waits).stream(PROMPT))
    assert (first.calls, first.open, second.calls) == (1, 0, 0)


def test_whoever_leaves_closes_the_stream(waits: Waits) -> None:
    first = Scripted("a")
    parts = GeneratorChain([first], waits).stream(PROMPT)
    next(parts)
    assert first.open == 1
    parts.close()
    assert first.open == 0


def test_it_reserves_for_the_most_expensive_and_is_named_after_the_first(waits: Waits) -> None:
    chain = GeneratorChain([Scripted("a", reserve=5), Scripted("b", reserve=7)], waits)
    assert (chain.reserve(PROMPT), chain.name) == (7, "a")


def test_one_that_answers_is_enough_for_a_ping(waits: Waits) -> None:
    GeneratorChain([Scripted("a", DOWN), Scripted("b")], waits).ping()
    with pytest.raises(Unavailable):
        GeneratorChain([Scripted("a", DOWN)], waits).ping()


def test_closing_closes_those_that_have_connections(waits: Waits) -> None:
    closed: list[Any] = []
    first = Scripted("a")
    first.close = lambda: closed.append(first)  # type: ignore[attr-defined]
    GeneratorChain([first, Scripted("b")], waits).close()
    assert closed == [first]


@BOTH
def test_that_the_request_s_own_time_is_up_is_no_fault_of_the_provider_s(how: str, waits: Waits) -> None:
    first = Scripted("a", *[too_late()] * FAILURES)
    chain = GeneratorChain([first], waits)
    for _ in range(FAILURES):
        with pytest.raises(Unavailable):
            asked(chain, how)
    assert asked(chain, how) == ("Done.", "a")
    assert waits == []
