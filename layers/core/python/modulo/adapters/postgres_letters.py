"""Dead letters in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.metadata_rules import printable, require
from modulo.adapters.metadata_rules import problem as stored_problem
from modulo.adapters.postgres_parts import LIVING
from modulo.adapters.postgres_rows import MEMBERSHIP, OF_COLLECTION, in_tenant, visible
from modulo.adapters.postgres_tables import collections, files, generations, members
from modulo.adapters.postgres_tables import dead_letters as letters
from modulo.domain.file import Stage
from modulo.domain.identity import Principal, Role
from modulo.domain.letter import KEPT, Burial, BuriedLetter, DeadLetter, LetterPage, LetterState, Place, Request
from modulo.domain.transfer import Cursor
from modulo.domain.value import Listing

_RETIRED = (
    select(generations.c.number)
    .where(generations.c.tenant_id == files.c.tenant_id, generations.c.file_id == files.c.id)
    .where(generations.c.retired_at.is_not(None), generations.c.purged_at.is_(None))
    .correlate(files)
    .exists()
)
_ENDED = or_(
    not_(LIVING),
    generations.c.stage == Stage.ready.value,
    generations.c.retired_at.is_not(None),
)
"""Whether nothing is left to do for what `ingest_file` was asked."""
_PURGED = or_(collections.c.purged_at.is_not(None), files.c.purged_at.is_not(None))
_NOTHING_TO_PURGE = or_(_PURGED, and_(files.c.id.is_not(None), files.c.deleted_at.is_(None), ~_RETIRED))
_state = case(
    (and_(letters.c.generation.is_not(None), _ENDED), LetterState.closed.value),
    (
        and_(letters.c.tenant_id.is_not(None), letters.c.generation.is_(None), _NOTHING_TO_PURGE),
        LetterState.closed.value,
    ),
    (letters.c.retried_at.is_not(None), LetterState.retried.value),
    else_=LetterState.waiting.value,
)
_LETTER = (
    letters.c.id,
    letters.c.message_id,
    letters.c.function,
    letters.c.file_id,
    files.c.name,
    letters.c.generation,
    generations.c.source,
    letters.c.part,
    letters.c.problem,
    letters.c.attempts,
    _state.label("state"),
    letters.c.sent_at,
    letters.c.buried_at,
    letters.c.retried_at,
)
"""The columns of a `DeadLetter`, under its names."""


def bury(connection: Connection, burial: Burial, *, now: datetime) -> bool:
    """Record a message that was given up, in place of earlier ones about the same."""
    values: dict[str, Any] = {
        "id": burial.id,
        "message_id": burial.message_id,
        "function": burial.function,
        "body": printable(burial.body),
        "problem": stored_problem(burial.problem),
        "attempts": burial.attempts,
        "sent_at": burial.sent_at,
        "buried_at": now,
    }
    about = _about(connection, burial.request) if burial.request else None
    if burial.request and about:
        if about["purged"]:
            return False
        place = Place.of(burial.request)._asdict()
        same = (
            letters.c.function == burial.function,
            *(letters.c[name].is_not_distinct_from(value) for name, value in place.items() if name != "tenant_id"),
        )
        others = and_(in_tenant(place["tenant_id"], letters), letters.c.id != burial.id)
        connection.execute(delete(letters).where(others, *same))
        values |= place
        if about["stage"] == Stage.failed.value:
            values["problem"] = about["problem"]
    return connection.execute(insert(letters).values(values).on_conflict_do_nothing()).rowcount == 1


def _about(connection: Connection, request: Request) -> RowMapping | None:
    """What a request is about, or None where there is no such thing."""
    place = Place.of(request)
    numbered = and_(
        generations.c.tenant_id == files.c.tenant_id,
        generations.c.file_id == files.c.id,
        generations.c.number == place.generation,
    )
    statement = (
        select(_PURGED.label("purged"), generations.c.stage, generations.c.problem)
        .select_from(collections)
        .outerjoin(files, and_(OF_COLLECTION, files.c.id == place.file_id))
        .outerjoin(generations, numbered)
        .where(in_tenant(place.tenant_id, collections), collections.c.id == place.collection_id)
    )
    if place.file_id is not None:
        statement = statement.where(files.c.id.is_not(None))
    if place.generation is not None:
        statement = statement.where(generations.c.number.is_not(None))
    return connection.execute(statement).mappings().one_or_none()


def list_letters(
    connection: Connection, principal: Principal, collection_id: UUID, page: LetterPage
) -> Listing[DeadLetter]:
    """The collection's dead letters, newest first."""
    membership = (
        select(members.c.role)
        .select_from(collections)
        .join(members, MEMBERSHIP)
        .where(visible(principal, collection_id))
    )
    require(connection.execute(membership).scalar_one_or_none(), Role.editor)
    here = and_(in_tenant(principal.tenant_id, letters), letters.c.collection_id == collection_id)
    statement = _paged(select(*_LETTER).where(here), page)
    found = [DeadLetter.model_validate(dict(row)) for row in connection.execute(statement).mappings()]
    return Listing[DeadLetter](items=tuple(found[: page.limit]), next=_next(found, page.limit))


