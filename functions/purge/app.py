"""Requests to purge what was deleted or replaced."""

from modulo.domain.operations.purge import PurgeRequest
from modulo.runtime.dead_letters import record_with_cause
from modulo.runtime.events import purges
from modulo.runtime.queue import queue_handler
from modulo.services import services
from modulo.usecases.purge import purge


def work(request: PurgeRequest) -> bool:
    """Purge one file, its older generations, a collection, a user file, its parts, or do the next step of a tenant."""
    s = services()
    return purge(
        request,
        purging=s.purging,
        deletions=s.deletions,
        tenants=s.tenants,
        user_files=s.user_files,
        part_uploads=s.part_uploads,
        vectors=s.vectors,
        blobs=s.blobs,
        cache=s.cache,
        purges=s.purges,
        clock=s.clock,
    )


PORTS = (
    "purging",
    "deletions",
    "tenants",
    "user_files",
    "part_uploads",
    "vectors",
    "blobs",
    "cache",
    "purges",
    "clock",
)
handler = queue_handler(purges, work, lambda s: s.purges, record_with_cause, uses=PORTS)
