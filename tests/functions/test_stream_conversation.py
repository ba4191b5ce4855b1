"""Questions in a conversation whose answers are told while they are written."""

import pytest

from modulo.domain.answers.answer import AnswerDraft, TokenUsage
from modulo.domain.errors import Unavailable
from tests.functions.conftest import as_user
from tests.functions.test_ask_conversation import DEPTH, ask, collection, conversation, messages
from tests.functions.test_stream_search import Writer, parsed, text_of

__all__ = ["collection", "conversation"]


def stream(api, conversation, question=DEPTH, **more):
    return api("POST", f"/conversations/{conversation}/messages/stream", json={"question": question, **more})


def told(api, conversation, question=DEPTH, **more):
    reply = stream(api, conversation, question, **more)
    assert reply.status == 200, reply.text
    return parsed(reply.text)


def test_question_and_answer_are_stored_before_the_end_is_told(api, conversation):
    events = told(api, conversation)
    assert [name for name, _ in events][-3:] == ["usage", "kept", "done"]
    kept, output = events[-2][1], events[-1][1]["output"]
    asked, answer = messages(api, conversation)
    assert kept == {"conversation_id": conversation, "question_id": asked["id"], "answer_id": answer["id"]}
    assert (asked["content"], answer["content"]) == (DEPTH, output["answer"])
    assert answer["citations"] == output["citations"]
    assert text_of(events) == output["answer"]


def test_a_follow_up_is_understood_as_without_a_stream(api, conversation):
    told(api, conversation)
    output = told(api, conversation, "And what is it part of?")[-1][1]["output"]
    assert output["rewritten_query"] == "what is the Mariana Trench part of?"
    again = ask(api, conversation, "And what is it part of?").json["search"]
    assert [one.get("rewritten_query") for one in messages(api, conversation)[::2]][1] == output["rewritten_query"]
    assert again["metadata"]["found"] is True


def test_nothing_is_stored_of_an_answer_that_ends_early(api, conversation, services):
    services.generator = Writer("The depth ", error=Unavailable("down"))
    events = told(api, conversation)
    assert events[-1][0] == "error"
    assert messages(api, conversation) == []


def test_the_tokens_of_both_are_told(api, conversation, services):
    ask(api, conversation)
    services.generator = Writer("It is deep [1].")
    services.generator.generate = lambda prompt: AnswerDraft("What is the Mariana Trench part of?", TokenUsage(7, 2))
    usage = dict(told(api, conversation, "And what is it part of?"))["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (107, 3)


@pytest.mark.parametrize("settings", [{"quotas": {"messages": 2}}], indirect=True)
def test_a_full_conversation_is_refused_before_the_first_event(api, conversation):
    told(api, conversation)
    assert stream(api, conversation).status == 429


def test_what_may_not_be_asked_is_refused_before_the_first_event(api, conversation):
    assert stream(as_user("somebody else"), conversation).status == 404
    assert stream(api, conversation, config_metadata={"retrieve_only": True}).status == 422
    api("PATCH", f"/conversations/{conversation}", json={"archived": True})
    assert stream(api, conversation).status == 409
