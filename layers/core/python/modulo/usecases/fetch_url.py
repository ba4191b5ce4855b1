"""Fetch the bytes of a file from its address and store them, which has them ingested as any upload."""

import hashlib
import logging
from enum import StrEnum

from modulo.domain.errors import EmptyFile, FileRejected, QuotaExceeded, UnreachableUrl
from modulo.domain.file import FileProblem
from modulo.domain.media import HEAD_BYTES, media_type_of
from modulo.domain.transfer import FetchRequest
from modulo.domain.web import NO_VALIDATORS, Arrival, Fetch, Fetched, Known
from modulo.ports import Blobs, Clock, Metadata, Web

log = logging.getLogger(__name__)


class FetchOutcome(StrEnum):
    """How one delivery ended."""

    stored = "stored"
    unchanged = "unchanged"
    failed = "failed"
    skipped = "skipped"


def fetch_url(
    request: FetchRequest, *, metadata: Metadata, blobs: Blobs, web: Web, clock: Clock, max_bytes: int, attempts: int
) -> FetchOutcome:
    """Fetch, charge, store; a delivery that comes twice or late is skipped.

    What the file holds from the same address already is neither sent again, where the address's server knows it by
    its validators, nor stored and ingested again: the file stays as it is.

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
        found = web.fetch(
            fetch.url, max_bytes=max_bytes, known=fetch.known.validators if fetch.known else NO_VALIDATORS
        )
        if fetch.known and _same(fetch.known, found):
            said = found.validators if found else None
            if metadata.unchanged(ref, fetch.known, said, before=fetch.checksum, now=clock.now()):
                return FetchOutcome.unchanged
        content, arrival = _arrived(fetch, found or web.fetch(fetch.url, max_bytes=max_bytes))
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


def _same(known: Known, found: Fetched | None) -> bool:
    """Whether an address holds what is known."""
    return found is None or hashlib.sha256(found.content).hexdigest() == known.checksum_sha256


def _arrived(fetch: Fetch, found: Fetched | None) -> tuple[bytes, Arrival]:
    """The content with what is recorded of it, once it can be read.

    Raises:
        EmptyFile: there is none.
        UnsupportedFile: its first bytes are those of nothing that can be read.
    """
    if found is None or not found.content:
        raise EmptyFile
    content = found.content
    media_type = media_type_of(fetch.name, content[:HEAD_BYTES])
    return content, Arrival(len(content), hashlib.sha256(content).hexdigest(), media_type, found.validators)
