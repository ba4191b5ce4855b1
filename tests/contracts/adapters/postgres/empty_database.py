"""Empty databases of their own, on the session's server."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pg8000
from sqlalchemy import make_url

from modulo.settings import Settings
from tests.conftest import Environment
from tests.metadata_world import settings_of


@contextmanager
def empty_database(environment: Environment) -> Iterator[Settings]:
    """An empty database of its own on the session's server."""
    with _database(environment, "template1") as made:
        yield made


@contextmanager
def copied_database(environment: Environment, original: Settings) -> Iterator[Settings]:
    """A copy of a database, to which nobody may be connected meanwhile."""
    with _database(environment, make_url(original.database_url or "").database or "") as made:
        yield made


@contextmanager
def _database(environment: Environment, template: str) -> Iterator[Settings]:
    name = f"t{uuid4().hex}"
    _administer(environment, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        url = make_url(environment["DATABASE_URL"]).set(database=name)
        yield settings_of({"DATABASE_URL": url.render_as_string(hide_password=False)})
    finally:
        _administer(environment, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(environment: Environment, statement: str) -> None:
    url = make_url(environment["DATABASE_URL"])
    given = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    connection = pg8000.connect(**given, database=url.database, ssl_context=False)
    connection.autocommit = True  # the two statements that no transaction takes
    connection.cursor().execute(statement)
    connection.close()
