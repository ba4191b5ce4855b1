"""What ingestion needs of the outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from modulo.ports.blobs import Blobs
    from modulo.ports.cache import Cache
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.ingestion import Ingestion
    from modulo.ports.metadata.parts import Parts
    from modulo.ports.metadata.uploads import Uploads
    from modulo.ports.metrics import Metrics
    from modulo.ports.models import Embedder
    from modulo.ports.parsing import Parser, Unpacker
    from modulo.ports.queue import Queue
    from modulo.ports.vectors import Vectors


@dataclass(frozen=True, slots=True)
class IngestPorts:
    """The ports of ingestion; `parser_for` gives the parser of a media type."""

    ingestion: Ingestion
    parts: Parts
    uploads: Uploads
    blobs: Blobs
    vectors: Vectors
    embedder: Embedder
    cache: Cache
    parser_for: Callable[[str], Parser]
    unpacker: Unpacker
    ingests: Queue
    purges: Queue
    metrics: Metrics
    clock: Clock
