from datetime import timedelta

from tests.functions.conftest import as_user


def test_pages_through_all_newest_first(api, clock):
    for number in range(7):
        clock.advance(timedelta(seconds=number % 2))
        api.create_collection(f"c{number}")
    seen, after = [], None
    while True:
        query = {"limit": "3"} | ({"after": after} if after else {})
        page = api("GET", "/collections", query=query).json
        seen += [item["name"] for item in page["items"]]
        after = page.get("next")
        if after is None:
            break
    assert len(seen) == 7
    assert set(seen) == {f"c{number}" for number in range(7)}
    assert seen[0] in {"c5", "c6"}


def test_shows_only_what_the_caller_is_a_member_of(api):
    api.create_collection("mine")
    as_user("bob").create_collection("his")
    assert [item["name"] for item in api("GET", "/collections").json["items"]] == ["mine"]


def test_filters_by_name(api):
    api.create_collection("Annual reports")
    api.create_collection("100% wool")
    assert [c["name"] for c in api("GET", "/collections", query={"name": "REPORT"}).json["items"]] == ["Annual reports"]
    assert [c["name"] for c in api("GET", "/collections", query={"name": "%"}).json["items"]] == ["100% wool"]


def test_bad_parameters_are_named(api):
    for query, field in [({"after": "x"}, "after"), ({"limit": "0"}, "limit"), ({"limit": "101"}, "limit")]:
        reply = api("GET", "/collections", query=query)
        assert (reply.status, reply.json["errors"][0]["field"]) == (422, field)


def test_a_name_that_none_can_have_is_told_by_its_field(api):
    reply = api("GET", "/collections", query={"name": "a\0"})
    assert (reply.status, reply.json["detail"]) == (422, "name: must not hold NUL (U+0000)")
