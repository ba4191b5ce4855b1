"""Answer as a conversation goes on, and keep what was said in it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from modulo.domain.answers.answer import TokenUsage
from modulo.domain.conversations.conversation import ConversationDraft, MessageDraft, MessageRole, title_of
from modulo.domain.conversations.response import BEGAN, CHAIN, INPUT, RESPONSE
from modulo.domain.errors import NotFound
from modulo.domain.search.search import SearchInput
from modulo.domain.search.search_events import Answered, TokensUsed
from modulo.usecases.search.follow_up import MAX_TURNS, turns_of
from modulo.usecases.search.in_context import answer_in_context

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from uuid import UUID

    from modulo.domain.conversations.conversation import StoredMessage
    from modulo.domain.conversations.response import AskedResponse
    from modulo.domain.search.search import SearchOutput
    from modulo.domain.search.search_events import SearchEvent
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas
    from modulo.ports.metadata.conversation_messages import ConversationMessages
    from modulo.ports.metadata.conversations import Conversations
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts


@dataclass(frozen=True, slots=True)
class ResponsePorts:
    """What it takes to answer and to keep the answer."""

    search: SearchPorts
    conversations: Conversations
    messages: ConversationMessages


@dataclass(frozen=True, slots=True)
class _Thread:
    """What was said before."""

    conversation_id: UUID | None = None
    """None where a conversation begins."""
    messages: Sequence[StoredMessage] = ()
    chain: Sequence[str] | None = ()
    """The ids of the answers before; None for all that the conversation has."""


def create_response(
    principal: Principal,
    asked: AskedResponse,
    collection_ids: Sequence[UUID],
    ports: ResponsePorts,
    *,
    details: Callable[[SearchOutput, TokenUsage], Mapping[str, Any]],
    limits: SearchLimits,
    window_tokens: int,
    later: Callable[[Callable[[], None]], None],
    streams: bool,
) -> Generator[SearchEvent, None, None]:
    """The events of an answer from these collections; before the last of them, question and answer are stored together.

    An answer that continues nothing begins a conversation. `details` takes the whole answer, and gives what the
    door needs to tell it again.

    Raises:
        NotFound: the caller has no such answer or conversation, or sees no such collection.
        Conflict: the conversation is archived.
        QuotaExceeded: the conversation is full, there are too many of them, or too few tokens are left.
        Unavailable, Throttled, BadModelAnswer: a part that no answer can do without failed.
    """
    thread = _thread(principal, asked, ports, limits)
    before = [stored.message for stored in thread.messages]
    instructing = [one.content for one in before if one.role in (MessageRole.system, MessageRole.developer)]
    options = replace(
        asked.options,
        instructions="\n\n".join((*instructing, asked.options.instructions)).strip(),
        history=(*turns_of(before, window_tokens), *asked.options.history),
    )
    request = SearchInput(question=asked.question, collection_ids=tuple(collection_ids), config_metadata=asked.config)
    used = TokenUsage()
    asking = answer_in_context(
        *(principal, request, options, ports.search),
        limits=limits,
        window_tokens=window_tokens,
        later=later,
        streams=streams,
    )
    with closing(asking) as events:
        for event in events:
            if isinstance(event, TokensUsed):
                used = event.tokens
            if isinstance(event, Answered):
                told = details(event.output, used)
                if asked.store:
                    drafts = _drafts(asked, thread, event.output, told)
                    draft = ConversationDraft(uuid4(), title_of(asked.question), collection_ids[0], messages=drafts)
                    _keep(principal, thread, draft, ports, limits.quotas)
            yield event


def _thread(principal: Principal, asked: AskedResponse, ports: ResponsePorts, limits: SearchLimits) -> _Thread:
    """What was said before, in the conversation or up to the answer that is continued."""
    if asked.previous_id is not None:
        thread = _continued(principal, asked.previous_id, ports)
    elif asked.conversation_id is not None:
        thread = _of_conversation(principal, asked.conversation_id, None, ports)
        thread = replace(thread, chain=None)
    else:
        return _Thread()
    assert thread.conversation_id is not None  # noqa: S101 - both are of one
    conversation = ports.conversations.get_conversation(principal, thread.conversation_id)
    if asked.store:
        conversation.require_room(len(asked.said) + 1, most=limits.quotas.messages)
    return thread


def _continued(principal: Principal, previous_id: UUID, ports: ResponsePorts) -> _Thread:
    """The turns that led to an answer, and that answer; others in its conversation are of another branch."""
    previous = ports.messages.get_message(principal, previous_id)
    if previous.message.role is not MessageRole.assistant:
        raise NotFound(about=previous_id)
    thread = _of_conversation(principal, previous.message.conversation_id, previous_id, ports)
    messages, chain = [*thread.messages, previous], previous.details.get(CHAIN)
    if chain is None:
        return replace(thread, messages=messages, chain=None)
    chain = [*chain, str(previous_id)]
    answers = [one for one in messages if str(one.message.id) in chain]
    kept = {*chain, *(identity for one in answers for identity in one.details.get(INPUT, ()))}
    return replace(thread, messages=[one for one in messages if str(one.message.id) in kept], chain=chain[-MAX_TURNS:])


def _of_conversation(principal: Principal, conversation_id: UUID, before: UUID | None, ports: ResponsePorts) -> _Thread:
    page = ports.messages.list_messages(
        principal, conversation_id, after=before, limit=2 * MAX_TURNS, newest_first=True
    )
    return _Thread(conversation_id, tuple(reversed(page.items)))


def _drafts(
    asked: AskedResponse, thread: _Thread, output: SearchOutput, response: Mapping[str, Any]
) -> tuple[MessageDraft, ...]:
    """The messages of the request, and the answer."""
    *said, question = asked.said
    details = {
        RESPONSE: response,
        INPUT: [str(one.id) for one in asked.said],
        CHAIN: list(thread.chain) if thread.chain is not None else None,
        BEGAN: thread.conversation_id is None,
    }
    answer = MessageDraft(asked.id, MessageRole.assistant, output.answer or "", output.citations, details=details)
    return (*said, replace(question, rewritten_query=output.rewritten_query), answer)


def _keep(
    principal: Principal, thread: _Thread, draft: ConversationDraft, ports: ResponsePorts, quotas: Quotas
) -> None:
    """Store the messages in their conversation, or the one that begins with them."""
    now = ports.search.clock.now()
    if thread.conversation_id is None:
        ports.conversations.create_conversation(principal, draft, limit=quotas.conversations, now=now)
    else:
        ports.messages.add_messages(principal, thread.conversation_id, draft.messages, limit=quotas.messages, now=now)
