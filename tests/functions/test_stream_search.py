"""Answers told while they are written: what events there are, in which order, and how they end."""

import json

import pytest

from modulo.domain.answers.answer import AnswerDraft, DraftPart, TokenUsage
from modulo.domain.answers.outcome import UNVERIFIED
from modulo.domain.errors import BadModelAnswer, Unavailable
from modulo.domain.search.search import SearchInput
from modulo.domain.search.search_events import TextChecked
from modulo.runtime.worker import function
from modulo.usecases.search.ports import SearchPorts
from modulo.usecases.stream_search import stream_search
from tests.functions.conftest import ingest, principal_of
from tests.functions.test_search import FACTS, ask

QUESTION = "What is its depth in metres?"
HALF = "What is the depth of the Mariana Trench in metres and who painted the chapel's ceiling?"
SAME = "What is the depth of the Mariana Trench in metres? How many metres deep is the Mariana Trench?"
PARTS = "What is the depth of the Mariana Trench in metres? At how many degrees is green tea brewed?"


@pytest.fixture
def collection(api):
    made = api.create_collection()
    for name, text in FACTS.items():
        assert ingest(api, made, api.upload(made, text, name)) == []
    return made


def stream(api, collection, question=QUESTION, **config):
    body = {"question": question, "collection_id": collection, "config_metadata": config}
    return api("POST", "/search/stream", json=body)


def told(api, collection, question=QUESTION, **config):
    reply = stream(api, collection, question, **config)
    assert reply.status == 200, reply.text
    assert reply.headers["content-type"].startswith("text/event-stream")
    return parsed(reply.text)


def parsed(text):
    """The events of a document, as names with their data."""
    found = []
    for block in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields["event"], json.loads(fields["data"])))
    return found


def text_of(events):
    return "".join(data["text"] for name, data in events if name == "text")


class Writer:
    """A metered generator that writes what a test scripts, part by part."""

    name = "openai:scripted"

    def __init__(self, *parts, error=None, reserve=1_000):
        self.parts, self.error, self.reserved, self.closed, self.sent = parts, error, reserve, False, 0

    def reserve(self, prompt):
        return self.reserved

    def stream(self, prompt):
        try:
            for number, part in enumerate(self.parts, start=1):
                self.sent = number
                yield DraftPart(part, TokenUsage(100, number))
            if self.error:
                raise self.error
        finally:
            self.closed = True


def test_events_come_in_their_order_and_the_last_is_the_answer(api, collection):
    events = told(api, collection)
    names = [name for name, _ in events]
    assert names[:4] == ["stage", "passages", "stage", "citation"]
    assert names[-2:] == ["usage", "done"]
    assert [data["stage"] for name, data in events if name == "stage"] == ["rerank", "generation"]
    output = events[-1][1]["output"]
    assert text_of(events) == output["answer"]
    assert "10,935" in output["answer"]
    told_at_once = [data["citation"] for name, data in events if name == "citation"]
    assert told_at_once == [citation | {"answer_spans": []} for citation in output["citations"]]
    assert events[1][1]["query_results"] == output["query_results"]


def test_a_streamed_answer_is_the_one_that_a_search_gives(api, collection):
    for question, config in ((QUESTION, {}), (PARTS, {"cot_enabled": True}), (QUESTION, {"retrieve_only": True})):
        streamed = told(api, collection, question, **config)[-1][1]["output"]
        assert streamed["metadata"]["cached"] is False
        plain = ask(api, collection, question, **config).json
        assert plain["metadata"]["cached"] is True
        for name in set(plain) - {"execution_time", "metadata"}:
            assert streamed[name] == plain[name], name


def test_a_known_answer_is_told_at_once(api, collection):
    first = told(api, collection)[-1][1]["output"]
    events = told(api, collection)
    assert [name for name, _ in events] == ["passages", "citation", "text", "usage", "done"]
    assert text_of(events) == first["answer"]
    assert events[-1][1]["output"]["metadata"]["cached"] is True
    assert events[-2][1] == {"prompt_tokens": 0, "completion_tokens": 0, "charged": 0}


def test_the_parts_of_a_question_are_told_one_after_the_other_and_share_their_marks(api, collection):
    events = told(api, collection, PARTS, cot_enabled=True)
    assert [name for name, _ in events].count("passages") == 2
    output = events[-1][1]["output"]
    assert text_of(events) == output["answer"]
    assert {data["citation"]["mark"] for name, data in events if name == "citation"} == {
        citation["mark"] for citation in output["citations"]
    }
    assert len(output["cot_output"]["reasoning_steps"]) == 2


@pytest.mark.parametrize("question", [HALF, SAME])
def test_what_is_told_is_the_whole_answer(api, collection, question):
    events = told(api, collection, question)
    output = events[-1][1]["output"]
    assert len(output["metadata"]["parts"]) == 2
    assert text_of(events) == output["answer"]


