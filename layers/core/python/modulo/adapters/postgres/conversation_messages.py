"""The messages of conversations; each is reached through a conversation of the caller's only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.pools import Pooled, autocommit, transaction
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.rules import id_taken, printable
from modulo.adapters.postgres.tables import conversations, messages
from modulo.domain.conversations.conversation import (
    Feedback,
    Message,
    MessagePage,
    MessageRole,
    StoredMessage,
    title_of,
)
from modulo.domain.errors import Conflict, NotFound
from modulo.domain.tenancy.quota import quota_exceeded

if TYPE_CHECKING:
    from modulo.domain.conversations.conversation import MessageDraft
    from modulo.domain.tenancy.identity import Principal

_OF_CONVERSATION = and_(
    conversations.c.tenant_id == messages.c.tenant_id, conversations.c.id == messages.c.conversation_id
)


class PostgresConversationMessages(Pooled):
    """The messages of conversations."""

    @transaction
    def add_messages(
        self,
        connection: Connection,
        principal: Principal,
        conversation_id: UUID,
        drafts: Sequence[MessageDraft],
        *,
        limit: int,
        now: datetime,
    ) -> tuple[StoredMessage, ...]:
        """Append them; the conversation's row gives out the numbers, so that concurrent questions stay whole."""
        more, question = len(drafts), next((one for one in drafts if one.role is MessageRole.user), None)
        title = printable(title_of(question.content)) if question else ""
        row = connection.execute(
            update(conversations)
            .values(
                message_count=conversations.c.message_count + more,
                last_number=conversations.c.last_number + more,
                updated_at=now,
                title=case((conversations.c.title == "", title), else_=conversations.c.title),
            )
            .where(_mine(principal), conversations.c.id == conversation_id)
            .returning(conversations.c.last_number, conversations.c.message_count, conversations.c.archived_at)
        ).one_or_none()
        if row is None:
            raise NotFound
        if row.archived_at is not None:
            raise Conflict("The conversation is archived: take it out of the archive to go on.")
        if row.message_count > limit:
            raise quota_exceeded("messages in a conversation", limit)
        insert_messages(connection, principal, conversation_id, drafts, first=row.last_number - more + 1, now=now)
        return tuple(_drafted(one, conversation_id, now) for one in drafts)

    @autocommit
    def list_messages(
        self,
        connection: Connection,
        principal: Principal,
        conversation_id: UUID,
        *,
        after: UUID | None,
        limit: int,
        newest_first: bool = False,
    ) -> MessagePage:
        """One page; where it is empty, the conversation is asked for by itself."""
        number = messages.c.number
        statement = _messages(principal).where(messages.c.conversation_id == conversation_id)
        if after is not None:
            at = self._number(connection, principal, conversation_id, after)
            statement = statement.where(number < at if newest_first else number > at)
        statement = statement.order_by(number.desc() if newest_first else number).limit(limit + 1)
        rows = connection.execute(statement).mappings().all()
        if not rows and after is None:
            known = select(conversations.c.id).where(_mine(principal), conversations.c.id == conversation_id)
            if connection.execute(known).first() is None:
                raise NotFound(about=conversation_id)
        return MessagePage(tuple(map(_stored, rows[:limit])), more=len(rows) > limit)

    @autocommit
    def get_message(self, connection: Connection, principal: Principal, message_id: UUID) -> StoredMessage:
        """One of the caller's."""
        row = connection.execute(_messages(principal).where(messages.c.id == message_id)).mappings().one_or_none()
        if row is None:
            raise NotFound(about=message_id)
        return _stored(row)

    @transaction
    def delete_message(
        self, connection: Connection, principal: Principal, conversation_id: UUID, message_id: UUID, *, now: datetime
    ) -> None:
        """Delete it; its number is not given out again.

        The conversation comes first, as everywhere, so that nobody waits for another in a circle. Its count would be
        negative where there is no such message; of that nothing stays.
        """
        counted = (
            update(conversations)
            .values(message_count=func.greatest(conversations.c.message_count - 1, 0), updated_at=now)
            .where(_mine(principal), conversations.c.id == conversation_id)
        )
        gone = delete(messages).where(_at(principal, conversation_id, message_id))
        if connection.execute(counted).rowcount == 0 or connection.execute(gone).rowcount == 0:
            raise NotFound

    @transaction
    def set_feedback(
        self,
        connection: Connection,
        principal: Principal,
        conversation_id: UUID,
        message_id: UUID,
        feedback: Feedback,
        *,
        now: datetime,
    ) -> StoredMessage:
        """Record it on an answer; without a rating, nothing is left of an earlier one."""
        kept = feedback if feedback.rating is not None else Feedback(rating=None)
        values = {
            "rating": kept.rating.value if kept.rating else None,
            "comment": printable(kept.comment) if kept.comment else None,
            "rated_at": now if kept.rating else None,
        }
        found = self._number(connection, principal, conversation_id, message_id)
        statement = (
            update(messages)
            .values(values)
            .where(_at(principal, conversation_id, message_id), messages.c.number == found)
            .where(messages.c.role == MessageRole.assistant.value)
            .returning(messages)
        )
        row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            raise NotFound("The conversation has no such answer.")
        return _stored(row)

    @staticmethod
    def _number(connection: Connection, principal: Principal, conversation_id: UUID, message_id: UUID) -> int:
        """A message's place in the conversation."""
        statement = (
            select(messages.c.number)
            .join(conversations, _OF_CONVERSATION)
            .where(_mine(principal), _at(principal, conversation_id, message_id))
        )
        found: int | None = connection.execute(statement).scalar_one_or_none()
        if found is None:
            raise NotFound(about=message_id)
        return found


