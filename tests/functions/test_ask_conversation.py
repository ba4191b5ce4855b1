"""Questions in a conversation, which point back to those before them."""

import pytest

from modulo.domain.answers.answer import AnswerDraft, TokenUsage
from modulo.domain.errors import Unavailable
from tests.functions.conftest import as_user, ingest
from tests.functions.test_search import FACTS

DEPTH = "How deep is the Mariana Trench?"


@pytest.fixture
def collection(api):
    made = api.create_collection()
    for name, text in FACTS.items():
        assert ingest(api, made, api.upload(made, text, name)) == []
    return made


@pytest.fixture
def conversation(api, collection):
    return api("POST", "/conversations", json={"collection_id": collection}).json["id"]


def ask(api, conversation, question=DEPTH, **more):
    return api("POST", f"/conversations/{conversation}/messages", json={"question": question, **more})


def messages(api, conversation):
    return api("GET", f"/conversations/{conversation}/messages").json["items"]


class Model:
    """A metered generator that rewrites, and answers from its first passage."""

    name = "openai:scripted"

    def __init__(self, rewritten, error=None):
        self.rewritten, self.error, self.prompts = rewritten, error, []

    def reserve(self, prompt):
        return 100

    def generate(self, prompt):
        self.prompts.append(prompt)
        if prompt.passages:
            return AnswerDraft(f"{prompt.passages[0].text} [1]", TokenUsage(20, 0))
        if self.error:
            raise self.error
        return AnswerDraft(self.rewritten, TokenUsage(7, 0))


def test_question_and_answer_are_stored_with_their_citations(api, conversation):
    answer = ask(api, conversation).json
    found = answer["search"]
    assert "Mariana Trench" in found["answer"]
    assert found.get("rewritten_query") is None
    asked, told = messages(api, conversation)
    assert (asked["id"], asked["role"], asked["content"]) == (answer["question_id"], "user", DEPTH)
    assert (told["id"], told["role"], told["content"]) == (answer["answer_id"], "assistant", found["answer"])
    assert told["citations"] == found["citations"]
    shown = api("GET", f"/conversations/{conversation}").json
    assert (shown["title"], shown["message_count"]) == (DEPTH, 2)


def test_a_follow_up_is_understood_from_the_turn_before(api, conversation):
    ask(api, conversation)
    found = ask(api, conversation, "And what is it part of?").json["search"]
    assert found["rewritten_query"] == "what is the Mariana Trench part of?"
    third = ask(api, conversation, "How far is the Moon from the Earth?").json["search"]
    assert third.get("rewritten_query") is None
    assert [one.get("rewritten_query") for one in messages(api, conversation)[::2]] == [
        None,
        "what is the Mariana Trench part of?",
        None,
    ]


@pytest.mark.parametrize("settings", [{"conversation_window_tokens": 0}], indirect=True)
def test_nothing_is_understood_from_turns_outside_the_window(api, conversation):
    ask(api, conversation)
    assert ask(api, conversation, "And what is it part of?").json["search"].get("rewritten_query") is None


def test_a_model_rewrites_where_there_is_one_and_its_tokens_count(api, conversation, services):
    ask(api, conversation)
    services.generator = model = Model("“What is the Mariana Trench part of?”")
    found = ask(api, conversation, "And what is it part of?").json["search"]
    assert found["rewritten_query"] == "What is the Mariana Trench part of?"
    assert [turn.question for turn in model.prompts[0].options.history] == [DEPTH]
    usage = api("GET", "/usage").json
    assert (usage["tokens_reserved"], usage["tokens_used"]) == (0, 27)


@pytest.mark.parametrize("model", [Model("", Unavailable("down")), Model(""), Model("x" * 9_000)])
def test_rules_stand_in_for_a_model_that_fails(api, conversation, services, model):
    ask(api, conversation)
    services.generator = model
    found = ask(api, conversation, "And what is it part of?").json["search"]
    assert found["rewritten_query"] == "what is the Mariana Trench part of?"


@pytest.mark.parametrize("settings", [{"quotas": {"tokens_per_day": 99}}], indirect=True)
def test_a_rewriting_needs_tokens_too(api, conversation, services):
    ask(api, conversation)
    services.generator = Model("What?")
    assert ask(api, conversation, "And what is it?").status == 429
    assert len(messages(api, conversation)) == 2


@pytest.mark.parametrize("settings", [{"quotas": {"messages": 2}}], indirect=True)
def test_a_full_conversation_takes_no_more(api, conversation):
    assert ask(api, conversation).status == 200
    refused = ask(api, conversation)
    assert (refused.status, refused.json["resource"]) == (429, "messages in a conversation")


def test_an_archived_one_is_not_asked(api, conversation):
    api("PATCH", f"/conversations/{conversation}", json={"archived": True})
    assert ask(api, conversation).status == 409


def test_a_collection_must_be_named_by_one_of_them(api, collection):
    conversation = api("POST", "/conversations", json={}).json["id"]
    refused = ask(api, conversation)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "collection_id")
    assert ask(api, conversation, collection_id=collection).status == 200


def test_a_conversation_keeps_answers_only(api, conversation):
    refused = ask(api, conversation, config_metadata={"retrieve_only": True})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "config_metadata.retrieve_only")


def test_where_the_search_fails_nothing_is_stored(api, conversation, services):
    services.generator = Model("", Unavailable("down"))
    services.generator.generate = lambda prompt: (_ for _ in ()).throw(Unavailable("down"))
    assert ask(api, conversation).status == 503
    assert messages(api, conversation) == []


def test_a_member_of_the_same_collection_sees_nothing_of_it(api, collection, conversation):
    ask(api, conversation)
    bob = as_user("bob")
    bob_id = bob("GET", "/me").json["user"]["id"]
    assert api("PUT", f"/collections/{collection}/members/{bob_id}", json={"role": "viewer"}).status == 200
    assert ask(bob, conversation).status == 404
    assert bob("GET", f"/conversations/{conversation}/messages").status == 404
    assert bob("GET", "/conversations").json["items"] == []
