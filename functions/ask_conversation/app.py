"""POST /conversations/{conversation_id}/messages."""

from uuid import UUID

from modulo.domain.conversations.conversation_question import ConversationAnswer, ConversationQuestion
from modulo.domain.errors import BadModelAnswer, Conflict, NotFound, QuotaExceeded, Unavailable
from modulo.runtime.endpoint import APIRouter, Later, Writer, announces, handler_of, responses, run_external, services
from modulo.usecases.ask_conversation import ask_conversation
from modulo.usecases.search.ports import SEARCH_PORTS, SearchPorts

router = APIRouter(tags=["conversations"], dependencies=announces("tokens_per_day"))
PATH = "/conversations/{conversation_id}/messages"
PROBLEMS = responses(BadModelAnswer, Conflict, NotFound, QuotaExceeded, Unavailable)


@router.post(PATH, operation_id="ask_conversation", responses=PROBLEMS)
async def endpoint(
    caller: Writer, conversation_id: UUID, body: ConversationQuestion, later: Later
) -> ConversationAnswer:
    """Ask in a conversation: the question may point back, and is stored with its answer."""
    s = services()
    ports = SearchPorts(
        grants=s.grants,
        usage=s.usage,
        cache=s.cache,
        vectors=s.vectors,
        embedder=s.embedder,
        reranker=s.reranker,
        generator=s.generator,
        metrics=s.metrics,
        clock=s.clock,
    )
    asked = (caller, conversation_id, body, ports)
    return await run_external(
        ask_conversation,
        *asked,
        conversations=s.conversations,
        messages=s.conversation_messages,
        limits=s.search_limits,
        window_tokens=s.settings.conversation_window_tokens,
        later=later,
    )


handler = handler_of(router, uses=(*SEARCH_PORTS, "conversations", "conversation_messages"))
