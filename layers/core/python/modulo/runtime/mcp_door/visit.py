"""One caller of the door, and what it may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from modulo.domain.errors import Forbidden, InvalidRequest, NotFound
from modulo.domain.tenancy.identity import Scope
from modulo.runtime.threads import run
from modulo.services import services
from modulo.usecases.get_collection import get_collection
from modulo.usecases.list_collections import list_collections

if TYPE_CHECKING:
    from modulo.domain.collections.collection import Collection
    from modulo.domain.tenancy.identity import Principal
    from modulo.runtime.endpoint import Schedule

MAX_CHOICES: Final = 20
"""Collections that an error names."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One message: who calls, by which address of the server, and the one collection that it is of, if it is."""

    caller: Principal
    address: str
    later: Schedule
    """Schedules work behind the response."""
    collection: str | None = None

    async def named(self, collection: str | None) -> Collection:
        """The collection that an argument names by its id or its name.

        It may be left out where the address is of a collection, or the caller has just one.

        Raises:
            InvalidRequest: several are meant, or one that the address is not of.
            NotFound: the caller sees no such collection.
        """
        if self.collection is not None:
            own = await self._found(self.collection)
            if collection not in (None, own.name, str(own.id)):
                raise InvalidRequest.field("collection", "is another one than that of this address: leave it out")
            return own
        if collection is not None:
            return await self._found(collection)
        return _only(await self.collections(limit=MAX_CHOICES), "collection", "name one of")

    async def all_named(self, collection: str | None, collections: tuple[str, ...] | None) -> tuple[UUID, ...]:
        """The ids of the collections that are named, or of the one.

        Raises:
            InvalidRequest, NotFound: as `named`, of any that is not named by its id; or both arguments are given.
        """
        if collections is None:
            return (await self._id_of(collection),)
        if collection is not None:
            raise InvalidRequest.field("collections", "takes the place of collection: send one of them")
        return tuple([await self._id_of(one) for one in collections])

    async def _id_of(self, collection: str | None) -> UUID:
        """That of the collection named; where it is named by it, what is done with it says whether it is there."""
        if self.collection is None and collection is not None and (identity := _identity(collection)):
            return identity
        return (await self.named(collection)).id

    async def _found(self, collection: str) -> Collection:
        identity = _identity(collection)
        if identity is None:
            like = await self.collections(limit=100, name=collection)
            return _only([one for one in like if one.name == collection], "collection", "has several, with the ids")
        return await run(get_collection, self.caller, identity, collections=services().collections)

    async def collections(self, *, limit: int, name: str | None = None) -> list[Collection]:
        """The newest collections that the caller is a member of, of those whose name contains a text."""
        kept = services().collections
        page = await run(list_collections, self.caller, after=None, limit=limit, name=name, collections=kept)
        return list(page.items)

    def require_write(self) -> None:
        """Check the scope of what changes something.

        Raises:
            Forbidden: the credential lacks it.
        """
        if Scope.write not in self.caller.scopes:
            raise Forbidden("The credential lacks the scope 'write'.")


def _identity(named: str) -> UUID | None:
    try:
        return UUID(named)
    except ValueError:
        return None


def _only(found: list[Collection], field: str, several: str) -> Collection:
    if not found:
        raise NotFound("No such collection is visible to this credential.")
    if len(found) > 1:
        choices = ", ".join(f"{one.name} ({one.id})" for one in found)
        raise InvalidRequest.field(field, f"{several}: {choices}")
    return found[0]
