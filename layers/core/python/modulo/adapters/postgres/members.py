"""Members of collections."""

from uuid import UUID

from sqlalchemy import Connection, case, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.locks import locked, note_change
from modulo.adapters.postgres.pools import Pooled, read, transaction
from modulo.adapters.postgres.rows import MEMBERSHIP, in_tenant, visible
from modulo.adapters.postgres.rules import assignable
from modulo.adapters.postgres.tables import collections, members, users
from modulo.domain.collections.member import Member
from modulo.domain.collections.member_cursor import MemberCursor
from modulo.domain.errors import NotFound
from modulo.domain.pagination import Listing
from modulo.domain.tenancy.identity import Principal, Role


class PostgresMembers(Pooled):
    """Members of collections."""

    @read
    def list_members(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        *,
        after: MemberCursor | None,
        limit: int,
    ) -> Listing[Member]:
        """One page of those who may use the collection, by role and name."""
        others = members.alias("others")
        rank = case({role.value: place for place, role in enumerate(Role)}, value=others.c.role)
        order = (rank, users.c.name, others.c.user_id)
        listed = (others.c.tenant_id == members.c.tenant_id) & (others.c.collection_id == members.c.collection_id)
        if after is not None:
            listed &= tuple_(*order) > (after.rank, after.name, after.user_id)
        named = others.join(users, (users.c.tenant_id == others.c.tenant_id) & (users.c.id == others.c.user_id))
        statement = (
            select(others.c.user_id, users.c.name, others.c.role)
            .select_from(collections)
            .join(members, MEMBERSHIP)
            .outerjoin(named, listed)  # a row without a member: the collection is visible, and the page is empty
            .where(visible(principal, collection_id))
            .order_by(*order)
            .limit(limit + 1)
        )
        rows = connection.execute(statement).all()
        if not rows:
            raise NotFound
        found = [Member(user_id=row.user_id, name=row.name, role=row.role) for row in rows if row.user_id]
        following = MemberCursor.of(found[limit - 1]).encode() if len(found) > limit else None
        return Listing[Member](items=tuple(found[:limit]), next=following)

    @transaction
    def set_member(
        self, connection: Connection, principal: Principal, collection_id: UUID, user_id: UUID, role: Role
    ) -> Member:
        """Give a user of the tenant a role."""
        owner_id = locked(connection, principal, collection_id, Role.owner)["owner_id"]
        assignable(user_id == owner_id, role)
        named = select(users.c.name).where(in_tenant(principal.tenant_id, users), users.c.id == user_id)
        name = connection.execute(named).scalar_one_or_none()
        if name is None:
            raise NotFound("The tenant has no such user.")
        values = {
            "tenant_id": principal.tenant_id,
            "collection_id": collection_id,
            "user_id": user_id,
            "role": role.value,
        }
        given = insert(members).values(values)
        connection.execute(
            given.on_conflict_do_update(constraint=members.primary_key, set_={"role": given.excluded.role})
        )
        return Member(user_id=user_id, name=name, role=role)

    @transaction
    def remove_member(self, connection: Connection, principal: Principal, collection_id: UUID, user_id: UUID) -> None:
        """End a membership."""
        collection = locked(connection, principal, collection_id, Role.owner)
        assignable(user_id == collection["owner_id"], Role.viewer)
        statement = delete(members).where(
            in_tenant(principal.tenant_id, members),
            members.c.collection_id == collection_id,
            members.c.user_id == user_id,
        )
        if connection.execute(statement).rowcount == 0:
            raise NotFound("The collection has no such member.")
        note_change(connection, collection)
