"""Tenants, users and API keys, whichever metadata keeps them."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from modulo.domain.errors import Conflict, NotFound
from modulo.domain.tenancy.identity import OwnedApiKey, Principal, Scope, Tenant, User, api_key_hash, new_api_key
from tests.metadata_world import HOUR, NOW, Metadata, MetadataContract, World, key_of


class TestIdentities(MetadataContract):
    def test_an_existing_tenant_and_user_stay_as_they_are(self, metadata: Metadata, world: World) -> None:
        owner = world.user("Ada")
        metadata.tenants.add_tenant(Tenant(id=world.tenant_id, name="another name"))
        metadata.identities.add_user(User(tenant_id=world.tenant_id, id=owner.user_id, name="Mallory"))
        collection = world.collection(owner)
        members = metadata.members.list_members(owner, collection.id, after=None, limit=100)
        assert [member.name for member in members.items] == ["Ada"]

    def test_a_user_needs_a_tenant(self, metadata: Metadata) -> None:
        with pytest.raises(NotFound):
            metadata.identities.add_user(User(tenant_id=uuid4(), id=uuid4(), name="nobody"))

    def test_a_key_speaks_for_its_user_with_its_scopes(self, metadata: Metadata, world: World) -> None:
        user, secret = world.user(), api_key_hash(new_api_key())
        metadata.identities.add_api_key(key_of(user), secret_hash=secret)
        assert metadata.identities.principal_of(secret, now=NOW) == Principal(
            user.tenant_id, user.user_id, frozenset({Scope.read})
        )

    def test_an_unknown_secret_speaks_for_nobody(self, metadata: Metadata) -> None:
        assert metadata.identities.principal_of(api_key_hash("mod_guess"), now=NOW) is None

    def test_a_key_ends_when_it_expires(self, metadata: Metadata, world: World) -> None:
        secret = api_key_hash(new_api_key())
        metadata.identities.add_api_key(key_of(world.user(), expires_at=NOW + HOUR), secret_hash=secret)
        assert metadata.identities.principal_of(secret, now=NOW + HOUR - timedelta(microseconds=1)) is not None
        assert metadata.identities.principal_of(secret, now=NOW + HOUR) is None

    def test_a_revoked_key_speaks_for_nobody_and_keeps_its_first_end(self, metadata: Metadata, world: World) -> None:
        key, secret = key_of(world.user()), api_key_hash(new_api_key())
        metadata.identities.add_api_key(key, secret_hash=secret)
        metadata.identities.revoke_api_key(world.tenant_id, key.id, now=NOW)
        metadata.identities.revoke_api_key(world.tenant_id, key.id, now=NOW + HOUR)
        assert metadata.identities.principal_of(secret, now=NOW) is None
        assert metadata.identities.list_api_keys(world.tenant_id)[0].revoked_at == NOW

    def test_keys_are_listed_newest_first_and_whole_with_whose_they_are(self, metadata: Metadata, world: World) -> None:
        user = world.user("Ada")
        keys = [key_of(user, created_at=NOW + n * HOUR, expires_at=NOW + 9 * HOUR) for n in range(3)]
        for key in keys:
            metadata.identities.add_api_key(key, secret_hash=api_key_hash(new_api_key()))
        owned = [OwnedApiKey(**key.model_dump(), user_name="Ada") for key in reversed(keys)]
        assert metadata.identities.list_api_keys(world.tenant_id) == owned

    @pytest.mark.parametrize("tenant_id", [None, uuid4()], ids=["own", "foreign"])
    def test_revoking_a_key_that_is_not_there_says_so(
        self, metadata: Metadata, world: World, tenant_id: UUID | None
    ) -> None:
        key = key_of(world.user())
        metadata.identities.add_api_key(key, secret_hash=api_key_hash(new_api_key()))
        with pytest.raises(NotFound):
            metadata.identities.revoke_api_key(tenant_id or world.tenant_id, key.id if tenant_id else uuid4(), now=NOW)

    def test_a_secret_and_an_id_are_stored_once(self, metadata: Metadata, world: World) -> None:
        key, secret = key_of(world.user()), api_key_hash(new_api_key())
        metadata.identities.add_api_key(key, secret_hash=secret)
        with pytest.raises(Conflict):
            metadata.identities.add_api_key(key_of(world.user()), secret_hash=secret)
        with pytest.raises(Conflict):
            metadata.identities.add_api_key(key, secret_hash=api_key_hash(new_api_key()))

    def test_a_key_needs_a_user(self, metadata: Metadata, world: World) -> None:
        world.user()
        nobody = Principal(world.tenant_id, uuid4(), frozenset())
        with pytest.raises(NotFound):
            metadata.identities.add_api_key(key_of(nobody), secret_hash=api_key_hash(new_api_key()))
