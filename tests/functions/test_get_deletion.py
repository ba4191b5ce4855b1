from datetime import timedelta

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.files.upload import PresignedPost
from modulo.domain.tenancy.identity import external_id
from modulo.runtime.worker import function
from tests.functions.conftest import as_user, ingest, ref_of
from tests.functions.test_purge import run_purges

TEXT = "The archive burned down in 1904."


@pytest.fixture
def deleted(api):
    """A deleted file: the address of its receipt."""
    collection = api.create_collection()
    receipt = api.upload(collection, TEXT, "archive.txt")
    ingest(api, collection, receipt)
    question = {"question": "When did it burn?", "collection_id": collection}
    assert api("POST", "/search", json=question).status == 200
    answer = api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}").json
    return f"/deletions/{answer['deletion_id']}"


def test_the_receipt_lists_what_was_removed_and_when(api, deleted, services, clock):
    asked = api("GET", deleted).json
    assert (asked["state"], asked["name"], asked["kind"]) == ("requested", "archive.txt", "file")
    assert (asked.get("proof"), asked.get("completed_at")) == (None, None)
    clock.advance(timedelta(seconds=7))
    assert run_purges(services) == 1
    ended = api("GET", deleted).json
    assert ended["removed"] == {
        "vectors": {"chunks_bge_small_en_v1_5_384_a3": 1},
        "objects": 1,
        "object_bytes": len(TEXT),
        "cached_entries": 3,  # a result, what it rests on, and the vector of a text
        "rows": {},
        "storage_bytes": len(TEXT),
    }
    assert ended["proof"]["vectors"] == {"chunks_bge_small_en_v1_5_384_a3": 0}
    assert (ended["proof"]["objects"], ended["proof"]["consistency"]) == (0, "Strong")
    assert ended["state"] == "completed"
    assert ended["completed_at"] == ended["proof"]["checked_at"] == "2026-03-14T09:30:07Z"
    assert ended["requested_at"] == "2026-03-14T09:30:00Z"
    assert TEXT not in str(ended)


def test_it_outlives_what_it_is_of(api, deleted, services):
    run_purges(services)
    ended = api("GET", deleted).json
    assert api("DELETE", f"/collections/{ended['collection_id']}").status == 202
    run_purges(services)
    assert api("GET", deleted).json == ended
    assert as_user("eve", "evil")("GET", deleted).status == 404


def test_what_is_uploaded_after_the_deletion_does_not_stay(api, services, clock):
    collection = api.create_collection()
    announced = {"name": "late.txt", "size_bytes": len(TEXT)}
    ticket = api("POST", f"/collections/{collection}/uploads", json=announced).json
    answer = api("DELETE", f"/collections/{collection}/files/{ticket['file_id']}").json
    receipt = f"/deletions/{answer['deletion_id']}"
    assert run_purges(services) == 1
    first = api("GET", receipt).json
    assert (first["state"], first["removed"]["objects"]) == ("purging", 0)
    assert first["open_until"] == "2026-03-14T10:00:00Z"
    services.blobs.post(PresignedPost(**ticket["upload"]), TEXT.encode())
    assert ingest(api, collection, ticket) == []
    assert services.blobs.info(ref_of(api, collection, ticket)) is not None
    clock.advance(timedelta(minutes=30))
    assert function("sweep").handler({}, None)["purges"] == 1
    assert run_purges(services) == 1
    assert services.blobs.info(ref_of(api, collection, ticket)) is None
    ended = api("GET", receipt).json
    assert (ended["state"], ended["removed"]["objects"]) == ("completed", 1)
    assert (ended["proof"]["objects"], ended["proof"]["checked_at"]) == (0, "2026-03-14T10:00:00Z")


@pytest.mark.parametrize("store", ["vectors", "blobs"])
def test_what_a_purge_removed_before_it_died_is_told(api, deleted, services, store):
    real = getattr(services, store)

    class Dying:
        def delete(self, *args, **which):
            real.delete(*args, **which)
            raise Unavailable(dependency=store)

        def __getattr__(self, name):
            return getattr(real, name)

    setattr(services, store, Dying())
    assert run_purges(services) == 0
    assert api("GET", deleted).json["state"] == "purging"
    setattr(services, store, real)
    services.purges.send(purge_of(api, deleted))
    assert run_purges(services) == 1
    ended = api("GET", deleted).json
    assert ended["state"] == "completed"
    assert ended["removed"]["vectors"] == {"chunks_bge_small_en_v1_5_384_a3": 1}
    assert (ended["removed"]["objects"], ended["removed"]["object_bytes"]) == (1, len(TEXT))


@pytest.mark.parametrize("kept", ["vectors", "blobs"])
def test_no_proof_where_a_store_still_holds_something(api, deleted, services, kept):
    real = getattr(services, kept)

    class Keeping:
        def delete(self, *args, **which):
            return 0

        def __getattr__(self, name):
            return getattr(real, name)

    setattr(services, kept, Keeping())
    assert run_purges(services) == 0
    seen = api("GET", deleted).json
    assert (seen["state"], seen.get("proof")) == ("purging", None)
    assert seen["removed"]["storage_bytes"] == 0


@pytest.mark.parametrize(("part", "step"), [("blobs", "delete"), ("purging", "mark_purged")])
def test_a_purge_that_another_overtook_records_nothing(api, deleted, services, part, step):
    real, body = getattr(services, part), purge_of(api, deleted)

    class Overtaken:
        def __getattr__(self, name):
            if name == step and getattr(services, part) is self:
                setattr(services, part, real)
                services.purges.send(body)
                assert run_purges(services) == 1
            return getattr(real, name)

    setattr(services, part, Overtaken())
    assert run_purges(services) == 0
    ended = api("GET", deleted).json
    assert (ended["state"], ended["removed"]["objects"]) == ("completed", 1)
    services.purges.send(body)
    assert run_purges(services) == 1
    assert api("GET", deleted).json == ended


def test_receipts_are_kept_for_a_time(api, deleted, services, clock):
    run_purges(services)
    clock.advance(timedelta(days=399))
    function("sweep").handler({}, None)
    assert api("GET", deleted).status == 200
    clock.advance(timedelta(days=2))
    function("sweep").handler({}, None)
    assert api("GET", deleted).status == 404


def purge_of(api, deleted):
    told = api("GET", deleted).json
    tenant = external_id("modulo", "tenant:acme")
    return {"tenant_id": str(tenant), "collection_id": told["collection_id"], "file_id": told["target_id"]}
