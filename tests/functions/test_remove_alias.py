from urllib.parse import quote
from uuid import uuid4

import pytest

TEXT = "Rain falls mainly on the plain."


@pytest.mark.parametrize("alias", ["b.txt", "ünï 文書 & more?.txt", "100%#.txt"])
def test_an_alias_is_taken_away_and_the_file_stays(api, alias):
    collection = api.create_collection()
    checksum = {"size_bytes": len(TEXT), "checksum_sha256": "0" * 64, "on_duplicate": "alias"}
    for name in ("a.txt", alias, "c.txt"):
        assert api("POST", f"/collections/{collection}/uploads", json={"name": name, **checksum}).status < 300
    (file,) = api("GET", f"/collections/{collection}/files").json["items"]
    assert file["aliases"] == sorted([alias, "c.txt"])
    path = f"/collections/{collection}/files/{file['id']}"
    assert api("DELETE", f"{path}/aliases/{quote(alias)}").status == 204
    assert api("GET", path).json["aliases"] == ["c.txt"]
    assert api("DELETE", f"{path}/aliases/{quote(alias)}").status == 404


@pytest.mark.parametrize("name", ["a.txt", "other.txt"])
def test_only_aliases_are_taken_away(api, name):
    collection = api.create_collection()
    receipt = api.upload(collection, TEXT, "a.txt")
    files = f"/collections/{collection}/files"
    assert api("DELETE", f"{files}/{receipt['file_id']}/aliases/{name}").status == 404
    assert api("DELETE", f"{files}/{uuid4()}/aliases/{name}").status == 404
    assert len(api("GET", files).json["items"]) == 1


def test_an_alias_that_none_can_be_is_told_by_its_field(api, collection):
    reply = api("DELETE", f"/collections/{collection}/files/{uuid4()}/aliases/a%00")
    assert (reply.status, reply.json["detail"]) == (422, "alias: must not hold NUL (U+0000)")
