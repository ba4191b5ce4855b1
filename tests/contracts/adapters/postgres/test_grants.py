"""The role of functions: it uses the tables, and changes none."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine, NullPool, make_url, text
from sqlalchemy.exc import DBAPIError

from modulo.adapters.postgres.engine import engine, sqlstate, transaction
from modulo.adapters.postgres.schema import migrate
from modulo.domain.errors import InternalError, Unavailable
from modulo.settings import Settings
from tests.contracts.adapters.postgres.empty_database import empty_database
from tests.metadata_world import World, postgres_metadata
from tests.servers import Environment

REFUSED = "42501"
PASSWORD = 'it\'s "quoted" \\ and ²'


def named(settings: Settings, role: str, password: str | None) -> str:
    url = make_url(settings.database_url or "").set(username=role)
    return url._replace(password=password).render_as_string(hide_password=False)


@pytest.fixture
def functions(postgres: Environment) -> Iterator[Settings]:
    """A migrated database whose functions log in as another role than its owner, with an awkward name."""
    with empty_database(postgres) as owner:
        role = f"functions-{uuid4().hex[:8]}"
        settings = owner.model_copy(
            update={"database_url": named(owner, role, PASSWORD), "database_owner_url": owner.database_url}
        )
        migrate(settings)
        yield settings
        with transaction(pool_of(owner.database_url)) as connection:
            connection.exec_driver_sql(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')


def pool_of(address: str | None) -> Engine:
    return engine(Settings(), address or "", poolclass=NullPool)


def test_functions_work_as_their_role(functions: Settings) -> None:
    with postgres_metadata(functions) as stored:
        world = World(stored)
        owner = world.user()
        file = world.file(owner, world.collection(owner))
        assert stored.files.get_file(owner, file.collection_id, file.id) == file


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE files ADD COLUMN mine int",
        "DROP TABLE files",
        "TRUNCATE files CASCADE",
        "CREATE INDEX mine ON files (name)",
        "DROP INDEX ix_files_attributes",
        "CREATE ROLE mine",
        "UPDATE alembic_version SET version_num = '0001'",
        "GRANT ALL ON files TO PUBLIC",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_role_of_functions_changes_no_table(functions: Settings, statement: str) -> None:
    with pool_of(functions.database_url).connect() as connection:
        if statement.startswith("GRANT"):  # which is a warning, and grants nothing
            connection.exec_driver_sql(statement)
            granted = text(
                "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'PUBLIC'"
                " AND table_schema = 'public'"
            )
            assert connection.execute(granted).scalar_one() == 0
            return
        with pytest.raises(DBAPIError) as refused:
            connection.exec_driver_sql(statement)
    assert sqlstate(refused.value) == REFUSED


def test_tables_of_later_migrations_are_used_too_and_a_password_is_renewed(functions: Settings) -> None:
    owner = pool_of(functions.database_owner_url)
    with transaction(owner) as connection:
        connection.exec_driver_sql("CREATE TABLE later (id int)")
    role = make_url(functions.database_url or "").username or ""
    renewed = named(functions, role, "another")
    migrate(functions.model_copy(update={"database_url": renewed}))
    with transaction(pool_of(renewed)) as connection:
        connection.exec_driver_sql("INSERT INTO later VALUES (1)")
    with pytest.raises(Unavailable), transaction(pool_of(functions.database_url)):
        pass


def test_the_password_may_be_kept_elsewhere_and_no_statement_holds_it(functions: Settings) -> None:
    role = make_url(functions.database_url or "").username or ""
    migrate(
        functions.model_copy(update={"database_url": named(functions, role, None)}), functions_password="from a secret"
    )
    with transaction(pool_of(named(functions, role, "from a secret"))) as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == role
    with transaction(pool_of(functions.database_owner_url)) as connection:
        kept = text("SELECT rolpassword FROM pg_authid WHERE rolname = :role")
        assert connection.execute(kept, {"role": role}).scalar_one().startswith("SCRAM-SHA-256$4096:")


def test_a_role_without_a_password_has_to_be_there(postgres: Environment) -> None:
    with empty_database(postgres) as owner:
        missing = owner.model_copy(
            update={"database_url": named(owner, "nobody-at-all", None), "database_owner_url": owner.database_url}
        )
        with pytest.raises(InternalError):
            migrate(missing)
