"""What Postgres promises beyond the port: statements, migrations, pools and honest failures."""

import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pg8000
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, NullPool, event, insert, make_url, text
from sqlalchemy.exc import DBAPIError

from modulo.adapters.postgres_engine import engine, engines, sqlstate, transaction
from modulo.adapters.postgres_metadata import PostgresMetadata
from modulo.adapters.postgres_schema import alembic_config, migrate
from modulo.adapters.postgres_tables import metadata as tables
from modulo.domain.collection import Collection
from modulo.domain.deletion import Held, deletion_id
from modulo.domain.document import Part
from modulo.domain.errors import Conflict, InvalidRequest, NotFound, Unavailable
from modulo.domain.file import DocumentInfo, OnDuplicate, Stage
from modulo.domain.filters import parse_filters
from modulo.domain.identity import Principal, Role, api_key_hash
from modulo.domain.letter import LetterPage
from modulo.domain.quota import Reservation
from modulo.domain.reembedding import ReembeddingDraft, State
from modulo.domain.transfer import Cursor, IngestRequest, PartResult
from modulo.domain.watching import Watch
from modulo.domain.web import Arrival, Known, Validators
from modulo.settings import Settings
from tests.contracts.metadata_world import (
    FINAL,
    HOUR,
    MODEL,
    NOW,
    PERIOD,
    QUOTAS,
    World,
    postgres_metadata,
    settings_of,
)
from tests.contracts.test_metadata_identities import key_of
from tests.contracts.test_metadata_isolation import PARAMETERS, watcher
from tests.contracts.test_metadata_letters import burial

Environment = dict[str, str]
OF_ALL_TENANTS = {
    "add_tenant",
    "list_tenants",
    "principal_of",
    "sweep",
    "forget_deletions",
    "buried_letters",
    "open_period",
    "forget_watcher",
    "watched",
    "ping",
}


@contextmanager
def database(environment: Environment) -> Iterator[Settings]:
    """An empty database of its own on the session's server."""
    name = f"t{uuid4().hex}"
    administer(environment, f"CREATE DATABASE {name}")
    try:
        url = make_url(environment["DATABASE_URL"]).set(database=name)
        yield settings_of({"DATABASE_URL": url.render_as_string(hide_password=False)})
    finally:
        administer(environment, f"DROP DATABASE {name} WITH (FORCE)")


def administer(environment: Environment, statement: str) -> None:
    url = make_url(environment["DATABASE_URL"])
    given = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    connection = pg8000.connect(**given, database=url.database, ssl_context=False)
    connection.autocommit = True  # the two statements that no transaction takes
    connection.cursor().execute(statement)
    connection.close()


PARTS = (Part(0, 0, 1), Part(1, 1, 2))
HEAD = max(path.name.split("_")[0] for path in (Path(__file__).parents[2] / "infra/migrations/versions").glob("*.py"))


@pytest.fixture(scope="module")
def settings(postgres: Environment) -> Settings:
    return settings_of(postgres)


@pytest.fixture(scope="module")
def stored(settings: Settings) -> Iterator[PostgresMetadata]:
    with postgres_metadata(settings) as metadata:
        yield metadata


@pytest.fixture
def pool(settings: Settings) -> Iterator[Engine]:
    made = engine(settings, settings.database_url)
    yield made
    made.dispose()


class Sql(list[str]):
    """The statements that a block sends."""

    @contextmanager
    def of(self, metadata: PostgresMetadata) -> Iterator["Sql"]:
        def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            self.append(statement)

        pool = metadata._writer
        event.listen(pool, "before_cursor_execute", note)
        try:
            self.clear()
            yield self
        finally:
            event.remove(pool, "before_cursor_execute", note)


EVERYTHING = {
    "source": "a.pdf",
    "title": "On Growth",
    "author": {"contains": "Ada"},
    "language": ["en", "de"],
    "creation_date": {"gte": "2020", "lt": "2021"},
    "mod_date": "2020-05",
    "created_at": {"gt": "2020", "lte": "2030"},
}
ARRIVAL = Arrival(5, "00" * 32, "text/html")


