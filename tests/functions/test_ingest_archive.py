"""Archives: expanded into files that are ingested one by one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.tenancy.quota import Quotas
from modulo.usecases.ingest_file.archive import ArchiveExpansion
from modulo.usecases.ingest_file.lease import ClaimLease
from tests import documents
from tests.functions.conftest import as_user, deliver_queued, ingest, ref_of
from tests.functions.reembeddings import MODELS, collection_of, path, start, sweep
from tests.functions.test_ingest_parts import Wrapped


def files(api, collection):
    return {item["name"]: item for item in api("GET", f"/collections/{collection}/files").json["items"]}


def ingest_all(api, collection):
    """Deliver the events of everything that was stored and not ingested."""
    for item in files(api, collection).values():
        if item["stage"] == "awaiting_upload":
            assert ingest(api, collection, {**item, "file_id": item["id"]}) == []


def expanded(api, collection, *parts, name="a.zip"):
    """The files once an archive of these was uploaded, and it and all it holds ingested."""
    receipt = api.upload(collection, documents.zipped(parts), name)
    assert ingest(api, collection, receipt) == []
    ingest_all(api, collection)
    return files(api, collection)


def sources(api, collection, question):
    body = {"question": question, "collection_id": collection, "config_metadata": {"retrieve_only": True}}
    return {hit["chunk"]["metadata"]["source"] for hit in api("POST", "/search", json=body).json["query_results"]}


def test_each_file_is_found_by_its_path(api, collection):
    found = expanded(
        api,
        collection,
        ("notes/rain.txt", b"Rain falls."),
        ("b.md", b"# Snow\n\nSnow lies."),
        ("c.docx", documents.word()),
    )
    assert set(found) == {"a.zip", "a.zip/notes/rain.txt", "a.zip/b.md", "a.zip/c.docx"}
    assert {item["stage"] for item in found.values()} == {"ready"}
    assert (found["a.zip"]["document"]["files"], found["a.zip"]["document"].get("left_out")) == (3, None)
    assert found["a.zip"]["chunk_count"] == 0
    assert "a.zip/notes/rain.txt" in sources(api, collection, "rain falls")
    content = api("GET", f"/collections/{collection}/files/{found['a.zip/b.md']['id']}/content")
    assert content.status in (200, 302, 303, 307)


def test_what_is_left_out_is_named_with_the_reason(api, collection):
    found = expanded(
        api,
        collection,
        ("good.txt", b"Rain falls."),
        ("empty.txt", b""),
        ("picture.png", documents.png()),
        ("../../up.bin", bytes(range(256))),
        ("inner.zip", documents.zipped([("deep.txt", b"Hail."), ("odd.exe", b"MZ")])),
        ("broken.zip", b"PK\x03\x04 and nothing else"),
    )
    assert set(found) == {"a.zip", "a.zip/good.txt", "a.zip/inner.zip/deep.txt"}
    document = found["a.zip"]["document"]
    assert document["files"] == 2
    assert [(item["path"], item["code"]) for item in document["left_out"]] == [
        ("empty.txt", "empty-file"),
        ("picture.png", "unsupported-file"),
        ("up.bin", "unsupported-file"),
        ("inner.zip/odd.exe", "unsupported-file"),
        ("broken.zip", "corrupt-file"),
    ]
    assert all(item["detail"] for item in document["left_out"])


def test_an_archive_of_nothing_is_empty(api, collection):
    found = expanded(api, collection)
    assert (found["a.zip"]["stage"], found["a.zip"]["problem"]["code"]) == ("failed", "empty-file")


def test_no_archive_at_all_is_corrupt(api, collection):
    receipt = api.upload(collection, b"PK\x03\x04 and nothing else", "a.zip")
    assert ingest(api, collection, receipt) == []
    assert files(api, collection)["a.zip"]["problem"]["code"] == "corrupt-file"


@pytest.mark.parametrize("settings", [{"quotas": Quotas(files=3, storage_bytes=2_000)}], indirect=True)
def test_what_does_not_fit_the_quota_is_left_out(api, collection):
    found = expanded(
        api, collection, ("a.txt", b"Rain."), ("big.txt", b"x" * 1_990), ("b.txt", b"Snow."), ("c.txt", b"Hail.")
    )
    assert set(found) == {"a.zip", "a.zip/a.txt", "a.zip/b.txt"}
    left_out = found["a.zip"]["document"]["left_out"]
    assert [(item["path"], item["code"]) for item in left_out] == [
        ("big.txt", "quota-exceeded"),
        ("c.txt", "quota-exceeded"),
    ]
    usage = api("GET", "/usage").json
    assert usage["storage_bytes"] == sum(item["size_bytes"] for item in found.values())


def test_delivered_again_it_changes_nothing(api, collection):
    receipt = api.upload(collection, documents.zipped([("a.txt", b"Rain.")]), "a.zip")
    assert ingest(api, collection, receipt) == []
    ingest_all(api, collection)
    before = files(api, collection)
    assert ingest(api, collection, receipt) == []
    ingest_all(api, collection)
    assert files(api, collection) == before


def test_a_crash_midway_is_resumed(api, collection, services):
    real, stored = services.blobs, []

    def put(ref, content, *, media_type):
        if len(stored) == 1:
            raise Unavailable("down", dependency="s3")
        stored.append(ref)
        real.put(ref, content, media_type=media_type)

    receipt = api.upload(collection, documents.zipped([("a.txt", b"Rain."), ("b.txt", b"Snow.")]), "a.zip")
    services.blobs = Wrapped(real, put=put)
    assert ingest(api, collection, receipt) != []
    services.blobs = real
    ids = {name: item["id"] for name, item in files(api, collection).items()}
    assert set(ids) == {"a.zip", "a.zip/a.txt", "a.zip/b.txt"}
    ingest_all(api, collection)  # the first of them is ready before the archive is
    assert ingest(api, collection, receipt, attempt=2) == []
    ingest_all(api, collection)
    found = files(api, collection)
    assert {name: item["id"] for name, item in found.items()} == ids
    assert {item["stage"] for item in found.values()} == {"ready"}
    assert {item["generation"] for item in found.values()} == {1}


def test_uploaded_again_it_updates_its_files(api, collection):
    before = expanded(api, collection, ("a.txt", b"Rain falls."), ("gone.txt", b"Sleet fell."))
    after = expanded(api, collection, ("a.txt", b"Sun shines."), ("new.txt", b"Wind blows."))
    assert set(after) == {"a.zip", "a.zip/a.txt", "a.zip/new.txt"}
    assert after["a.zip/a.txt"]["id"] == before["a.zip/a.txt"]["id"]
    assert after["a.zip/a.txt"]["generation"] == 2
    assert "a.zip/gone.txt" not in sources(api, collection, "sleet fell")


def test_a_file_still_being_ingested_has_the_archive_wait(api, collection, services):
    expanded(api, collection, ("a.txt", b"Rain falls."))
    receipt = api.upload(collection, documents.zipped([("a.txt", b"Sun shines.")]), "a.zip")
    assert ingest(api, collection, receipt) == []
    item = files(api, collection)["a.zip/a.txt"]
    assert item["generation"] == 2
    real = services.vectors
    services.vectors = Wrapped(real, upsert=lambda *_: (_ for _ in ()).throw(Unavailable("down", dependency="milvus")))
    assert ingest(api, collection, {**item, "file_id": item["id"]}) != []  # it waits for its next delivery
    services.vectors = real
    third = api.upload(collection, documents.zipped([("a.txt", b"Wind blows.")]), "a.zip")
    assert ingest(api, collection, third) != []
    assert files(api, collection)["a.zip"].get("problem") is None
    assert ingest(api, collection, {**item, "file_id": item["id"]}, attempt=2) == []
    assert ingest(api, collection, third, attempt=2) == []
    ingest_all(api, collection)
    assert files(api, collection)["a.zip/a.txt"]["generation"] == 3


def test_deleted_it_takes_its_files_along_and_no_others(api, collection):
    expanded(api, collection, ("a.txt", b"Rain falls."), name="a.zip")
    found = expanded(api, collection, ("a.txt", b"Rain falls again."), name="a_zip.zip")
    kept = api.upload(collection, "Rain falls on.", "a.zip.txt")
    assert ingest(api, collection, kept) == []
    assert api("DELETE", f"/collections/{collection}/files/{found['a.zip']['id']}").status == 202
    assert set(files(api, collection)) == {"a_zip.zip", "a_zip.zip/a.txt", "a.zip.txt"}
    assert sources(api, collection, "rain falls") == {"a_zip.zip/a.txt", "a.zip.txt"}


@pytest.mark.parametrize("when", ["reserving", "storing", "dropping"])
def test_deleted_while_it_is_expanded(api, collection, services, when):
    receipt = api.upload(collection, documents.zipped([("a.txt", b"Rain."), ("b.txt", b"Snow.")]), "a.zip")
    uploads, blobs = services.uploads, services.blobs

    def deleting(act):
        def instead(*given, **named):
            api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}")
            return act(*given, **named)

        return instead

    if when == "storing":
        services.blobs = Wrapped(blobs, put=deleting(blobs.put))
    else:
        name = {"reserving": "reserve_archived", "dropping": "drop_archived"}[when]
        services.uploads = Wrapped(uploads, **{name: deleting(getattr(uploads, name))})
    assert ingest(api, collection, receipt) == []
    services.uploads, services.blobs = uploads, blobs
    assert files(api, collection) == {}


def test_who_may_no_longer_write_expands_nothing(api, collection):
    bob = as_user("bob")
    bob.create_collection("his")
    member = f"/collections/{collection}/members/{bob('GET', '/collections').json['items'][0]['owner_id']}"
    assert api("PUT", member, json={"role": "editor"}).status == 200
    receipt = bob.upload(collection, documents.zipped([("a.txt", b"Rain.")]), "a.zip")
    assert api("PUT", member, json={"role": "viewer"}).status == 200
    assert ingest(api, collection, receipt) == []
    found = files(api, collection)
    assert set(found) == {"a.zip"}
    assert found["a.zip"]["problem"]["code"] == "forbidden"


def test_embedded_anew_it_makes_no_files(api, collection, services):
    """Another generation of the same bytes, in another index: its files are embedded anew by themselves."""
    parts = [("a.txt", b"Rain."), ("b.png", documents.png())]
    receipt = api.upload(collection, documents.zipped(parts), "a.zip")
    ref = ref_of(api, collection, receipt)
    now = services.clock.now()
    later = now + timedelta(hours=1)
    claim = services.ingestion.claim(ref, version="v", now=now, lease_until=later, deadline=later)
    anew = replace(claim, ref=replace(claim.ref, generation=2))
    ingestion = Wrapped(services.ingestion, advance=lambda *_, **__: True)
    lease = ClaimLease(anew, ingestion, services.parts, services.clock, 60)
    unpacked = services.unpacker.unpack(services.blobs.open(ref))
    result = ArchiveExpansion(lease, services.uploads, services.blobs, Quotas(), 60).expand(unpacked)
    assert (result.info.files, [item.path for item in result.info.left_out]) == (1, ["b.png"])
    assert set(files(api, collection)) == {"a.zip"}


@pytest.mark.parametrize("settings", [MODELS], indirect=True)
def test_its_collection_embedded_anew_holds_the_same_files(api, services, clock):
    collection = collection_of(api)
    before = expanded(api, collection, ("a.txt", b"Rain falls on the tower."), ("b.png", documents.png()))
    start(api, collection, auto_switch=True)
    deliver_queued(services)
    found = api("GET", path(collection)).json
    assert (found["state"], found["files_done"], found["failures"]) == ("ready", 4, [])
    assert found["pages_done"] == found["pages_total"]
    sweep(services, clock)
    after = files(api, collection)
    assert set(after) == set(before)
    assert after["a.zip"]["document"] == before["a.zip"]["document"]
    assert "a.zip/a.txt" in sources(api, collection, "rain falls on the tower")
