def test_a_conversation_is_renamed_and_archived(api):
    made = api("POST", "/conversations", json={"title": "Leave"}).json
    changed = api("PATCH", f"/conversations/{made['id']}", json={"title": "Notice", "archived": True}).json
    assert (changed["title"], changed["archived"]) == ("Notice", True)
    same = api("PATCH", f"/conversations/{made['id']}", json={"archived": None}).json
    assert (same["title"], same["archived"]) == ("Notice", True)
