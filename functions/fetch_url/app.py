"""Requests to fetch the bytes of a file from its address."""

from modulo.domain.transfer import FetchRequest
from modulo.runtime.queue import fetches, queue_handler
from modulo.services import services
from modulo.usecases.fetch_url import FetchOutcome, fetch_url


def work(request: FetchRequest) -> FetchOutcome:
    """Fetch the bytes of one generation."""
    s = services()
    return fetch_url(
        request,
        metadata=s.metadata,
        blobs=s.blobs,
        web=s.web,
        clock=s.clock,
        max_bytes=s.settings.max_url_bytes,
        attempts=s.settings.ingest_attempts,
    )


handler = queue_handler(fetches, work, lambda s: s.fetches)
