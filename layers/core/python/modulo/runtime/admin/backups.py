"""Backups, restores, exports and rebuilds of everything."""

from pathlib import Path
from uuid import UUID

from modulo.adapters.zip_archive import ZipArchiveReader, ZipArchiveWriter
from modulo.domain.operations.backup import BackupKind, Manifest, RebuildPage, RestoreReport
from modulo.services import services
from modulo.usecases.back_up import back_up
from modulo.usecases.rebuild_vectors import rebuild_vectors
from modulo.usecases.restore_backup import restore_backup


def write_backup(file: Path, tenant_id: UUID | None = None) -> Manifest:
    """Write everything, or one tenant, to a new file.

    Raises:
        Conflict: the file exists.
        NotFound: there is no such tenant.
        Unavailable: a store did not answer; there is no file then.
    """
    s = services()
    with ZipArchiveWriter(file) as archive:
        return back_up(tenant_id, archive, backups=s.backups, blobs=s.blobs, clock=s.clock)


def restore(file: Path, *, replace: bool = False) -> RestoreReport:
    """Restore a backup of everything.

    Raises:
        InvalidRequest: the file is refused.
        Conflict: tenants in it exist here, and are not to be replaced.
        Unavailable: a store did not answer; restore again.
    """
    return _restore(file, BackupKind.installation, replace=replace)


def import_tenant(file: Path, *, replace: bool = False) -> RestoreReport:
    """Restore a tenant's export; it raises what `restore` does."""
    return _restore(file, BackupKind.tenant, replace=replace)


def _restore(file: Path, kind: BackupKind, *, replace: bool) -> RestoreReport:
    s = services()
    with ZipArchiveReader(file) as archive:
        return restore_backup(
            archive,
            kind,
            replace=replace,
            offered={model.name: model.dimensions for model in s.settings.embedding_models},
            max_object_bytes=s.settings.max_file_bytes,
            backups=s.backups,
            blobs=s.blobs,
            vectors=s.vectors,
            cache=s.cache,
            ingests=s.ingests,
            clock=s.clock,
        )


def rebuild(after: tuple[UUID, UUID] | None = None) -> RebuildPage:
    """Begin a page of collections anew, those behind `after`."""
    s = services()
    return rebuild_vectors(after, vector_rebuilds=s.vector_rebuilds, ingests=s.ingests, clock=s.clock)