def test_only_passages_are_told_where_only_they_are_asked_for(api, collection):
    assert [name for name, _ in told(api, collection, retrieve_only=True)] == ["stage", "passages", "done"]
    assert [name for name, _ in told(api, collection, retrieve_only=True)] == ["passages", "done"]


def test_a_sentence_is_told_once_its_citation_holds(api, collection, services):
    services.generator = Writer(
        "The Mariana Trench is about ", "10,935 metres", " deep [1", "]", ". It was dug by", " giants [1]. ", "Its",
        " depth is about 10,935 metres [1].",
    )  # fmt: skip
    events = told(api, collection)
    texts = [data["text"] for name, data in events if name == "text"]
    assert texts == ["The Mariana Trench is about 10,935 metres deep [1].", " Its depth is about 10,935 metres [1]."]
    assert events[-2] == ("usage", {"prompt_tokens": 100, "completion_tokens": 8, "charged": 108})
    assert events[-1][1]["output"]["metadata"]["tokens_used"] == 108


class Drafts(Writer):
    """The same where the answer is wanted whole, as one of a form is."""

    def generate(self, prompt):
        return AnswerDraft("".join(self.parts), TokenUsage(100, 8))


def test_an_answer_that_is_told_as_a_whole_tells_its_tokens_too(api, collection, services):
    services.generator = Drafts("The Mariana Trench is about 10,935 metres deep [1].")
    events = told(api, collection, structured_output_enabled=True, format_type="summary")
    assert "10,935" in text_of(events)
    assert events[-2] == ("usage", {"prompt_tokens": 100, "completion_tokens": 8, "charged": 108})


def test_what_nothing_supports_is_told_as_not_found(api, collection, services):
    services.generator = Writer("The trench was dug by giants [1].")
    events = told(api, collection)
    assert text_of(events) == UNVERIFIED
    assert "citation" not in [name for name, _ in events]
    assert events[-1][1]["output"]["metadata"]["found"] is False


@pytest.mark.parametrize("error", [BadModelAnswer(), Unavailable("down", dependency="openai")])
def test_a_model_that_breaks_off_ends_the_stream_with_its_problem_and_the_used_tokens_count(
    api, collection, services, error
):
    services.generator = Writer("Its depth is about 10,935 metres [1].", " And", error=error)
    events = told(api, collection)
    assert events[-1][0] == "error"
    assert events[-1][1]["type"] == f"urn:modulo:problem:{error.code()}"
    assert text_of(events) == "Its depth is about 10,935 metres [1]."
    usage = api("GET", "/usage").json
    assert (usage["tokens_used"], usage["tokens_reserved"]) == (102, 0)
    assert told(api, collection)[-1][0] == "error", "it is not cached"


def test_an_unexpected_error_tells_nothing(api, collection, services):
    services.generator = Writer("It is", error=RuntimeError("password=hunter2"))
    reply = stream(api, collection)
    assert parsed(reply.text)[-1][1]["type"] == "urn:modulo:problem:internal-error"
    assert "hunter2" not in reply.text


def test_what_fails_before_the_first_event_has_a_status_of_its_own(api, services):
    unknown = stream(api, "7e2b9a4e-4b4e-4d43-9e42-0123456789ab")
    assert (unknown.status, unknown.headers["content-type"]) == (404, "application/problem+json")
    assert stream(api, api.create_collection("empty"), top_k=101).status == 422


@pytest.mark.parametrize("settings", [{"quotas": {"tokens_per_day": 999}}], indirect=True)
def test_an_exhausted_quota_is_told_by_the_status(api, collection, services):
    services.generator = Writer("It is deep.")
    assert stream(api, collection).status == 429
    assert api("GET", "/usage").json["tokens_reserved"] == 0


def ports_of(s):
    return SearchPorts(s.grants, s.usage, s.cache, s.vectors, s.embedder, s.reranker, s.generator, s.metrics, s.clock)


def test_whoever_leaves_stops_the_model_and_gets_back_the_tokens_not_used(api, collection, services):
    services.generator = writer = Writer("Its depth is about 10,935 metres [1].", *[" Its depth is great [1]."] * 50)
    request = SearchInput(question=QUESTION, collection_id=collection)
    events = stream_search(
        principal_of("ada"), request, ports_of(services), limits=services.search_limits, later=lambda work: work()
    )
    assert next(event for event in events if isinstance(event, TextChecked))
    assert api("GET", "/usage").json["tokens_reserved"] == 1_000
    events.close()
    assert (writer.closed, writer.sent) == (True, 2)
    usage = api("GET", "/usage").json
    assert (usage["tokens_used"], usage["tokens_reserved"]) == (102, 0)


def test_the_function_says_what_it_streams():
    (route,) = function("stream_search").router.routes
    assert "text/event-stream" in route.responses[200]["content"]
