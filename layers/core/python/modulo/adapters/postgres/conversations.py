"""Conversations; the user is part of every predicate, as the tenant is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    delete,
    exists,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.conversation_messages import insert_messages
from modulo.adapters.postgres.identities import introduce
from modulo.adapters.postgres.pools import Pooled, autocommit, read, transaction
from modulo.adapters.postgres.receipts import insert_completed_receipt
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.rules import id_taken, printable
from modulo.adapters.postgres.tables import conversations, deletions, messages, users
from modulo.domain.conversations.conversation import Conversation
from modulo.domain.errors import NotFound
from modulo.domain.operations.deletion import DeletionKind, Removed, deletion_id
from modulo.domain.pagination import Cursor, Listing
from modulo.domain.tenancy.quota import quota_exceeded

if TYPE_CHECKING:
    from modulo.domain.conversations.conversation import ConversationChange, ConversationDraft
    from modulo.domain.tenancy.identity import Principal


class PostgresConversations(Pooled):
    """Conversations."""

    @transaction
    def create_conversation(
        self, connection: Connection, principal: Principal, draft: ConversationDraft, *, limit: int, now: datetime
    ) -> Conversation:
        """Store it; the lock on the user has concurrent requests counted one after the other."""
        introduce(connection, principal)
        user = and_(in_tenant(principal.tenant_id, users), users.c.id == principal.user_id)
        if connection.execute(select(users.c.id).where(user).with_for_update(key_share=True)).first() is None:
            raise NotFound
        values = {
            "tenant_id": principal.tenant_id,
            "id": draft.id,
            "user_id": principal.user_id,
            "title": printable(draft.title),
            "collection_id": draft.collection_id,
            "metadata": {printable(key): printable(value) for key, value in draft.metadata.items()},
            "message_count": len(draft.messages),
            "last_number": len(draft.messages),
            "created_at": now,
            "updated_at": now,
        }
        new = insert(conversations).values(values).on_conflict_do_nothing().returning(conversations.c.id)
        if connection.execute(new).first() is not None:
            held = select(func.count(), exists(_receipt(principal, draft.id))).where(_of(principal))
            number, deleted = connection.execute(held).one()
            if deleted:
                raise id_taken()
            if number > limit:
                raise quota_exceeded("conversations", limit)
            insert_messages(connection, principal, draft.id, draft.messages, first=1, now=now)
        row = connection.execute(_selected(principal, draft.id)).mappings().one_or_none()
        if row is None:
            raise id_taken()
        return _conversation(row)

    @read
    def list_conversations(
        self, connection: Connection, principal: Principal, *, after: Cursor | None, limit: int, archived: bool | None
    ) -> Listing[Conversation]:
        """One page, the last used first."""
        order = (conversations.c.updated_at, conversations.c.id)
        statement = select(conversations).where(_of(principal))
        if after is not None:
            statement = statement.where(tuple_(*order) < (after.moment, after.id))
        if archived is not None:
            at = conversations.c.archived_at
            statement = statement.where(at.is_not(None) if archived else at.is_(None))
        statement = statement.order_by(*(column.desc() for column in order)).limit(limit + 1)
        found = [_conversation(row) for row in connection.execute(statement).mappings()]
        last = found[limit - 1] if len(found) > limit else None
        following = Cursor(last.updated_at, last.id).encode() if last else None
        return Listing[Conversation](items=tuple(found[:limit]), next=following)

    @autocommit
    def get_conversation(self, connection: Connection, principal: Principal, conversation_id: UUID) -> Conversation:
        """One of them, as it is now: something may just have been asked in it."""
        row = connection.execute(_selected(principal, conversation_id)).mappings().one_or_none()
        if row is None:
            raise NotFound(about=conversation_id)
        return _conversation(row)

    @autocommit
    def update_conversation(
        self,
        connection: Connection,
        principal: Principal,
        conversation_id: UUID,
        change: ConversationChange,
        *,
        now: datetime,
    ) -> Conversation:
        """Change what is not None, in one statement."""
        values: dict[str, Any] = {"updated_at": now}
        if change.title is not None:
            values["title"] = printable(change.title)
        if change.collection_id is not None:
            values["collection_id"] = change.collection_id
        if change.metadata is not None:
            values["metadata"] = {printable(key): printable(value) for key, value in change.metadata.items()}
        if change.archived is not None:
            values["archived_at"] = func.coalesce(conversations.c.archived_at, now) if change.archived else None
        statement = update(conversations).values(values).where(_of(principal, conversation_id))
        row = connection.execute(statement.returning(conversations)).mappings().one_or_none()
        if row is None:
            raise NotFound
        return _conversation(row)

    @transaction
    def delete_conversation(
        self,
        connection: Connection,
        principal: Principal,
        conversation_id: UUID,
        *,
        only_empty: bool = False,
        now: datetime,
    ) -> None:
        """Delete the rows and leave a receipt; once. Whoever adds a message waits for the lock, or is waited for."""
        row = connection.execute(_selected(principal, conversation_id).with_for_update()).mappings().one_or_none()
        if row is None:
            known = _receipt(principal, conversation_id).where(deletions.c.requested_by == principal.user_id)
            if connection.execute(known).first() is None:
                raise NotFound
            return
        if only_empty and row["message_count"]:
            return
        of_it = (in_tenant(principal.tenant_id, messages), messages.c.conversation_id == conversation_id)
        rows = {"messages": connection.execute(delete(messages).where(*of_it)).rowcount, "conversations": 1}
        connection.execute(delete(conversations).where(_of(principal, conversation_id)))
        removed = Removed(rows=rows)
        insert_completed_receipt(connection, principal, DeletionKind.conversation, conversation_id, removed, now=now)

    @transaction
    def expire_conversations(self, connection: Connection, *, before: datetime, limit: int) -> int:
        """Delete those whose last use is longest ago, with their messages."""
        old = (
            select(conversations.c.tenant_id, conversations.c.id)
            .where(conversations.c.updated_at < before)
            .order_by(conversations.c.updated_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("old")
        )
        at = (conversations.c.tenant_id == old.c.tenant_id, conversations.c.id == old.c.id)
        return connection.execute(delete(conversations).where(*at)).rowcount


def _of(principal: Principal, conversation_id: UUID | None = None) -> ColumnElement[bool]:
    """The caller's conversations, or that one of them."""
    mine = and_(in_tenant(principal.tenant_id, conversations), conversations.c.user_id == principal.user_id)
    return mine if conversation_id is None else and_(mine, conversations.c.id == conversation_id)


def _selected(principal: Principal, conversation_id: UUID) -> Select[Any]:
    return select(conversations).where(_of(principal, conversation_id))


def _receipt(principal: Principal, conversation_id: UUID) -> Select[Any]:
    """That of its deletion."""
    receipt = deletions.c.id == deletion_id(conversation_id)
    return select(deletions.c.id).where(in_tenant(principal.tenant_id, deletions), receipt)


def _conversation(row: RowMapping) -> Conversation:
    """A conversation as its user sees it."""
    return Conversation(
        id=row["id"],
        title=row["title"],
        collection_id=row["collection_id"],
        metadata=row["metadata"],
        archived=row["archived_at"] is not None,
        message_count=row["message_count"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
