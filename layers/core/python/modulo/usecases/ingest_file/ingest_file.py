"""Turn an uploaded file into chunks that searches find, and verify that all of them are there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from modulo.domain.files.file import FileProblem
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.trace import Trace
from modulo.ports.trace import adopt
from modulo.usecases.cache_keys import chunk_group
from modulo.usecases.ingest_file.attempt import IngestAttempt, IngestOutcome
from modulo.usecases.ingest_file.indexing import Indexing
from modulo.usecases.ingest_file.lease import ClaimLease, ClaimLostError
from modulo.usecases.purge import request_purge

if TYPE_CHECKING:
    from datetime import datetime

    from modulo.domain.files.stored_object import ObjectInfo
    from modulo.domain.ingestion.claim import Claim
    from modulo.domain.operations.messages import IngestRequest
    from modulo.usecases.ingest_file.limits import IngestLimits
    from modulo.usecases.ingest_file.ports import IngestPorts


def ingest_file(request: IngestRequest, ports: IngestPorts, *, limits: IngestLimits) -> IngestOutcome:
    """Ingest one generation: claim, parse, chunk, embed, index, verify, publish.

    A large document is divided: each part is a message of its own, and whoever ingests the last one publishes the
    whole. Should messages get lost, the sweep has the whole claimed again, which queues the parts that are left.

    An archive is expanded into files, each of which is ingested by the event that storing it raises.

    A delivery that comes twice, late or for something deleted is skipped. A file that cannot be read ends as failed,
    with the reason. An error that a retry can help is raised, so that the queue delivers again; the last attempt ends
    the file as failed before it raises.

    Raises:
        ModuloError: a dependency did not answer; nothing of this attempt is visible.
    """
    ref = request.ref
    stored = ports.blobs.info(ref)
    if stored is None:
        return IngestOutcome.skipped
    adopt(Trace.of_header(stored.trace))
    claim = _claim(request, stored, ports, now=ports.clock.now(), limits=limits)
    if claim is None:
        return IngestOutcome.skipped
    lease = ClaimLease(
        claim=claim,
        ingestion=ports.ingestion,
        parts=ports.parts,
        clock=ports.clock,
        lease_seconds=limits.lease_seconds,
    )
    attempt = IngestAttempt(lease, Indexing.start(lease, ports, limits.index), ports, limits)
    try:
        with lease.heartbeat():
            outcome = attempt.run(stored)
    except ClaimLostError:
        if not ports.ingestion.viable(ref):  # or else another worker's chunks, under the same ids, would go too
            attempt.delete_chunks()
            ports.cache.delete(chunk_group(ref.tenant_id, ref.collection_id, ref.file_id))
        return IngestOutcome.skipped
    except Exception as error:
        problem = FileProblem.of(error)
        attempt.give_up(problem)
        if problem.retryable:
            raise
        return IngestOutcome.failed
    if outcome is IngestOutcome.ready and ref.generation > 1:
        request_purge(PurgeRequest(ref.tenant_id, ref.collection_id, ref.file_id), purges=ports.purges)
    return outcome


def _claim(
    request: IngestRequest, stored: ObjectInfo, ports: IngestPorts, *, now: datetime, limits: IngestLimits
) -> Claim | None:
    lease_until = now + timedelta(seconds=limits.lease_seconds)
    if request.part is not None:
        return ports.parts.claim_part(request.ref, request.part, now=now, lease_until=lease_until)
    deadline = now + timedelta(seconds=limits.deadline_seconds)
    return ports.ingestion.claim(
        request.ref, version=stored.version, now=now, lease_until=lease_until, deadline=deadline
    )
