import pytest

from tests.functions.test_ask_conversation import ask, collection, conversation  # noqa: F401 - fixtures


@pytest.mark.parametrize("newest_first", ["false", "true"])
def test_pages_follow_each_other(api, conversation, newest_first):  # noqa: F811
    ids = [one[key] for one in (ask(api, conversation).json for _ in range(2)) for key in ("question_id", "answer_id")]
    path, after, found = f"/conversations/{conversation}/messages", {}, []
    while True:
        page = api("GET", path, query={"limit": "3", "newest_first": newest_first, **after}).json
        found += [one["id"] for one in page["items"]]
        if page.get("next") is None:
            break
        after = {"after": page["next"]}
    assert found == (ids if newest_first == "false" else ids[::-1])


def test_a_wrong_cursor_names_its_field(api, conversation):  # noqa: F811
    refused = api("GET", f"/conversations/{conversation}/messages", query={"after": "x"})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "after")
