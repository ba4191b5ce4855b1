from datetime import timedelta

import pytest

from tests.functions.conftest import as_user


def kept(api, clock, number):
    found = []
    for one in range(number):
        clock.advance(timedelta(seconds=1))
        found.append(api.keep_file("text", f"{one}.txt", purpose="user_data" if one % 2 else "assistants"))
    return found


def ids(reply):
    assert reply.status == 200, reply.text
    return [file["id"] for file in reply.json["data"]]


def test_files_are_listed_newest_first_in_pages(api, clock):
    files = kept(api, clock, 5)
    first = api("GET", "/v1/files", query={"limit": "2"})
    assert ids(first) == [files[4], files[3]]
    assert (first.json["first_id"], first.json["last_id"], first.json["has_more"]) == (files[4], files[3], True)
    second = api("GET", "/v1/files", query={"limit": "9", "after": files[3]})
    assert (ids(second), second.json["has_more"]) == (files[2::-1], False)
    assert ids(api("GET", "/v1/files", query={"order": "asc", "after": files[1]})) == files[2:]
    assert ids(api("GET", "/v1/files", query={"purpose": "user_data"})) == [files[3], files[1]]


def test_a_page_goes_on_behind_a_file_that_was_deleted_meanwhile(api, clock):
    files = kept(api, clock, 3)
    assert api("DELETE", f"/v1/files/{files[1]}").status == 200
    assert ids(api("GET", "/v1/files", query={"after": files[1]})) == [files[0]]


def test_nobody_else_sees_them(api, clock):
    files = kept(api, clock, 2)
    for stranger in (as_user("bob"), as_user("ada", "evil")):
        assert ids(stranger("GET", "/v1/files")) == []
        assert stranger("GET", "/v1/files", query={"after": files[1]}).status == 400


@pytest.mark.parametrize(
    ("query", "param"),
    [({"limit": "0"}, "limit"), ({"order": "up"}, "order"), ({"after": "x"}, "after"), ({"page": "2"}, "page")],
)
def test_a_wrong_parameter_is_named(api, query, param):
    reply = api("GET", "/v1/files", query=query)
    assert (reply.status, reply.json["error"]["param"]) == (400, param)
