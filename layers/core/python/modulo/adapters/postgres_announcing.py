"""What a transaction changes that somebody watches, noted in its own statements and announced once it is committed."""

from uuid import UUID

from sqlalchemy import Connection, exists

from modulo.adapters.postgres_tables import collections, watchers

Place = tuple[UUID, UUID]
"""A collection: the ids of its tenant and its own."""
WATCHED = (
    exists()
    .where(watchers.c.tenant_id == collections.c.tenant_id, watchers.c.collection_id == collections.c.id)
    .correlate(collections)
    .label("watched")
)
"""Whether somebody watches the collection, as a column of the statements that change it."""
_CHANGED = "changed"


def note(connection: Connection, tenant_id: UUID, collection_id: UUID, watched: bool | None) -> None:
    """Remember that the transaction changes a collection, if it is watched."""
    if watched:
        connection.info.setdefault(_CHANGED, {})[tenant_id, collection_id] = True


def noted(connection: Connection) -> list[Place]:
    """What was noted since the last look."""
    return list(connection.info.pop(_CHANGED, {}))
