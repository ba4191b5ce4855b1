"""Files in memory: reserving, listing, deleting, and what a search asks of them."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID

from modulo.adapters.memory_metadata.deletions import open_receipt
from modulo.adapters.memory_metadata.store import CollectionRow, FileRow, GenerationRow, Store
from modulo.adapters.metadata_rules import id_taken, under_way
from modulo.domain.dates import begin
from modulo.domain.duplicates import duplicate, taken_name
from modulo.domain.errors import NotFound
from modulo.domain.file import DocumentInfo, Duplicate, File, FileRef, Stage
from modulo.domain.filters import DATES, Condition, FilterField
from modulo.domain.generation import PURGE_AFTER, SUPERSEDED, ended
from modulo.domain.identity import Principal, Role
from modulo.domain.passage import LiveDocument
from modulo.domain.quota import Quotas, exceeded
from modulo.domain.transfer import Cursor, FileDraft
from modulo.domain.value import Listing


def reserve_file(
    store: Store, principal: Principal, collection_id: UUID, draft: FileDraft, *, quotas: Quotas, now: datetime
) -> File:
    """Reserve quota and a generation: the first of a new file, or the next of the one of that name."""
    collection = store.visible(principal, collection_id, Role.editor)
    known = _of_draft(store, principal.tenant_id, draft)
    if known is not None:
        if known.name != draft.name or known.collection_id != collection_id or known.deleted_at is not None:
            raise id_taken()
        return known.view()
    rows = {row.id: row for row in store.files_of(collection)}
    holder = next((row for row in rows.values() if draft.name in row.aliases), None)
    found = duplicate(draft, [row.view() for row in rows.values()])
    if found is not None:
        return _answered(collection, rows[found.id], draft, holder=holder, now=now)
    file = next((row for row in store.files_of(collection) if row.name == draft.name), None)
    superseded = file.newest if file is not None and file.newest.stage is Stage.awaiting_upload else None
    if file is not None and superseded is None and file.newest.stage.unfinished:
        raise under_way()
    _check(store, collection, draft.size_bytes - (superseded.size_bytes if superseded else 0), quotas, file is None)
    if superseded is not None:
        _supersede(store, collection, superseded, now)
    store.charge(collection, draft.size_bytes)
    if holder is not None:
        _rename(collection, draft.name, holder, None, now)
    number = len(file.generations) + 1 if file else 1
    generation = GenerationRow(
        number=number,
        source=number,
        draft_id=draft.id,
        media_type=draft.media_type,
        size_bytes=draft.size_bytes,
        checksum_sha256=draft.checksum_sha256,
        storage_limit=quotas.storage_bytes,
        deadline=draft.deadline,
        arrives_until=draft.arrives_until,
        created_at=now,
        updated_at=now,
        source_url=draft.source_url,
    )
    if file is None:
        file = FileRow(principal.tenant_id, draft.id, collection_id, draft.name, principal.user_id, now, [])
        store.files[file.tenant_id, file.id] = file
        collection.file_count += 1
    elif file.newest.stage is Stage.failed:
        retire(file.newest, now)
    file.generations.append(generation)
    file.generation = number
    return file.view()


def _answered(
    collection: CollectionRow, row: FileRow, draft: FileDraft, *, holder: FileRow | None, now: datetime
) -> Duplicate:
    """The duplicate, once it has taken the draft's name where it is to; one that waits for its bytes waits longer."""
    name = taken_name(draft, row.view(), held=holder is not None)
    if row.newest.stage is Stage.awaiting_upload:
        row.newest.deadline = max(row.newest.deadline, draft.deadline)
        forms = [until for until in (row.newest.arrives_until, draft.arrives_until) if until is not None]
        row.newest.arrives_until = max(forms, default=None)
    if name is not None:
        _rename(collection, name, holder, row, now)
    return Duplicate.model_validate(row.view(), from_attributes=True)


def _rename(collection: CollectionRow, name: str, holder: FileRow | None, taker: FileRow | None, now: datetime) -> None:
    """Take an alias from one file and give it to another."""
    if holder is not None:
        holder.aliases.remove(name)
    if taker is not None:
        taker.aliases.append(name)
    collection.version += 1
    collection.updated_at = now


def remove_alias(
    store: Store, principal: Principal, collection_id: UUID, file_id: UUID, name: str, *, now: datetime
) -> None:
    """Take one of a file's aliases away."""
    collection = store.visible(principal, collection_id, Role.editor)
    row = next((row for row in store.files_of(collection) if row.id == file_id), None)
    if row is None or name not in row.aliases:
        raise NotFound
    _rename(collection, name, row, None, now)


def _supersede(store: Store, collection: CollectionRow, generation: GenerationRow, now: datetime) -> None:
    """End a generation whose bytes never came; what still arrives by its form is purged once the form is void."""
    generation.stage, generation.problem = Stage.failed, SUPERSEDED
    generation.retired_at, generation.purge_after, generation.updated_at = now, generation.deadline, now
    generation.charged = False
    store.charge(collection, -generation.size_bytes)


