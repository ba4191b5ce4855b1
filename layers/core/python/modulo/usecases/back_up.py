"""Write everything, or one tenant, to an archive from which it can be restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import NotFound
from modulo.domain.files.file import FileRef
from modulo.domain.operations.backup import FORMAT, BackupKind, GoneFile, Manifest, TableContents

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.operations.backup import WantedObject
    from modulo.ports.archives import ArchiveWriter
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.backups import Backups


def back_up(
    tenant_id: UUID | None, archive: ArchiveWriter, *, backups: Backups, blobs: Blobs, clock: Clock
) -> Manifest:
    """Copy the metadata as they are at one moment, then the objects that they name; vectors are made from these anew.

    Objects come second because a key's bytes never change, they only go: so each row has its object, but for files that
    are deleted while the backup is taken. The manifest names those, and a restore deletes them.

    Raises:
        NotFound: there is no such tenant.
        Unavailable: a store did not answer; there is no archive then.
    """
    taken_at = clock.now()
    snapshot = backups.read_rows(tenant_id, archive.add_rows)
    missing: list[GoneFile] = []
    objects = size = 0
    for wanted in snapshot.objects:
        copied = _copy(wanted, archive, blobs)
        if copied is not None:
            objects, size = objects + 1, size + copied
        elif isinstance(wanted.ref, FileRef):
            missing.append(GoneFile(tenant_id=wanted.ref.tenant_id, file_id=wanted.ref.file_id))
    living = backups.which_live(missing)
    manifest = Manifest(
        format=FORMAT,
        kind=BackupKind.installation if tenant_id is None else BackupKind.tenant,
        tenant_id=tenant_id,
        revision=snapshot.revision,
        taken_at=taken_at,
        tables={
            name: TableContents(columns=tuple(columns), rows=archive.rows.get(name, 0))
            for name, columns in snapshot.columns.items()
        },
        objects=objects,
        object_bytes=size,
        gone=tuple(one for one in missing if one not in living),
        lost=tuple(one for one in missing if one in living),
    )
    archive.finish(manifest)
    return manifest


def _copy(wanted: WantedObject, archive: ArchiveWriter, blobs: Blobs) -> int | None:
    """The size of the object, once copied; None where it is not there."""
    try:
        content = blobs.open(wanted.ref, wanted.version)
    except NotFound:
        return None
    with content:
        return archive.add_object(wanted.ref.key, content, media_type=wanted.media_type)