def insert_messages(
    connection: Connection,
    principal: Principal,
    conversation_id: UUID,
    drafts: Sequence[MessageDraft],
    *,
    first: int,
    now: datetime,
) -> None:
    """Store messages under the numbers from `first` on.

    Raises:
        Conflict: one of the ids was used before.
    """
    if not drafts:
        return
    values = [
        {
            "tenant_id": principal.tenant_id,
            "id": draft.id,
            "conversation_id": conversation_id,
            "number": number,
            "role": draft.role.value,
            "content": printable(draft.content),
            "citations": [_storable(one.model_dump(mode="json")) for one in draft.citations],
            "rewritten_query": printable(draft.rewritten_query) if draft.rewritten_query else None,
            "details": _storable(draft.details),
            "created_at": now,
        }
        for number, draft in enumerate(drafts, start=first)
    ]
    statement = insert(messages).values(values).on_conflict_do_nothing().returning(messages.c.id)
    if len(connection.execute(statement).all()) < len(drafts):
        raise id_taken()


def _storable(value: Any) -> Any:
    """JSON without what Postgres cannot store."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(key): _storable(one) for key, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list | tuple) else value


def _mine(principal: Principal) -> ColumnElement[bool]:
    return and_(in_tenant(principal.tenant_id, conversations), conversations.c.user_id == principal.user_id)


def _at(principal: Principal, conversation_id: UUID, message_id: UUID) -> ColumnElement[bool]:
    return and_(
        in_tenant(principal.tenant_id, messages),
        messages.c.conversation_id == conversation_id,
        messages.c.id == message_id,
    )


def _messages(principal: Principal) -> Select[Any]:
    """The caller's messages."""
    mine = (in_tenant(principal.tenant_id, messages), _mine(principal))
    return select(messages).join(conversations, _OF_CONVERSATION).where(*mine)


def _drafted(draft: MessageDraft, conversation_id: UUID, now: datetime) -> StoredMessage:
    message = Message(
        id=draft.id,
        conversation_id=conversation_id,
        role=draft.role,
        content=draft.content,
        citations=draft.citations,
        rewritten_query=draft.rewritten_query,
        created_at=now,
    )
    return StoredMessage(message, draft.details)


def _stored(row: RowMapping) -> StoredMessage:
    rating = row["rating"]
    message = Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        role=row["role"],
        content=row["content"],
        citations=row["citations"],
        rewritten_query=row["rewritten_query"],
        feedback=Feedback(rating=rating, comment=row["comment"]) if rating else None,
        created_at=row["created_at"],
    )
    return StoredMessage(message, row["details"])
