"""Attach a user file to a collection."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from modulo.domain.errors import LostFile, NameTaken, NotFound
from modulo.domain.files.file import OnDuplicate
from modulo.domain.files.upload import FileDraft
from modulo.domain.files.user_file import MAX_NAMES, UserFileRef, numbered
from modulo.usecases.create_upload import file_ref

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from modulo.domain.files.attributes import AttributeValue
    from modulo.domain.files.file import File
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.uploads import Uploads
    from modulo.ports.metadata.user_files import UserFiles
    from modulo.usecases.create_upload import UploadLimits


def attach_file(
    principal: Principal,
    collection_id: UUID,
    file_id: UUID,
    *,
    user_files: UserFiles,
    uploads: Uploads,
    blobs: Blobs,
    clock: Clock,
    limits: UploadLimits,
    attributes: Mapping[str, AttributeValue] | None = None,
    copy_id: UUID | None = None,
) -> File:
    """Copy the file into the collection, where the copy is ingested; a copy that is there already is the answer.

    `copy_id` is what a new copy gets, by default a random id.

    Names are unique in a collection: the second file called notes.txt is called "notes (2).txt" there. Attributes that
    are given are those of the copy from now on.

    Raises:
        NotFound: the caller has no such file, or no such collection is visible.
        Conflict: the collection has too many files of that name.
        QuotaExceeded: the copy does not fit.
    """
    origin = user_files.get_user_file(principal, file_id, now=clock.now())
    draft = FileDraft(
        id=copy_id or uuid4(),
        name=origin.name,
        media_type=origin.media_type,
        size_bytes=origin.size_bytes,
        checksum_sha256=None,
        deadline=clock.now() + timedelta(seconds=limits.deadline_seconds),
        on_duplicate=OnDuplicate.new,
        origin_id=origin.id,
        attributes=attributes,
    )
    file = _reserved(principal, collection_id, draft, uploads=uploads, clock=clock, limits=limits)
    if file.stage.awaits_bytes:
        ref = UserFileRef(principal.tenant_id, principal.user_id, file_id)
        try:
            blobs.copy(ref, file_ref(principal, file), media_type=origin.media_type)
        except NotFound:
            raise LostFile from None
    return file


def _reserved(
    principal: Principal,
    collection_id: UUID,
    draft: FileDraft,
    *,
    uploads: Uploads,
    clock: Clock,
    limits: UploadLimits,
) -> File:
    """The copy, under the first name that is free."""
    for number in range(1, MAX_NAMES + 1):
        named = replace(draft, name=numbered(draft.name, number))
        try:
            return uploads.reserve_file(principal, collection_id, named, quotas=limits.quotas, now=clock.now())
        except NameTaken:
            continue
    raise NameTaken(f"The collection has {MAX_NAMES} files named {draft.name}: delete some of them.")
