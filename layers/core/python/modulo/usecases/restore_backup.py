"""Restore what an archive holds, and have its files embedded anew."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from modulo.domain.collections.reembedding import MAX_QUEUED_AT_START
from modulo.domain.errors import Conflict, InvalidRequest, Unavailable
from modulo.domain.files.file import key_prefix
from modulo.domain.operations.backup import (
    COLLECTIONS,
    TENANTS,
    RestorePlan,
    RestoreReport,
    checked_row,
    note_row,
    require_models,
    tenant_of,
)
from modulo.domain.operations.messages import IngestRequest
from modulo.usecases.cache_keys import chunk_group, collection_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modulo.domain.collections.collection import Space
    from modulo.domain.files.file import FileRef
    from modulo.domain.operations.backup import BackupKind
    from modulo.ports.archives import ArchiveReader
    from modulo.ports.blobs import Blobs
    from modulo.ports.cache import Cache
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.backups import Backups
    from modulo.ports.queue import Queue
    from modulo.ports.vectors import Vectors

log = logging.getLogger(__name__)


def restore_backup(
    archive: ArchiveReader,
    kind: BackupKind,
    *,
    replace: bool,
    offered: Mapping[str, int],
    max_object_bytes: int,
    backups: Backups,
    blobs: Blobs,
    vectors: Vectors,
    cache: Cache,
    ingests: Queue,
    clock: Clock,
) -> RestoreReport:
    """Check the whole archive, store its objects, then write all rows in one transaction.

    Objects come first: what was interrupted leaves no restored row without its object, and can be done again. Until the
    rows are there, searches answer from what was here before. Files are queued as if their bytes had just come, and
    become ready once their vectors were read back. `offered` tells the dimensions of each embedding model there is.

    Raises:
        InvalidRequest: the archive is refused; nothing was changed.
        Conflict: a tenant of the archive is here, and is not to be replaced, or another restore is under way; nothing
            was changed.
        Unavailable: a store did not answer; restore again, replacing what is there.
    """
    manifest = archive.manifest
    manifest.require(kind)
    backups.check_tables({name: table.columns for name, table in manifest.tables.items()})
    plan = _checked(archive, max_object_bytes)
    require_models(plan.spaces, offered)
    with backups.alone():
        here = backups.which_tenants_exist(plan.tenants)
        if here and not replace:
            raise Conflict(
                f"{len(here)} of the archive's tenants exist here, such as {min(here)}: "
                "--replace deletes what they have."
            )
        for tenant_id in here:
            blobs.delete(tenant_id, key_prefix(tenant_id))
        for found in archive.objects():
            blobs.put(found.ref, archive.read_object(found), media_type=found.media_type)
        _clear([*backups.spaces_of(here), *plan.spaces], vectors=vectors, cache=cache)
        queued = backups.write_rows(
            manifest, lambda table: _rows(archive, table), tenant_ids=plan.tenants, now=clock.now()
        )
    queue_first(queued, ingests)
    return RestoreReport(
        tenants=len(plan.tenants),
        rows={name: table.rows for name, table in manifest.tables.items()},
        objects=manifest.objects,
        files=len(queued),
        taken_at=manifest.taken_at,
    )


def queue_first(queued: Sequence[FileRef], ingests: Queue) -> None:
    """Queue the first generations; a sweep queues the others, and these too if the queue is down."""
    try:
        for ref in queued[:MAX_QUEUED_AT_START]:
            ingests.send(IngestRequest(ref).body())
    except Unavailable as error:
        log.warning("%d files not queued; the sweep will retry: %s", len(queued), error.detail)


def _checked(archive: ArchiveReader, max_object_bytes: int) -> RestorePlan:
    """What the archive would change, once every part of it is what it should be."""
    manifest, plan = archive.manifest, RestorePlan()
    for name in sorted(manifest.tables, key=lambda name: (name != TENANTS, name != COLLECTIONS, name)):
        table, number = manifest.tables[name], 0
        for line in archive.rows(name):
            row = checked_row(name, line, table.columns, manifest.tenant_id)
            note_row(plan, name, row)
            if name != TENANTS and tenant_of(name, row) not in {None, *plan.tenants}:
                raise InvalidRequest(f"The archive is refused: its table {name} holds a row of another tenant.")
            number += 1
        if number != table.rows:
            raise InvalidRequest(f"The archive holds {number} rows of {name}, and says {table.rows}.")
    found = list(archive.objects())
    if len(found) != manifest.objects or len({one.key for one in found}) != len(found):
        raise InvalidRequest("The archive holds more or fewer objects than it says.")
    for one in found:
        if one.size_bytes > max_object_bytes:
            raise InvalidRequest(f"The archive's object {one.key} is larger than MAX_FILE_BYTES.")
        if one.ref.tenant_id not in plan.tenants:
            raise InvalidRequest("The archive is refused: an object in it is another tenant's.")
    return plan


def _rows(archive: ArchiveReader, table: str) -> Iterator[str]:
    """The rows as they were checked: written anew, so that Postgres reads just what was seen here."""
    manifest = archive.manifest
    for line in archive.rows(table):
        yield json.dumps(checked_row(table, line, manifest.tables[table].columns, manifest.tenant_id))


def _clear(spaces: Sequence[Space], *, vectors: Vectors, cache: Cache) -> None:
    """Remove what would mix with what is restored: vectors and cached values."""
    for space in spaces:
        vectors.delete(space)
        cache.delete(collection_prefix(space.tenant_id, space.collection_id))
        cache.delete(chunk_group(space.tenant_id, space.collection_id))
