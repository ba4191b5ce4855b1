"""DELETE /collections/{collection_id}/files/{file_id}/aliases/{alias}."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.model import STORABLE
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.remove_alias import remove_alias

router = APIRouter(tags=["files"])
Alias = Annotated[str, Path(pattern=STORABLE)]


@router.delete(
    "/collections/{collection_id}/files/{file_id}/aliases/{alias}",
    operation_id="remove_alias",
    status_code=204,
    responses=responses(Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, file_id: UUID, alias: Alias) -> None:
    """Remove an alias of a file; the file stays."""
    s = services()
    await run(remove_alias, caller, collection_id, file_id, alias, files=s.files, clock=s.clock)


handler = handler_of(router, uses=("files", "clock"))
