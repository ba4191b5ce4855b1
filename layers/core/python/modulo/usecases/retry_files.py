"""Ingest the failed files of a collection again."""

from uuid import UUID

from modulo.domain.file import Stage
from modulo.domain.identity import Principal
from modulo.domain.transfer import Cursor
from modulo.domain.upload import UploadReceipt
from modulo.domain.value import Listing
from modulo.ports import Blobs, Metadata, Queue
from modulo.usecases.retry_file import may_be_retried, queued, require_editor


def retry_files(
    principal: Principal,
    collection_id: UUID,
    *,
    after: str | None,
    limit: int,
    metadata: Metadata,
    blobs: Blobs,
    ingests: Queue,
) -> Listing[UploadReceipt]:
    """Look at one page of the failed files and queue those that a retry can help.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such collection is visible to the caller.
    """
    require_editor(principal, collection_id, metadata=metadata)
    cursor = Cursor.decode(after) if after else None
    failed = metadata.list_files(principal, collection_id, after=cursor, limit=limit, stage=Stage.failed)
    receipts = (
        queued(principal, file, metadata=metadata, blobs=blobs, ingests=ingests)
        for file in failed.items
        if may_be_retried(file)
    )
    return Listing[UploadReceipt](items=tuple(filter(None, receipts)), next=failed.next)
