"""The files that archives are expanded into, in memory."""

from collections.abc import Sequence
from datetime import datetime

from modulo.adapters.memory_metadata.files import files_of_archive, reserve_file, tombstone
from modulo.adapters.memory_metadata.ingestion import held
from modulo.adapters.memory_metadata.store import FileRow, Store
from modulo.domain.file import File
from modulo.domain.identity import Principal, Scope
from modulo.domain.quota import Quotas
from modulo.domain.transfer import Claim, FileDraft


def reserve_archived(store: Store, claimed: Claim, draft: FileDraft, *, quotas: Quotas, now: datetime) -> File | None:
    """Reserve a file of the claimed archive, in the name of who uploaded it."""
    found = held(store, claimed)
    if found is None:
        return None
    return reserve_file(store, _uploader(found[1]), found[0].id, draft, quotas=quotas, now=now)


def drop_archived(store: Store, claimed: Claim, *, keep: Sequence[str], now: datetime) -> bool:
    """Tombstone the other ones."""
    found = held(store, claimed)
    if found is None:
        return False
    collection, archive, _ = found
    kept = frozenset(keep)
    others = [row for row in files_of_archive(store, collection, archive) if row.name not in kept]
    tombstone(store, _uploader(archive), collection, others, now=now)
    return True


def _uploader(archive: FileRow) -> Principal:
    return Principal(archive.tenant_id, archive.created_by, frozenset({Scope.write}))
