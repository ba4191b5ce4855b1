"""Dead letters: messages whose every delivery failed."""

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

from modulo.adapters.postgres.claims import LIVING
from modulo.adapters.postgres.locks import lock_collection
from modulo.adapters.postgres.pools import Pooled, autocommit, transaction
from modulo.adapters.postgres.rows import MEMBERSHIP, OF_COLLECTION, OF_FILE, in_tenant, visible
from modulo.adapters.postgres.rules import printable, require, stored_problem
from modulo.adapters.postgres.tables import collections, files, generations, members
from modulo.adapters.postgres.tables import dead_letters as letters
from modulo.domain.files.file import Stage
from modulo.domain.operations.dead_letter import (
    RETENTION,
    DeadLetter,
    DeadLetterDraft,
    DeadLetterQuery,
    DeadLetterState,
    OperatorDeadLetter,
    Request,
    Subject,
)
from modulo.domain.pagination import Cursor, Listing
from modulo.domain.tenancy.identity import Principal, Role

_RETIRED = (
    select(generations.c.number)
    .where(OF_FILE, generations.c.retired_at.is_not(None), generations.c.purged_at.is_(None))
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
    (and_(letters.c.generation.is_not(None), _ENDED), DeadLetterState.closed.value),
    (
        and_(letters.c.tenant_id.is_not(None), letters.c.generation.is_(None), _NOTHING_TO_PURGE),
        DeadLetterState.closed.value,
    ),
    (letters.c.retried_at.is_not(None), DeadLetterState.retried.value),
    else_=DeadLetterState.waiting.value,
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


class PostgresDeadLetters(Pooled):
    """Messages whose every delivery failed."""

    @transaction
    def record_dead_letter(self, connection: Connection, draft: DeadLetterDraft, *, now: datetime) -> bool:
        """Record a message whose every delivery failed, in place of earlier ones with the same subject."""
        values: dict[str, Any] = {
            "id": draft.id,
            "message_id": draft.message_id,
            "function": draft.function,
            "body": printable(draft.body),
            "problem": stored_problem(draft.problem),
            "attempts": draft.attempts,
            "sent_at": draft.sent_at,
            "buried_at": now,
        }
        found = _find_subject(connection, draft.request) if draft.request else None
        if draft.request and found:
            if found["purged"]:
                return False
            subject = Subject.of(draft.request)._asdict()
            same = (
                letters.c.function == draft.function,
                *(
                    letters.c[name].is_not_distinct_from(value)
                    for name, value in subject.items()
                    if name != "tenant_id"
                ),
            )
            others = and_(in_tenant(subject["tenant_id"], letters), letters.c.id != draft.id)
            connection.execute(delete(letters).where(others, *same))
            values |= subject
            if found["stage"] == Stage.failed.value:
                values["problem"] = found["problem"]
        return connection.execute(insert(letters).values(values).on_conflict_do_nothing()).rowcount == 1

    @autocommit
    def list_dead_letters(
        self, connection: Connection, principal: Principal, collection_id: UUID, query: DeadLetterQuery
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
        statement = _paged(select(*_LETTER).where(here), query)
        found = [DeadLetter.model_validate(dict(row)) for row in connection.execute(statement).mappings()]
        return Listing[DeadLetter](items=tuple(found[: query.limit]), next=_next(found, query.limit))

    @autocommit
    def list_all_dead_letters(self, connection: Connection, query: DeadLetterQuery) -> Listing[OperatorDeadLetter]:
        """Those of all tenants and those without a tenant, newest first."""
        every = select(*_LETTER, letters.c.tenant_id, letters.c.collection_id, letters.c.body)
        statement = _paged(every, query)
        found = [OperatorDeadLetter.model_validate(dict(row)) for row in connection.execute(statement).mappings()]
        return Listing[OperatorDeadLetter](items=tuple(found[: query.limit]), next=_next(found, query.limit))

    @transaction
    def mark_retried(
        self, connection: Connection, tenant_id: UUID | None, letter_ids: Sequence[UUID], *, now: datetime
    ) -> int:
        """Record that dead letters were sent again."""
        return connection.execute(update(letters).values(retried_at=now).where(_of(tenant_id, letter_ids))).rowcount

    @transaction
    def discard_dead_letters(self, connection: Connection, tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> int:
        """Delete dead letters."""
        return connection.execute(delete(letters).where(_of(tenant_id, letter_ids))).rowcount


def _find_subject(connection: Connection, request: Request) -> RowMapping | None:
    """State of what a request is about; None where there is no such thing.

    Its collection is locked, so that dead letters of one subject are recorded one after the other, each in place of
    those before, and none of what is being purged.
    """
    subject = Subject.of(request)
    tenant_id, collection_id = subject.tenant_id, subject.collection_id
    if collection_id is None or lock_collection(connection, tenant_id, collection_id, living=False) is None:
        return None
    numbered = and_(OF_FILE, generations.c.number == subject.generation)
    statement = (
        select(_PURGED.label("purged"), generations.c.stage, generations.c.problem)
        .select_from(collections)
        .outerjoin(files, and_(OF_COLLECTION, files.c.id == subject.file_id))
        .outerjoin(generations, numbered)
        .where(in_tenant(tenant_id, collections), collections.c.id == collection_id)
    )
    if subject.file_id is not None:
        statement = statement.where(files.c.id.is_not(None))
    if subject.generation is not None:
        statement = statement.where(generations.c.number.is_not(None))
    return connection.execute(statement).mappings().one_or_none()


def _paged(letter: Select[Any], query: DeadLetterQuery) -> Select[Any]:
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
        .limit(query.limit + 1)
    )
    if query.after is not None:
        statement = statement.where(tuple_(letters.c.buried_at, letters.c.id) < (query.after.moment, query.after.id))
    if query.state is not None:
        statement = statement.where(_state == query.state.value)
    if query.letter_id is not None:
        statement = statement.where(letters.c.id == query.letter_id)
    return statement


def _next(found: Sequence[DeadLetter], limit: int) -> str | None:
    last = found[limit - 1] if len(found) > limit else None
    return Cursor(last.buried_at, last.id).encode() if last else None


def _of(tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> ColumnElement[bool]:
    ids = any_(bindparam(None, list(letter_ids), type_=ARRAY(Uuid)))
    owned = letters.c.tenant_id.is_(None) if tenant_id is None else in_tenant(tenant_id, letters)
    return and_(owned, letters.c.id == ids)


def delete_letters_of_purged(connection: Connection, tenant_id: UUID) -> None:
    """Delete the dead letters of what was purged of a tenant."""
    gone_files = select(files.c.id).where(in_tenant(tenant_id, files), files.c.purged_at.is_not(None))
    gone = select(collections.c.id).where(in_tenant(tenant_id, collections), collections.c.purged_at.is_not(None))
    which = or_(letters.c.file_id.in_(gone_files), letters.c.collection_id.in_(gone))
    connection.execute(delete(letters).where(in_tenant(tenant_id, letters), which))


def delete_old_letters(connection: Connection, *, now: datetime, limit: int) -> int:
    """Delete dead letters that were kept long enough, the oldest first."""
    old = select(letters.c.id).where(letters.c.buried_at <= now - RETENTION).order_by(letters.c.buried_at).limit(limit)
    return connection.execute(delete(letters).where(letters.c.id.in_(old))).rowcount
