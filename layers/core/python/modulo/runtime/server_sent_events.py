"""The form of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from typing import Any, Final

MEDIA_TYPE: Final = "text/event-stream"
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Keep caches and proxies from holding events back."""
_EVENT: Final = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string"},
        "id": {"type": "string"},
        "data": {"type": "string", "description": "JSON"},
    },
}
EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Server-sent events, each of this form", "content": {MEDIA_TYPE: {"schema": _EVENT}}}
}
"""The response as OpenAPI describes it."""


def server_sent(name: str, data: str, last_event_id: str = "") -> str:
    """One event; its data is JSON on one line."""
    return f"event: {name}\n{last_event_id}data: {data}\n\n"
