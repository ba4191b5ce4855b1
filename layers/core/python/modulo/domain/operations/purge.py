"""Purges: what is to be removed, and the steps of removing a tenant."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from modulo.domain.collections.collection import Space
from modulo.domain.files.user_file import UserFileRef
from modulo.domain.operations.deletion import ReceiptRevision


@dataclass(frozen=True, slots=True)
class Purge:
    """What is to be removed: a collection, a file, or the generations of a file that are no longer live.

    Replaced generations have no `receipt`.
    """

    space: Space
    file_id: UUID | None
    generations: tuple[int, ...] | None
    objects: tuple[int, ...] | None = None
    """The generations whose objects are removed too; re-embedded generations still read the others'."""
    older: tuple[Space, ...] = ()
    """The collection's other indexes, older or being built."""
    receipt: ReceiptRevision | None = None

    @property
    def tenant_id(self) -> UUID:
        """The tenant that owns it."""
        return self.space.tenant_id

    @property
    def collection_id(self) -> UUID:
        """The collection that it is, or is in."""
        return self.space.collection_id

    @property
    def spaces(self) -> tuple[Space, ...]:
        """Each space to remove vectors from, once."""
        return tuple({space.name: space for space in (self.space, *self.older)}.values())


@dataclass(frozen=True, slots=True)
class PurgeRequest:
    """A message to `purge`: a file, a collection, a user file, the parts of one, or a whole tenant."""

    tenant_id: UUID
    collection_id: UUID | None = None
    file_id: UUID | None = None
    user_file: UserFileRef | None = None
    parts_of: UserFileRef | None = None

    def body(self) -> dict[str, object]:
        """The body of the queue message."""
        ids = {"tenant_id": self.tenant_id, "collection_id": self.collection_id, "file_id": self.file_id}
        if self.user_file is not None:
            ids |= {"user_id": self.user_file.user_id, "user_file_id": self.user_file.file_id}
        if self.parts_of is not None:
            ids |= {"user_id": self.parts_of.user_id, "parts_of": self.parts_of.file_id}
        return {name: str(found) if found else None for name, found in ids.items()}

    @classmethod
    def of(cls, body: Mapping[str, object]) -> "PurgeRequest":
        """The request of a queue message's body.

        Raises:
            ValueError, KeyError: it is no such request.
        """
        collection_id, file_id = body["collection_id"], body.get("file_id")
        tenant_id = UUID(str(body.get("tenant_id")))
        if found := body.get("user_file_id"):
            return cls(tenant_id, user_file=UserFileRef(tenant_id, UUID(str(body["user_id"])), UUID(str(found))))
        if found := body.get("parts_of"):
            return cls(tenant_id, parts_of=UserFileRef(tenant_id, UUID(str(body["user_id"])), UUID(str(found))))
        return cls(
            tenant_id,
            UUID(str(collection_id)) if collection_id else None,
            UUID(str(file_id)) if collection_id and file_id else None,
        )


@dataclass(frozen=True, slots=True)
class TenantPurgeStep:
    """The result of one step of purging a tenant: what to purge next, and whether the next step can follow at once.

    `receipt` is set once the metadata holds nothing of the tenant but its tombstone.
    """

    requests: tuple[PurgeRequest, ...]
    more: bool
    receipt: ReceiptRevision | None
