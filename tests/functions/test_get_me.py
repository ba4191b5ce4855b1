from modulo.domain.tenancy.identity import Scope
from tests.functions.conftest import as_user, principal_of


def test_a_caller_sees_who_they_are(api, services):
    ada = principal_of("ada")
    api.create_collection("one")
    api.create_collection("two")
    me = api("GET", "/me").json
    assert me["user"] == {"id": str(ada.user_id), "name": "ada"}
    assert me["tenant"] == {"id": str(ada.tenant_id), "name": "acme"}
    assert (me["roles"], me["scopes"]) == ({"owner": 2}, ["read", "write"])
    assert me["quotas"] == services.settings.quotas.model_dump()
    assert me["usage"]["collections"] == 2


def test_a_key_that_reads_says_so(services):
    me = as_user("bob", scopes=[Scope.read])("GET", "/me").json
    assert (me["roles"], me["scopes"]) == ({}, ["read"])
