"""Create a collection and attach files to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modulo.usecases.attach_file import attach_file
from modulo.usecases.create_collection import create_collection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from modulo.domain.collections.collection import Collection, EmbeddingModel, NewCollection
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.collections import Collections
    from modulo.ports.metadata.uploads import Uploads
    from modulo.ports.metadata.user_files import UserFiles
    from modulo.usecases.create_upload import UploadLimits


@dataclass(frozen=True, slots=True)
class FillPorts:
    """What it takes to create a collection and to attach files to it."""

    collections: Collections
    user_files: UserFiles
    uploads: Uploads
    blobs: Blobs
    clock: Clock


def create_filled_collection(
    principal: Principal,
    request: NewCollection,
    file_ids: Sequence[UUID],
    *,
    ports: FillPorts,
    embedding_model: Callable[[str | None], EmbeddingModel | None],
    limits: UploadLimits,
    max_top_k: int,
) -> Collection:
    """The collection with copies of the caller's own files, which are looked up before it is created.

    Raises:
        NotFound: the caller has no such file.
        As `create_collection` and `attach_file`; what was attached before a failure stays.
    """
    now = ports.clock.now()
    for file_id in file_ids:
        ports.user_files.get_user_file(principal, file_id, now=now)
    made = create_collection(
        principal,
        request,
        idempotency_key=None,
        collections=ports.collections,
        clock=ports.clock,
        embedding_model=embedding_model,
        limit=limits.quotas.collections,
        max_top_k=max_top_k,
    )
    for file_id in file_ids:
        attach_file(
            principal,
            made.id,
            file_id,
            user_files=ports.user_files,
            uploads=ports.uploads,
            blobs=ports.blobs,
            clock=ports.clock,
            limits=limits,
        )
    return ports.collections.get_collection(principal, made.id) if file_ids else made
