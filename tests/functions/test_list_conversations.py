def test_pages_and_archived_ones(api):
    ids = [api("POST", "/conversations", json={"title": str(n)}).json["id"] for n in range(3)]
    first = api("GET", "/conversations", query={"limit": "2"}).json
    second = api("GET", "/conversations", query={"limit": "2", "after": first["next"]}).json
    assert {one["id"] for page in (first, second) for one in page["items"]} == set(ids)
    assert second.get("next") is None
    api("PATCH", f"/conversations/{ids[0]}", json={"archived": True})
    assert [one["id"] for one in api("GET", "/conversations", query={"archived": "true"}).json["items"]] == ids[:1]
    assert len(api("GET", "/conversations", query={"archived": "false"}).json["items"]) == 2
    assert api("GET", "/conversations", query={"after": "x"}).status == 422
