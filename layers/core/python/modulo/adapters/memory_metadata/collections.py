"""Collections and their members in memory."""

from datetime import datetime
from uuid import UUID

from modulo.adapters.memory_metadata.deletions import open_receipt
from modulo.adapters.memory_metadata.store import CollectionRow, Store
from modulo.adapters.metadata_rules import assignable, id_taken, name_key, name_taken, require
from modulo.domain.collection import Chunking, Collection
from modulo.domain.errors import NotFound
from modulo.domain.generation import PURGE_AFTER
from modulo.domain.identity import Principal, Role
from modulo.domain.quota import exceeded
from modulo.domain.transfer import CollectionDraft, Cursor, Member
from modulo.domain.value import Listing


def create_collection(
    store: Store, principal: Principal, draft: CollectionDraft, *, limit: int, now: datetime
) -> Collection:
    """Create it, or answer with what the same draft created before."""
    known = store.collections.get((principal.tenant_id, draft.id))
    if known is not None:
        if known.deleted_at is not None or (known.owner_id, known.name) != (principal.user_id, draft.name):
            raise id_taken()
        return store.view(known, principal)
    _free_name(store, principal.tenant_id, draft.name)
    owner = store.introduce(principal)
    if owner.collection_count >= limit:
        raise exceeded("collections", limit)
    owner.collection_count += 1
    row = CollectionRow(
        principal.tenant_id,
        draft.id,
        draft.name,
        principal.user_id,
        draft.model,
        draft.chunking,
        draft.dedicated,
        created_at=now,
        updated_at=now,
        members={principal.user_id: Role.owner},
    )
    store.collections[row.tenant_id, row.id] = row
    return store.view(row, principal)


def _free_name(store: Store, tenant_id: UUID, name: str, *, but: UUID | None = None) -> None:
    for row in store.collections.values():
        if row.tenant_id == tenant_id and row.deleted_at is None and row.id != but:  # noqa: SIM102 - reads better
            if name_key(row.name) == name_key(name):
                raise name_taken()


def list_collections(
    store: Store, principal: Principal, *, after: Cursor | None, limit: int, name: str | None
) -> Listing[Collection]:
    """One page, newest first."""
    found = sorted(
        (
            row
            for row in store.collections.values()
            if row.tenant_id == principal.tenant_id
            and row.deleted_at is None
            and principal.user_id in row.members
            and (after is None or (row.created_at, row.id) < (after.moment, after.id))
            and (name is None or name_key(name) in name_key(row.name))
        ),
        key=lambda row: (row.created_at, row.id),
        reverse=True,
    )
    following = Cursor(found[limit - 1].created_at, found[limit - 1].id).encode() if len(found) > limit else None
    return Listing[Collection](items=tuple(store.view(row, principal) for row in found[:limit]), next=following)


def update_collection(
    store: Store,
    principal: Principal,
    collection_id: UUID,
    *,
    name: str | None,
    chunking: Chunking | None,
    now: datetime,
) -> Collection:
    """Change what is not None."""
    row = store.visible(principal, collection_id, Role.editor)
    if name is not None:
        _free_name(store, row.tenant_id, name, but=row.id)
        row.name = name
    row.chunking = chunking or row.chunking
    if name is not None or chunking is not None:
        row.updated_at = now
    return store.view(row, principal)


def tombstone_collection(store: Store, principal: Principal, collection_id: UUID, *, now: datetime) -> None:
    """Make it and its files invisible; once."""
    row = store.collections.get((principal.tenant_id, collection_id))
    role = row.members.get(principal.user_id) if row else None
    if row is None or (row.deleted_at is not None and role is not Role.owner):
        raise NotFound
    require(role, Role.owner)
    if row.deleted_at is None:
        open_receipt(store, row, requested_by=principal.user_id, now=now)
        row.deleted_at = now
        row.purge_after = now + PURGE_AFTER
        row.version += 1
        store.users[row.tenant_id, row.owner_id].collection_count -= 1


def list_members(store: Store, principal: Principal, collection_id: UUID) -> list[Member]:
    """Who may use the collection, by role and name."""
    row = store.visible(principal, collection_id)
    found = [
        Member(user_id=user_id, name=store.users[row.tenant_id, user_id].name, role=role)
        for user_id, role in row.members.items()
    ]
    return sorted(found, key=lambda member: (list(Role).index(member.role), member.name, member.user_id))


def set_member(store: Store, principal: Principal, collection_id: UUID, user_id: UUID, role: Role) -> Member:
    """Give a user of the tenant a role."""
    row = store.visible(principal, collection_id, Role.owner)
    assignable(user_id == row.owner_id, role)
    user = store.users.get((principal.tenant_id, user_id))
    if user is None:
        raise NotFound("The tenant has no such user.")
    row.members[user_id] = role
    return Member(user_id=user_id, name=user.name, role=role)


def remove_member(store: Store, principal: Principal, collection_id: UUID, user_id: UUID) -> None:
    """End a membership."""
    row = store.visible(principal, collection_id, Role.owner)
    assignable(user_id == row.owner_id, Role.viewer)
    if row.members.pop(user_id, None) is None:
        raise NotFound("The collection has no such member.")
