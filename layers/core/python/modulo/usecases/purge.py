"""Remove what was deleted or replaced, and prove that nothing is left."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from modulo.domain.deletion import Held, Tally
from modulo.domain.errors import Unavailable
from modulo.domain.transfer import Purge, PurgeRequest
from modulo.ports import Blobs, Cache, Clock, Metadata, Queue, Vectors
from modulo.usecases.cache_keys import chunk_group, collection_prefix

log = logging.getLogger(__name__)
ROWS = 100
"""How many rows of a tenant's files, collections and users one message removes: some seconds' work."""


def request_purge(request: PurgeRequest, *, purges: Queue) -> None:
    """Ask for a purge; should the queue be down, the next sweep finds the tombstone and asks again."""
    try:
        purges.send(request.body())
    except Unavailable as error:
        log.warning("purge left to the sweep: %s", error.detail)


def purge(
    request: PurgeRequest,
    *,
    metadata: Metadata,
    vectors: Vectors,
    blobs: Blobs,
    cache: Cache,
    purges: Queue,
    clock: Clock,
) -> bool:
    """Remove vectors, objects and cached values; False where there was nothing to remove.

    May be run any number of times, also at the same time: it ends at the same state from wherever it was
    interrupted. A deletion's receipt is told before and after what the stores hold. Of a tenant it does one
    step: its collections are purged by messages of their own, each of which is followed by one for the next step.

    Raises:
        Unavailable: a store did not answer or still holds something, or another purge is under way; try again.
    """
    tenant_id, collection_id = request.tenant_id, request.collection_id
    if collection_id is None:
        return _purge_tenant(tenant_id, metadata=metadata, blobs=blobs, purges=purges, clock=clock)
    found = metadata.purge_of(tenant_id, collection_id, request.file_id)
    if found is None:
        return False
    tally = found.tally
    if tally is not None:
        tally = _recorded(tenant_id, tally, _held(found, vectors=vectors, blobs=blobs), metadata=metadata, clock=clock)
    cached = _remove(found, vectors=vectors, blobs=blobs, cache=cache)
    held = _held(found, vectors=vectors, blobs=blobs)
    if tally is not None:
        tally = _recorded(tenant_id, tally, held, cached=cached, metadata=metadata, clock=clock)
    _require_nothing(held)
    if not metadata.purged(replace(found, tally=tally), now=clock.now()):
        raise _under_way()
    if request.file_id is None and metadata.tenant_deleted(tenant_id):
        request_purge(PurgeRequest(tenant_id), purges=purges)
    return True


def _purge_tenant(tenant_id: UUID, *, metadata: Metadata, blobs: Blobs, purges: Queue, clock: Clock) -> bool:
    """The next step: rows, and behind the last of them whatever objects are left, and the proof."""
    step = metadata.dismantle(tenant_id, now=clock.now(), limit=ROWS)
    if step is None:
        return False
    for request in step.requests:
        request_purge(request, purges=purges)
    if step.more:
        purges.send(PurgeRequest(tenant_id).body())
    if step.tally is None:
        return True
    prefix = f"tenants/{tenant_id}/"
    tally = _recorded(tenant_id, step.tally, _objects(tenant_id, [prefix], blobs), metadata=metadata, clock=clock)
    blobs.delete(tenant_id, prefix)
    held = _objects(tenant_id, [prefix], blobs)
    tally = _recorded(tenant_id, tally, held, metadata=metadata, clock=clock)
    _require_nothing(held)
    if not metadata.end_tenant(tenant_id, tally, now=clock.now()):
        raise _under_way()
    return True


def _remove(found: Purge, *, vectors: Vectors, blobs: Blobs, cache: Cache) -> int:
    """Delete everything; the number of cached entries that went."""
    for space in found.spaces:
        for generation in found.generations or (None,):
            vectors.delete(space, file_id=found.file_id, generation=generation)
    for prefix in _prefixes(found):
        blobs.delete(found.tenant_id, prefix)
    groups = [collection_prefix(found.tenant_id, found.collection_id)]
    if found.generations is None:  # a file that lives on goes on using the vectors of its texts
        groups.append(chunk_group(found.tenant_id, found.collection_id, found.file_id))
    return sum(cache.delete(group) for group in groups)


def _held(found: Purge, *, vectors: Vectors, blobs: Blobs) -> Held:
    """What the stores hold of it now."""
    chunks = {
        space.name: sum(
            vectors.count(space, file_id=found.file_id, generation=generation)
            for generation in found.generations or (None,)
        )
        for space in found.spaces
    }
    return _objects(found.tenant_id, _prefixes(found), blobs).model_copy(update={"vectors": chunks})


def _objects(tenant_id: UUID, prefixes: Sequence[str], blobs: Blobs) -> Held:
    stored = [blobs.count(tenant_id, prefix) for prefix in prefixes]
    return Held(objects=sum(one.objects for one in stored), object_bytes=sum(one.size_bytes for one in stored))


def _require_nothing(held: Held) -> None:
    if any(held.vectors.values()):
        left = sum(held.vectors.values())
        raise Unavailable(f"The vector store still holds {left} deleted chunks.", dependency="milvus", retry_after=5)
    if not held.nothing:
        raise Unavailable(f"The store still holds {held.objects} deleted objects.", dependency="s3", retry_after=5)


def _recorded(tenant_id: UUID, tally: Tally, held: Held, *, cached: int = 0, metadata: Metadata, clock: Clock) -> Tally:
    recorded = metadata.record(tenant_id, tally, held, cached=cached, now=clock.now())
    if recorded is None:
        raise _under_way()
    return recorded


def _under_way() -> Unavailable:
    return Unavailable("Another purge of the same is under way.", dependency="postgres", retry_after=5)


def _prefixes(found: Purge) -> list[str]:
    collection = f"tenants/{found.tenant_id}/collections/{found.collection_id}/"
    if found.file_id is None:
        return [collection]
    file = f"{collection}files/{found.file_id}/"
    return [file] if found.generations is None else [f"{file}{source}/" for source in found.objects or ()]
