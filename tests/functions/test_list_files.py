from tests.functions.conftest import ingest


def test_listing_filters_by_stage_and_pages(api):
    collection = api.create_collection()
    for number in range(3):
        ingest(api, collection, api.upload(collection, f"Text {number}.", f"f{number}.txt"))
    api.upload(collection, "waiting", "w.txt")
    path = f"/collections/{collection}/files"
    ready = api("GET", path, query={"stage": "ready"}).json["items"]
    assert {file["name"] for file in ready} == {"f0.txt", "f1.txt", "f2.txt"}
    page = api("GET", path, query={"limit": "2"}).json
    rest = api("GET", path, query={"limit": "2", "after": page["next"]}).json
    assert len({file["id"] for file in page["items"] + rest["items"]}) == 4
    assert rest.get("next") is None
    assert api("GET", path, query={"stage": "nowhere"}).status == 422
