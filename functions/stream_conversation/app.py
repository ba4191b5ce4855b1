"""POST /conversations/{conversation_id}/messages/stream."""

from uuid import UUID

from modulo.domain.conversations.conversation_question import ConversationQuestion
from modulo.domain.errors import BadModelAnswer, Conflict, NotFound, QuotaExceeded, Unavailable
from modulo.runtime.answer_stream import SEARCH_EVENTS, answer_stream_response
from modulo.runtime.endpoint import APIRouter, Response, Writer, announces, at_once, handler_of, responses, services
from modulo.runtime.server_sent_events import EVENTS
from modulo.usecases.search.ports import SEARCH_PORTS, SearchPorts
from modulo.usecases.stream_conversation import stream_conversation

router = APIRouter(tags=["conversations"], dependencies=announces("tokens_per_day"))
PATH = "/conversations/{conversation_id}/messages/stream"
PROBLEMS = responses(BadModelAnswer, Conflict, NotFound, QuotaExceeded, Unavailable)


@router.post(PATH, operation_id="stream_conversation", response_class=Response, responses={**EVENTS, **PROBLEMS})
async def endpoint(caller: Writer, conversation_id: UUID, body: ConversationQuestion) -> Response:
    """Ask as `ask_conversation` does, and tell of the answer while it is written; `kept` tells its ids."""
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
    events = stream_conversation(
        *(caller, conversation_id, body, ports),
        conversations=s.conversations,
        messages=s.conversation_messages,
        limits=s.search_limits,
        window_tokens=s.settings.conversation_window_tokens,
        later=at_once,
    )
    return await answer_stream_response(events, SEARCH_EVENTS)


handler = handler_of(router, uses=(*SEARCH_PORTS, "conversations", "conversation_messages"))
