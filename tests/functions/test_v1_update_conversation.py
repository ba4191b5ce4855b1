def test_metadata_takes_the_place_of_what_there_was(api):
    path = f"/v1/conversations/{api('POST', '/v1/conversations', json={'metadata': {'a': 'b'}}).json['id']}"
    assert api("POST", path, json={"metadata": {"c": "d"}}).json["metadata"] == {"c": "d"}
    assert api("GET", path).json["metadata"] == {"c": "d"}
    assert api("POST", path, json={"metadata": None}).json["metadata"] == {}
    assert api("POST", path, json={}).json["error"]["param"] == "metadata"
