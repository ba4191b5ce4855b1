"""Fetch a file's bytes from its URL and store them; storing them starts ingestion, as with any upload."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from modulo.domain.errors import EmptyFile, FileRejected, QuotaExceeded
from modulo.domain.files.file import FileProblem
from modulo.domain.files.media import HEAD_BYTES, media_type_of
from modulo.domain.files.web import NO_VALIDATORS, ContentInfo
from modulo.domain.host import host_of

if TYPE_CHECKING:
    from modulo.domain.files.web import FetchedContent, FetchTask, KnownContent
    from modulo.domain.operations.messages import FetchRequest
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.fetching import Fetching
    from modulo.ports.web import Web

log = logging.getLogger(__name__)


class FetchOutcome(StrEnum):
    """How one delivery ended."""

    stored = "stored"
    unchanged = "unchanged"
    failed = "failed"
    skipped = "skipped"


def fetch_url(
    request: FetchRequest, *, fetching: Fetching, blobs: Blobs, web: Web, clock: Clock, max_bytes: int, attempts: int
) -> FetchOutcome:
    """Fetch, charge, store; a delivery that comes twice or late is skipped.

    The request is conditional (ETag, Last-Modified). Bytes that the file already has from this URL are not stored or
    ingested again.

    A URL that may not be fetched, or content that cannot be read, ends the file as failed, with the reason. A
    temporary error is raised, so that the queue delivers again (see `postpone_fetch`). The last attempt ends the file
    as failed and raises too: the message becomes a dead letter, and a retry of either starts again.

    Raises:
        ModuloError: the URL's server or a dependency of ours did not answer.
    """
    ref = request.ref
    fetch = fetching.begin_fetch(ref, now=clock.now())
    if fetch is None or blobs.info(ref) is not None:
        return FetchOutcome.skipped
    try:
        found = web.fetch(
            fetch.url, max_bytes=max_bytes, known=fetch.known.validators if fetch.known else NO_VALIDATORS
        )
        if fetch.known and _same(fetch.known, found):
            validators = found.validators if found else None
            if fetching.unchanged(ref, fetch.known, validators, before=fetch.checksum, now=clock.now()):
                return FetchOutcome.unchanged
        content, arrival = _arrived(fetch, found or web.fetch(fetch.url, max_bytes=max_bytes))
        if not fetching.arrive(ref, arrival, before=fetch.checksum, now=clock.now()):
            return FetchOutcome.skipped
        blobs.put(ref, content, media_type=arrival.media_type)
    except (FileRejected, QuotaExceeded) as error:
        log.info("file %s failed: its URL at %s was not fetched: %s", ref.file_id, host_of(fetch.url), error.code())
        fetching.refuse(ref, FileProblem.of(error), now=clock.now())
        return FetchOutcome.failed
    except Exception as error:
        log.warning(
            "file %s: attempt %d of %d to fetch its URL at %s failed: %s",
            *(ref.file_id, fetch.attempt, attempts, host_of(fetch.url), error),
        )
        if fetch.attempt >= attempts:
            fetching.refuse(ref, FileProblem.of(error), now=clock.now())
        raise
    return FetchOutcome.stored


def postpone_fetch(request: FetchRequest, why: Exception, *, seconds: int, fetching: Fetching, clock: Clock) -> None:
    """Show on the file why a try failed and when the queue delivers the request again."""
    now = clock.now()
    fetching.postpone_fetch(request.ref, FileProblem.of(why), until=now + timedelta(seconds=seconds), now=now)


def _same(known: KnownContent, found: FetchedContent | None) -> bool:
    """Whether the URL still holds the known bytes."""
    return found is None or hashlib.sha256(found.content).hexdigest() == known.checksum_sha256


def _arrived(fetch: FetchTask, found: FetchedContent | None) -> tuple[bytes, ContentInfo]:
    """The fetched bytes, and what is recorded of them.

    Raises:
        EmptyFile: there are none.
        UnsupportedFile: they are of a type that cannot be read.
    """
    if found is None or not found.content:
        raise EmptyFile
    content = found.content
    media_type = media_type_of(fetch.name, content[:HEAD_BYTES])
    return content, ContentInfo(len(content), hashlib.sha256(content).hexdigest(), media_type, found.validators)
