"""Generators behind each other: the first that answers writes; each is asked again where that can help."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from math import ceil, inf
from random import uniform
from typing import TYPE_CHECKING, Final

from modulo.adapters.models.circuit_breaker import OPEN_SECONDS, CircuitBreaker
from modulo.domain.errors import ModuloError, Throttled, TimedOut, Unavailable
from modulo.ports.deadline import SHORTEST_SECONDS, remaining

if TYPE_CHECKING:
    from collections import abc
    from collections.abc import Callable, Iterator, Sequence

    from modulo.domain.answers.answer import AnswerDraft, DraftPart, Prompt
    from modulo.ports.models import Generator

log = logging.getLogger(__name__)

ATTEMPTS: Final = 4
"""The first and 3 retries."""
BASE_SECONDS: Final = 0.5
"""The longest wait before the first retry; twice as long before each further one."""
LONGEST_WAIT_SECONDS: Final = 8.0
"""A provider that asks for a longer wait is not asked again by the same request."""


@dataclass(frozen=True, slots=True)
class _Link:
    generator: Generator
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)

    def note(self, error: ModuloError) -> None:
        """Note why the generator did not write; only one that does not answer at all opens the circuit."""
        if _is_ours(error):
            return
        log.warning("generator %s failed: %s", self.generator.name, error.detail)
        if isinstance(error, Unavailable):
            self.breaker.failed()


class GeneratorChain:
    """One generator or several; drafts name the one that wrote.

    A provider that throttles or does not answer is asked again after a wait with jitter, at least as long as its
    Retry-After says and never beyond the request's deadline; one that took too long is not. Behind its last attempt,
    and after any other error, the next generator writes. Once text was let through, an error ends the answer.
    """

    def __init__(self, generators: Sequence[Generator], sleep: Callable[[float], None] = time.sleep) -> None:
        self._links = [_Link(generator) for generator in generators]
        self._sleep = sleep
        self.name = generators[0].name

    def reserve(self, prompt: Prompt) -> int:
        """What the most expensive of them may use."""
        return max(link.generator.reserve(prompt) for link in self._links)

    def generate(self, prompt: Prompt) -> AnswerDraft:
        """The draft of the first that answers."""
        errors: list[ModuloError] = []
        for link in self._turns(errors):
            try:
                draft = link.generator.generate(prompt)
            except ModuloError as error:
                link.note(error)
                errors.append(error)
            else:
                link.breaker.succeeded()
                return replace(draft, generator=link.generator.name)
        raise _failure(errors)

    def stream(self, prompt: Prompt) -> abc.Generator[DraftPart, None, None]:
        """The draft of the first that answers, as it is written."""
        errors: list[ModuloError] = []
        for link in self._turns(errors):
            told, parts = False, link.generator.stream(prompt)
            try:
                for part in parts:
                    told = told or bool(part.text)
                    yield replace(part, generator=link.generator.name)
            except ModuloError as error:
                link.note(error)
                if told:
                    raise
                errors.append(error)
            else:
                link.breaker.succeeded()
                return
            finally:
                parts.close()
        raise _failure(errors)

    def ping(self) -> None:
        """Ping them until one answers."""
        errors: list[ModuloError] = []
        for link in self._links:
            try:
                link.generator.ping()
            except ModuloError as error:
                errors.append(error)
            else:
                return
        raise errors[0]

    def close(self) -> None:
        """Close the connections of all."""
        for link in self._links:
            close = getattr(link.generator, "close", None)
            if close is not None:
                close()

    def _turns(self, errors: Sequence[ModuloError]) -> Iterator[_Link]:
        """Whom to ask, one after the other; the last of the errors says whether to ask the same one again."""
        for link in self._links:
            for attempt in range(ATTEMPTS):
                if not link.breaker.admits():
                    break
                yield link
                wait = _wait(errors[-1], attempt)
                if attempt + 1 == ATTEMPTS or wait + SHORTEST_SECONDS > remaining(LONGEST_WAIT_SECONDS):
                    break
                self._sleep(wait)


def _is_ours(error: ModuloError) -> bool:
    """Whether the request's own time is up, or its client has left: no fault of a provider's."""
    return isinstance(error, Unavailable) and "dependency" not in error.extra


def _wait(error: ModuloError, attempt: int) -> float:
    """Seconds until another attempt; more than any wait where that cannot help."""
    if isinstance(error, TimedOut) or not isinstance(error, Throttled | Unavailable) or _is_ours(error):
        return inf
    asked = error.retry_after or 0
    # Full jitter on top of what was asked for, so that those who were refused together do not come back together.
    return asked + uniform(0, BASE_SECONDS * 2**attempt)  # noqa: S311 - no secret


def _failure(errors: Sequence[ModuloError]) -> ModuloError:
    """Why nobody wrote; without any error, every circuit is open."""
    if errors:
        return errors[-1]
    return Unavailable("The generator does not answer.", dependency="generator", retry_after=ceil(OPEN_SECONDS))
