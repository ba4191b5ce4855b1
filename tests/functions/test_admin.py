"""Operators' commands by the function that IAM opens."""

from uuid import uuid4

import pytest

from modulo.domain.operations.dead_letter import DeadLetterState
from modulo.domain.tenancy.identity import Scope, api_key_hash
from modulo.runtime.admin import door, reembeddings, tenants
from modulo.runtime.worker import function
from tests.functions.conftest import principal_of


def admin(command, **arguments):
    return function("admin").handler({"command": command, "arguments": arguments}, None)


def refusal(reply):
    assert set(reply) == {"problem"}
    return reply["problem"]["type"], reply["problem"]["status"], reply["problem"]["detail"]


def test_the_first_key_of_a_deployment(services):
    secret = admin("keys.create", tenant="acme", user="ada", name="laptop", scopes=["read"], days=3)["result"]
    principal = services.identities.principal_of(api_key_hash(secret), now=services.clock.now())
    assert principal.scopes == {Scope.read}
    [key] = admin("keys.list", tenant="acme")["result"]
    assert (key["name"], key["scopes"], key["revoked_at"]) == ("laptop", ["read"], None)
    assert secret not in str(key)
    assert admin("keys.revoke", tenant="acme", key_id=key["id"]) == {"result": None}
    assert admin("keys.list", tenant="acme")["result"][0]["revoked_at"] is not None


def test_no_log_line_holds_a_secret(services, caplog):
    caplog.set_level("INFO")
    secret = admin("keys.create", tenant="acme", user="ada", name="laptop")["result"]
    assert "keys.create" in caplog.text
    assert secret not in caplog.text


def test_tenants_come_in_pages_and_are_deleted_with_a_receipt(services, monkeypatch):
    monkeypatch.setattr(tenants, "PAGE", 2)
    for name in "abc":
        admin("keys.create", tenant=name, user="ada", name="laptop")
    first = admin("tenants.list")["result"]
    rest = admin("tenants.list", after=first[-1]["id"])["result"]
    assert sorted(tenant["name"] for tenant in [*first, *rest]) == ["a", "b", "c"]
    gone = first[0]["id"]
    receipt = admin("tenants.delete", tenant_id=gone)["result"]
    assert admin("tenants.receipt", tenant_id=gone)["result"]["id"] == receipt
    assert services.purges.pending() == 1


def test_dead_letters_are_listed_retried_and_discarded(services):
    assert admin("dead-letters.list", state=DeadLetterState.waiting.value) == {"result": {"items": [], "next": None}}
    assert admin("dead-letters.retry") == {"result": 0}
    assert admin("dead-letters.discard") == {"result": 0}
    for command in ("dead-letters.retry", "dead-letters.discard"):
        assert refusal(admin(command, letter_id=str(uuid4())))[:2] == ("urn:modulo:problem:not-found", 404)


@pytest.mark.parametrize(
    ("command", "arguments", "told"),
    [
        ("keys.create", {"tenant": "acme"}, "user: is required"),
        ("keys.create", {"tenant": 1, "user": "a", "name": "b"}, "tenant: must be a text"),
        ("keys.create", {"tenant": "a", "user": "a", "name": "b", "scopes": ["root"]}, "scopes.0: must be"),
        ("keys.list", {"tenant": "acme", "everything": True}, "everything: is not known here"),
        ("keys.revoke", {"tenant": "acme", "key_id": "x"}, "key_id: must be an id (UUID)"),
        ("tenants.delete", {"tenant_id": "' OR 1=1"}, "tenant_id: must be an id (UUID)"),
        ("dead-letters.list", {"after": "%%"}, ""),
        ("dead-letters.list", {"state": "lost"}, "state: must be"),
    ],
)
def test_wrong_arguments_are_named(services, command, arguments, told):
    kind, status, detail = refusal(admin(command, **arguments))
    assert (kind, status) == ("urn:modulo:problem:invalid-request", 422)
    assert told in detail


@pytest.mark.parametrize("event", [{}, {"command": "__import__"}, {"command": None}, {"command": ["keys.list"]}])
def test_an_unknown_command_is_refused_with_those_that_are_known(services, event):
    kind, status, detail = refusal(function("admin").handler(event, None))
    assert (kind, status) == ("urn:modulo:problem:not-found", 404)
    assert all(command in detail for command in door.COMMANDS)


def test_arguments_are_an_object(services):
    reply = function("admin").handler({"command": "keys.list", "arguments": ["acme"]}, None)
    assert refusal(reply)[1] == 422


def test_no_such_tenant_is_not_found(services):
    assert refusal(admin("tenants.delete", tenant_id=str(uuid4())))[1] == 404
    assert refusal(admin("tenants.receipt", tenant_id=str(uuid4())))[1] == 404


def test_all_collections_of_a_tenant_are_re_embedded_once(api, services, monkeypatch):
    monkeypatch.setattr(reembeddings, "PAGE", 2)
    mine = sorted(api.create_collection(name) for name in "abc")
    api("DELETE", f"/collections/{api.create_collection('gone')}")
    tenant = str(principal_of("ada").tenant_id)
    first = admin("tenants.reembed", tenant_id=tenant)["result"]
    last = admin("tenants.reembed", tenant_id=tenant, after=first["next"])["result"]
    assert [*first["started"], *last["started"]] == mine
    assert (first["skipped"], last["skipped"], last["next"]) == ({}, {}, None)
    again = admin("tenants.reembed", tenant_id=tenant)["result"]
    assert (again["started"], list(again["skipped"])) == ([], mine[:2])
    assert "re-embedding" in again["skipped"][mine[0]]
    assert admin("tenants.reembed", tenant_id=str(uuid4()))["result"]["started"] == []


def test_a_model_that_is_not_offered_re_embeds_nothing(api, services):
    collection = api.create_collection()
    tenant = str(principal_of("ada").tenant_id)
    assert refusal(admin("tenants.reembed", tenant_id=tenant, request={"embedding_model": "x"}))[1] == 422
    assert api("GET", f"/collections/{collection}/reembedding").status == 404
