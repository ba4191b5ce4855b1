"""GET /collections/{collection_id}/events, and the events of WebSocket connections."""

from functools import partial
from uuid import UUID

from modulo.domain.errors import NotFound, Throttled
from modulo.runtime.endpoint import APIRouter, LastEventId, Reauthenticate, Response, handler_of, responses, services
from modulo.runtime.event_stream import event_stream_response
from modulo.runtime.server_sent_events import EVENTS
from modulo.runtime.websockets import with_websockets
from modulo.usecases.watch_files import watch_files

router = APIRouter(tags=["files"])
PROBLEMS = responses(NotFound, Throttled)
PATH = "/collections/{collection_id}/events"


@router.get(PATH, operation_id="watch_files", response_class=Response, responses={**EVENTS, **PROBLEMS})
async def endpoint(reauthenticate: Reauthenticate, collection_id: UUID, last_event_id: LastEventId = None) -> Response:
    """Watch a collection's files: first a `snapshot`, then a `file` for each change, an `end` where it is over."""
    s = services()
    read_changes = partial(watch_files, collection_id=collection_id, files=s.files, clock=s.clock)
    return await event_stream_response(read_changes, reauthenticate, last_event_id)


handler = with_websockets(handler_of(router, uses=("files", "clock")))