class TestStatements:
    """How many each method sends, what each holds, and what none may hold behind a pooler."""

    LIMITS: ClassVar = {
        "add_tenant": 1,
        "add_user": 1,
        "add_api_key": 1,
        "list_api_keys": 1,
        "revoke_api_key": 1,
        "principal_of": 1,
        "create_collection": 4,
        "list_collections": 1,
        "get_collection": 1,
        "update_collection": 3,
        "start_reembedding": 7,
        "get_reembedding": 3,
        "move_reembedding": 11,
        "end_reembedding": 7,
        "list_members": 1,
        "set_member": 3,
        "remove_member": 2,
        "remove_alias": 3,
        "reserve_file": 7,
        "list_files": 1,
        "changes": 1,
        "get_file": 1,
        "begin_fetch": 1,
        "arrive": 5,
        "unchanged": 6,
        "refuse": 4,
        "claim": 1,
        "advance": 1,
        "publish": 6,
        "fail": 5,
        "release": 1,
        "count_anew": 1,
        "divide": 3,
        "parts": 1,
        "claim_part": 4,
        "finish_part": 5,
        "viable": 1,
        "sweep": 16,
        "purge_of": 1,
        "record": 1,
        "purged": 13,
        "list_deletions": 1,
        "get_deletion": 1,
        "find_deletion": 1,
        "list_tenants": 1,
        "tenant_deleted": 1,
        "tombstone_tenant": 4,
        "dismantle": 12,
        "end_tenant": 4,
        "forget_deletions": 1,
        "bury": 3,
        "list_letters": 2,
        "buried_letters": 1,
        "mark_retried": 1,
        "discard_letters": 1,
        "grant": 1,
        "live_documents": 1,
        "matching": 1,
        "usage": 1,
        "settle_tokens": 1,
        "open_period": 3,
        "ping": 1,
        "tombstone_file": 8,
        "reserve_archived": 9,
        "drop_archived": 9,
        "tombstone_collection": 6,
        "add_watcher": 3,
        "hold_watchers": 1,
        "let_go": 1,
        "forget_watcher": 1,
        "watched": 2,
    }

    def calls(self, world: World) -> dict[str, partial[Any]]:
        """One successful call of each method, in an order that lets each succeed."""
        store, owner = world.metadata, world.user()
        member, collection = world.user(), world.collection(owner)
        key = key_of(owner)
        for number in range(5):
            world.ready(owner, collection, f"{number}.pdf", 10)
            world.collection(owner, f"c{number}")
        world.ready(owner, collection, "0.pdf", 10)
        at, files = collection.id, store.list_files(owner, collection.id, after=None, limit=9, stage=None).items
        first, second = (world.claim(world.file(owner, collection, name, 10)) for name in ("x", "y"))
        fresh = world.file(owner, collection, "z", 10)
        secret = api_key_hash(str(key.id))
        dropped = [world.collection(owner, name) for name in ("dropped", "gone")]
        for number, gone in enumerate(dropped):
            world.ready(owner, gone, f"{number}.pdf", 10)
            store.tombstone_collection(owner, gone.id, now=NOW)
        deleted = world.found(dropped[0])
        empty = world.found(dropped[1])
        assert deleted.tally
        assert empty.tally
        proven = replace(empty, tally=store.record(world.tenant_id, empty.tally, Held(), cached=0, now=NOW))
        living, gone = World(store), World(store)
        living.user()
        gone.ready(gone_owner := gone.user(), gone.collection(gone_owner))
        store.tombstone_tenant(gone.tenant_id, now=NOW)
        ending = World(store)
        ending.user()
        store.tombstone_tenant(ending.tenant_id, now=NOW)
        step = store.dismantle(ending.tenant_id, now=NOW, limit=9)
        assert step
        assert step.tally
        ended = store.record(ending.tenant_id, step.tally, Held(), cached=0, now=NOW)
        large = world.collection(owner, "large")
        whole, divided = (world.claim(world.file(owner, large, name, 10)) for name in ("p", "q"))
        held = world.claim(world.file(owner, large, "a.zip", 10))
        lease: dict[str, Any] = {"lease_until": NOW + HOUR, "now": NOW}
        assert store.divide(divided, PARTS, pages_total=2, deadline=NOW + HOUR, **lease)
        part = store.claim_part(divided.ref, 0, **lease)
        assert part is not None
        pages = [world.addressed(owner, large, name) for name in ("a.html", "b.html")]
        known = Known(1, ARRIVAL.checksum_sha256, Validators('"1"'))
        first_page = world.addressed(owner, large, "c.html")
        assert store.arrive(world.ref(first_page), ARRIVAL, before=None, now=NOW)
        assert world.publish(world.claim(first_page))
        pages.append(world.addressed(owner, large, "c.html"))
        listing: dict[str, Any] = {"after": None, "limit": 3}
        rebuilt = world.collection(owner, "rebuilt")
        leaving: dict[str, Any] = {"leave_out": True, "now": NOW}
        draft = ReembeddingDraft(uuid4(), MODEL, None, auto_switch=False, keep_seconds=60)
        world.ready(owner, rebuilt, "rebuilt.pdf", 10)
        tokens = Reservation(PERIOD, 5, 10)
        alias = partial(store.reserve_file, owner, at, quotas=QUOTAS, now=NOW)
        named = alias(world.upload("one", 10, checksum_sha256="01" * 32))
        alias(world.upload("other", 10, checksum_sha256="01" * 32, on_duplicate=OnDuplicate.alias))
        letter = burial(IngestRequest(world.ref(fresh)))
        assert store.add_watcher(owner, large.id, watcher("known"), limit=9, now=NOW)
        (watching,) = store.hold_watchers(world.tenant_id, large.id, since=None, lease_until=NOW, now=NOW)
        return {
            "add_tenant": partial(world.user),
            "add_api_key": partial(store.add_api_key, key, secret_hash=secret),
            "list_api_keys": partial(store.list_api_keys, world.tenant_id),
            "principal_of": partial(store.principal_of, secret, now=NOW),
            "revoke_api_key": partial(store.revoke_api_key, world.tenant_id, key.id, now=NOW),
            "create_collection": partial(world.collection, owner, "new"),
            "list_collections": partial(store.list_collections, owner, name="c", **listing),
            "get_collection": partial(store.get_collection, owner, at),
            "update_collection": partial(store.update_collection, owner, at, name="renamed", chunking=None, now=NOW),
            "start_reembedding": partial(store.start_reembedding, owner, rebuilt.id, draft, now=NOW),
            "get_reembedding": partial(store.get_reembedding, owner, rebuilt.id, now=NOW),
            "move_reembedding": partial(store.move_reembedding, owner, rebuilt.id, State.switched, **leaving),
            "end_reembedding": partial(store.end_reembedding, owner, rebuilt.id, now=NOW),
            "set_member": partial(store.set_member, owner, at, member.user_id, Role.viewer),
            "list_members": partial(store.list_members, owner, at),
            "remove_member": partial(store.remove_member, owner, at, member.user_id),
            "matching": partial(store.matching, owner, at, parse_filters(EVERYTHING), limit=3),
            "remove_alias": partial(store.remove_alias, owner, at, named.id, "other", now=NOW),
            "reserve_file": partial(world.file, owner, collection, "0.pdf", 10),
            "list_files": partial(store.list_files, owner, at, stage=None, **listing),
            "changes": partial(store.changes, owner, at, after=Cursor(NOW, fresh.id), limit=3),
            "get_file": partial(store.get_file, owner, at, fresh.id),
            "begin_fetch": partial(store.begin_fetch, world.ref(pages[0]), now=NOW),
            "arrive": partial(store.arrive, world.ref(pages[0]), ARRIVAL, before=None, now=NOW),
            "unchanged": partial(store.unchanged, world.ref(pages[2]), known, known.validators, before=None, now=NOW),
            "refuse": partial(store.refuse, world.ref(pages[1]), FINAL, now=NOW),
            "claim": partial(world.claim, fresh),
            "advance": partial(store.advance, first, Stage.embedding, pages_done=1, lease_until=NOW + HOUR, now=NOW),
            "publish": partial(world.publish, first),
            "release": partial(store.release, world.claim(world.file(owner, collection, "w", 10)), now=NOW),
            "count_anew": partial(store.count_anew, world.ref(fresh)),
            "divide": partial(store.divide, whole, PARTS, pages_total=2, deadline=NOW + HOUR, **lease),
            "parts": partial(store.parts, divided.ref),
            "claim_part": partial(store.claim_part, divided.ref, 1, **lease),
            "finish_part": partial(store.finish_part, part, PartResult(1, "ab" * 32, DocumentInfo()), **lease),
            "viable": partial(store.viable, world.ref(fresh)),
            "fail": partial(store.fail, second, FINAL, now=NOW),
            "sweep": partial(store.sweep, now=NOW + 2 * HOUR, limit=50),
            "purge_of": partial(store.purge_of, world.tenant_id, at, None),
            "record": partial(store.record, world.tenant_id, deleted.tally, Held(), cached=0, now=NOW),
            "purged": partial(store.purged, proven, now=NOW + HOUR),
            "list_deletions": partial(store.list_deletions, owner, **listing),
            "get_deletion": partial(store.get_deletion, owner, deletion_id(dropped[0].id)),
            "find_deletion": partial(store.find_deletion, world.tenant_id, deletion_id(dropped[0].id)),
            "list_tenants": partial(store.list_tenants, after=world.tenant_id, limit=3),
            "tenant_deleted": partial(store.tenant_deleted, world.tenant_id),
            "tombstone_tenant": partial(store.tombstone_tenant, living.tenant_id, now=NOW),
            "dismantle": partial(store.dismantle, gone.tenant_id, now=NOW, limit=9),
            "end_tenant": partial(store.end_tenant, ending.tenant_id, ended, now=NOW),
            "forget_deletions": partial(store.forget_deletions, before=NOW - HOUR, limit=10),
            "bury": partial(store.bury, letter, now=NOW),
            "list_letters": partial(store.list_letters, owner, at, LetterPage(3)),
            "buried_letters": partial(store.buried_letters, LetterPage(3)),
            "mark_retried": partial(store.mark_retried, world.tenant_id, [letter.id], now=NOW),
            "discard_letters": partial(store.discard_letters, world.tenant_id, [letter.id]),
            "grant": partial(store.grant, owner, at),
            "live_documents": partial(store.live_documents, owner, at, [file.id for file in files], reservation=tokens),
            "usage": partial(world.usage, owner),
            "settle_tokens": partial(store.settle_tokens, owner, period=PERIOD, reserved=5, used=1),
            "open_period": partial(store.open_period, PERIOD, keep_from=PERIOD),
            "ping": partial(store.ping),
            "reserve_archived": partial(
                store.reserve_archived, held, world.upload("a.zip/b", 1), quotas=QUOTAS, now=NOW
            ),
            "drop_archived": partial(store.drop_archived, held, keep=[], now=NOW),
            "tombstone_file": partial(store.tombstone_file, owner, at, fresh.id, now=NOW),
            "tombstone_collection": partial(store.tombstone_collection, owner, at, now=NOW),
            "add_watcher": partial(store.add_watcher, owner, large.id, watcher("new"), limit=9, now=NOW),
            "hold_watchers": partial(store.hold_watchers, world.tenant_id, large.id, since=NOW, **lease),
            "let_go": partial(store.let_go, watching, Watch(NOW), told_at=NOW),
            "forget_watcher": partial(store.forget_watcher, "nobody"),
            "watched": partial(store.watched, now=NOW - HOUR, limit=9),
        }

    def test_every_method_sends_few_and_harmless_ones(self, stored: PostgresMetadata) -> None:
        world, sql = World(stored), Sql()
        counts: dict[str, int] = {}
        for name, call in self.calls(world).items():
            with sql.of(stored):
                call()
            counts[name] = len(sql) - (name == "add_tenant")  # that one adds a user as well
            for statement in sql:
                assert len(statement) < 4_096, name
                assert not re.match(r"\s*(SET|RESET|PREPARE|DECLARE|LISTEN|LOCK|CREATE|DISCARD)\b", statement, re.I)
                assert not re.search(r"nextval|setval|set_config|pg_advisory_lock|\bTEMP", statement, re.I), name
                if name not in OF_ALL_TENANTS:
                    assert re.search(r"tenant_id(\)|,| =|::)|tenants\.id = ", statement), statement
                    if not statement.startswith(("INSERT", "WITH")):
                        assert re.search(r"(tenant_id = (%s|given\.)|tenants\.id = %s)", statement), statement
        counts["add_user"] = counts["add_tenant"]
        assert set(counts) == set(PARAMETERS)
        assert {name: count for name, count in counts.items() if count > self.LIMITS[name]} == {}

    def test_the_number_does_not_grow_with_what_is_there(self, stored: PostgresMetadata) -> None:
        world, sql = World(stored), Sql()
        owner = world.user()
        for number in range(9):
            collection = world.collection(owner, f"c{number}")
            world.ready(owner, collection, size=1)
        with sql.of(stored):
            page = stored.list_collections(owner, after=None, limit=9, name=None)
        assert (len(page.items), len(sql)) == (9, 1)
        assert all(item.files == {Stage.ready: 1} for item in page.items)

    def test_a_duplicate_event_costs_two(self, stored: PostgresMetadata) -> None:
        world, sql = World(stored), Sql()
        owner = world.user()
        file = world.ready(owner, world.collection(owner))
        with sql.of(stored):
            assert world.try_claim(file) is None
        assert len(sql) == 2


