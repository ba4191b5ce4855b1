"""Purge what was deleted or replaced, and prove that nothing is left."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from modulo.domain.errors import Unavailable
from modulo.domain.files.file import key_prefix
from modulo.domain.operations.deletion import Inventory
from modulo.domain.operations.purge import PurgeRequest
from modulo.usecases.cache_keys import chunk_group, collection_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.files.user_file import UserFileRef
    from modulo.domain.operations.deletion import ReceiptRevision
    from modulo.domain.operations.purge import Purge
    from modulo.ports.blobs import Blobs
    from modulo.ports.cache import Cache
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.deletions import Deletions
    from modulo.ports.metadata.part_uploads import PartUploads
    from modulo.ports.metadata.purging import Purging
    from modulo.ports.metadata.tenants import Tenants
    from modulo.ports.metadata.user_files import UserFiles
    from modulo.ports.queue import Queue
    from modulo.ports.vectors import Vectors

log = logging.getLogger(__name__)
ROWS_PER_STEP = 100
"""How many rows of a tenant's files, collections and users one message removes: a few seconds' work."""


def request_purge(request: PurgeRequest, *, purges: Queue) -> None:
    """Queue a purge; if the queue is down, the next sweep finds the tombstone and queues it."""
    try:
        purges.send(request.body())
    except Unavailable as error:
        log.warning(
            "purge of tenant %s, collection %s, file %s not queued; the sweep will retry: %s",
            request.tenant_id,
            request.collection_id,
            request.file_id,
            error.detail,
        )


def purge(
    request: PurgeRequest,
    *,
    purging: Purging,
    deletions: Deletions,
    tenants: Tenants,
    user_files: UserFiles,
    part_uploads: PartUploads,
    vectors: Vectors,
    blobs: Blobs,
    cache: Cache,
    purges: Queue,
    clock: Clock,
) -> bool:
    """Remove vectors, objects and cached values; False where there was nothing to remove.

    Idempotent, also when run concurrently or after an interruption. What the stores hold is recorded in the
    deletion's receipt before and after the removal. For a tenant it does one step: its collections are purged by
    messages of their own, each of which queues the next step.

    Raises:
        Unavailable: a store did not answer or still holds something, or another purge is in progress; try again.
    """
    tenant_id, collection_id = request.tenant_id, request.collection_id
    if request.parts_of is not None:
        return _purge_parts(request.parts_of, part_uploads=part_uploads, blobs=blobs)
    if request.user_file is not None:
        return _purge_user_file(request.user_file, user_files=user_files, blobs=blobs)
    if collection_id is None:
        return _purge_tenant(tenant_id, tenants=tenants, deletions=deletions, blobs=blobs, purges=purges, clock=clock)
    found = purging.find_purge(tenant_id, collection_id, request.file_id)
    if found is None:
        return False
    receipt = found.receipt
    if receipt is not None:
        receipt = _record(
            tenant_id, receipt, _inventory(found, vectors=vectors, blobs=blobs), deletions=deletions, clock=clock
        )
    cached = _remove(found, vectors=vectors, blobs=blobs, cache=cache)
    inventory = _inventory(found, vectors=vectors, blobs=blobs)
    if receipt is not None:
        receipt = _record(tenant_id, receipt, inventory, cached=cached, deletions=deletions, clock=clock)
    _require_nothing(inventory)
    if not purging.mark_purged(replace(found, receipt=receipt), now=clock.now()):
        raise _in_progress()
    if request.file_id is None and tenants.tenant_deleted(tenant_id):
        request_purge(PurgeRequest(tenant_id), purges=purges)
    return True


def _purge_user_file(ref: UserFileRef, *, user_files: UserFiles, blobs: Blobs) -> bool:
    """Its object, then its row; whether there was an object."""
    removed = blobs.delete(ref.tenant_id, ref.prefix)
    _require_nothing(_object_inventory(ref.tenant_id, [ref.prefix], blobs))
    user_files.forget_user_file(ref)
    return removed > 0


def _purge_parts(ref: UserFileRef, *, part_uploads: PartUploads, blobs: Blobs) -> bool:
    """Their objects, then their rows; whether there was an object."""
    removed = blobs.delete(ref.tenant_id, ref.parts_prefix)
    _require_nothing(_object_inventory(ref.tenant_id, [ref.parts_prefix], blobs))
    part_uploads.forget_parts(ref)
    return removed > 0


def _purge_tenant(
    tenant_id: UUID, *, tenants: Tenants, deletions: Deletions, blobs: Blobs, purges: Queue, clock: Clock
) -> bool:
    """The next step: rows; after the last of them the objects that are left, and the proof."""
    step = tenants.dismantle(tenant_id, now=clock.now(), limit=ROWS_PER_STEP)
    if step is None:
        return False
    for request in step.requests:
        request_purge(request, purges=purges)
    if step.more:
        purges.send(PurgeRequest(tenant_id).body())
    if step.receipt is None:
        return True
    prefix = key_prefix(tenant_id)
    receipt = _record(
        tenant_id, step.receipt, _object_inventory(tenant_id, [prefix], blobs), deletions=deletions, clock=clock
    )
    blobs.delete(tenant_id, prefix)
    inventory = _object_inventory(tenant_id, [prefix], blobs)
    receipt = _record(tenant_id, receipt, inventory, deletions=deletions, clock=clock)
    _require_nothing(inventory)
    if not tenants.end_tenant(tenant_id, receipt, now=clock.now()):
        raise _in_progress()
    return True


def _remove(found: Purge, *, vectors: Vectors, blobs: Blobs, cache: Cache) -> int:
    """Delete vectors, objects and cache entries; the number of cache entries deleted."""
    for space in found.spaces:
        for generation in found.generations or (None,):
            vectors.delete(space, file_id=found.file_id, generation=generation)
    for prefix in _prefixes(found):
        blobs.delete(found.tenant_id, prefix)
    groups = [collection_prefix(found.tenant_id, found.collection_id)]
    if found.generations is None:  # a file that stays keeps using its cached vectors
        groups.append(chunk_group(found.tenant_id, found.collection_id, found.file_id))
    return sum(cache.delete(group) for group in groups)


def _inventory(found: Purge, *, vectors: Vectors, blobs: Blobs) -> Inventory:
    """What the stores hold of it now."""
    chunks = {
        space.name: sum(
            vectors.count(space, file_id=found.file_id, generation=generation)
            for generation in found.generations or (None,)
        )
        for space in found.spaces
    }
    return _object_inventory(found.tenant_id, _prefixes(found), blobs).model_copy(update={"vectors": chunks})


def _object_inventory(tenant_id: UUID, prefixes: Sequence[str], blobs: Blobs) -> Inventory:
    stored = [blobs.count(tenant_id, prefix) for prefix in prefixes]
    return Inventory(objects=sum(one.objects for one in stored), object_bytes=sum(one.size_bytes for one in stored))


def _require_nothing(inventory: Inventory) -> None:
    if any(inventory.vectors.values()):
        left = sum(inventory.vectors.values())
        raise Unavailable(f"The vector store still holds {left} deleted chunks.", dependency="milvus", retry_after=5)
    if not inventory.nothing:
        raise Unavailable(f"The store still holds {inventory.objects} deleted objects.", dependency="s3", retry_after=5)


def _record(
    tenant_id: UUID,
    receipt: ReceiptRevision,
    inventory: Inventory,
    *,
    cached: int = 0,
    deletions: Deletions,
    clock: Clock,
) -> ReceiptRevision:
    recorded = deletions.record_removal(tenant_id, receipt, inventory, cached=cached, now=clock.now())
    if recorded is None:
        raise _in_progress()
    return recorded


def _in_progress() -> Unavailable:
    return Unavailable("Another purge of the same is in progress.", dependency="postgres", retry_after=5)


def _prefixes(found: Purge) -> list[str]:
    whole = key_prefix(found.tenant_id, found.collection_id, found.file_id)
    if found.file_id is None or found.generations is None:
        return [whole]
    return [f"{whole}{source}/" for source in found.objects or ()]
