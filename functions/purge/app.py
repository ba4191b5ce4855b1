"""Requests to remove what was deleted or replaced."""

from modulo.domain.transfer import PurgeRequest
from modulo.runtime.dead_letters import bury_because
from modulo.runtime.queue import purges, queue_handler
from modulo.services import services
from modulo.usecases.purge import purge


def work(request: PurgeRequest) -> bool:
    """Remove one file, its older generations, a collection, or the next of a tenant."""
    s = services()
    return purge(
        request,
        metadata=s.metadata,
        vectors=s.vectors,
        blobs=s.blobs,
        cache=s.cache,
        purges=s.purges,
        clock=s.clock,
    )


handler = queue_handler(purges, work, lambda s: s.purges, bury_because)
