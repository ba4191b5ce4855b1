"""Connections to Postgres: pools, TLS, IAM tokens, and the one place where its failures become ours."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from modulo.adapters.postgres.pipelined_connection import WireConnection
from modulo.adapters.postgres.rules import name_taken
from modulo.domain.errors import Conflict, InternalError, InvalidRequest, ModuloError, NotFound, Unavailable

if TYPE_CHECKING:
    from modulo.settings import Settings

PING_AFTER_SECONDS = 30.0
"""How long a connection may lie unused before it has to answer first; a network may have forgotten it."""
_RETURNED = "returned"
# https://www.postgresql.org/docs/current/errcodes-appendix.html; classes end with an asterisk there too.
_READER, _UNPREPARED, _OUTDATED = "25006", "26000", "0A000"
"""A writer that failover made a reader; a statement that a pooler lost, or that was prepared for another schema."""
_DISCONNECTED = frozenset({_READER, _UNPREPARED, _OUTDATED, "57P01", "57P02", "57P03"})
_UNAVAILABLE = frozenset({"08", "28", "3D", "40", "53", "57", "58"})
_LOCKED, _DEADLOCK = "55P03", "40P01"
_FOREIGN_KEY, _UNIQUE, _BAD_DATA = "23503", "23505", "22"


def engines(settings: Settings) -> tuple[Engine, Engine]:
    """The writer's pool and the reader's: the same one where no reader is set.

    Raises:
        NotConfigured: there is no database.
        ValueError: the settings would send data or tokens in the clear to another machine, or a URL has parameters.
    """
    url, reader_url = settings.address("database_url"), settings.database_reader_url
    writer = engine(settings, url)
    same = reader_url in (None, url)
    return writer, writer if same or reader_url is None else engine(settings, reader_url)


def engine(settings: Settings, address: str | URL, *, bounded: bool = True, **options: Any) -> Engine:
    """A pool of connections that opens the first when one is needed.

    The isolation level stays the server's: setting it breaks behind a transaction pooler. Statements of a pool that is
    not `bounded` have no timeout here.
    """
    url = make_url(address).set(drivername="postgresql+pg8000")
    tls = _tls(settings, url)
    url = url.difference_update_query(["sslmode"])
    if url.query:  # SQLAlchemy would pass them on, and another `host` among them
        raise ValueError(
            f"a database's URL takes sslmode=disable and no other parameter: remove {', '.join(url.query)}"
        )
    pool = options or {
        "pool_size": settings.sqlalchemy_pool_size,
        "max_overflow": settings.sqlalchemy_max_overflow,
        "pool_recycle": settings.sqlalchemy_pool_recycle,
        "pool_timeout": settings.database_timeout_seconds,
    }
    made = create_engine(
        url,
        # pg8000 keeps the timeout on the socket, so that it bounds each statement as well.
        connect_args={
            "timeout": settings.database_timeout_seconds,
            "application_name": "modulo",
            "ssl_context": tls or False,
            "prepares": settings.database_prepares,
            "bounded": bounded,
        },
        hide_parameters=True,
        **pool,
    )
    event.listen(made, "handle_error", _drop_broken)
    if settings.database_iam_auth and url.password is None:
        if tls is None:
            raise ValueError("DATABASE_IAM_AUTH needs DATABASE_CA_FILE: a token must not travel in the clear")
        from modulo.adapters.postgres.iam_token import use_tokens  # noqa: PLC0415 - boto3 loads only where it is used

        use_tokens(made)
    elif settings.database_secret and url.password is None:
        from modulo.adapters.aws.stored_secret import StoredSecret  # noqa: PLC0415 - loaded only where it is used
        from modulo.adapters.postgres.stored_password import use_stored_password  # noqa: PLC0415 - likewise

        use_stored_password(made, StoredSecret(settings.database_secret))
    event.listen(made, "do_connect", _connect)  # after the tokens: the first that returns something ends the search
    event.listen(made, "checkin", _note_return)
    event.listen(made, "checkout", _require_alive)
    return made


def _connect(_dialect: object, _record: object, arguments: list[Any], parameters: dict[str, Any]) -> WireConnection:
    return WireConnection(*arguments, **parameters)


def _note_return(_connection: WireConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_RETURNED] = monotonic()


def _require_alive(connection: WireConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Have the pool open others where a connection from it was ended meanwhile, or is gone without a word."""
    returned = record.info.pop(_RETURNED, None)
    if returned is None:  # a new one
        return
    unused = monotonic() - returned
    if connection.stale or (unused > PING_AFTER_SECONDS and not connection.answers()):
        raise InvalidatePoolError


