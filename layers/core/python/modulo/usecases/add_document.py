"""Ingest a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import EmptyFile
from modulo.domain.files.upload import SentFile
from modulo.usecases.upload_file import upload_file

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.document_text import NewDocument
    from modulo.domain.files.upload import UploadReceipt
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.uploads import Uploads
    from modulo.usecases.create_upload import UploadLimits


def add_document(
    principal: Principal,
    collection_id: UUID,
    document: NewDocument,
    *,
    idempotency_key: str | None,
    uploads: Uploads,
    blobs: Blobs,
    clock: Clock,
    limits: UploadLimits,
) -> UploadReceipt:
    """Store the text as the file of its name, and have it ingested as any file.

    Raises:
        EmptyFile: it is white space only.
        TooLarge: it is larger than the limit, as UTF-8.
        InvalidRequest, UnsupportedFile: the name is not usable, or not one of a text.
        QuotaExceeded: it does not fit.
    """
    if not document.text.strip():
        raise EmptyFile("The text is empty or only white space.")
    sent = SentFile(
        name=document.name,
        content=document.text.encode(),
        on_duplicate=document.on_duplicate,
        idempotency_key=idempotency_key,
        attributes=document.attributes,
    )
    return upload_file(principal, collection_id, sent, uploads=uploads, blobs=blobs, clock=clock, limits=limits)
