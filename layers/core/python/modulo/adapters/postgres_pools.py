"""The two pools of connections to Postgres, and what is asked of which."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine

from modulo.adapters.postgres_announcing import noted
from modulo.adapters.postgres_engine import statements, transaction
from modulo.domain.errors import NotFound

Result = TypeVar("Result")


class PostgresPools:
    """Writes and what must be fresh go to the writer, all else to the reader.

    What a lagging reader does not find is asked of the writer, so that what was just made is there. What a transaction
    changed of a watched collection is announced by the ids of tenant and collection.
    """

    def __init__(
        self, writer: Engine, reader: Engine, announce: Callable[[UUID, UUID], None] = lambda _tenant, _collection: None
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._announce = announce

    def close(self) -> None:
        """Close the pooled connections; the next request opens others."""
        self._writer.dispose()
        self._reader.dispose()

    def _write(self, work: Callable[[Connection], Result]) -> Result:
        with transaction(self._writer) as connection:
            noted(connection)  # by one that was rolled back
            found = work(connection)
            changed = noted(connection)
        for tenant_id, collection_id in changed:
            self._announce(tenant_id, collection_id)
        return found

    def _read(self, work: Callable[[Connection], Result]) -> Result:
        if self._reader is not self._writer:
            try:
                with statements(self._reader) as connection:
                    found = work(connection)
            except NotFound:
                found = None
            if found is not None:
                return found
        return self._at_once(work)

    def _at_once(self, work: Callable[[Connection], Result]) -> Result:
        with statements(self._writer) as connection:
            return work(connection)