class TestSchema:
    def test_up_down_and_up_again(self, postgres: Environment) -> None:
        with database(postgres) as settings:
            pool = engine(settings, settings.database_url, poolclass=NullPool)
            assert migrate(settings) == HEAD
            with transaction(pool) as connection:
                command.downgrade(alembic_config(connection), "base")
            with transaction(pool) as connection:
                left = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
                assert left.scalars().all() == ["alembic_version"]
            assert migrate(settings) == HEAD
            assert migrate(settings) == HEAD

    def test_documents_that_are_there_are_found_by_their_dates(self, postgres: Environment) -> None:
        said = {
            "2020-05-31T10:00:00.5+01:00": "2020-05-31T09:00:00.5Z",
            "2020-05-31T10:00:00Z": "2020-05-31T10:00:00Z",
            "2020-05-31T10:00": "2020-05-31T10:00:00Z",
            "2020-05-31": "2020-05-31T00:00:00Z",
            "2020-05": "2020-05-01T00:00:00Z",
            "2020": "2020-01-01T00:00:00Z",
        }
        with database(postgres) as settings, postgres_metadata(settings) as stored:
            world = World(stored)
            owner = world.user()
            collection = world.collection(owner)
            for date in (*said, "2020-05-32", "some day in May"):
                claim, info = world.claim(world.file(owner, collection, date, 1)), DocumentInfo(mod_date=date)
                assert stored.publish(claim, chunk_count=1, content_hash="ab" * 32, info=info, now=NOW)
            with transaction(engine(settings, settings.database_url, poolclass=NullPool)) as connection:
                command.downgrade(alembic_config(connection), "0011")
            migrate(settings)
            for date, moment in said.items():
                found = stored.matching(owner, collection.id, parse_filters({"mod_date": moment}), limit=9).file_ids
                names = [stored.get_file(owner, collection.id, file_id).name for file_id in found]
                assert date in names
            everything = parse_filters({"mod_date": {"gte": "1000"}})
            assert len(stored.matching(owner, collection.id, everything, limit=9).file_ids) == len(said)

    def test_many_migrations_at_once_are_one(self, postgres: Environment) -> None:
        with database(postgres) as settings, ThreadPoolExecutor(4) as threads:
            assert list(threads.map(migrate, [settings] * 4)) == [HEAD] * 4

    def test_the_migrations_make_the_tables_that_the_code_names(self, postgres: Environment) -> None:
        with database(postgres) as migrated, database(postgres) as named:
            migrate(migrated)
            with transaction(engine(migrated, migrated.database_url, poolclass=NullPool)) as connection:
                assert compare_metadata(MigrationContext.configure(connection), tables) == []
                made = catalogue(connection)
            with transaction(engine(named, named.database_url, poolclass=NullPool)) as connection:
                tables.create_all(connection)
                assert catalogue(connection) == made

    def test_migrations_may_lie_elsewhere(self, postgres: Environment, tmp_path: Path) -> None:
        with database(postgres) as settings:
            assert migrate(settings, scripts=Path("infra/migrations")) == HEAD
        with pytest.raises(Unavailable):
            migrate(settings)  # the database is gone

    def test_memory_has_no_schema(self) -> None:
        assert migrate(Settings(database_url="memory:")) == "memory"

    def test_no_row_refers_to_another_tenant(self, stored: PostgresMetadata, pool: Engine) -> None:
        mine, theirs = World(stored), World(stored)
        owner, stranger = mine.user(), theirs.user()
        file = mine.file(owner, mine.collection(owner))
        foreign: dict[str, dict[str, object]] = {
            "api_keys": key_of(stranger).model_dump() | {"secret_hash": bytes(32), "scopes": ["read"]},
            "members": {"collection_id": file.collection_id, "user_id": stranger.user_id, "role": "viewer"},
            "files": {
                "id": uuid4(),
                "collection_id": file.collection_id,
                "name": "x",
                "generation": 1,
                "created_by": stranger.user_id,
                "created_at": NOW,
            },
            "usage": {"user_id": owner.user_id, "period": PERIOD},
        }
        foreign["api_keys"]["user_id"] = owner.user_id
        for name, values in foreign.items():
            with pytest.raises(NotFound), transaction(pool) as connection:
                connection.execute(insert(tables.tables[name]).values(values | {"tenant_id": theirs.tenant_id}))

    @pytest.mark.parametrize(
        "wrong",
        [
            "UPDATE users SET storage_bytes = -1",
            "UPDATE users SET collection_count = -1",
            "UPDATE members SET role = 'king'",
            "UPDATE files SET live_generation = 0",
            "UPDATE generations SET stage = 'lost'",
            "UPDATE generations SET stage = 'ready'",
            "UPDATE generations SET stage = 'failed'",
            "UPDATE generations SET stage = 'parsing'",
            "UPDATE generations SET claim_token = gen_random_uuid()",
            "UPDATE generations SET purged_at = now()",
            "UPDATE collections SET purge_after = now()",
        ],
    )
    def test_what_cannot_be_is_refused(self, stored: PostgresMetadata, pool: Engine, wrong: str) -> None:
        world = World(stored)
        owner = world.user()
        world.file(owner, world.collection(owner))
        tenant = "id" if wrong.startswith("UPDATE tenants") else "tenant_id"
        with pool.connect() as connection, pytest.raises(DBAPIError) as caught:
            connection.execute(text(f"{wrong} WHERE {tenant} = :tenant"), {"tenant": world.tenant_id})
        assert sqlstate(caught.value) == "23514"


