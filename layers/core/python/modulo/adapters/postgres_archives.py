"""The files that archives are expanded into, in Postgres."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ARRAY, Connection, RowMapping, Text, all_, bindparam, literal, select

from modulo.adapters.postgres_announcing import WATCHED
from modulo.adapters.postgres_files import is_of_archive, tombstone
from modulo.adapters.postgres_parts import generation_of
from modulo.adapters.postgres_rows import OF_COLLECTION, in_tenant, lock_collection
from modulo.adapters.postgres_tables import collections, files, generations
from modulo.adapters.postgres_uploads import reserve_file
from modulo.domain.file import File
from modulo.domain.identity import Principal, Scope
from modulo.domain.quota import Quotas
from modulo.domain.transfer import Claim, FileDraft


def reserve_archived(
    connection: Connection, claimed: Claim, draft: FileDraft, *, quotas: Quotas, now: datetime
) -> File | None:
    """Reserve a file of the claimed archive, in the name of who uploaded it."""
    archive = _held(connection, claimed)
    if archive is None:
        return None
    return reserve_file(
        connection, _uploader(claimed, archive), claimed.ref.collection_id, draft, quotas=quotas, now=now
    )


def drop_archived(connection: Connection, claimed: Claim, *, keep: Sequence[str], now: datetime) -> bool:
    """Tombstone the other ones."""
    archive = _held(connection, claimed)
    if archive is None:
        return False
    others = select(files.c.id, files.c.name).where(
        in_tenant(claimed.ref.tenant_id, files),
        files.c.collection_id == claimed.ref.collection_id,
        files.c.deleted_at.is_(None),
        is_of_archive(literal(archive["name"], Text)),
        files.c.name != all_(bindparam(None, list(keep), type_=ARRAY(Text))),
    )
    if rows := connection.execute(others).mappings().all():
        tombstone(connection, _uploader(claimed, archive), archive, rows, now=now)
    return True


def _held(connection: Connection, claimed: Claim) -> RowMapping | None:
    """The archive and its collection, as long as the claim holds; nobody deletes it until the transaction ends."""
    ref = claimed.ref
    if lock_collection(connection, ref.tenant_id, ref.collection_id) is None:
        return None
    statement = (
        select(collections.c.tenant_id, collections.c.id, collections.c.owner_id, WATCHED)
        .add_columns(files.c.name, files.c.created_by)
        .select_from(collections)
        .join(files, OF_COLLECTION)
        .join(generations, generations.c.file_id == files.c.id)
        .where(generation_of(ref), generations.c.claim_token == claimed.token, files.c.deleted_at.is_(None))
    )
    return connection.execute(statement).mappings().one_or_none()


def _uploader(claimed: Claim, archive: RowMapping) -> Principal:
    return Principal(claimed.ref.tenant_id, archive["created_by"], frozenset({Scope.write}))