def buried_letters(connection: Connection, page: LetterPage) -> Listing[BuriedLetter]:
    """Those of all tenants and of nobody, newest first."""
    every = select(*_LETTER, letters.c.tenant_id, letters.c.collection_id, letters.c.body)
    statement = _paged(every, page)
    found = [BuriedLetter.model_validate(dict(row)) for row in connection.execute(statement).mappings()]
    return Listing[BuriedLetter](items=tuple(found[: page.limit]), next=_next(found, page.limit))


def _paged(letter: Select[Any], page: LetterPage) -> Select[Any]:
    statement = (
        letter.select_from(letters)
        .outerjoin(
            collections,
            and_(collections.c.tenant_id == letters.c.tenant_id, collections.c.id == letters.c.collection_id),
        )
        .outerjoin(files, and_(files.c.tenant_id == letters.c.tenant_id, files.c.id == letters.c.file_id))
        .outerjoin(
            generations,
            and_(
                generations.c.tenant_id == letters.c.tenant_id,
                generations.c.file_id == letters.c.file_id,
                generations.c.number == letters.c.generation,
            ),
        )
        .order_by(letters.c.buried_at.desc(), letters.c.id.desc())
        .limit(page.limit + 1)
    )
    if page.after is not None:
        statement = statement.where(tuple_(letters.c.buried_at, letters.c.id) < (page.after.moment, page.after.id))
    if page.state is not None:
        statement = statement.where(_state == page.state.value)
    if page.letter_id is not None:
        statement = statement.where(letters.c.id == page.letter_id)
    return statement


def _next(found: Sequence[DeadLetter], limit: int) -> str | None:
    last = found[limit - 1] if len(found) > limit else None
    return Cursor(last.buried_at, last.id).encode() if last else None


def mark_retried(connection: Connection, tenant_id: UUID | None, letter_ids: Sequence[UUID], *, now: datetime) -> int:
    """Record that letters were sent again."""
    return connection.execute(update(letters).values(retried_at=now).where(_of(tenant_id, letter_ids))).rowcount


def discard_letters(connection: Connection, tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> int:
    """Forget letters."""
    return connection.execute(delete(letters).where(_of(tenant_id, letter_ids))).rowcount


def _of(tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> ColumnElement[bool]:
    ids = any_(bindparam(None, list(letter_ids), type_=ARRAY(Uuid)))
    owned = letters.c.tenant_id.is_(None) if tenant_id is None else in_tenant(tenant_id, letters)
    return and_(owned, letters.c.id == ids)


def forget_purged(connection: Connection, tenant_id: UUID) -> None:
    """Forget the letters of what was purged of a tenant."""
    gone_files = select(files.c.id).where(in_tenant(tenant_id, files), files.c.purged_at.is_not(None))
    gone = select(collections.c.id).where(in_tenant(tenant_id, collections), collections.c.purged_at.is_not(None))
    which = or_(letters.c.file_id.in_(gone_files), letters.c.collection_id.in_(gone))
    connection.execute(delete(letters).where(in_tenant(tenant_id, letters), which))


def forget_old(connection: Connection, *, now: datetime, limit: int) -> int:
    """Forget letters whose time is over, the oldest first."""
    old = select(letters.c.id).where(letters.c.buried_at <= now - KEPT).order_by(letters.c.buried_at).limit(limit)
    return connection.execute(delete(letters).where(letters.c.id.in_(old))).rowcount
