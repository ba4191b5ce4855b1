from tests.functions.conftest import as_user


def test_usage_is_the_callers_own(api):
    collection = api.create_collection()
    api.upload(collection, "12345")
    mine = api("GET", "/usage").json
    assert (mine["collections"], mine["storage_bytes"], mine["tokens_used"]) == (1, 5, 0)
    assert mine["quotas"] == {
        "collections": 10,
        "files": 100,
        "user_files": 1000,
        "storage_bytes": 10737418240,
        "conversations": 1000,
        "messages": 1000,
        "tokens_per_day": 100000,
    }
    assert as_user("bob")("GET", "/usage").json["collections"] == 0
