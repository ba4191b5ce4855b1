"""The metadata as a whole. Rows travel as JSON that Postgres itself writes and reads, so that no type is lost."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    RowMapping,
    Table,
    Text,
    Uuid,
    cast,
    delete,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError

from modulo.adapters.postgres import engine
from modulo.adapters.postgres.engine import sqlstate
from modulo.adapters.postgres.locks import lock_collection
from modulo.adapters.postgres.pools import Pooled, read, transaction
from modulo.adapters.postgres.purges import spaces_where
from modulo.adapters.postgres.rows import OF_COLLECTION, OF_FILE, among, arrays, in_tenant
from modulo.adapters.postgres.tables import (
    collections,
    dead_letters,
    files,
    generations,
    metadata,
    periods,
    tenants,
    user_files,
    users,
    watchers,
)
from modulo.adapters.postgres.tombstones import tombstone
from modulo.adapters.postgres.vector_rebuilds import rebuild
from modulo.domain.collections.collection import Space
from modulo.domain.errors import Conflict, InvalidRequest, NotFound
from modulo.domain.files.file import UNFINISHED, FileRef, Stage
from modulo.domain.files.user_file import UserFileRef
from modulo.domain.operations.backup import NOT_EXPORTED, GoneFile, Manifest, Snapshot, WantedObject
from modulo.domain.tenancy.identity import Principal

PAGE = 500
"""Rows read or written by one statement."""
_TABLES = {table.name: table for table in metadata.sorted_tables if table is not watchers}
"""By name, those that are referred to first. A watcher is a connection, which no backup brings back."""
_OF_A_TENANT = [table for name, table in _TABLES.items() if name not in NOT_EXPORTED]
_LOCK = 5_806_214_093
"""Of those who restore."""
_REFUSED = ("22", "23")
"""Classes of errors that values and constraints raise."""


class PostgresBackups(Pooled):
    """All rows of one moment, and all rows at once."""

    def read_rows(self, tenant_id: UUID | None, write: Callable[[str, Sequence[str]], None]) -> Snapshot:
        """Read page by page, in one transaction that sees one moment; what was written is not written again."""
        return self.pools.transaction_once(lambda connection: _read_rows(connection, tenant_id, write))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock of those who restore in a transaction, on a connection beside those of the pool."""
        with _beside(self.pools.writer) as connection:
            with engine.translating():
                connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                taken = connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one()
            if not taken:
                raise Conflict("Another restore is under way: wait until it has ended, then restore again.")
            yield

    @read
    def which_live(self, connection: Connection, named: Iterable[GoneFile]) -> Collection[GoneFile]:
        """Those without a tombstone, in a collection without one."""
        asked = list(named)
        given = arrays(
            tenant_id=(Uuid(), [one.tenant_id for one in asked]), id=(Uuid(), [one.file_id for one in asked])
        )
        living = (
            select(files.c.tenant_id, files.c.id)
            .join(collections, OF_COLLECTION)
            .join(tenants, tenants.c.id == files.c.tenant_id)
            .where(files.c.tenant_id == given.c.tenant_id, files.c.id == given.c.id, *_LIVING)
        )
        return {GoneFile(tenant_id=row.tenant_id, file_id=row.id) for row in connection.execute(living)}

    @read
    def which_tenants_exist(self, connection: Connection, tenant_ids: Collection[UUID]) -> Collection[UUID]:
        """Those of which there is a row."""
        return set(connection.scalars(select(tenants.c.id).where(among(tenants.c.id, list(tenant_ids)))))

    @read
    def spaces_of(self, connection: Connection, tenant_ids: Collection[UUID]) -> Sequence[Space]:
        """Those of all their collections' indexes."""
        return spaces_where(connection, among(collections.c.tenant_id, list(tenant_ids)))

    def check_tables(self, tables: Mapping[str, Sequence[str]]) -> None:
        """Compare with the tables of this version; columns that have come since take their defaults."""
        for name, given in tables.items():
            table = _TABLES.get(name)
            if table is None or not set(given) <= set(table.c.keys()) or len(set(given)) != len(given):
                raise InvalidRequest(
                    f"The archive holds a table {name!r} that this version does not know so: a later one wrote it."
                )
            lacking = [c.name for c in table.c if not c.nullable and c.server_default is None and c.name not in given]
            if lacking:
                raise InvalidRequest(f"The archive is refused: its table {name} lacks {', '.join(lacking)}.")

    @transaction
    def write_rows(
        self,
        connection: Connection,
        manifest: Manifest,
        rows: Callable[[str], Iterable[str]],
        *,
        tenant_ids: Collection[UUID],
        now: datetime,
    ) -> tuple[FileRef, ...]:
        """Delete, insert and queue in one transaction, which waits for those that change the same and they for it."""
        before = _lock(connection, list(tenant_ids))
        for table in reversed(metadata.sorted_tables):
            if table is not periods:
                connection.execute(delete(table).where(among(_tenant_of(table), list(tenant_ids))))
        for name, table in _TABLES.items():
            if name in manifest.tables:
                _insert(connection, table, manifest.tables[name].columns, rows(name))
        queued = _begin_anew(connection, manifest, list(tenant_ids), now)
        _outdate(connection, before)
        return queued


