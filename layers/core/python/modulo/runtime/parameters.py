"""Parameters that several endpoints share."""

from typing import Annotated

from fastapi import Depends, Header, Query, UploadFile

from modulo.domain.file import OnDuplicate
from modulo.domain.upload import SentFile

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="the same key again answers with what the first request created",
    ),
]
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=100, description="the `id` of the last event, to go on from")
]
After = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]
PageSize = Annotated[int, Query(alias="limit", ge=1, le=100)]


async def _sent(
    file: UploadFile,
    on_duplicate: Annotated[OnDuplicate, Query(description="where a file holds the same bytes already")] = (
        OnDuplicate.existing
    ),
    idempotency_key: IdempotencyKey = None,
) -> SentFile:
    return SentFile(file.filename or "", await file.read(), on_duplicate, idempotency_key)


SmallFile = Annotated[SentFile, Depends(_sent)]
