"""Ingest a failed file again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from modulo.domain.errors import Conflict, Forbidden
from modulo.domain.files.file import Stage
from modulo.domain.files.upload import UploadReceipt
from modulo.domain.operations.messages import FetchRequest, IngestRequest
from modulo.domain.tenancy.identity import Role

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.file import File
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.collections import Collections
    from modulo.ports.metadata.fetching import Fetching
    from modulo.ports.metadata.files import Files
    from modulo.ports.metadata.ingestion import Ingestion
    from modulo.ports.queue import Queue


@dataclass(frozen=True, slots=True)
class RetryPorts:
    """What queues a failed file again; a file that is fetched again fails `deadline_seconds` later."""

    ingestion: Ingestion
    fetching: Fetching
    blobs: Blobs
    ingests: Queue
    fetches: Queue
    clock: Clock
    deadline_seconds: int


def retry_file(
    principal: Principal,
    collection_id: UUID,
    file_id: UUID,
    *,
    files: Files,
    collections: Collections,
    ports: RetryPorts,
) -> UploadReceipt:
    """Queue a file that failed for a temporary reason; it shows its problem until a worker claims it.

    Attempts and deadline start again. Repeating it does no harm: what is being ingested or ready is not claimed again.
    A file whose URL could not be fetched is fetched again.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such file is visible to the caller.
        Conflict: the file has not failed, a retry cannot help, or its bytes never arrived.
    """
    file = files.get_file(principal, collection_id, file_id, fresh=True)
    require_editor(principal, collection_id, collections=collections)
    if not may_be_retried(file):
        raise Conflict("Only a file that failed with a problem marked as retryable can be tried again.")
    receipt = queue_retry(principal, file, ports)
    if receipt is None:
        raise Conflict("The bytes of this file never arrived: upload them, or add its address, again.")
    return receipt


def require_editor(principal: Principal, collection_id: UUID, *, collections: Collections) -> None:
    """Refuse a caller who is no editor of the collection.

    Raises:
        Forbidden: the caller's role does not suffice.
    """
    if not collections.get_collection(principal, collection_id).role.allows(Role.editor):
        raise Forbidden("This needs the role 'editor' on the collection.")


def may_be_retried(file: File) -> bool:
    """Whether the file failed with a retryable problem."""
    return file.stage is Stage.failed and file.problem is not None and file.problem.retryable


def queue_retry(principal: Principal, file: File, ports: RetryPorts) -> UploadReceipt | None:
    """Queue what the file failed at, its fetch or its ingestion; None where its bytes are gone or were never sent."""
    ref = file.ref(principal.tenant_id)
    if ports.blobs.info(ref) is not None:
        ports.ingestion.reset_attempts(ref)
        ports.ingests.send(IngestRequest(ref).body())
    else:
        now = ports.clock.now()
        if not ports.fetching.restart_fetch(ref, deadline=now + timedelta(seconds=ports.deadline_seconds), now=now):
            return None
        ports.fetches.send(FetchRequest(ref).body())
    return UploadReceipt(file_id=file.id, task_id=ref.task_id, generation=file.generation, url=file.url)
