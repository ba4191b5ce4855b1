"""Fetch the bytes of a file from its address and store them, which has them ingested as any upload."""

import hashlib
import logging
from enum import StrEnum

from modulo.domain.errors import EmptyFile, FileRejected, QuotaExceeded, UnreachableUrl
from modulo.domain.file import FileProblem
from modulo.domain.media import HEAD_BYTES, media_type_of
from modulo.domain.transfer import FetchRequest
from modulo.domain.web import Arrival, Fetch
from modulo.ports import Blobs, Clock, Metadata, Web

log = logging.getLogger(__name__)


class FetchOutcome(StrEnum):
    """How one delivery ended."""

    stored = "stored"
    failed = "failed"
    skipped = "skipped"


def fetch_url(
    request: FetchRequest, *, metadata: Metadata, blobs: Blobs, web: Web, clock: Clock, max_bytes: int, attempts: int
) -> FetchOutcome:
    """Fetch, charge, store; a delivery that comes twice or late is skipped.

    What may not be fetched or cannot be read ends the file as failed, with the reason. What may pass is raised, so
    that the queue delivers again; the last attempt ends the file. That somebody's server is down for so long is no
    reason to leave a message among the dead.

    Raises:
        ModuloError: the address's server or a part of ours did not answer.
    """
    ref = request.ref
    fetch = metadata.begin_fetch(ref, now=clock.now())
    if fetch is None or blobs.info(ref) is not None:
        return FetchOutcome.skipped
    try:
        content, arrival = _fetched(fetch, web, max_bytes)
        if not metadata.arrive(ref, arrival, before=fetch.checksum, now=clock.now()):
            return FetchOutcome.skipped
        blobs.put(ref, content, media_type=arrival.media_type)
    except (FileRejected, QuotaExceeded) as error:
        log.info("file %s is not fetched: %s", ref.file_id, error.code())
        metadata.refuse(ref, FileProblem.of(error), now=clock.now())
        return FetchOutcome.failed
    except Exception as error:
        last = fetch.attempt >= attempts
        if last:
            metadata.refuse(ref, FileProblem.of(error), now=clock.now())
        if last and isinstance(error, UnreachableUrl):
            return FetchOutcome.failed
        raise
    return FetchOutcome.stored


def _fetched(fetch: Fetch, web: Web, max_bytes: int) -> tuple[bytes, Arrival]:
    """The content with what is recorded of it, once it can be read.

    Raises:
        EmptyFile: there is none.
        UnsupportedFile: its first bytes are those of nothing that can be read.
    """
    content = web.fetch(fetch.url, max_bytes=max_bytes).content
    if not content:
        raise EmptyFile
    media_type = media_type_of(fetch.name, content[:HEAD_BYTES])
    return content, Arrival(len(content), hashlib.sha256(content).hexdigest(), media_type)
