"""Claims, progress and ends of ingestion in memory."""

from datetime import datetime
from uuid import uuid4

from modulo.adapters.memory_metadata.files import retire
from modulo.adapters.memory_metadata.store import CollectionRow, FileRow, GenerationRow, Store
from modulo.adapters.metadata_rules import PURGE_AFTER, RETRY_WINDOW, WAITING, WORKING, document, problem
from modulo.domain.file import DocumentInfo, FileProblem, FileRef, Stage
from modulo.domain.transfer import Claim


def claim(
    store: Store, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
) -> Claim | None:
    """Take a generation that waits, lost its worker or failed for a passing reason."""
    found = store.living(ref)
    if found is None:
        return None
    collection, file, generation = found
    if _failed_for_now(generation):
        if not store.fits(collection, generation.size_bytes, generation.storage_limit):
            return None
        store.charge(collection, generation.size_bytes)
        generation.charged = True
        generation.problem = generation.purge_after = None
        generation.deadline = deadline
    elif not _free(generation, now):
        return None
    elif generation.attempt == 0:
        generation.deadline = deadline
    generation.stage = Stage.parsing
    generation.token = uuid4()
    generation.lease_until = lease_until
    generation.attempt += 1
    generation.pages_done = 0
    generation.object_version = version
    generation.updated_at = now
    return Claim(
        ref=ref,
        token=generation.token,
        attempt=generation.attempt,
        space=collection.space,
        chunking=collection.chunking,
        name=file.name,
        media_type=generation.media_type,
        size_bytes=generation.size_bytes,
        checksum_sha256=generation.checksum_sha256,
    )


def viable(store: Store, ref: FileRef) -> bool:
    """Whether the generation is its file's newest, neither deleted nor retired."""
    found = store.living(ref)
    return found is not None and found[2].retired_at is None


def _failed_for_now(generation: GenerationRow) -> bool:
    passing = generation.problem is not None and generation.problem.retryable
    return generation.stage is Stage.failed and passing and generation.retired_at is None


def _free(generation: GenerationRow, now: datetime) -> bool:
    lapsed = generation.lease_until is not None and generation.lease_until <= now
    return generation.stage in WAITING or (generation.stage in WORKING and lapsed)


def _held(store: Store, claimed: Claim) -> tuple[CollectionRow, FileRow, GenerationRow] | None:
    found = store.living(claimed.ref)
    return found if found is not None and found[2].token == claimed.token else None


def advance(
    store: Store,
    claimed: Claim,
    stage: Stage,
    *,
    pages_done: int | None,
    pages_total: int | None,
    lease_until: datetime,
    now: datetime,
) -> bool:
    """Record progress and keep the lease."""
    held = _held(store, claimed)
    if held is None:
        return False
    generation = held[2]
    generation.stage = stage
    generation.lease_until = lease_until
    generation.updated_at = now
    generation.pages_done = generation.pages_done if pages_done is None else pages_done
    generation.pages_total = generation.pages_total if pages_total is None else pages_total
    return True


def publish(
    store: Store, claimed: Claim, *, chunk_count: int, content_hash: str, info: DocumentInfo, now: datetime
) -> bool:
    """Make the generation the live one."""
    held = _held(store, claimed)
    if held is None:
        return False
    collection, file, generation = held
    _end(generation, Stage.ready, now)
    generation.chunk_count, generation.content_hash = chunk_count, content_hash
    generation.document = DocumentInfo.model_validate(document(info))
    file.live_generation = generation.number
    for older in file.generations[:-1]:
        retire(older, now)
    collection.version += 1
    collection.updated_at = now
    return True


def fail(store: Store, claimed: Claim, found: FileProblem, *, now: datetime) -> bool:
    """End the generation as failed and give its bytes back."""
    held = _held(store, claimed)
    if held is None:
        return False
    end_failed(store, held[0], held[2], found, now)
    return True


def end_failed(
    store: Store, collection: CollectionRow, generation: GenerationRow, found: FileProblem, now: datetime
) -> None:
    """The generation fails; it keeps its object only where a retry can help."""
    _end(generation, Stage.failed, now)
    generation.problem = FileProblem.model_validate(problem(found))
    generation.charged = False
    generation.retired_at = None if found.retryable else now
    generation.purge_after = now + (RETRY_WINDOW if found.retryable else PURGE_AFTER)
    store.charge(collection, -generation.size_bytes)


def release(store: Store, claimed: Claim, *, now: datetime) -> None:
    """Give the lease up."""
    held = _held(store, claimed)
    if held is not None:
        _end(held[2], Stage.queued, now)


def _end(generation: GenerationRow, stage: Stage, now: datetime) -> None:
    generation.stage = stage
    generation.token = generation.lease_until = None
    generation.updated_at = now
