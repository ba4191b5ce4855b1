"""Ask a question in a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from modulo.domain.conversations.conversation import MessageDraft, MessageRole
from modulo.domain.conversations.conversation_question import ConversationAnswer
from modulo.domain.errors import InvalidRequest
from modulo.domain.search.search import SearchInput
from modulo.usecases.search.follow_up import MAX_TURNS, rewritten, turns_of
from modulo.usecases.search.search import search

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from modulo.domain.conversations.conversation import Conversation
    from modulo.domain.conversations.conversation_question import ConversationQuestion
    from modulo.domain.search.search import SearchOutput
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversation_messages import ConversationMessages
    from modulo.ports.metadata.conversations import Conversations
    from modulo.usecases.search.follow_up import Rewritten
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts


def ask_conversation(
    principal: Principal,
    conversation_id: UUID,
    request: ConversationQuestion,
    ports: SearchPorts,
    *,
    conversations: Conversations,
    messages: ConversationMessages,
    limits: SearchLimits,
    window_tokens: int,
    later: Callable[[Callable[[], None]], None],
) -> ConversationAnswer:
    """Search for the question as the turns before it make it clear, and store question and answer together.

    Where the search fails, nothing is stored.

    Raises:
        NotFound: the caller has no such conversation, or sees no such collection.
        Conflict: the conversation is archived.
        InvalidRequest: neither names a collection, or no answer is asked for.
        QuotaExceeded: the conversation is full, or too few tokens are left.
        Unavailable, Throttled, BadModelAnswer: a part that no answer can do without failed.
    """
    asked, found = follow_up_search(
        *(principal, conversation_id, request, ports),
        conversations=conversations,
        messages=messages,
        limits=limits,
        window_tokens=window_tokens,
    )
    question = found.question
    output = search(principal, asked.model_copy(update={"question": question}), ports, limits=limits, later=later)
    if question != request.question:
        output = output.model_copy(update={"rewritten_query": question})
    drafts = exchange(request.question, output)
    messages.add_messages(principal, conversation_id, drafts, limit=limits.quotas.messages, now=ports.clock.now())
    return ConversationAnswer(
        conversation_id=conversation_id, question_id=drafts[0].id, answer_id=drafts[1].id, search=output
    )


def follow_up_search(
    principal: Principal,
    conversation_id: UUID,
    request: ConversationQuestion,
    ports: SearchPorts,
    *,
    conversations: Conversations,
    messages: ConversationMessages,
    limits: SearchLimits,
    window_tokens: int,
) -> tuple[SearchInput, Rewritten]:
    """The search for a question as it was asked, and the question as the turns in the window make it clear.

    Raises:
        As `ask_conversation`.
    """
    conversation = conversations.get_conversation(principal, conversation_id)
    asked = _search(conversation, request)
    conversation.require_room(2, most=limits.quotas.messages)
    page = messages.list_messages(principal, conversation_id, after=None, limit=2 * MAX_TURNS, newest_first=True)
    turns = turns_of([one.message for one in reversed(page.items)], window_tokens)
    return asked, rewritten(principal, asked, turns, ports, limits=limits)


def _search(conversation: Conversation, request: ConversationQuestion) -> SearchInput:
    if request.config_metadata.retrieve_only:
        raise InvalidRequest.field("config_metadata.retrieve_only", "must be false: a conversation keeps answers")
    kept = None if request.collection_ids else conversation.collection_id
    found = request.collection_id or kept
    if found is None and request.collection_ids is None:
        raise InvalidRequest.field("collection_id", "is needed, as the conversation names no collection")
    return SearchInput(
        question=request.question,
        collection_id=found,
        collection_ids=request.collection_ids,
        config_metadata=request.config_metadata,
    )


def exchange(question: str, output: SearchOutput) -> tuple[MessageDraft, MessageDraft]:
    """The question, and the answer with what it rests on."""
    details = {"found": output.metadata.found, "generator": output.metadata.generator}
    asked = MessageDraft(uuid4(), MessageRole.user, question, rewritten_query=output.rewritten_query)
    answer = MessageDraft(uuid4(), MessageRole.assistant, output.answer or "", output.citations, details=details)
    return asked, answer
