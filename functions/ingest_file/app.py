"""Notifications of the bucket about stored objects, and messages about parts of large files."""

from modulo.domain.operations.messages import IngestRequest
from modulo.runtime.events import uploads
from modulo.runtime.queue import queue_handler
from modulo.services import services
from modulo.usecases.ingest_file.attempt import IngestOutcome
from modulo.usecases.ingest_file.ingest_file import ingest_file
from modulo.usecases.ingest_file.ports import IngestPorts


def work(request: IngestRequest) -> IngestOutcome:
    """Ingest one generation of a file, or a part of it."""
    s = services()
    ports = IngestPorts(
        ingestion=s.ingestion,
        parts=s.parts,
        uploads=s.uploads,
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
    )
    return ingest_file(request, ports, limits=s.ingest_limits)


STORES = ("ingestion", "parts", "uploads", "blobs", "vectors", "cache", "ingests", "purges")
TOOLS = ("parser_for", "unpacker", "embedder", "metrics", "clock")
handler = queue_handler(uploads, work, lambda s: s.ingests, uses=STORES + TOOLS)
