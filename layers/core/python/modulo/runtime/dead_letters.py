"""From messages that were given up to what is recorded of them."""

import logging
from contextlib import suppress
from uuid import UUID, uuid5

from modulo.domain.errors import GivenUp, ModuloError
from modulo.domain.file import FileProblem
from modulo.domain.letter import FUNCTIONS, LONGEST_BODY, Burial, Request
from modulo.domain.transfer import Delivery
from modulo.runtime.events import UnreadableMessage, json_object, uploads
from modulo.runtime.queue import fetches, purges
from modulo.services import services
from modulo.usecases.bury import bury

log = logging.getLogger(__name__)
_LETTERS = UUID("0c9f1c6e-8a57-4d0f-9d2b-5f4a3c1f7e21")


def bury_because(delivery: Delivery, why: Exception) -> None:
    """Make a dead letter of what is about to be given up while it is known why; `bury` finds it there already."""
    s = services()
    for burial in burials(delivery, why):
        try:
            bury(burial, metadata=s.metadata, metrics=s.metrics, clock=s.clock)
        except ModuloError as error:
            log.warning("letter left to the dead letters' queue: %s", error.detail)


def burials(delivery: Delivery, why: Exception | None = None) -> list[Burial]:
    """A letter for each request that the message made, or one for a message that nobody can read."""
    try:
        asked: list[Request | None] = list(_requests(delivery))
        problem = FileProblem.of(why or GivenUp())
    except Exception as error:  # whatever it is: what keeps a message from being read must not keep it from here
        log.warning("unreadable: %s", error)
        asked, problem = [None], FileProblem.of(error)
    return [
        Burial(
            id=uuid5(_LETTERS, f"{delivery.id}:{number}"),
            message_id=delivery.id,
            function=_function(request, delivery.given_up_by),
            request=request,
            body=delivery.body[:LONGEST_BODY],
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
    """Whose message it was."""
    if request is not None:
        return FUNCTIONS[type(request)]
    s = services().settings
    urls = {"ingest_file": s.ingest_queue_url, "fetch_url": s.fetch_queue_url, "purge": s.purge_queue_url}
    return next((name for name, url in urls.items() if queue and url.rpartition("/")[2] == queue), None)