def retire(generation: GenerationRow, now: datetime) -> None:
    """Have the generation purged, once; who works on it loses the claim."""
    if generation.retired_at is None:
        stage = Stage.deleted if generation.stage.unfinished else generation.stage
        generation.change(ended(stage, now))
        generation.parts.clear()
        generation.retired_at = now
        generation.purge_after = now + PURGE_AFTER


def _of_draft(store: Store, tenant_id: UUID, draft: FileDraft) -> FileRow | None:
    for row in store.files.values():
        if row.tenant_id == tenant_id and any(known.draft_id == draft.id for known in row.generations):
            return row
    return None


def _check(store: Store, collection: CollectionRow, size: int, quotas: Quotas, is_new: bool) -> None:
    if is_new and collection.file_count >= quotas.files:
        raise exceeded("files", quotas.files)
    if not store.fits(collection, size, quotas.storage_bytes):
        raise exceeded("storage_bytes", quotas.storage_bytes)


def list_files(
    store: Store, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, stage: Stage | None
) -> Listing[File]:
    """One page, newest first."""
    found = sorted(
        (
            row
            for row in store.files_of(store.visible(principal, collection_id))
            if (after is None or (row.created_at, row.id) < (after.moment, after.id))
            and (stage is None or row.newest.stage is stage)
        ),
        key=lambda row: (row.created_at, row.id),
        reverse=True,
    )
    following = Cursor(found[limit - 1].created_at, found[limit - 1].id).encode() if len(found) > limit else None
    return Listing[File](items=tuple(row.view() for row in found[:limit]), next=following)


def changes(store: Store, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int) -> list[File]:
    """What changed behind the cursor, or last, in the order of the changes."""
    collection = store.visible(principal, collection_id)
    found = sorted(
        (
            row
            for row in store.files.values()
            if (row.tenant_id, row.collection_id) == (collection.tenant_id, collection.id)
            and (row.deleted_at is None if after is None else row.changed() > (after.moment, after.id))
        ),
        key=FileRow.changed,
    )
    return [row.view() for row in (found[-limit:] if after is None else found[:limit])]


def get_file(store: Store, principal: Principal, collection_id: UUID, file_id: UUID) -> File:
    """One of them."""
    store.visible(principal, collection_id)
    row = store.files.get((principal.tenant_id, file_id))
    if row is None or row.collection_id != collection_id or row.deleted_at is not None:
        raise NotFound
    return row.view()


def tombstone_file(store: Store, principal: Principal, collection_id: UUID, file_id: UUID, *, now: datetime) -> FileRef:
    """Make it invisible and fence off whoever ingests it; once."""
    collection = store.visible(principal, collection_id, Role.editor)
    row = store.files.get((principal.tenant_id, file_id))
    if row is None or row.collection_id != collection_id:
        raise NotFound
    if row.deleted_at is None:
        tombstone(store, principal, collection, [row, *files_of_archive(store, collection, row)], now=now)
    return row.ref(row.newest)


def files_of_archive(store: Store, collection: CollectionRow, archive: FileRow) -> list[FileRow]:
    """The living files that it was expanded into."""
    return [row for row in store.files_of(collection) if row.name.startswith(f"{archive.name}/")]


def tombstone(
    store: Store, principal: Principal, collection: CollectionRow, rows: Sequence[FileRow], *, now: datetime
) -> None:
    """Make living files invisible, each with a receipt of its own."""
    for row in rows:
        open_receipt(store, collection, row, requested_by=principal.user_id, now=now)
        row.deleted_at = now
        row.purge_after = now + PURGE_AFTER
        row.aliases.clear()
        for generation in row.generations:
            generation.stage = Stage.deleting
            generation.claim_token = generation.lease_until = generation.purge_after = None
            generation.updated_at = now
        collection.file_count -= 1
        collection.version += 1
        collection.updated_at = now


def live_documents(store: Store, collection: CollectionRow, file_ids: Sequence[UUID]) -> dict[UUID, LiveDocument]:
    """The live generations among the files."""
    wanted = set(file_ids)
    return {row.id: _live(row, seen) for row in store.files_of(collection) if row.id in wanted and (seen := row.live)}


def matching(store: Store, collection: CollectionRow, conditions: Sequence[Condition], limit: int) -> tuple[UUID, ...]:
    """The files whose live documents meet the conditions."""
    found = (
        row.id
        for row in store.files_of(collection)
        if (seen := row.live) and all(_meets(row, seen.document, condition) for condition in conditions)
    )
    return tuple(islice(found, limit))


def _meets(row: FileRow, info: DocumentInfo, condition: Condition) -> bool:
    match condition.field:
        case FilterField.source:
            return any(map(condition.holds, (row.name, *row.aliases)))
        case FilterField.created_at:
            return condition.holds(row.created_at)
    said = getattr(info, condition.field)
    return condition.holds(begin(said) if condition.field in DATES else said)


def _live(row: FileRow, generation: GenerationRow) -> LiveDocument:
    return LiveDocument(
        row.id,
        generation.number,
        row.name,
        generation.chunk_count or 0,
        generation.document,
        row.created_at.isoformat(),
        generation.source_url,
    )
