from datetime import timedelta

from tests.functions.conftest import as_user


def test_pages_through_what_the_caller_deleted(api, clock):
    dropped = [api.create_collection(f"c{number}") for number in range(3)]
    for collection in dropped:
        clock.advance(timedelta(seconds=1))
        api("DELETE", f"/collections/{collection}")
    first = api("GET", "/deletions", query={"limit": "2"}).json
    rest = api("GET", "/deletions", query={"limit": "2", "after": first["next"]}).json
    assert [one["target_id"] for one in first["items"] + rest["items"]] == dropped[::-1]
    assert (rest.get("next"), {one["name"] for one in first["items"]}) == (None, {"c2", "c1"})
    assert as_user("bob")("GET", "/deletions").json == {"items": []}


def test_a_cursor_that_is_none_is_refused(api):
    reply = api("GET", "/deletions", query={"after": "x"})
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "after")
