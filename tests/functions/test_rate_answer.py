from tests.functions.test_ask_conversation import ask, collection, conversation, messages  # noqa: F401 - fixtures


def test_a_rating_is_shown_with_the_answer_and_counted(api, conversation, services):  # noqa: F811
    answer = ask(api, conversation).json
    path = f"/conversations/{conversation}/messages/{answer['answer_id']}/feedback"
    down = {"rating": "down", "comment": "Wrong year."}
    assert api("PUT", path, json=down).json["feedback"] == down
    assert messages(api, conversation)[1]["feedback"] == down
    assert services.metrics.counts["rag_feedback_total", (("rating", "down"),)] == 1
    assert api("PUT", path, json={"rating": None}).json.get("feedback") is None
    for lost in ("Never mind.", ""):
        refused = api("PUT", path, json={"rating": None, "comment": lost})
        assert (refused.status, refused.json["errors"][0]["field"]) == (422, "comment")
    assert api("PUT", path, json={"rating": None, "comment": None}).status == 200
    assert api("PUT", path, json={"rating": "sideways"}).status == 422
    assert api("PUT", path, json={"rating": "up", "comment": "x" * 2_001}).status == 422
    question = path.replace(answer["answer_id"], answer["question_id"])
    assert api("PUT", question, json=down).status == 404
