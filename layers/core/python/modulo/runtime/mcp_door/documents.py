"""Documents as assistants name, cite and read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from modulo.domain.citable_url import document_url
from modulo.domain.errors import InvalidRequest
from modulo.runtime.threads import run, run_external
from modulo.services import services
from modulo.usecases.get_file import get_file
from modulo.usecases.get_file_text import get_file_text

if TYPE_CHECKING:
    from modulo.domain.files.file import File
    from modulo.runtime.mcp_door.visit import Visit

SCHEME: Final = "modulo://"
TEMPLATE: Final = SCHEME + "collections/{collection_id}/documents/{document_id}"
"""The URI of a document as a resource."""


def id_of(collection_id: UUID, file_id: UUID) -> str:
    """The id by which `search` names a document and `fetch` finds it."""
    return f"{collection_id}:{file_id}"


def uri_of(collection_id: UUID, file_id: UUID) -> str:
    """A document's URI as a resource."""
    return TEMPLATE.format(collection_id=collection_id, document_id=file_id)


def url_of(visit: Visit, collection_id: UUID, file_id: UUID) -> str:
    """The address at which the document can be cited and, with a credential, downloaded; it stays the same."""
    return visit.address + document_url(collection_id, file_id)


async def file_named(visit: Visit, identity: str, *, field: str = "id") -> File:
    """The file that an id of `search`, or a URI of a resource, names.

    Raises:
        InvalidRequest: it is no such id, or one of another collection than the address is of.
        NotFound: the caller sees no such document.
    """
    collection_id, file_id = _parts(identity, field)
    if visit.collection is not None and (await visit.named(None)).id != collection_id:
        raise InvalidRequest.field(field, "is of another collection than this address")
    return await run(get_file, visit.caller, collection_id, file_id, files=services().files)


def _parts(identity: str, field: str) -> tuple[UUID, UUID]:
    plain = identity.removeprefix(SCHEME + "collections/").replace("/documents/", ":")
    collection, _, file = plain.partition(":")
    try:
        return UUID(collection), UUID(file)
    except ValueError:
        raise InvalidRequest.field(field, "is no document's id: take it from the results of a search") from None


async def text_of(visit: Visit, file: File) -> str:
    """The text of a file as it was read.

    Raises:
        Conflict: it is not ready.
    """
    s = services()
    found = await run_external(
        get_file_text, visit.caller, file.collection_id, file.id, files=s.files, grants=s.grants, vectors=s.vectors
    )
    return "\n\n".join(found)


async def document(visit: Visit, identity: str) -> dict[str, Any]:
    """A document with its text, in the shape that ChatGPT's connectors want."""
    file = await file_named(visit, identity)
    metadata = {
        "collection_id": str(file.collection_id),
        "document_id": str(file.id),
        "name": file.name,
        "media_type": file.media_type,
        "updated_at": file.updated_at.isoformat(),
        **file.document.model_dump(mode="json", exclude_none=True, include={"author", "language", "total_pages"}),
    }
    return {
        "id": id_of(file.collection_id, file.id),
        "title": file.document.title or file.name,
        "text": await text_of(visit, file),
        "url": url_of(visit, file.collection_id, file.id),
        "metadata": metadata,
    }