def catalogue(connection: Connection) -> list[str]:
    """All columns, constraints and indexes, as Postgres spells them."""
    statement = """
        SELECT concat_ws(' ', table_name, column_name, data_type, udt_name, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        UNION ALL
        SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
        UNION ALL
        SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        ORDER BY 1
    """
    return list(connection.execute(text(statement)).scalars())


class TestReader:
    """A reader that never catches up: an empty database that answers in the reader's place."""

    @pytest.fixture
    def world(self, postgres: Environment, settings: Settings) -> Iterator[World]:
        with database(postgres) as behind:
            migrate(behind)
            apart = settings.model_copy(update={"database_reader_url": behind.database_url})
            with postgres_metadata(apart) as metadata:
                yield World(metadata)

    def test_what_was_just_made_is_there(self, world: World) -> None:
        store, owner = world.metadata, world.user()
        collection = world.collection(owner)
        file = world.ready(owner, collection)
        key = key_of(owner)
        store.add_api_key(key, secret_hash=api_key_hash("just made"))
        assert store.principal_of(api_key_hash("just made"), now=NOW) is not None
        assert store.grant(owner, collection.id).version == 2
        assert store.get_collection(owner, collection.id).files == {Stage.ready: 1}
        assert store.get_file(owner, collection.id, file.id) == file
        assert store.list_files(owner, collection.id, after=None, limit=9, stage=None).items == (file,)
        assert len(store.list_members(owner, collection.id)) == 1
        assert list(world.live(owner, collection, file.id)) == [file.id]

    def test_reads_are_the_readers(self, world: World) -> None:
        owner = world.user()
        world.collection(owner)
        assert world.metadata.list_collections(owner, after=None, limit=9, name=None).items == ()
        assert world.usage(owner).collections == 0

    def test_what_neither_knows_is_not_found(self, world: World) -> None:
        nobody = Principal(uuid4(), uuid4(), frozenset())
        with pytest.raises(NotFound):
            world.metadata.get_collection(nobody, uuid4())
        assert world.metadata.principal_of(api_key_hash("unknown"), now=NOW) is None

    def test_a_ping_asks_both(self, world: World, settings: Settings) -> None:
        world.metadata.ping()
        broken = settings.model_copy(update={"database_reader_url": f"postgresql://x@127.0.0.1:{closed_port()}/x"})
        writer, reader = engines(broken)
        with pytest.raises(Unavailable):
            PostgresMetadata(writer, reader).ping()
        writer.dispose()


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class TestFailures:
    def test_a_server_that_is_down_is_unavailable_to_every_method(self, stored: PostgresMetadata) -> None:
        world = World(stored)
        calls = TestStatements().calls(world)
        address = f"postgresql+pg8000://modulo@127.0.0.1:{closed_port()}/modulo"
        world.metadata = down = PostgresMetadata(*engines(Settings(database_url=address)))
        for name, call in calls.items():
            method = getattr(down, name) if getattr(call.func, "__self__", None) is stored else call.func
            with pytest.raises(Unavailable) as caught:
                method(*call.args, **call.keywords)
            assert caught.value.extra == {"dependency": "postgres"}, name
            assert "127.0.0.1" not in str(caught.value)

    def test_an_exhausted_pool_is_unavailable(self, settings: Settings) -> None:
        small = settings.model_copy(update={"sqlalchemy_pool_size": 1, "database_timeout_seconds": 1})
        pool = engine(small, small.database_url)
        with transaction(pool), pytest.raises(Unavailable), transaction(pool):
            pass
        pool.dispose()

    def test_a_statement_cancelled_by_the_server_is_unavailable(self, settings: Settings, pool: Engine) -> None:
        def wait(seconds: int) -> None:
            with transaction(pool) as connection:
                connection.execute(text("SET LOCAL statement_timeout = 50"))
                connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})

        wait(0)
        with pytest.raises(Unavailable):
            wait(5)

    def test_a_server_that_does_not_answer_is_unavailable(self, settings: Settings) -> None:
        hasty = settings.model_copy(update={"database_timeout_seconds": 1})
        pool = engine(hasty, hasty.database_url)
        with pytest.raises(Unavailable), transaction(pool) as connection:
            connection.execute(text("SELECT pg_sleep(5)"))
        with transaction(pool) as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
        pool.dispose()

    @pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"database": "nowhere"}, {"username": "nobody"}])
    def test_a_refused_login_is_unavailable(self, settings: Settings, wrong: dict[str, Any]) -> None:
        url = make_url(settings.database_url).set(**wrong)
        pool = engine(settings, url.render_as_string(hide_password=False))
        with pytest.raises(Unavailable) as caught, transaction(pool):
            pass
        assert "wrong" not in caught.value.detail

    def test_a_lost_connection_is_replaced(self, stored: PostgresMetadata, settings: Settings) -> None:
        pool = engine(settings.model_copy(update={"sqlalchemy_pool_size": 1}), settings.database_url)
        with transaction(pool) as connection:
            process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with transaction(stored._writer) as connection:
            connection.execute(text("SELECT pg_terminate_backend(:id, 5000)"), {"id": process})
        with transaction(pool) as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != process
        pool.dispose()

    def test_a_writer_that_became_a_reader_is_left(self, settings: Settings) -> None:
        pool = engine(settings.model_copy(update={"sqlalchemy_pool_size": 1}), settings.database_url)

        def process(wanted: str) -> object:
            with transaction(pool) as connection:
                found = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
                connection.execute(text(wanted))
                connection.execute(text("DELETE FROM periods WHERE period < '1800-01-01'"))
            return found

        before = process("SELECT 1")
        assert process("SELECT 1") == before
        with pytest.raises(Unavailable):
            process("SET TRANSACTION READ ONLY")
        assert process("SELECT 1") != before
        pool.dispose()

    def test_those_who_wait_for_each_other_may_try_again(self, stored: PostgresMetadata, pool: Engine) -> None:
        world = World(stored)
        owner = world.user()
        first, second = world.collection(owner, "first"), world.collection(owner, "second")
        both = threading.Barrier(2)

        def lock(mine: Collection, theirs: Collection) -> str:
            try:
                with transaction(pool) as connection:
                    for place in (mine, theirs):
                        statement = "UPDATE collections SET version = version + 1 WHERE tenant_id = :t AND id = :id"
                        connection.execute(text(statement), {"t": world.tenant_id, "id": place.id})
                        if place is mine:
                            both.wait(timeout=10)
            except Unavailable:
                return "unavailable"
            return "done"

        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(lock, (first, second), (second, first))) == ["done", "unavailable"]

    def test_texts_that_cannot_be_stored_are_refused(self, stored: PostgresMetadata) -> None:
        world = World(stored)
        owner = world.user()
        collection = world.collection(owner)
        for name in ("nul \0 byte", "unpaired \ud800"):
            with pytest.raises(InvalidRequest):
                world.collection(owner, name)
            with pytest.raises(InvalidRequest):
                world.file(owner, collection, name)
            with pytest.raises(InvalidRequest):
                stored.list_collections(owner, after=None, limit=9, name=name)

    def test_a_text_that_the_driver_chokes_on_does_not_shift_answers(self, settings: Settings) -> None:
        pool = engine(settings.model_copy(update={"sqlalchemy_pool_size": 1}), settings.database_url)

        def echo(given: str) -> object:
            with transaction(pool) as connection:
                return connection.execute(text("SELECT CAST(:given AS text)"), {"given": given}).scalar_one()

        assert echo("mine") == "mine"
        with pytest.raises(InvalidRequest):
            echo("\ud800")
        assert [echo(given) for given in ("one", "two", "three")] == ["one", "two", "three"]
        pool.dispose()

    def test_a_number_that_is_too_large_is_refused(self, stored: PostgresMetadata) -> None:
        world = World(stored)
        owner = world.user()
        collection = world.collection(owner)
        with pytest.raises(InvalidRequest):
            stored.reserve_file(
                owner, collection.id, world.upload("x", 2**64), quotas=QUOTAS.model_copy(update={"files": 9}), now=NOW
            )

    def test_two_names_that_change_places_do_not_hang(self, stored: PostgresMetadata) -> None:
        world = World(stored)
        owner = world.user()
        pair = [world.collection(owner, name) for name in ("left", "right")]

        def rename(collection: Collection, name: str) -> str:
            try:
                stored.update_collection(owner, collection.id, name=name, chunking=None, now=NOW)
            except (Conflict, Unavailable) as error:
                return type(error).__name__
            return "done"

        with ThreadPoolExecutor(2) as threads:
            assert "done" not in set(threads.map(rename, pair, ("right", "left")))
