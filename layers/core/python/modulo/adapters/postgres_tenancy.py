"""Tenants, users and keys of the metadata on Postgres."""

from datetime import datetime
from uuid import UUID

from typing_extensions import override

from modulo.adapters import postgres_identities as identities
from modulo.adapters import postgres_tenants as tenants
from modulo.adapters.postgres_pools import PostgresPools
from modulo.domain.deletion import Tally
from modulo.domain.identity import ApiKey, Principal, Tenant, User
from modulo.domain.transfer import Dismantled
from modulo.ports import Metadata


class PostgresTenancy(PostgresPools, Metadata):
    """Each method is one transaction, or one statement."""

    @override
    def add_tenant(self, tenant: Tenant) -> None:
        self._write(lambda c: tenants.add_tenant(c, tenant))

    @override
    def list_tenants(self, *, after: UUID | None, limit: int) -> list[Tenant]:
        return self._read(lambda c: tenants.list_tenants(c, after=after, limit=limit))

    @override
    def tenant_deleted(self, tenant_id: UUID) -> bool:
        return self._at_once(lambda c: tenants.tenant_deleted(c, tenant_id))

    @override
    def tombstone_tenant(self, tenant_id: UUID, *, now: datetime) -> None:
        self._write(lambda c: tenants.tombstone_tenant(c, tenant_id, now=now))

    @override
    def dismantle(self, tenant_id: UUID, *, now: datetime, limit: int) -> Dismantled | None:
        return self._write(lambda c: tenants.dismantle(c, tenant_id, now=now, limit=limit))

    @override
    def end_tenant(self, tenant_id: UUID, tally: Tally, *, now: datetime) -> bool:
        return self._write(lambda c: tenants.end_tenant(c, tenant_id, tally, now=now))

    @override
    def add_user(self, user: User) -> None:
        self._write(lambda c: identities.add_user(c, user))

    @override
    def add_api_key(self, key: ApiKey, *, secret_hash: bytes) -> None:
        self._write(lambda c: identities.add_api_key(c, key, secret_hash))

    @override
    def list_api_keys(self, tenant_id: UUID) -> list[ApiKey]:
        return self._read(lambda c: identities.list_api_keys(c, tenant_id))

    @override
    def revoke_api_key(self, tenant_id: UUID, key_id: UUID, *, now: datetime) -> None:
        self._write(lambda c: identities.revoke_api_key(c, tenant_id, key_id, now=now))

    @override
    def principal_of(self, secret_hash: bytes, *, now: datetime) -> Principal | None:
        return self._read(lambda c: identities.principal_of(c, secret_hash, now=now))
