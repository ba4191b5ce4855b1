from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests.functions.conftest import as_user, principal_of


def purge(services):
    handled = 0
    for delivery in services.purges.receive(limit=10, wait_seconds=0):
        assert function("purge").handler({"Records": [record_of(delivery)]}, None) == {"batchItemFailures": []}
        services.purges.delete(delivery.receipt)
        handled += 1
    return handled


def test_a_file_goes_with_its_copies_and_its_object(api, services, collection):
    file = api.keep_file("The sea is deep.")
    api.attach(collection, file)
    reply = api("DELETE", f"/v1/files/{file}")
    assert reply.json == {"id": file, "object": "file", "deleted": True}
    assert api("GET", f"/v1/files/{file}").status == 404
    assert api("GET", f"/collections/{collection}/files").json["items"] == []
    assert api("GET", "/usage").json["storage_bytes"] == 16  # of the copy, until it is purged
    assert purge(services) == 2
    tenant = principal_of("ada").tenant_id
    assert services.blobs.count(tenant, f"tenants/{tenant}/").objects == 0
    assert api("GET", "/usage").json["storage_bytes"] == 0
    assert api("DELETE", f"/v1/files/{file}").status == 404


def test_a_copy_stays_where_its_user_may_not_delete(api, services):
    bob = as_user("bob")
    shared = bob.create_collection("shared")
    own = api.create_collection("own")
    ada = api("GET", f"/collections/{own}/members").json["items"][0]["user_id"]
    bob("PUT", f"/collections/{shared}/members/{ada}", json={"role": "editor"})
    file = api.keep_file("text")
    api.attach(shared, file)
    bob("PUT", f"/collections/{shared}/members/{ada}", json={"role": "viewer"})
    assert api("DELETE", f"/v1/files/{file}").status == 200
    assert len(bob("GET", f"/collections/{shared}/files").json["items"]) == 1
    assert api("GET", f"/v1/files/{file}").json["id"] == file  # as one of a collection


def test_a_purge_that_comes_twice_changes_nothing(api, services):
    api("DELETE", f"/v1/files/{api.keep_file('text')}")
    [delivery] = services.purges.receive(limit=10, wait_seconds=0)
    for _ in range(2):
        assert function("purge").handler({"Records": [record_of(delivery)]}, None) == {"batchItemFailures": []}
