"""Bringing a database's schema up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool, text

from modulo.adapters.postgres_engine import engine, transaction
from modulo.settings import MEMORY, Settings

_LOCK = 0x6D6F64756C6F  # any number no other program uses
_SCRIPTS = Path("infra", "migrations")


def migrate(settings: Settings, *, scripts: Path | None = None) -> str:
    """Apply the migrations that are missing, all of them or none; answers the revision then reached.

    Several may run at once: the lock ends with the transaction, and the later ones find nothing to do.
    The in-memory adapter has no schema; its revision is "memory".

    Raises:
        FileNotFoundError: the migrations are neither in `scripts` nor beside the code.
        Unavailable: the database does not answer.
    """
    if settings.database_url == MEMORY:
        return "memory"
    pool = engine(settings, settings.database_url, poolclass=NullPool)
    with transaction(pool) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        command.upgrade(alembic_config(connection, scripts), "head")
        return str(MigrationContext.configure(connection).get_current_revision())


def alembic_config(connection: Connection, scripts: Path | None = None) -> Config:
    """What Alembic's commands need to work on the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(scripts or _found()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _found() -> Path:
    """The migrations of the checkout that the code runs from, or of the working directory."""
    for place in (*Path(__file__).resolve().parents, Path.cwd()):
        if (place / _SCRIPTS / "env.py").is_file():
            return place / _SCRIPTS
    raise FileNotFoundError(f"no {_SCRIPTS} beside the code: name the directory")
