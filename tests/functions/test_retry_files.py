from tests.functions.conftest import deliver_queued, ingest, ref_of, upload_failed


def test_all_failed_files_are_retried_page_by_page(api, services):
    collection = api.create_collection()
    names = ["a.txt", "b.txt", "c.txt"]
    for name in names:
        upload_failed(api, services, collection, name)
    broken = api.upload(collection, b"%PDF-1.7 broken", "broken.pdf")
    ingest(api, collection, broken)
    queued, query = [], {"limit": "2"}
    while True:
        page = api("POST", f"/collections/{collection}/retry", query=query).json
        queued += page["items"]
        if page.get("next") is None:
            break
        query["after"] = page["next"]
    assert len(queued) == len(names)
    deliver_queued(services)
    files = api("GET", f"/collections/{collection}/files").json["items"]
    assert {file["name"]: file["stage"] for file in files} == dict.fromkeys(names, "ready") | {"broken.pdf": "failed"}


def test_files_whose_bytes_are_gone_are_passed_over(api, services):
    collection = api.create_collection()
    ref = ref_of(api, collection, upload_failed(api, services, collection, "vault.txt"))
    services.blobs.delete(ref.tenant_id, ref.prefix)
    assert api("POST", f"/collections/{collection}/retry").json == {"items": []}
