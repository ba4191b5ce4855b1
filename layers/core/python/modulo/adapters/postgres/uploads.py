"""Files that are about to be uploaded, or made of an archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ARRAY, Connection, RowMapping, Text, all_, bindparam, literal, select

from modulo.adapters.postgres.announcements import WATCHED
from modulo.adapters.postgres.claims import generation_of
from modulo.adapters.postgres.locks import lock_collection
from modulo.adapters.postgres.pools import Pooled, transaction
from modulo.adapters.postgres.reservations import reserve
from modulo.adapters.postgres.rows import OF_COLLECTION, in_tenant
from modulo.adapters.postgres.tables import collections, files, generations
from modulo.adapters.postgres.tombstones import is_of_archive, tombstone
from modulo.domain.tenancy.identity import Principal, Scope

if TYPE_CHECKING:
    from modulo.domain.files.file import File
    from modulo.domain.files.upload import FileDraft
    from modulo.domain.ingestion.claim import Claim
    from modulo.domain.tenancy.quota import Quotas


class PostgresUploads(Pooled):
    """Files that are about to be uploaded, or made of an archive."""

    @transaction
    def reserve_file(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        draft: FileDraft,
        *,
        quotas: Quotas,
        now: datetime,
    ) -> File:
        """Reserve it in the caller's name."""
        return reserve(connection, principal, collection_id, draft, quotas=quotas, now=now)

    @transaction
    def reserve_archived(
        self, connection: Connection, claim: Claim, draft: FileDraft, *, quotas: Quotas, now: datetime
    ) -> File | None:
        """Reserve a file of the claimed archive, in the name of who uploaded it, with the archive's attributes."""
        archive = _archive(connection, claim)
        if archive is None:
            return None
        if archive["attributes"]:
            draft = replace(draft, attributes=archive["attributes"])
        return reserve(connection, _uploader(claim, archive), claim.ref.collection_id, draft, quotas=quotas, now=now)

    @transaction
    def drop_archived(self, connection: Connection, claim: Claim, *, keep: Sequence[str], now: datetime) -> bool:
        """Tombstone the files of the claimed archive that have other names."""
        archive = _archive(connection, claim)
        if archive is None:
            return False
        others = select(files.c.id, files.c.name).where(
            in_tenant(claim.ref.tenant_id, files),
            files.c.collection_id == claim.ref.collection_id,
            files.c.deleted_at.is_(None),
            is_of_archive(literal(archive["name"], Text)),
            files.c.name != all_(bindparam(None, list(keep), type_=ARRAY(Text))),
        )
        if rows := connection.execute(others).mappings().all():
            tombstone(connection, _uploader(claim, archive), archive, rows, now=now)
        return True


def _archive(connection: Connection, claim: Claim) -> RowMapping | None:
    """The archive and its collection, which is locked; None where the claim no longer holds."""
    ref = claim.ref
    if lock_collection(connection, ref.tenant_id, ref.collection_id) is None:
        return None
    statement = (
        select(collections.c.tenant_id, collections.c.id, collections.c.owner_id, WATCHED)
        .add_columns(files.c.name, files.c.created_by, files.c.attributes)
        .select_from(collections)
        .join(files, OF_COLLECTION)
        .join(generations, generations.c.file_id == files.c.id)
        .where(generation_of(ref), generations.c.claim_token == claim.token, files.c.deleted_at.is_(None))
    )
    return connection.execute(statement).mappings().one_or_none()


def _uploader(claim: Claim, archive: RowMapping) -> Principal:
    return Principal(claim.ref.tenant_id, archive["created_by"], frozenset({Scope.write}))
