"""The queues of an environment."""

import logging
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from modulo.domain.errors import ModuloError
from modulo.domain.operations.messages import PushRequest
from modulo.settings import NONE, Settings

if TYPE_CHECKING:
    from modulo.ports.queue import Queue

log = logging.getLogger(__name__)
ANNOUNCE_SECONDS = 1
"""How long what changes is gathered before who watches is told."""


class Queues:
    """Each made on first use and kept, as everything of `Services`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def purges(self) -> "Queue":
        """The queue of `purge`."""
        return self._queue("purge_queue_url")

    @cached_property
    def fetches(self) -> "Queue":
        """The queue of `fetch_url`."""
        return self._queue("fetch_queue_url")

    @cached_property
    def ingests(self) -> "Queue":
        """The queue of `ingest_file`."""
        return self._queue("ingest_queue_url")

    @cached_property
    def pushes(self) -> "Queue":
        """The queue of `push_events`, where browsers watch through API Gateway."""
        if self.settings.push_queue_url == NONE:
            from modulo.adapters.no_queue import NoQueue

            return NoQueue()
        return self._queue("push_queue_url")

    def announce(self, tenant_id: UUID, collection_id: UUID) -> None:
        """Have those who watch a collection told, a moment later, what else happens until then included.

        What was changed is changed: where this fails, the sweep has them told.
        """
        try:
            self.pushes.send(PushRequest(tenant_id, collection_id).body(), delay_seconds=ANNOUNCE_SECONDS)
        except ModuloError as error:
            log.warning(
                "push notification not queued for collection %s; the sweep will retry: %s", collection_id, error.detail
            )

    @cached_property
    def dead_letter_queue(self) -> "Queue":
        """The queue of `record_dead_letter`: what the others gave up."""
        return self._queue("dead_letters_queue_url")

    @cached_property
    def schedules(self) -> "Queue":
        """The queue of ticks that workers serve."""
        return self._queue("schedules_queue_url")

    def _queue(self, name: str) -> "Queue":
        from modulo.adapters.aws.sqs_queue import SqsQueue

        return SqsQueue(self.settings.address(name))
