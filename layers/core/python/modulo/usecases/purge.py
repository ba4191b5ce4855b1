"""Remove what was deleted or replaced, and prove that nothing is left."""

import logging

from modulo.domain.deletion import Held
from modulo.domain.errors import Unavailable
from modulo.domain.transfer import Purge, PurgeRequest
from modulo.ports import Blobs, Cache, Clock, Metadata, Queue, Vectors
from modulo.usecases.cache_keys import chunk_group, collection_prefix

log = logging.getLogger(__name__)


def request_purge(request: PurgeRequest, *, purges: Queue) -> None:
    """Ask for a purge; should the queue be down, the next sweep finds the tombstone and asks again."""
    try:
        purges.send(request.body())
    except Unavailable as error:
        log.warning("purge left to the sweep: %s", error.detail)


def purge(
    request: PurgeRequest, *, metadata: Metadata, vectors: Vectors, blobs: Blobs, cache: Cache, clock: Clock
) -> bool:
    """Remove vectors, objects and cached values; False where there was nothing to remove.

    May be run any number of times, also at the same time: it ends at the same state from wherever it was
    interrupted. A deletion's receipt is told before and after what the stores hold.

    Raises:
        Unavailable: a store did not answer or still holds something, or another purge is under way; try again.
    """
    found = metadata.purge_of(request.tenant_id, request.collection_id, request.file_id)
    if found is None:
        return False
    if found.tally is not None:
        found = _recorded(found, _held(found, vectors=vectors, blobs=blobs), 0, metadata=metadata, clock=clock)
    cached = _remove(found, vectors=vectors, blobs=blobs, cache=cache)
    held = _held(found, vectors=vectors, blobs=blobs)
    if found.tally is not None:
        found = _recorded(found, held, cached, metadata=metadata, clock=clock)
    if any(held.vectors.values()):
        left = sum(held.vectors.values())
        raise Unavailable(f"The vector store still holds {left} deleted chunks.", dependency="milvus", retry_after=5)
    if not held.nothing:
        raise Unavailable(f"The store still holds {held.objects} deleted objects.", dependency="s3", retry_after=5)
    if not metadata.purged(found, now=clock.now()):
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
    stored = [blobs.count(found.tenant_id, prefix) for prefix in _prefixes(found)]
    return Held(
        vectors=chunks, objects=sum(one.objects for one in stored), object_bytes=sum(one.size_bytes for one in stored)
    )


def _recorded(found: Purge, held: Held, cached: int, *, metadata: Metadata, clock: Clock) -> Purge:
    recorded = metadata.record(found, held, cached=cached, now=clock.now())
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
