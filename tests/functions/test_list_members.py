from tests.functions.conftest import as_user


def test_a_new_collection_has_its_owner_only(api):
    collection = api.create_collection()
    page = api("GET", f"/collections/{collection}/members").json
    assert [(member["name"], member["role"]) for member in page["items"]] == [("ada", "owner")]
    assert page.get("next") is None


def test_members_come_in_pages(api):
    collection = api.create_collection()
    for name in ("bo", "cy", "di"):
        user = as_user(name)
        user.create_collection()
        identity = user("GET", "/collections").json["items"][0]["owner_id"]
        api("PUT", f"/collections/{collection}/members/{identity}", json={"role": "viewer"})
    path = f"/collections/{collection}/members"
    first = api("GET", path, query={"limit": "3"}).json
    rest = api("GET", path, query={"limit": "3", "after": first["next"]}).json
    assert [member["name"] for member in (*first["items"], *rest["items"])] == ["ada", "bo", "cy", "di"]
    assert "next" not in rest


def test_what_is_no_cursor_is_refused(api):
    collection = api.create_collection()
    zero = f"{0:032}"
    for given in ("x", "0", f"3.{zero}.", f"0.{zero}.f", f"0.{zero}.FF", f"0.{zero[1:]}."):
        answer = api("GET", f"/collections/{collection}/members", query={"after": given})
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "after"), given


def test_every_text_of_a_cursor_s_form_is_one(api):
    collection = api.create_collection()
    for name in ("", "ff", "00", "ed a0 80".replace(" ", ""), "61" * 4000):
        after = f"0.{0:032}.{name}"
        assert api("GET", f"/collections/{collection}/members", query={"after": after}).status == 200, name
