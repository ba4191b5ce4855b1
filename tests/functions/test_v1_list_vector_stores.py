from datetime import timedelta


def ids(reply):
    assert reply.status == 200, reply.text
    return [store["id"] for store in reply.json["data"]]


def test_vector_stores_are_paged_both_ways(api, clock):
    made = []
    for number in range(5):
        clock.advance(timedelta(seconds=1))
        made.append(api.create_collection(f"papers {number}"))
    newest = made[::-1]
    first = api("GET", "/v1/vector_stores", query={"limit": "2"})
    assert (ids(first), first.json["has_more"]) == (newest[:2], True)
    assert ids(api("GET", "/v1/vector_stores", query={"limit": "2", "after": newest[1]})) == newest[2:4]
    before = api("GET", "/v1/vector_stores", query={"limit": "2", "before": newest[4]})
    assert (ids(before), before.json["has_more"]) == (newest[2:4], True)
    assert ids(api("GET", "/v1/vector_stores", query={"order": "asc", "before": made[2]})) == made[:2]
    assert ids(api("GET", "/v1/vector_stores", query={"order": "asc", "limit": "3"})) == made[:3]


def test_there_may_be_none(api):
    assert api("GET", "/v1/vector_stores").json == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }
