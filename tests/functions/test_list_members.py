def test_a_new_collection_has_its_owner_only(api):
    collection = api.create_collection()
    page = api("GET", f"/collections/{collection}/members").json
    assert [(member["name"], member["role"]) for member in page["items"]] == [("ada", "owner")]
    assert page.get("next") is None
