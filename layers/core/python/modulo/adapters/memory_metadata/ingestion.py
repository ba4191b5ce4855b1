"""Claims, progress and ends of ingestion in memory, as `domain.generation` allows them."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from modulo.adapters.memory_metadata.files import retire
from modulo.adapters.memory_metadata.store import CollectionRow, FileRow, GenerationRow, Store
from modulo.adapters.memory_metadata.twins import add_missing
from modulo.adapters.metadata_rules import document, problem
from modulo.domain import generation as rules
from modulo.domain.document import Part
from modulo.domain.file import UNFINISHED, DocumentInfo, FileProblem, FileRef, Stage
from modulo.domain.transfer import Claim


def claim(
    store: Store, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
) -> Claim | None:
    """Take a generation that waits, lost its worker or failed for a passing reason."""
    found = store.living(ref)
    if found is None:
        return None
    collection, file, generation = found
    if rules.failed_for_now(generation):
        paid_for = any(row.charged for row in file.family(generation))
        if not paid_for and not store.fits(collection, generation.size_bytes, generation.storage_limit):
            return None
        store.charge(collection, 0 if paid_for else generation.size_bytes)
        generation.charged = not paid_for
        generation.parts.clear()
    elif not rules.free(generation, now):
        return None
    times = {"now": now, "lease_until": lease_until, "deadline": deadline}
    generation.change(rules.claimed(generation, token=uuid4(), **times))
    generation.object_version = version
    generation.index_number = generation.index_number or collection.index_number
    return claim_of(*found, ref)


def claim_of(
    collection: CollectionRow, file: FileRow, generation: GenerationRow, ref: FileRef, part: Part | None = None
) -> Claim:
    """What whoever holds a generation, or a part of it, is told."""
    held = generation.parts[part.number] if part else generation
    assert held.claim_token is not None  # noqa: S101 - for mypy: it was just set
    space, chunking = collection.made_with(generation.index_number or collection.index_number)
    return Claim(
        ref=replace(ref, source=generation.source),
        token=held.claim_token,
        attempt=held.attempt,
        space=space,
        chunking=chunking,
        name=file.name,
        media_type=generation.media_type,
        size_bytes=generation.size_bytes,
        checksum_sha256=generation.checksum_sha256,
        divided=generation.divided,
        part=part,
    )


def count_anew(store: Store, ref: FileRef) -> None:
    """Forget the attempts at a generation that failed for a passing reason."""
    found = store.living(ref)
    if found is not None and rules.failed_for_now(found[2]):
        found[2].attempt = 0


def viable(store: Store, ref: FileRef) -> bool:
    """Whether the generation is its file's newest, neither deleted nor retired."""
    found = store.living(ref)
    return found is not None and found[2].retired_at is None


def held(store: Store, claimed: Claim) -> tuple[CollectionRow, FileRow, GenerationRow] | None:
    """The generation, as long as the claim of it or of its part holds."""
    found = store.living(claimed.ref)
    if found is None:
        return None
    generation = found[2]
    if claimed.part is None:
        return found if generation.claim_token == claimed.token else None
    if generation.stage not in UNFINISHED or claimed.part.number >= len(generation.parts):
        return None
    return found if generation.parts[claimed.part.number].claim_token == claimed.token else None


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
    found = held(store, claimed)
    if found is None:
        return False
    generation = found[2]
    generation.lease_until, generation.updated_at = lease_until, now
    if claimed.part is not None:
        part = generation.parts[claimed.part.number]
        part.lease_until = lease_until
        if pages_done is not None:
            generation.pages_done += pages_done - part.pages_done
            part.pages_done = pages_done
        return True
    generation.stage = stage
    generation.pages_done = generation.pages_done if pages_done is None else pages_done
    generation.pages_total = generation.pages_total if pages_total is None else pages_total
    return True


def publish(
    store: Store,
    claimed: Claim,
    *,
    chunk_count: int,
    content_hash: str,
    info: DocumentInfo,
    checksum_sha256: str | None = None,
    now: datetime,
) -> bool:
    """Make the generation the live one, if searches see its index."""
    found = held(store, claimed)
    if found is None:
        return False
    collection, file, generation = found
    generation.change(rules.ended(Stage.ready, now))
    generation.parts.clear()
    generation.checksum_sha256 = generation.checksum_sha256 or checksum_sha256
    generation.chunk_count, generation.content_hash = chunk_count, content_hash
    generation.document = DocumentInfo.model_validate(document(info))
    if generation.index_number == collection.index_number:
        file.live_generation = generation.number
        for row in file.generations:
            if row.source < generation.source:
                retire(row, now)
        collection.version += 1
        collection.updated_at = now
    add_missing(collection, file, generation, now)
    return True


def fail(store: Store, claimed: Claim, found: FileProblem, *, now: datetime) -> bool:
    """End the generation as failed and give its bytes back."""
    rows = held(store, claimed)
    if rows is None:
        return False
    end_failed(store, rows[0], rows[2], found, now)
    return True


def end_failed(
    store: Store, collection: CollectionRow, generation: GenerationRow, found: FileProblem, now: datetime
) -> None:
    """The generation fails; it keeps its object only where a retry can help."""
    store.charge(collection, -generation.size_bytes if generation.charged else 0)
    generation.change(rules.failed(found, now))
    generation.parts.clear()
    generation.problem = FileProblem.model_validate(problem(found))


def release(store: Store, claimed: Claim, *, now: datetime) -> None:
    """Give the lease up."""
    found = held(store, claimed)
    if found is None:
        return
    if claimed.part is None:
        found[2].change(rules.released(found[2], now))
    else:
        part = found[2].parts[claimed.part.number]
        part.claim_token = part.lease_until = None
