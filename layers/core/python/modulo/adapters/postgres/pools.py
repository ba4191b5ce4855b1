"""The two pools of connections to Postgres, and how a role's methods use them.

A role is a class with a method for each of its port's. A method takes a connection and holds the SQL; its decorator
says where the connection comes from, and turns it into the port's method, which takes none:

    class PostgresMembers(Pooled):
        @read
        def list_members(self, connection: Connection, principal: Principal, collection_id: UUID) -> list[Member]: ...

    members: Members = PostgresMembers(pools)
    members.list_members(principal, collection_id)

| decorator      | connection of | commits                               | for                                       |
|----------------|---------------|---------------------------------------|-------------------------------------------|
| `@transaction` | the writer    | at the end, or not at all             | changes; announces what it changed        |
| `@read`        | the reader    | nothing                               | what may lag behind by a moment           |
| `@autocommit`  | the writer    | each statement, in its own round trip | one statement; reads that must be current |

A method that decides this when it is called asks `self.pools` itself.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from modulo.adapters.postgres import engine
from modulo.adapters.postgres.announcements import take_notes
from modulo.domain.errors import NotFound, Unavailable

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Role = TypeVar("Role", bound="Pooled")
MAX_DEADLOCKS = 2
"""After so many, whoever asks is told to try again."""


class Pools:
    """The writer's pool and the reader's, which are the same where no reader is configured.

    `announce` is called, once a transaction is committed, with the ids of tenant and collection of every collection
    that it changed and that has subscriptions.
    """

    def __init__(
        self, writer: Engine, reader: Engine, announce: Callable[[UUID, UUID], None] = lambda _tenant, _collection: None
    ) -> None:
        self.writer = writer
        self.reader = reader
        self._announce = announce

    def transaction(self, work: Callable[[Connection], Result]) -> Result:
        """Work in one transaction on the writer, and announce what it changed.

        Where it and another one wait for each other, and Postgres ends it, the work is done again. It must therefore
        change nothing but the database.
        """
        for _ in range(MAX_DEADLOCKS):
            try:
                return self.transaction_once(work)
            except Unavailable as error:
                if not engine.is_deadlock(error):
                    raise
        return self.transaction_once(work)

    def transaction_once(self, work: Callable[[Connection], Result]) -> Result:
        """The same, never done again: for work whose effects a rollback does not take back."""
        with engine.transaction(self.writer) as connection:
            take_notes(connection)  # drop what a transaction noted that was rolled back
            found = work(connection)
            changed = take_notes(connection)
        for tenant_id, collection_id in changed:
            self._announce(tenant_id, collection_id)
        return found

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Ask the reader; what it does not find is asked of the writer, as the reader may lag behind."""
        if self.reader is not self.writer:
            try:
                with engine.statements(self.reader) as connection:
                    found = work(connection)
            except NotFound:
                found = None
            if found is not None:
                return found
        return self.autocommit(work)

    def autocommit(self, work: Callable[[Connection], Result]) -> Result:
        """Work on the writer; each statement is a transaction of its own."""
        with engine.statements(self.writer) as connection:
            return work(connection)

    def ping(self) -> None:
        """Ask for something small, of the writer and of the reader."""
        for pool in dict.fromkeys((self.writer, self.reader)):
            with engine.statements(pool) as connection:
                connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close the pooled connections; the next request opens others."""
        self.writer.dispose()
        self.reader.dispose()


class Pooled:
    """A role on Postgres."""

    def __init__(self, pools: Pools) -> None:
        self.pools = pools


def transaction(
    method: Callable[Concatenate[Role, Connection, Parameters], Result],
) -> Callable[Concatenate[Role, Parameters], Result]:
    """Have the method work in one transaction on the writer."""

    @wraps(method)
    def run(self: Role, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return self.pools.transaction(lambda connection: method(self, connection, *args, **kwargs))

    return run


def read(
    method: Callable[Concatenate[Role, Connection, Parameters], Result],
) -> Callable[Concatenate[Role, Parameters], Result]:
    """Have the method ask the reader, and the writer for what the reader does not find."""

    @wraps(method)
    def run(self: Role, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return self.pools.read(lambda connection: method(self, connection, *args, **kwargs))

    return run


def autocommit(
    method: Callable[Concatenate[Role, Connection, Parameters], Result],
) -> Callable[Concatenate[Role, Parameters], Result]:
    """Have each of the method's statements be a transaction of its own on the writer."""

    @wraps(method)
    def run(self: Role, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return self.pools.autocommit(lambda connection: method(self, connection, *args, **kwargs))

    return run
