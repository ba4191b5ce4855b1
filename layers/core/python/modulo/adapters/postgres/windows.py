"""Windows of listings by time of creation, found by the id of the item they begin at."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, FromClause, Select, or_, select, tuple_

from modulo.adapters.postgres.tables import collections, files, user_files
from modulo.domain.pagination import Page, Window

Item = TypeVar("Item")
PLACE: Final[Mapping[str, FromClause]] = {
    table.name: table.alias("place") for table in (collections, files, user_files)
}
"""The item that a window begins at, by table; one that was deleted still has its place."""


def windowed(statement: Select[Any], table: FromClause, window: Window, within: ColumnElement[bool]) -> Select[Any]:
    """The rows of a window and one more; `within` is what holds for every place of the listing.

    The table has the columns `created_at` and `id`; a copy of a user file is known by that one's id too. Behind an
    unknown item there is nothing, which `page_of` refuses.
    """
    ascending = window.ascending != window.backwards
    order = (table.c.created_at, table.c.id)
    if window.anchor is not None:
        place, meant = _place(table).c, _meant(table, window)
        newest = (place.created_at.desc(), place.id.desc())  # a copy may have been deleted and made again
        found = (select(place[part]).where(meant, within).order_by(*newest).limit(1) for part in ("created_at", "id"))
        at = tuple_(*(one.scalar_subquery() for one in found))
        statement = statement.where(tuple_(*order) > at if ascending else tuple_(*order) < at)
    return statement.order_by(*(part.asc() if ascending else part.desc() for part in order)).limit(window.limit + 1)


def page_of(
    connection: Connection, items: Sequence[Item], table: FromClause, window: Window, within: ColumnElement[bool]
) -> Page[Item]:
    """The page of what `windowed` found.

    Raises:
        InvalidRequest: the item that the window begins at is not in the listing, and was not lately.
    """
    if not items and window.anchor is not None:
        known = select(_place(table).c.id).where(_meant(table, window), within).limit(1)
        if connection.execute(known).first() is None:
            raise window.refusal()
    kept = items[: window.limit]
    return Page(tuple(reversed(kept) if window.backwards else kept), len(items) > window.limit)


def _place(table: FromClause) -> FromClause:
    return PLACE[table.name]  # type: ignore[attr-defined] # a table's


def _meant(table: FromClause, window: Window) -> ColumnElement[bool]:
    """The item that the window begins at."""
    place = _place(table).c
    return or_(*(place[key] == window.anchor for key in ("id", "origin_id") if key in place))
