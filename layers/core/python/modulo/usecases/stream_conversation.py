"""Ask a question in a conversation, and tell of the answer while it is written."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from modulo.domain.search.search_events import Answered, AnswerKept
from modulo.usecases.ask_conversation import exchange, follow_up_search
from modulo.usecases.search.events import search_events
from modulo.usecases.search.in_context import told

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from uuid import UUID

    from modulo.domain.conversations.conversation_question import ConversationQuestion
    from modulo.domain.search.search_events import ConversationEvent
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversation_messages import ConversationMessages
    from modulo.ports.metadata.conversations import Conversations
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts


def stream_conversation(
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
) -> Generator[ConversationEvent, None, None]:
    """The events of a search for the question as the turns before it make it clear.

    Question and answer are stored together before the last event; where the answer ends early, nothing is.

    Raises:
        As `ask_conversation`.
    """
    asked, found = follow_up_search(
        *(principal, conversation_id, request, ports),
        conversations=conversations,
        messages=messages,
        limits=limits,
        window_tokens=window_tokens,
    )
    alone = asked.model_copy(update={"question": found.question})
    with closing(search_events(principal, alone, ports, limits=limits, later=later, streams=True)) as events:
        for event in events:
            shown = told(event, asked, found)
            if isinstance(shown, Answered):
                drafts = exchange(request.question, shown.output)
                messages.add_messages(
                    principal, conversation_id, drafts, limit=limits.quotas.messages, now=ports.clock.now()
                )
                yield AnswerKept(conversation_id=conversation_id, question_id=drafts[0].id, answer_id=drafts[1].id)
            yield shown
