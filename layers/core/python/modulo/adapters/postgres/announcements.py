"""Changes of collections that have subscriptions: noted within the transaction, announced once it is committed."""

from uuid import UUID

from sqlalchemy import Connection, exists

from modulo.adapters.postgres.tables import collections, watchers

WATCHED = (
    exists()
    .where(watchers.c.tenant_id == collections.c.tenant_id, watchers.c.collection_id == collections.c.id)
    .correlate(collections)
    .label("watched")
)
"""Whether the collection has subscriptions, as a column of the statements that change it."""
_CHANGED = "changed"


def note(connection: Connection, tenant_id: UUID, collection_id: UUID, watched: bool | None) -> None:
    """Note that the transaction changes a collection, if it has subscriptions."""
    if watched:
        connection.info.setdefault(_CHANGED, {})[tenant_id, collection_id] = True


def take_notes(connection: Connection) -> list[tuple[UUID, UUID]]:
    """Take what was noted on the connection."""
    return list(connection.info.pop(_CHANGED, {}))
