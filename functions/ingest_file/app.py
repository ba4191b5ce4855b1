"""Uploads, as the bucket's notifications name them."""

from modulo.domain.transfer import IngestRequest
from modulo.runtime.events import uploads
from modulo.runtime.queue import queue_handler
from modulo.services import services
from modulo.usecases.ingest_file import Outcome, ingest_file


def work(request: IngestRequest) -> Outcome:
    """Ingest one generation of a file, or a part of it."""
    s = services()
    return ingest_file(
        request,
        metadata=s.metadata,
        blobs=s.blobs,
        vectors=s.vectors,
        embedder=s.embedder,
        cache=s.cache,
        parser_for=s.parser_for,
        unpacker=s.unpacker,
        ingests=s.ingests,
        purges=s.purges,
        metrics=s.metrics,
        clock=s.clock,
        limits=s.ingest_limits,
    )


handler = queue_handler(uploads, work, lambda s: s.ingests)
