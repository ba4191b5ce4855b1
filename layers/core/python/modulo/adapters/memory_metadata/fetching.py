"""Generations in memory whose bytes are fetched."""

from datetime import datetime

from modulo.adapters.memory_metadata.files import retire
from modulo.adapters.memory_metadata.ingestion import end_failed
from modulo.adapters.memory_metadata.store import CollectionRow, FileRow, GenerationRow, Store
from modulo.domain.file import FileProblem, FileRef, Stage
from modulo.domain.generation import PURGE_AFTER
from modulo.domain.quota import exceeded
from modulo.domain.web import STORING, Arrival, Fetch, Known, Validators


def begin_fetch(store: Store, ref: FileRef, *, now: datetime) -> Fetch | None:
    """Count a try."""
    found = _waiting(store, ref)
    if found is None:
        return None
    _, file, generation = found
    generation.attempt += 1
    generation.updated_at = now
    url = generation.source_url or ""
    return Fetch(file.name, url, generation.attempt, generation.checksum_sha256, _known(file.live, url))


def _known(live: GenerationRow | None, url: str) -> Known | None:
    if live is None or live.source_url != url or live.checksum_sha256 is None:
        return None
    return Known(live.source, live.checksum_sha256, Validators(live.etag, live.last_modified))


def arrive(store: Store, ref: FileRef, arrival: Arrival, *, before: str | None, now: datetime) -> bool:
    """Record what was fetched."""
    found = _waiting(store, ref)
    if found is None or found[2].checksum_sha256 != before:
        return False
    collection, _, generation = found
    more = arrival.size_bytes - generation.size_bytes
    if more > 0 and not store.fits(collection, more, generation.storage_limit):
        raise exceeded("storage_bytes", generation.storage_limit)
    store.charge(collection, more)
    generation.size_bytes, generation.checksum_sha256 = arrival.size_bytes, arrival.checksum_sha256
    generation.media_type, generation.attempt, generation.updated_at = arrival.media_type, 0, now
    generation.arrives_until = now + STORING
    generation.etag, generation.last_modified = arrival.validators.etag, arrival.validators.last_modified
    return True


def unchanged(
    store: Store, ref: FileRef, known: Known, validators: Validators | None, *, before: str | None, now: datetime
) -> bool:
    """End it, and have the file be what it was."""
    found = _waiting(store, ref)
    if found is None or found[2].checksum_sha256 != before:
        return False
    collection, file, generation = found
    if file.live is None or file.live.source != known.source:
        return False
    store.charge(collection, -generation.size_bytes)
    generation.charged = False
    retire(generation, now)
    generation.purge_after = max(now + PURGE_AFTER, generation.arrives_until or now)
    file.generation = file.live.number
    file.live.checked_at = file.live.updated_at = now
    if validators is not None:
        file.live.etag, file.live.last_modified = validators.etag, validators.last_modified
    return True


def refuse(store: Store, ref: FileRef, problem: FileProblem, *, now: datetime) -> bool:
    """End it as failed."""
    found = _waiting(store, ref)
    if found is None:
        return False
    end_failed(store, found[0], found[2], problem, now)
    return True


def _waiting(store: Store, ref: FileRef) -> tuple[CollectionRow, FileRow, GenerationRow] | None:
    found = store.living(ref)
    waits = found is not None and found[2].stage is Stage.awaiting_upload and found[2].source_url is not None
    return found if waits else None
