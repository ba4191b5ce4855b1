"""Requests to fetch the bytes of a file from its URL."""

from modulo.domain.operations.messages import Delivery, FetchRequest
from modulo.runtime.events import fetches, json_object
from modulo.runtime.queue import queue_handler
from modulo.services import services
from modulo.usecases.fetch_url import FetchOutcome, fetch_url, postpone_fetch


def work(request: FetchRequest) -> FetchOutcome:
    """Fetch the bytes of one generation."""
    s = services()
    return fetch_url(
        request,
        fetching=s.fetching,
        blobs=s.blobs,
        web=s.web,
        clock=s.clock,
        max_bytes=s.settings.max_url_bytes,
        attempts=s.settings.ingest_attempts,
    )


def postponed(delivery: Delivery, why: Exception, seconds: int) -> None:
    """Show why a try failed and when the next one begins."""
    s = services()
    for request in fetches(json_object(delivery.body)):
        postpone_fetch(request, why, seconds=seconds, fetching=s.fetching, clock=s.clock)


handler = queue_handler(
    fetches, work, lambda s: s.fetches, postponed=postponed, uses=("fetching", "blobs", "web", "clock")
)
