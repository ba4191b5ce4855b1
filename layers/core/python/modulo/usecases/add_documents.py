"""Ingest several texts."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from modulo.domain.errors import Forbidden, InvalidRequest, ModuloError, NotFound
from modulo.domain.files.document_text import AddedDocument, AddedDocuments
from modulo.domain.files.file import FileProblem
from modulo.usecases.add_document import add_document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.files.document_text import NewDocument, NewDocuments
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.uploads import Uploads
    from modulo.usecases.create_upload import UploadLimits


def add_documents(
    principal: Principal,
    collection_id: UUID,
    batch: NewDocuments,
    *,
    idempotency_key: str | None,
    uploads: Uploads,
    blobs: Blobs,
    clock: Clock,
    limits: UploadLimits,
) -> AddedDocuments:
    """Add each document in turn, and tell what became of it.

    A document that cannot be added leaves the others alone. Where none can be added any more, as the database does not
    answer, those that are left have that problem too.

    Raises:
        InvalidRequest: a name is given twice, so that one document would replace another.
        NotFound, Forbidden, Unavailable: none can be added, and none was.
    """
    _require_distinct(batch.documents)
    items: list[AddedDocument] = []
    accepted, last = 0, None
    for number, document in enumerate(batch.documents):
        try:
            if last is not None:
                raise last
            receipt = add_document(
                principal,
                collection_id,
                document,
                idempotency_key=idempotency_key and f"{idempotency_key}:{number}",
                uploads=uploads,
                blobs=blobs,
                clock=clock,
                limits=limits,
            )
        except ModuloError as error:
            last = error if _concerns_all(error) else None
            if last is not None and not accepted:
                raise
            items.append(AddedDocument(name=document.name, problem=FileProblem.of(error)))
        else:
            accepted += 1
            items.append(AddedDocument(name=document.name, receipt=receipt))
    return AddedDocuments(accepted=accepted, failed=len(items) - accepted, items=tuple(items))


def _require_distinct(documents: Sequence[NewDocument]) -> None:
    seen: dict[str, int] = {}
    for number, document in enumerate(documents):
        first = seen.setdefault(unicodedata.normalize("NFC", document.name), number)
        if first != number:
            raise InvalidRequest.field(
                f"documents.{number}.name", f"is that of documents.{first}, which it would replace"
            )


def _concerns_all(error: ModuloError) -> bool:
    """Whether the next document would meet with the same: the collection is not the caller's, or a part is down."""
    return isinstance(error, NotFound | Forbidden) or error.status >= 500
