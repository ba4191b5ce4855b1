def test_the_owner_stays(api):
    collection = api.create_collection()
    path = f"/collections/{collection}"
    owner = api("GET", path).json["owner_id"]
    assert api("PUT", f"{path}/members/{owner}", json={"role": "viewer"}).status == 409
    assert api("DELETE", f"{path}/members/{owner}").status == 409
