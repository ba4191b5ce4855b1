"""The two pools of connections to Postgres, and what is asked of which."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine

from modulo.adapters.postgres_engine import statements, transaction
from modulo.domain.errors import NotFound

Result = TypeVar("Result")


class PostgresPools:
    """Writes and what must be fresh go to the writer, all else to the reader.

    What a lagging reader does not find is asked of the writer, so that what was just made is there.
    """

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader

    def close(self) -> None:
        """Close the pooled connections; the next request opens others."""
        self._writer.dispose()
        self._reader.dispose()

    def _write(self, work: Callable[[Connection], Result]) -> Result:
        with transaction(self._writer) as connection:
            return work(connection)

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
