"""The queues of an environment."""

import logging
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from modulo.domain.errors import ModuloError
from modulo.domain.watching import PushRequest
from modulo.settings import MEMORY, Settings

if TYPE_CHECKING:
    from modulo import ports

log = logging.getLogger(__name__)
ANNOUNCE_SECONDS = 1
"""How long what changes is gathered before who watches is told."""


class Queues:
    """Each made on first use and kept, as everything of `Services`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def purges(self) -> "ports.Queue":
        """The queue of `purge`."""
        return self._queue(self.settings.purge_queue_url, redrives=True)

    @cached_property
    def fetches(self) -> "ports.Queue":
        """The queue of `fetch_url`."""
        return self._queue(self.settings.fetch_queue_url, redrives=True)

    @cached_property
    def ingests(self) -> "ports.Queue":
        """The queue of `ingest_file`."""
        return self._queue(self.settings.ingest_queue_url, redrives=True)

    @cached_property
    def pushes(self) -> "ports.Queue":
        """The queue of `push_events`."""
        return self._queue(self.settings.push_queue_url)

    def announce(self, tenant_id: UUID, collection_id: UUID) -> None:
        """Have those who watch a collection told, a moment later, what else happens until then included.

        What was changed is changed: where this fails, the sweep has them told.
        """
        try:
            self.pushes.send(PushRequest(tenant_id, collection_id).body(), delay_seconds=ANNOUNCE_SECONDS)
        except ModuloError as error:
            log.warning("who watches collection %s is told later: %s", collection_id, error.detail)

    @cached_property
    def dead_letters(self) -> "ports.Queue":
        """The queue of `bury`: what the others gave up."""
        return self._queue(self.settings.dead_letters_queue_url)

    @cached_property
    def schedules(self) -> "ports.Queue":
        """The queue of ticks that workers serve."""
        return self._queue(self.settings.schedules_queue_url)

    def _queue(self, url: str, *, redrives: bool = False) -> "ports.Queue":
        if url == MEMORY:
            from modulo.adapters.memory_queue import MemoryQueue

            dead = self.dead_letters if redrives else None
            return MemoryQueue(dead if isinstance(dead, MemoryQueue) else None, attempts=self.settings.ingest_attempts)
        from modulo.adapters.sqs_queue import SqsQueue

        return SqsQueue(url)
