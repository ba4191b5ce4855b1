"""Attach several user files to a collection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from modulo.domain.errors import ModuloError
from modulo.domain.files.file import FileProblem
from modulo.domain.files.file_batch import BatchDraft, BatchFile, copy_id
from modulo.ports.context_threads import ContextThreads
from modulo.usecases.attach_file import attach_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.files.file_batch import FileBatch
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.file_batches import FileBatches
    from modulo.ports.metadata.uploads import Uploads
    from modulo.ports.metadata.user_files import UserFiles
    from modulo.usecases.create_upload import UploadLimits

CONCURRENCY = 8
"""How many files are copied at once: the store takes its time for each."""


@dataclass(frozen=True, slots=True)
class BatchPorts:
    """What it takes to attach files together."""

    file_batches: FileBatches
    user_files: UserFiles
    uploads: Uploads
    blobs: Blobs
    clock: Clock


def create_file_batch(
    principal: Principal,
    collection_id: UUID,
    batch: Sequence[BatchFile],
    *,
    ports: BatchPorts,
    limits: UploadLimits,
) -> FileBatch:
    """Attach each of the caller's own files, which are all looked up before. What became of each is in the batch.

    A file that cannot be attached leaves the others alone. Should this be interrupted, the files that were not
    attached by the deadline have failed.

    Raises:
        NotFound: the caller has no such file, or no such collection is visible.
    """
    now = ports.clock.now()
    for one in batch:
        ports.user_files.get_user_file(principal, one.file_id, now=now)
    deadline = now + timedelta(seconds=limits.deadline_seconds)
    draft = BatchDraft(uuid4(), tuple(one.file_id for one in batch), deadline)
    ports.file_batches.open_batch(principal, collection_id, draft, now=now)

    def attach(one: BatchFile) -> FileProblem | None:
        try:
            attach_file(
                principal,
                collection_id,
                one.file_id,
                user_files=ports.user_files,
                uploads=ports.uploads,
                blobs=ports.blobs,
                clock=ports.clock,
                limits=limits,
                attributes=one.attributes,
                copy_id=copy_id(draft.id, one.file_id),
            )
        except ModuloError as error:
            return FileProblem.of(error)
        return None

    with ContextThreads(CONCURRENCY) as threads:
        outcomes = zip(batch, threads.map(attach, batch), strict=True)
        problems = {one.file_id: problem for one, problem in outcomes if problem is not None}
    ports.file_batches.close_batch(principal, collection_id, draft.id, problems, now=ports.clock.now())
    return ports.file_batches.get_batch(principal, collection_id, draft.id, now=ports.clock.now(), fresh=True)