@contextmanager
def statements(pool: Engine) -> Iterator[Connection]:
    """A connection on which each statement is a transaction of its own, in one round trip.

    Raises:
        ModuloError: as `transaction` does.
    """
    with translating(), pool.connect() as connection:
        wire = connection.connection.dbapi_connection
        wire.autocommit = True  # type: ignore[union-attr] # safe behind a pooler, as one Sync ends all of a statement
        try:
            yield connection
        finally:
            wire.autocommit = False  # type: ignore[union-attr]


@contextmanager
def transaction(pool: Engine) -> Iterator[Connection]:
    """A connection inside one transaction: committed at the end, rolled back on any exception.

    Raises:
        Unavailable: the server, the pool or the statement did not answer in time; try again.
        Conflict: a unique name, id or hash is taken.
        NotFound: a row refers to one that does not exist.
        InvalidRequest: a value holds what Postgres cannot store.
    """
    with translating(), pool.begin() as connection:
        yield connection


@contextmanager
def translating() -> Iterator[None]:
    """Have the failures of Postgres become ours, as `transaction` says."""
    try:
        yield
    except DBAPIError as error:
        raise _translated(error) from error
    except (PoolTimeout, OSError) as error:
        raise Unavailable(dependency="postgres") from error
    except UnicodeEncodeError as error:
        raise InvalidRequest("A text holds characters that are none: remove unpaired surrogates.") from error
    except SQLAlchemyError as error:
        raise InternalError from error


def sqlstate(error: DBAPIError) -> str | None:
    """The five-character code the server gave, or None where it gave none."""
    return _field(error, "C")


def is_deadlock(error: Unavailable) -> bool:
    """Whether a transaction was rolled back because it and another one waited for each other."""
    return isinstance(error.__cause__, DBAPIError) and sqlstate(error.__cause__) == _DEADLOCK


def _field(error: DBAPIError, name: str) -> str | None:
    arguments = error.orig.args if error.orig is not None else ()
    fields = arguments[0] if arguments else None
    return fields.get(name) if isinstance(fields, dict) else None


def _translated(error: DBAPIError) -> ModuloError:
    code = sqlstate(error)
    if code is None or code == _LOCKED or code in _DISCONNECTED or code[:2] in _UNAVAILABLE:
        return Unavailable(dependency="postgres")
    if code == _UNIQUE:
        return Conflict(_TAKEN.get(_field(error, "n") or ""))
    if code == _FOREIGN_KEY:
        return NotFound()
    if code[:2] == _BAD_DATA:
        return InvalidRequest("A value is out of range or holds characters that cannot be stored.")
    return InternalError()


_TAKEN = {
    "uq_collections_owner_name_key": name_taken().detail,
    "uq_files_name": "The collection has a file of that name: try again.",
}


def _drop_broken(context: ExceptionContext) -> None:
    """Give up connections whose next answer could be a wrong one, or whose server takes no more writes."""
    error = context.sqlalchemy_exception
    if isinstance(error, DBAPIError):
        context.is_disconnect = context.is_disconnect or sqlstate(error) in _DISCONNECTED
    else:
        # Whatever else is raised, such as a text that cannot be encoded, stopped pg8000 in the middle
        # of a message: from then on each statement would read the answer to the one before.
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def _tls(settings: Settings, url: URL) -> ssl.SSLContext | None:
    """The verified context, or None for plaintext, which only loopback and an explicit wish get."""
    if url.query.get("sslmode") == "disable":
        return None
    if settings.database_ca_file:
        return _context(settings.database_ca_file)
    if _loopback(url.host):
        return None
    raise ValueError("DATABASE_CA_FILE is needed for a database on another machine, or ?sslmode=disable in its URL")


@cache
def _context(ca_file: str) -> ssl.SSLContext:
    """One context for all connections: building one takes longer than connecting."""
    return ssl.create_default_context(cafile=ca_file)


def _loopback(host: str | None) -> bool:
    if not host or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
