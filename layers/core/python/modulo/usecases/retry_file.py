"""Ingest a failed file again."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden
from modulo.domain.file import File, Stage
from modulo.domain.identity import Principal, Role
from modulo.domain.transfer import IngestRequest
from modulo.domain.upload import UploadReceipt
from modulo.ports import Blobs, Metadata, Queue


def retry_file(
    principal: Principal, collection_id: UUID, file_id: UUID, *, metadata: Metadata, blobs: Blobs, ingests: Queue
) -> UploadReceipt:
    """Queue a file that failed for a passing reason; it shows its problem until a worker takes it.

    It has as many attempts and as much time as at first.
    Asking twice does no harm: what is being ingested or ready is not taken again.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such file is visible to the caller.
        Conflict: the file has not failed, a retry cannot help, or its bytes never came.
    """
    file = metadata.get_file(principal, collection_id, file_id, fresh=True)
    require_editor(principal, collection_id, metadata=metadata)
    if not may_be_retried(file):
        raise Conflict("Only a file that failed with a problem marked as retryable can be tried again.")
    receipt = queued(principal, file, metadata=metadata, blobs=blobs, ingests=ingests)
    if receipt is None:
        raise Conflict("The bytes of this file never arrived: upload them, or add its address, again.")
    return receipt


def require_editor(principal: Principal, collection_id: UUID, *, metadata: Metadata) -> None:
    """Refuse a caller who may only read.

    Raises:
        Forbidden: the caller's role does not suffice.
    """
    if not metadata.get_collection(principal, collection_id).role.allows(Role.editor):
        raise Forbidden("This needs the role 'editor' on the collection.")


def may_be_retried(file: File) -> bool:
    """Whether the file failed for a reason that may have passed."""
    return file.stage is Stage.failed and file.problem is not None and file.problem.retryable


def queued(
    principal: Principal, file: File, *, metadata: Metadata, blobs: Blobs, ingests: Queue
) -> UploadReceipt | None:
    """Ask for the file's ingestion, or None where its bytes are not there."""
    ref = file.ref(principal.tenant_id)
    if blobs.info(ref) is None:
        return None
    metadata.count_anew(ref)
    ingests.send(IngestRequest(ref).body())
    return UploadReceipt(file_id=file.id, task_id=ref.task_id, generation=file.generation)
