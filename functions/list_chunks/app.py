"""GET /collections/{collection_id}/files/{file_id}/chunks."""

from uuid import UUID

from modulo.domain.documents.file_chunk import FileChunk
from modulo.domain.errors import Conflict, NotFound, Unavailable
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import (
    AfterChunk,
    APIRouter,
    PageSize,
    Reader,
    handler_of,
    responses,
    run_external,
    services,
)
from modulo.usecases.list_chunks import list_chunks

router = APIRouter(tags=["files"])
PATH = "/collections/{collection_id}/files/{file_id}/chunks"


@router.get(PATH, operation_id="list_chunks", responses=responses(Conflict, NotFound, Unavailable))
async def endpoint(
    caller: Reader, collection_id: UUID, file_id: UUID, after: AfterChunk = None, limit: PageSize = 50
) -> Listing[FileChunk]:
    """List the passages of a file as searches see them, in the document's order."""
    s = services()
    return await run_external(
        list_chunks,
        caller,
        collection_id,
        file_id,
        after=after,
        limit=limit,
        files=s.files,
        grants=s.grants,
        vectors=s.vectors,
    )


handler = handler_of(router, uses=("files", "grants", "vectors"))
