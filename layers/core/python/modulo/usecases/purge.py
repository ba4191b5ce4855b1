"""Remove what was deleted or replaced, and prove that nothing is left."""

import logging

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

    May be run any number of times: it ends at the same state from wherever it was interrupted.

    Raises:
        Unavailable: a store did not answer or still holds something; try again.
    """
    found = metadata.purge_of(request.tenant_id, request.collection_id, request.file_id)
    if found is None:
        return False
    for file_generation in found.generations if found.generations is not None else (None,):
        _purge_vectors(found, file_generation, vectors=vectors)
    for prefix in _prefixes(found):
        blobs.delete(found.space.tenant_id, prefix)
    cache.delete(collection_prefix(found.space.tenant_id, found.space.collection_id))
    if found.generations is None:  # a file that lives on goes on using the vectors of its texts
        cache.delete(chunk_group(found.space.tenant_id, found.space.collection_id, found.file_id))
    metadata.purged(found, now=clock.now())
    return True


def _purge_vectors(found: Purge, generation: int | None, *, vectors: Vectors) -> None:
    for space in found.spaces:
        vectors.delete(space, file_id=found.file_id, generation=generation)
        left = vectors.count(space, file_id=found.file_id, generation=generation)
        if left:
            detail = f"The vector store still holds {left} deleted chunks."
            raise Unavailable(detail, dependency="milvus", retry_after=5)


def _prefixes(found: Purge) -> list[str]:
    collection = f"tenants/{found.space.tenant_id}/collections/{found.space.collection_id}/"
    if found.file_id is None:
        return [collection]
    file = f"{collection}files/{found.file_id}/"
    return [file] if found.generations is None else [f"{file}{source}/" for source in found.objects or ()]
