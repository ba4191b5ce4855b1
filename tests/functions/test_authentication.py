"""Credentials: how long a key is trusted, and whom a token speaks for."""

from datetime import timedelta
from uuid import uuid4

import pytest

from modulo.domain.errors import NotFound, Unauthenticated
from modulo.domain.tenancy.identity import Principal, Scope, external_id
from modulo.runtime import auth
from modulo.runtime.admin.keys import create_key, list_keys, revoke_key
from modulo.runtime.admin.tenants import delete_tenant
from tests.functions.conftest import Api, as_user


@pytest.mark.parametrize("settings", [{"api_key_cache_seconds": 0}], indirect=True)
def test_a_revoked_key_ends_at_once_where_none_is_remembered(services):
    api = as_user("ada")
    assert api("GET", "/usage").status == 200
    revoke_key("acme", list_keys("acme")[0].id)
    reply = api("GET", "/usage")
    assert (reply.status, reply.json["detail"]) == (401, "The API key is unknown, expired or revoked.")


def test_a_known_key_is_not_asked_for_again_until_its_time_is_over(services, monkeypatch):
    api = as_user("ada")
    api("GET", "/usage")
    revoke_key("acme", list_keys("acme")[0].id)
    assert api("GET", "/usage").status == 200
    later = auth.monotonic() + 6
    monkeypatch.setattr(auth, "monotonic", lambda: later)
    assert api("GET", "/usage").status == 401
    assert services.known_keys == {}


def test_an_expired_key_is_refused(services, clock):
    api = Api({"x-api-key": create_key("acme", "ada", "short", days=1)})
    assert api("GET", "/usage").status == 200
    services.known_keys.clear()
    clock.advance(timedelta(days=1, seconds=1))
    assert api("GET", "/usage").status == 401


def test_no_key_is_made_for_a_deleted_tenant(services):
    create_key("acme", "ada", "first")
    delete_tenant(external_id("modulo", "tenant:acme"))
    for user in ["ada", "new"]:
        with pytest.raises(NotFound, match="Tenant 'acme' has been deleted"):
            create_key("acme", user, "second")


def test_memory_of_keys_is_bounded(services, monkeypatch):
    monkeypatch.setattr(auth, "MAX_CACHED_CREDENTIALS", 2)
    for user in ["a", "b", "c"]:
        as_user(user)("GET", "/usage")
    assert len(services.known_keys) == 1


def test_a_bearer_token_speaks_for_its_principal(services):
    principal = Principal(uuid4(), uuid4(), frozenset({Scope.read, Scope.write}))

    class Tokens:
        def principal(self, token):
            assert token == "a.b.c"
            return principal

    services.tokens = Tokens()
    api = Api({"authorization": "bearer a.b.c"})
    collection = api.create_collection()
    assert api("GET", f"/collections/{collection}").json["owner_id"] == str(principal.user_id)


@pytest.mark.parametrize("settings", [{"api_key_cache_seconds": 0}], indirect=True)
def test_the_credentials_of_a_deleted_tenant_are_unknown(services):
    by_key = as_user("ada")
    principal = Principal(external_id("modulo", "tenant:acme"), uuid4(), frozenset(Scope))

    class Tokens:
        def principal(self, token):
            if token != "a.b.c":
                raise Unauthenticated
            return principal

    services.tokens = Tokens()
    by_token, unknown = (Api({"authorization": f"bearer {token}"}) for token in ("a.b.c", "x.y.z"))
    for api in (by_key, by_token):
        assert api("GET", "/collections").status == 200
    services.tenants.tombstone_tenant(principal.tenant_id, now=services.clock.now())
    for api in (by_key, by_token):
        assert api("GET", "/collections").status == 401
    told, expected = (api("GET", "/collections").json for api in (by_token, unknown))
    assert told.pop("request_id") != expected.pop("request_id")
    assert told.pop("trace_id") != expected.pop("trace_id")
    assert told == expected


def test_a_living_tenant_is_asked_for_once_in_a_while(services, monkeypatch):
    monkeypatch.setattr(auth, "MAX_CACHED_CREDENTIALS", 1)
    principals = [Principal(uuid4(), uuid4(), frozenset(Scope)) for _ in range(2)]
    asked = []

    class Tokens:
        def principal(self, token):
            return principals[int(token)]

    class Counting:
        def tenant_deleted(self, tenant_id):
            asked.append(tenant_id)
            return False

    services.tokens, services.tenants = Tokens(), Counting()
    for token in "00110":
        assert auth.authenticate(token, services=services) is principals[int(token)]
    first, second = (principal.tenant_id for principal in principals)
    assert asked == [first, second, first]


def test_two_credentials_are_one_too_many(services):
    ada, bob = (as_user(name).headers["authorization"].partition(" ")[2] for name in ("ada", "bob"))
    for key, token in ((ada, bob), (ada, ada), (ada, "nonsense"), ("nonsense", ada)):
        reply = Api({"x-api-key": key, "authorization": f"Bearer {token}"})("GET", "/collections")
        assert reply.status == 401
        assert "one credential" in reply.json["detail"]


@pytest.mark.parametrize("blank", ["\u00a0", "\u0085", "\x0b", "\x1f", "\u3000"])
@pytest.mark.parametrize("place", ["{}{}", "{1}{0}"])
def test_a_key_with_blanks_of_other_kinds_is_another_key(services, blank, place):
    key = as_user("ada").headers["authorization"].partition(" ")[2]
    reply = Api({"authorization": f"Bearer {place.format(key, blank)}"})("GET", "/collections")
    assert reply.status == 401
    assert Api({"authorization": f"Bearer  {key}\t"})("GET", "/collections").status == 200
