"""Migrations, and what the tables refuse."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, NullPool, insert, text
from sqlalchemy.exc import DBAPIError

from modulo.adapters.postgres.engine import engine, sqlstate, transaction
from modulo.adapters.postgres.schema import alembic_config, migrate
from modulo.adapters.postgres.tables import metadata as tables
from modulo.domain.errors import NotConfigured, NotFound, Unavailable
from modulo.domain.files.file import DocumentInfo
from modulo.domain.retrieval.filter_language import parse_filters
from modulo.settings import Settings
from tests.conftest import Environment
from tests.contracts.adapters.postgres.empty_database import empty_database
from tests.metadata_world import NOW, PERIOD, Metadata, World, key_of, postgres_metadata

HEAD = max(path.name.split("_")[0] for path in (Path(__file__).parents[4] / "infra/migrations/versions").glob("*.py"))


class TestSchema:
    def test_up_down_and_up_again(self, postgres: Environment) -> None:
        with empty_database(postgres) as settings:
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
        with empty_database(postgres) as settings, postgres_metadata(settings) as stored:
            world = World(stored)
            owner = world.user()
            collection = world.collection(owner)
            for date in (*said, "2020-05-32", "some day in May"):
                claim, info = world.claim(world.file(owner, collection, date, 1)), DocumentInfo(mod_date=date)
                assert stored.ingestion.publish(claim, chunk_count=1, content_hash="ab" * 32, info=info, now=NOW)
            with transaction(engine(settings, settings.database_url, poolclass=NullPool)) as connection:
                command.downgrade(alembic_config(connection), "0011")
            migrate(settings)
            for date, moment in said.items():
                found = stored.grants.matching(
                    owner, [collection.id], parse_filters({"mod_date": moment}), limit=9
                ).file_ids
                assert found is not None
                names = [stored.files.get_file(owner, collection.id, file_id).name for file_id in found]
                assert date in names
            everything = parse_filters({"mod_date": {"gte": "1000"}})
            found = stored.grants.matching(owner, [collection.id], everything, limit=9).file_ids
            assert found is not None
            assert len(found) == len(said)

    def test_many_migrations_at_once_are_one(self, postgres: Environment) -> None:
        with empty_database(postgres) as settings, ThreadPoolExecutor(4) as threads:
            assert list(threads.map(migrate, [settings] * 4)) == [HEAD] * 4

    def test_the_migrations_make_the_tables_that_the_code_names(self, postgres: Environment) -> None:
        with empty_database(postgres) as migrated, empty_database(postgres) as named:
            migrate(migrated)
            with transaction(engine(migrated, migrated.database_url, poolclass=NullPool)) as connection:
                assert compare_metadata(MigrationContext.configure(connection), tables) == []
                made = catalogue(connection)
            with transaction(engine(named, named.database_url, poolclass=NullPool)) as connection:
                tables.create_all(connection)
                assert catalogue(connection) == made

    def test_migrations_may_lie_elsewhere(self, postgres: Environment, tmp_path: Path) -> None:
        with empty_database(postgres) as settings:
            assert migrate(settings, scripts=Path("infra/migrations")) == HEAD
        with pytest.raises(Unavailable):
            migrate(settings, seconds=0)  # the database is gone

    def test_without_a_database_the_variable_is_named(self) -> None:
        with pytest.raises(NotConfigured, match="DATABASE_URL is not set"):
            migrate(Settings())

    def test_no_row_refers_to_another_tenant(self, stored: Metadata, pool: Engine) -> None:
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
    def test_what_cannot_be_is_refused(self, stored: Metadata, pool: Engine, wrong: str) -> None:
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
