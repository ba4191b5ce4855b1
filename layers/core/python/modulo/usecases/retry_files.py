"""Ingest the failed files of a collection again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.files.file import Stage
from modulo.domain.files.upload import UploadReceipt
from modulo.domain.pagination import Cursor, Listing
from modulo.usecases.retry_file import may_be_retried, queue_retry, require_editor

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.collections import Collections
    from modulo.ports.metadata.files import Files
    from modulo.usecases.retry_file import RetryPorts


def retry_files(
    principal: Principal,
    collection_id: UUID,
    *,
    after: str | None,
    limit: int,
    files: Files,
    collections: Collections,
    ports: RetryPorts,
) -> Listing[UploadReceipt]:
    """Queue those on one page of the failed files that a retry can help.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such collection is visible to the caller.
    """
    require_editor(principal, collection_id, collections=collections)
    cursor = Cursor.decode(after) if after is not None else None
    failed = files.list_files(principal, collection_id, after=cursor, limit=limit, stage=Stage.failed)
    receipts = (queue_retry(principal, file, ports) for file in failed.items if may_be_retried(file))
    return Listing[UploadReceipt](items=tuple(filter(None, receipts)), next=failed.next)
