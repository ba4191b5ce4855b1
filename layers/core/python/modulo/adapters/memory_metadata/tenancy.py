"""Tenants, users and keys of the in-memory metadata, and the lock that all of it is used under."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from typing_extensions import override

from modulo.adapters.memory_metadata import identities, tenants
from modulo.adapters.memory_metadata.store import Store, TenantRow
from modulo.adapters.memory_metadata.watchers import sights
from modulo.domain.deletion import Tally
from modulo.domain.identity import ApiKey, Principal, Tenant, User
from modulo.domain.transfer import Dismantled
from modulo.ports import Metadata

Result = TypeVar("Result")


class MemoryTenancy(Metadata):
    """One lock makes each method a transaction; what it changed of a watched collection is announced behind it."""

    def __init__(self, announce: Callable[[UUID, UUID], None] = lambda _tenant, _collection: None) -> None:
        self._store = Store()
        self._announce = announce

    def _locked(self, work: Callable[[Store], Result]) -> Result:
        with self._store.lock:
            before = sights(self._store)
            found = work(self._store)
            after = sights(self._store)
        for place, sight in before.items():
            if place in after and after[place] != sight:
                self._announce(*place)
        return found

    @override
    def add_tenant(self, tenant: Tenant) -> None:
        self._locked(lambda s: s.tenants.setdefault(tenant.id, TenantRow(tenant.id, tenant.name)))

    @override
    def list_tenants(self, *, after: UUID | None, limit: int) -> list[Tenant]:
        return self._locked(lambda s: tenants.list_tenants(s, after=after, limit=limit))

    @override
    def tenant_deleted(self, tenant_id: UUID) -> bool:
        return self._locked(lambda s: tenants.tenant_deleted(s, tenant_id))

    @override
    def tombstone_tenant(self, tenant_id: UUID, *, now: datetime) -> None:
        self._locked(lambda s: tenants.tombstone_tenant(s, tenant_id, now=now))

    @override
    def dismantle(self, tenant_id: UUID, *, now: datetime, limit: int) -> Dismantled | None:
        return self._locked(lambda s: tenants.dismantle(s, tenant_id, now=now, limit=limit))

    @override
    def end_tenant(self, tenant_id: UUID, tally: Tally, *, now: datetime) -> bool:
        return self._locked(lambda s: tenants.end_tenant(s, tenant_id, tally, now=now))

    @override
    def add_user(self, user: User) -> None:
        self._locked(lambda s: identities.add_user(s, user))

    @override
    def add_api_key(self, key: ApiKey, *, secret_hash: bytes) -> None:
        self._locked(lambda s: identities.add_api_key(s, key, secret_hash))

    @override
    def list_api_keys(self, tenant_id: UUID) -> list[ApiKey]:
        return self._locked(lambda s: identities.list_api_keys(s, tenant_id))

    @override
    def revoke_api_key(self, tenant_id: UUID, key_id: UUID, *, now: datetime) -> None:
        self._locked(lambda s: identities.revoke_api_key(s, tenant_id, key_id, now=now))

    @override
    def principal_of(self, secret_hash: bytes, *, now: datetime) -> Principal | None:
        return self._locked(lambda s: identities.principal_of(s, secret_hash, now=now))
