"""Bringing a database's schema up to date, while its clients go on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, event, make_url

from modulo.adapters.postgres.engine import engine, translating
from modulo.adapters.postgres.grants import grant_use
from modulo.domain.errors import Unavailable

if TYPE_CHECKING:
    from modulo.settings import Settings

LOCK_SECONDS = 5
"""How long a migration waits for a table that others use: requests for the table queue up behind it meanwhile."""
PATIENCE_SECONDS = 60.0
"""How long to try again without a limit of time: while a database wakes up, others migrate, or a table is in use."""
PAUSE_SECONDS = 1.0
LOCK_PAUSE_SECONDS = 0.1
MIN_STATEMENT_MS = 100
"""What the last statement before the limit gets: one that is cut at once would tell of a server that is gone."""
_GONE = (
    "SET LOCAL client_connection_check_interval = '5s'; SET LOCAL tcp_keepalives_idle = 30;"
    " SET LOCAL tcp_keepalives_interval = 10; SET LOCAL tcp_keepalives_count = 3"
)
"""Has the server end a transaction whose process was killed, in a statement or between two: it holds locks."""
_LOCK = 0x6D6F64756C6F  # any number no other program uses
_SCRIPTS = Path("infra", "migrations")
log = logging.getLogger(__name__)


def migrate(
    settings: Settings,
    *,
    owner_password: str | None = None,
    functions_password: str | None = None,
    scripts: Path | None = None,
    seconds: float | None = None,
) -> str:
    """Apply the missing migrations, each in a transaction of its own; the revision then reached.

    It connects to the server itself where DATABASE_OWNER_URL names it, because a proxy ends or mixes up what takes
    long. A schema that is newer than the code is left as it is: earlier code works on it. Several may run at once:
    one of them migrates, and the others find nothing to do.

    Where DATABASE_URL names another role than the owner's, that role may then use the tables; `functions_password` is
    its password, where the URL holds none.

    With `seconds`, the server ends what takes longer; without, only the waiting ends, after PATIENCE_SECONDS.

    Raises:
        FileNotFoundError: the migrations are neither in `scripts` nor beside the code.
        NotConfigured: there is no database.
        Unavailable: the database did not answer in time, or others held a lock; try again.
    """
    scripts = scripts or _found()
    used = make_url(settings.address("database_url"))
    address = make_url(settings.database_owner_url or used)
    if owner_password is not None:
        address = address.set(password=owner_password)
    pool = engine(settings, address, bounded=False, poolclass=NullPool)
    give_up = monotonic() + (PATIENCE_SECONDS if seconds is None else seconds)
    event.listen(pool, "begin", partial(_limit, None if seconds is None else give_up))
    while True:
        try:
            with translating(), _alone(pool, give_up), pool.connect() as connection:
                revision = _upgrade(connection, scripts)
                if used.username is not None and used.username != address.username:
                    with connection.begin():
                        grant_use(connection, used.username, functions_password or used.password)
                return revision
        except Unavailable as error:
            if monotonic() + PAUSE_SECONDS > give_up:
                raise
            log.warning("migrating waits: %s Trying again in %g s.", error.__cause__ or error, PAUSE_SECONDS)
            sleep(PAUSE_SECONDS)


def alembic_config(connection: Connection, scripts: Path | None = None) -> Config:
    """What Alembic's commands need to work on the connection."""
    config = Config()
    config.set_main_option("script_location", str(scripts or _found()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, scripts: Path) -> str:
    config = alembic_config(connection, scripts)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    present = _revision(connection)
    if present in known or present is None:
        command.upgrade(config, "head")
        connection.rollback()  # Alembic begins a transaction where there is nothing to do
        return str(_revision(connection))
    log.warning("the schema is at %s, which is newer than this code: nothing is migrated", present)
    return present


def _revision(connection: Connection) -> str | None:
    with connection.begin():
        return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _alone(pool: Engine, give_up: float) -> Iterator[None]:
    """Hold the lock of those who migrate, on a connection of its own, as each migration ends its transaction.

    An index that is made concurrently waits for every snapshot. So the lock is asked for again and again, as a
    statement that waits holds one, and without parameters, as the portal of a statement with some holds one.

    Raises:
        Unavailable: another one migrates until `give_up`.
    """
    with pool.connect() as connection:
        while True:
            with connection.begin():
                if connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_LOCK})").scalar_one():
                    yield
                    return
            if monotonic() + LOCK_PAUSE_SECONDS > give_up:
                raise Unavailable("Another migration is under way: try again when it has ended.")
            sleep(LOCK_PAUSE_SECONDS)


def _limit(give_up: float | None, connection: Connection) -> None:
    """Limit a transaction that begins: on the server, whose timeouts end the work as well as the waiting."""
    left = 0 if give_up is None else max(MIN_STATEMENT_MS, round(1_000 * (give_up - monotonic())))
    connection.exec_driver_sql(
        f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; SET LOCAL statement_timeout = {left};"
        f" SET LOCAL idle_in_transaction_session_timeout = 0; {_GONE}"
    )


def _found() -> Path:
    """The migrations of the checkout that the code runs from, or of the working directory."""
    for place in (*Path(__file__).resolve().parents, Path.cwd()):
        if (place / _SCRIPTS / "env.py").is_file():
            return place / _SCRIPTS
    raise FileNotFoundError(f"no {_SCRIPTS} beside the code: name the directory")
