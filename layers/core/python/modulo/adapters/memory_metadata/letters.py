"""Dead letters in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from modulo.adapters.memory_metadata.store import LetterRow, Store
from modulo.adapters.metadata_rules import printable
from modulo.domain.file import Stage
from modulo.domain.identity import Principal, Role
from modulo.domain.letter import KEPT, Burial, BuriedLetter, DeadLetter, LetterPage, LetterState, Place, Request
from modulo.domain.transfer import Cursor, PurgeRequest
from modulo.domain.value import Listing

Letter = TypeVar("Letter", bound=DeadLetter)


def bury(store: Store, burial: Burial, *, now: datetime) -> bool:
    """Record a message that was given up, in place of earlier ones about the same."""
    request = burial.request if burial.request and _exists(store, burial.request) else None
    if burial.id in store.letters or (request is not None and _purged(store, request)):
        return False
    if request is not None:
        for other in [row for row in store.letters.values() if row.request == request]:
            del store.letters[other.burial.id]
    problem = burial.problem
    if request is not None and not isinstance(request, PurgeRequest):
        generation = store.files[request.ref.tenant_id, request.ref.file_id].generations[request.ref.generation - 1]
        if generation.stage is Stage.failed and generation.problem is not None:
            problem = generation.problem
    kept = replace(burial, body=printable(burial.body), problem=problem)
    store.letters[burial.id] = LetterRow(kept, request, now)
    return True


def _exists(store: Store, request: Request) -> bool:
    tenant_id, collection_id, file_id, generation, _ = Place.of(request)
    if file_id is None:
        return (tenant_id, collection_id) in store.collections
    file = store.files.get((tenant_id, file_id))
    if file is None or file.collection_id != collection_id:
        return False
    return generation is None or generation <= len(file.generations)


def _purged(store: Store, request: Request) -> bool:
    tenant_id, collection_id, file_id = Place.of(request)[:3]
    if collection_id is None or store.collections[tenant_id, collection_id].purged_at is not None:
        return True
    return file_id is not None and store.files[tenant_id, file_id].purged_at is not None


def list_letters(store: Store, principal: Principal, collection_id: UUID, page: LetterPage) -> Listing[DeadLetter]:
    """The collection's dead letters, newest first."""
    store.visible(principal, collection_id, Role.editor)
    here = (principal.tenant_id, collection_id)
    rows = [row for row in store.letters.values() if row.request and Place.of(row.request)[:2] == here]
    found = _page(store, rows, page)
    seen = tuple(DeadLetter.model_validate(row.model_dump(include=set(DeadLetter.model_fields))) for row in found.items)
    return Listing[DeadLetter](items=seen, next=found.next)


def buried_letters(store: Store, page: LetterPage) -> Listing[BuriedLetter]:
    """Those of all tenants and of nobody, newest first."""
    return _page(store, store.letters.values(), page)


def _page(store: Store, rows: Iterable[LetterRow], page: LetterPage) -> Listing[BuriedLetter]:
    letters = [_view(store, row) for row in rows if page.letter_id in (None, row.burial.id)]
    found = sorted(
        (
            letter
            for letter in letters
            if (page.after is None or (letter.buried_at, letter.id) < (page.after.moment, page.after.id))
            and page.state in (None, letter.state)
        ),
        key=lambda letter: (letter.buried_at, letter.id),
        reverse=True,
    )
    last = found[page.limit - 1] if len(found) > page.limit else None
    following = Cursor(last.buried_at, last.id).encode() if last else None
    return Listing[BuriedLetter](items=tuple(found[: page.limit]), next=following)


def _view(store: Store, row: LetterRow) -> BuriedLetter:
    request, burial = row.request, row.burial
    tenant_id, collection_id, file_id, generation, part = Place.of(request) if request else (None,) * 5
    file = store.files[tenant_id, file_id] if tenant_id and file_id else None
    state = LetterState.retried if row.retried_at else LetterState.waiting
    return BuriedLetter(
        id=burial.id,
        message_id=burial.message_id,
        function=burial.function,
        file_id=file_id,
        name=file.name if file else None,
        generation=generation,
        source=file.generations[generation - 1].source if file and generation else None,
        part=part,
        problem=burial.problem,
        attempts=burial.attempts,
        state=LetterState.closed if request and _closed(store, request) else state,
        sent_at=burial.sent_at,
        buried_at=row.buried_at,
        retried_at=row.retried_at,
        tenant_id=tenant_id,
        collection_id=collection_id,
        body=burial.body,
    )


def _closed(store: Store, request: Request) -> bool:
    """Whether nothing is left to do for what was asked."""
    if not isinstance(request, PurgeRequest):
        found = store.living(request.ref)
        return found is None or found[2].stage is Stage.ready or found[2].retired_at is not None
    file = store.files.get((request.tenant_id, request.file_id)) if request.file_id else None
    if file is None or file.deleted_at is not None:
        return False
    return not any(row.retired_at and not row.purged_at for row in file.generations)


def mark_retried(store: Store, tenant_id: UUID | None, letter_ids: Sequence[UUID], *, now: datetime) -> int:
    """Record that letters were sent again."""
    found = _of(store, tenant_id, letter_ids)
    for row in found:
        row.retried_at = now
    return len(found)


def discard_letters(store: Store, tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> int:
    """Forget letters."""
    return _forget(store, lambda row: row in found) if (found := _of(store, tenant_id, letter_ids)) else 0


def forget_purged(store: Store) -> None:
    """Forget the letters of what was purged."""
    _forget(store, lambda row: row.request is not None and _purged(store, row.request))


def forget_old(store: Store, *, now: datetime, limit: int) -> int:
    """Forget letters whose time is over, the oldest first."""
    old = sorted((row for row in store.letters.values() if row.buried_at <= now - KEPT), key=lambda row: row.buried_at)
    return _forget(store, lambda row: row in old[:limit])


def _of(store: Store, tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> list[LetterRow]:
    rows = [store.letters[letter_id] for letter_id in letter_ids if letter_id in store.letters]
    return [row for row in rows if (row.request and Place.of(row.request).tenant_id) == tenant_id]


def _forget(store: Store, which: Callable[[LetterRow], bool]) -> int:
    gone = [letter_id for letter_id, row in store.letters.items() if which(row)]
    for letter_id in gone:
        del store.letters[letter_id]
    return len(gone)
