"""GET /collections/{collection_id}/events, and what is said on WebSockets."""

from functools import partial
from uuid import UUID

from modulo.domain.errors import NotFound, Throttled
from modulo.runtime.endpoint import APIRouter, LastEventId, Response, Watcher, handler_of, responses, services
from modulo.runtime.sockets import with_sockets
from modulo.runtime.watching import EVENTS, event_stream
from modulo.usecases.watch_files import watch_files

router = APIRouter()
PROBLEMS = responses(NotFound, Throttled)
PATH = "/collections/{collection_id}/events"


@router.get(PATH, operation_id="watch_files", response_class=Response, responses={**EVENTS, **PROBLEMS})
async def endpoint(caller: Watcher, collection_id: UUID, last_event_id: LastEventId = None) -> Response:
    """Watch a collection's files: first a `snapshot`, then a `file` for each change, an `end` where it is over."""
    s = services()
    look = partial(watch_files, collection_id=collection_id, metadata=s.metadata, clock=s.clock)
    return await event_stream(look, caller, last_event_id)


handler = with_sockets(handler_of(router))