@contextmanager
def _beside(writer: Engine) -> Iterator[Connection]:
    """A connection beside those of the pool, which may have no more than one."""
    pool = writer.pool.recreate()
    with engine.translating():
        connection = Engine(pool, writer.dialect, writer.url).connect()
    try:
        yield connection
    finally:
        connection.close()
        pool.dispose()


def _lock(connection: Connection, tenant_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Lock what every change of the tenants locks, in the same order: collections, users last; the collections."""
    ours = among(collections.c.tenant_id, tenant_ids)
    key = (collections.c.tenant_id, collections.c.id)
    statement = select(*key, collections.c.version).where(ours).order_by(*key).with_for_update()
    found = connection.execute(statement).mappings().all()
    for table in (users, tenants):
        connection.execute(
            select(table.c.id).where(among(_tenant_of(table), tenant_ids)).order_by(table.c.id).with_for_update()
        )
    return found


def _outdate(connection: Connection, before: Sequence[RowMapping]) -> None:
    """Give collections later versions than they ever had here: what was cached of those is of no use any more."""
    given = arrays(
        tenant_id=(Uuid(), [row["tenant_id"] for row in before]),
        id=(Uuid(), [row["id"] for row in before]),
        version=(BigInteger(), [row["version"] for row in before]),
    )
    connection.execute(
        update(collections)
        .values(version=func.greatest(collections.c.version, given.c.version + 1))
        .where(collections.c.tenant_id == given.c.tenant_id, collections.c.id == given.c.id)
    )


def _tenant_of(table: Table) -> Column[UUID]:
    return table.c.id if table is tenants else table.c.tenant_id


_LIVING = (files.c.deleted_at.is_(None), collections.c.deleted_at.is_(None), tenants.c.deleted_at.is_(None))


def _read_rows(connection: Connection, tenant_id: UUID | None, write: Callable[[str, Sequence[str]], None]) -> Snapshot:
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    if tenant_id is not None and not _lives(connection, tenant_id):
        raise NotFound("There is no such tenant, or it was deleted.")
    found = list(_TABLES.values()) if tenant_id is None else _OF_A_TENANT
    for table in found:
        for lines in _pages(connection, table, tenant_id):
            write(table.name, lines)
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    columns = {table.name: [column.name for column in table.c] for table in found}
    return Snapshot(revision, columns, [*_objects(connection, tenant_id), *_user_objects(connection, tenant_id)])


def _lives(connection: Connection, tenant_id: UUID) -> bool:
    statement = select(tenants.c.id).where(tenants.c.id == tenant_id, tenants.c.deleted_at.is_(None))
    return connection.execute(statement).first() is not None


def _pages(connection: Connection, table: Table, tenant_id: UUID | None) -> Iterator[list[str]]:
    """The rows as JSON, by primary key: each page begins behind the last one's end."""
    key = list(table.primary_key)
    row = cast(func.row_to_json(table.table_valued()), Text).label("row")
    statement = select(row, *key).order_by(*key).limit(PAGE)
    if tenant_id is not None:
        statement = statement.where(_tenant_of(table) == tenant_id)
    last: Sequence[Any] | None = None
    while True:
        page = statement if last is None else statement.where(tuple_(*key) > tuple_(*last))
        found = connection.execute(page).all()
        if found:
            yield [one.row for one in found]
        if len(found) < PAGE:
            return
        last = found[-1][1:]


def _objects(connection: Connection, tenant_id: UUID | None) -> list[WantedObject]:
    """The uploaded bytes that living files are made of, or may be at a retry."""
    statement = (
        select(
            files.c.tenant_id,
            files.c.collection_id,
            files.c.id,
            generations.c.source,
            func.max(generations.c.object_version).label("version"),
            func.max(generations.c.media_type).label("media_type"),
        )
        .join(files, OF_FILE)
        .join(collections, OF_COLLECTION)
        .join(tenants, tenants.c.id == files.c.tenant_id)
        .where(*_LIVING, generations.c.retired_at.is_(None), generations.c.purged_at.is_(None))
        .where(generations.c.stage != Stage.awaiting_upload.value)
        .group_by(files.c.tenant_id, files.c.collection_id, files.c.id, generations.c.source)
        .order_by(files.c.tenant_id, files.c.collection_id, files.c.id, generations.c.source)
    )
    if tenant_id is not None:
        statement = statement.where(in_tenant(tenant_id, generations, files, collections))
    return [WantedObject(FileRef(*row[:4]), row.version, row.media_type) for row in connection.execute(statement)]


def _user_objects(connection: Connection, tenant_id: UUID | None) -> list[WantedObject]:
    statement = (
        select(user_files.c.tenant_id, user_files.c.user_id, user_files.c.id, user_files.c.media_type)
        .join(tenants, tenants.c.id == user_files.c.tenant_id)
        .where(user_files.c.deleted_at.is_(None), ~user_files.c.arriving, tenants.c.deleted_at.is_(None))
        .order_by(user_files.c.tenant_id, user_files.c.id)
    )
    if tenant_id is not None:
        statement = statement.where(in_tenant(tenant_id, user_files))
    return [WantedObject(UserFileRef(*row[:3]), None, row.media_type) for row in connection.execute(statement)]


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[str]) -> None:
    """Insert rows, each of which Postgres takes apart by its table's types.

    What belongs to no tenant may be there already: days that were opened, and messages that nobody can read.

    Raises:
        InvalidRequest: a value or a reference is not allowed.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    lenient = " ON CONFLICT DO NOTHING" if table in (periods, dead_letters) else ""
    statement = text(  # names are those of our own tables: `check_tables` has seen to that
        f"INSERT INTO {table.name} ({names}) SELECT {names}"  # noqa: S608
        f" FROM json_populate_recordset(NULL::{table.name}, CAST(:rows AS json)){lenient}"
    )
    given = iter(rows)
    while page := list(islice(given, PAGE)):
        try:
            connection.execute(statement, {"rows": f"[{','.join(page)}]"})
        except DBAPIError as error:
            if (sqlstate(error) or "")[:2] not in _REFUSED:
                raise
            raise InvalidRequest(f"The archive is refused: its table {table.name} contradicts others.") from error


def _begin_anew(
    connection: Connection, manifest: Manifest, tenant_ids: Sequence[UUID], now: datetime
) -> tuple[FileRef, ...]:
    """Delete what was deleted meanwhile, and have everything else ingested from objects that are other ones by now."""
    of_these = among(generations.c.tenant_id, tenant_ids)
    connection.execute(update(generations).values(object_version=None).where(of_these))
    _delete_gone(connection, manifest.gone, now)
    living = (among(collections.c.tenant_id, tenant_ids), collections.c.deleted_at.is_(None))
    queued: list[FileRef] = []
    for collection in connection.execute(select(collections).where(*living)).mappings().all():
        queued += rebuild(connection, collection, now)
    lost = [one.file_id for one in manifest.lost]
    unfinished = generations.c.stage.in_([stage.value for stage in UNFINISHED])
    overdue = update(generations).values(deadline=now).where(of_these, among(generations.c.file_id, lost), unfinished)
    connection.execute(overdue)
    return tuple(queued)


def _delete_gone(connection: Connection, gone: Sequence[GoneFile], now: datetime) -> None:
    for one in gone:
        statement = (
            select(files.c.id, files.c.name, files.c.collection_id)
            .join(collections, OF_COLLECTION)
            .where(in_tenant(one.tenant_id, files, collections), files.c.id == one.file_id, *_LIVING[:2])
        )
        row = connection.execute(statement).mappings().one_or_none()
        if row is not None:
            collection = lock_collection(connection, one.tenant_id, row["collection_id"])
            if collection is not None:
                owner = Principal(one.tenant_id, collection["owner_id"], frozenset())
                tombstone(connection, owner, collection, [row], now=now)
