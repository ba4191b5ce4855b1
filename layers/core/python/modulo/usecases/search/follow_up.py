"""Follow-up questions: understood from the turns before them, by the language model where there is one."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modulo.domain.answers.answer import Prompt, TokenUsage
from modulo.domain.answers.answer_options import AnswerOptions
from modulo.domain.answers.follow_up import Turn, recent, standalone
from modulo.domain.conversations.conversation import MessageRole
from modulo.domain.errors import BadModelAnswer, Throttled, Unavailable
from modulo.domain.search.search import MAX_QUESTION_CHARACTERS
from modulo.usecases.search.token_budget import TokenBudget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.conversations.conversation import Message
    from modulo.domain.search.search import SearchInput
    from modulo.domain.tenancy.identity import Principal
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts

log = logging.getLogger(__name__)

MAX_TURNS = 20
"""How many turns are read; the window of tokens takes the last of them."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A question that can be understood alone, and the tokens that this took."""

    question: str
    tokens: TokenUsage = field(default_factory=TokenUsage)


def turns_of(messages: Sequence[Message], window_tokens: int) -> tuple[Turn, ...]:
    """The last questions with their answers, as many as the window has room for."""
    turns: list[Turn] = []
    question = ""
    for message in messages:
        if message.role is MessageRole.user:
            question = message.rewritten_query or message.content
        elif message.role is MessageRole.assistant and question:
            evidence = message.citations[0].excerpt if message.citations else ""
            turns.append(Turn(question, message.content, " ".join(evidence.split())))
            question = ""
    return recent(turns, window_tokens)


def rewritten(
    principal: Principal, request: SearchInput, turns: Sequence[Turn], ports: SearchPorts, *, limits: SearchLimits
) -> Rewritten:
    """The question as it can be understood alone: by the model, and by rules where there is none or it fails.

    Raises:
        NotFound: no such collection is visible to the caller.
        QuotaExceeded: too few tokens are left.
    """
    if not turns:
        return Rewritten(request.question)
    prompt = Prompt(request.question, (), options=AnswerOptions(history=tuple(turns)))
    by_rules = Rewritten(standalone(request.question, turns))
    budget = TokenBudget(principal, ports.usage, ports.clock.now(), limits.quotas.tokens_per_day)
    reservation = budget.reservation(ports.generator.reserve(prompt))
    if reservation is None:  # no language model
        return by_rules
    with budget.settled():
        granted = ports.grants.live_documents(principal, request.collections, [], reservation=reservation)
        budget.record(reservation, reserved=granted.reserved)
        try:
            draft = ports.generator.generate(prompt)
        except (Unavailable, Throttled, BadModelAnswer) as error:
            log.warning(
                "follow-up in collections %s rewritten by rules, as the model did not answer: %s",
                *(", ".join(map(str, request.collections)), error.detail),
            )
            return by_rules
        budget.charge(draft.tokens.total)
    text = " ".join(draft.text.split()).strip('"\u201c\u201d')
    question = text if 0 < len(text) <= MAX_QUESTION_CHARACTERS else by_rules.question
    return Rewritten(question, draft.tokens)
