"""POST /events, for senders that speak HTTP: CloudEvents in every content mode, and webhooks' bare notifications.

Events are queued before they are acknowledged, so that a request is short and a crash afterwards loses nothing.
Only servers have this address: a function has its queue in front of it already.
"""

import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from modulo.domain.errors import Forbidden, Unauthenticated
from modulo.runtime.auth import credential_of
from modulo.runtime.events import UnreadableMessage, uploads
from modulo.runtime.threads import run
from modulo.services import Services, services
from modulo.settings import Settings

router: Final = APIRouter()
BATCH: Final = "application/cloudevents-batch+json"
STRUCTURED: Final = "application/cloudevents+json"
ATTRIBUTES: Final = ("specversion", "id", "source", "type")


def enabled(settings: Settings) -> bool:
    """Whether the address is served: only where senders can be authenticated."""
    return bool(settings.events_token or settings.events_issuer)


@router.post("/events", status_code=202, include_in_schema=False)
async def receive(request: Request) -> Response:
    """Queue the requests in the events."""
    made = services()
    credential = credential_of(request)
    await run(authorize_sender, credential, services=made)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    events = events_of(media_type, request.headers, await request.body())
    await run(_queue, events, made)
    return Response(status_code=202)


def authorize_sender(credential: str, *, services: Services) -> None:
    """Check that the credential is a configured sender's.

    Raises:
        Unauthenticated: the credential is not valid.
        Forbidden: it is valid, but not the configured sender's.
    """
    token = services.settings.events_token
    if token and hmac.compare_digest(token.get_secret_value().encode(), credential.encode()):
        return
    if services.event_senders is None:
        raise Unauthenticated
    if services.event_senders.subject(credential) != services.settings.events_subject:
        raise Forbidden("The token is valid, but not one of the sender whose events are taken.")


def events_of(media_type: str, headers: Mapping[str, str], body: bytes) -> list[Mapping[str, Any]]:
    """The events of a request: a batch, a structured event, one whose attributes are headers, or a bare message.

    Raises:
        UnreadableMessage: it is none of these.
    """
    if "ce-specversion" in headers and media_type not in (BATCH, STRUCTURED):
        attributes = {name: headers.get(f"ce-{name}") for name in ATTRIBUTES}
        return [_complete({**attributes, "data": _json(body)})]
    content = _json(body)
    if media_type == BATCH and isinstance(content, list):
        return [_complete(event) for event in content]
    if media_type == STRUCTURED:
        return [_complete(content)]
    if isinstance(content, dict):
        return [content]
    raise UnreadableMessage


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableMessage from None


def _complete(event: Any) -> Mapping[str, Any]:
    """The event, if it has the attributes that every CloudEvent must have."""
    if not isinstance(event, dict) or event.get("specversion") != "1.0":
        raise UnreadableMessage
    if not all(isinstance(event.get(name), str) and event[name] for name in ATTRIBUTES):
        raise UnreadableMessage
    return event


def _queue(events: list[Mapping[str, Any]], services: Services) -> None:
    """Queue all requests, once all events were read; a sender repeats what failed half-way, which does no harm."""
    for request in [request for event in events for request in uploads(event)]:
        services.ingests.send(request.body())
