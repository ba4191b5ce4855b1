"""Dead letters: what is recorded of messages whose last delivery failed."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from modulo.domain.errors import GivenUp, ModuloError
from modulo.domain.files.file import FileProblem
from modulo.domain.operations.dead_letter import FUNCTIONS, MAX_BODY_CHARACTERS, DeadLetterDraft, Request
from modulo.runtime.events import UnreadableMessage, fetches, json_object, purges, uploads
from modulo.services import services
from modulo.usecases.record_dead_letter import record_dead_letter

if TYPE_CHECKING:
    from modulo.domain.operations.messages import Delivery

log = logging.getLogger(__name__)
_LETTERS = UUID("0c9f1c6e-8a57-4d0f-9d2b-5f4a3c1f7e21")


def record_with_cause(delivery: Delivery, why: Exception) -> None:
    """Record a dead letter of a message on its last delivery, with the reason; later records of it change nothing."""
    s = services()
    for draft in dead_letter_drafts(delivery, why):
        try:
            record_dead_letter(draft, dead_letters=s.dead_letters, metrics=s.metrics, clock=s.clock)
        except ModuloError as error:
            log.warning(
                "dead letter of message %s not recorded now, the dead-letter queue will bring it: %s",
                *(delivery.id, error.detail),
            )


def dead_letter_drafts(delivery: Delivery, why: Exception | None = None) -> list[DeadLetterDraft]:
    """A dead letter for each request in the message, or one for a message that cannot be read."""
    try:
        asked: list[Request | None] = list(_requests(delivery))
        problem = FileProblem.of(why or GivenUp())
    except Exception as error:  # an unreadable message must be recorded too
        log.warning("dead letter's message %s cannot be read: %s", delivery.id, error)
        asked, problem = [None], FileProblem.of(error)
    return [
        DeadLetterDraft(
            id=uuid5(_LETTERS, f"{delivery.id}:{number}"),
            message_id=delivery.id,
            function=_function(request, delivery.source_queue),
            request=request,
            body=delivery.body[:MAX_BODY_CHARACTERS],
            problem=problem,
            attempts=services().settings.ingest_attempts,
            sent_at=delivery.sent_at,
        )
        for number, request in enumerate(asked)
    ]


def _requests(delivery: Delivery) -> list[Request]:
    message = json_object(delivery.body)
    for read in (uploads, fetches):
        with suppress(UnreadableMessage):
            return [*read(message)]
    return [*purges(message)]


def _function(request: Request | None, queue: str | None) -> str | None:
    """The function whose message it was."""
    if request is not None:
        return FUNCTIONS[type(request)]
    s = services().settings
    urls = {"ingest_file": s.ingest_queue_url, "fetch_url": s.fetch_queue_url, "purge": s.purge_queue_url}
    return next((name for name, url in urls.items() if queue and url and url.rpartition("/")[2] == queue), None)
