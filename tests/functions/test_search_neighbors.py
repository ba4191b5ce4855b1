"""Neighbours of passages: told, read by a model and cited as what they are, and paid for only where asked for."""

import pytest

from modulo.domain.answers.answer import AnswerDraft, TokenUsage
from modulo.domain.errors import Unavailable
from tests.functions.conftest import as_user, ingest
from tests.functions.test_search_again import Watched, watch_metadata

ROOMS = [
    "The amber room of the harbour house holds three wooden boxes that belong to the captain of a ship.",
    "Its walls are painted with whales, and a narrow window looks over the northern pier towards the island.",
    "A violet carpet covers the stairs to the tower, where the keeper of the lamp has slept since the war.",
    "On feast days the cooks bring smoked herring, dark bread and cider up to everyone who works in the loft.",
    "Nobody has counted the ropes in the cellar, yet the inventory of the guild speaks of four hundred and two.",
]
QUESTION = "Where does the keeper of the lamp sleep?"
MIDDLE = 2
OPTIONS = {"top_k": 1, "retrieve_only": True}


class Model:
    """A generator that writes what a test makes of its prompt, and keeps the prompts."""

    name = "openai:scripted"

    def __init__(self, write=lambda prompt: ""):
        self.write, self.prompts, self.reserved = write, [], []

    def reserve(self, prompt):
        self.reserved.append(prompt.more_tokens)
        return 100 + prompt.more_tokens

    def generate(self, prompt):
        self.prompts.append(prompt)
        return AnswerDraft(self.write(prompt), TokenUsage(5, 5))


def quoting(text):
    """A model that quotes the passage which holds a text."""

    def write(prompt):
        place = next(at for at, one in enumerate(prompt.passages, start=1) if text in one.text)
        return f"“{text}” [{place}]"

    return Model(write)


def filled(api, name="house", texts=ROOMS, **defaults):
    made = api.create_collection(name, chunking={"max_tokens": 32, "overlap_tokens": 0}, search_defaults=defaults)
    assert ingest(api, made, api.upload(made, "\n\n".join(texts), "house.txt")) == []
    return made


@pytest.fixture
def collection(api):
    return filled(api)


def ask(api, collection, question=QUESTION, **config):
    body = {"question": question, "collection_id": collection, "config_metadata": {**OPTIONS, **config}}
    reply = api("POST", "/search", json=body)
    assert reply.status == 200, reply.text
    return reply.json


def texts(found):
    """Of the one passage's neighbours."""
    [result] = found["query_results"]
    return [one["text"] for one in result["neighbors"]]


def watch(services):
    services.vectors = Watched(services.vectors)
    return services.vectors.calls


def test_nothing_is_read_beside_passages_unless_somebody_asks(api, collection, services):
    calls = watch(services)
    assert texts(ask(api, collection)) == []
    services.generator = model = quoting(ROOMS[MIDDLE])
    assert ask(api, collection, retrieve_only=False)["metadata"]["found"] is True
    assert calls == ["search", "search"]
    assert [one.text for one in model.prompts[0].passages] == [ROOMS[MIDDLE]]
    assert set(model.reserved) == {0}


def test_neighbours_are_told_with_their_places_for_one_more_request_and_no_statement(api, collection, services):
    ask(api, collection, "What is painted on the walls?")
    calls, statements = watch(services), watch_metadata(services)
    found = ask(api, collection, context_tokens=1_000)
    assert texts(found) == [ROOMS[0], ROOMS[1], ROOMS[3], ROOMS[4]]
    assert calls == ["search", "chunks_at"]
    assert [one for one in statements if one != "principal_of"] == ["live_documents"]
    [result] = found["query_results"]
    listed = api("GET", f"/collections/{collection}/files/{result['chunk']['document_id']}/chunks").json["items"]
    by_id = {one["chunk_id"]: one for one in listed}
    for one in result["neighbors"]:
        kept = by_id[one["chunk_id"]]
        assert one["text"] == kept["text"]
        assert one["chunk_number"] == listed.index(kept)
        assert one["url"].endswith(f"char={one['start_index']},{one['end_index']}")
    assert "neighbors" in found["metadata"]["stage_seconds"]


def test_no_more_join_than_the_tokens_allow(api, collection):
    assert texts(ask(api, collection, context_tokens=100)) == [ROOMS[1]]
    assert texts(ask(api, collection, context_tokens=49)) == []


def test_a_model_reads_them_in_order_and_cites_them_as_what_they_are(api, collection, services):
    services.generator = model = quoting(ROOMS[3])
    found = ask(api, collection, retrieve_only=False, context_tokens=200)
    assert [one.text for one in model.prompts[0].passages] == ROOMS[1:4]
    [cited] = found["citations"]
    [result] = found["query_results"]
    neighbor = result["neighbors"][-1]
    assert found["answer"] == f"“{ROOMS[3]}” [3]"
    assert cited["excerpt"] == neighbor["text"] == ROOMS[3]
    assert (cited["mark"], cited["chunk_id"]) == (3, neighbor["chunk_id"])
    assert (cited["start_index"], cited["end_index"]) == (neighbor["start_index"], neighbor["end_index"])
    assert cited["relevance_score"] == result["score"]


def test_an_altered_quotation_of_a_neighbour_does_not_pass(api, collection, services):
    altered = ROOMS[3].replace("cider", "brandy")
    services.generator = Model(lambda _: f"“{altered}” [3]")
    found = ask(api, collection, retrieve_only=False, context_tokens=200)
    assert found["metadata"]["outcome"] == "unverified"
    assert found["citations"] == []


def test_what_they_may_take_is_reserved_and_extracts_do_not_read_them(api, collection, services):
    services.generator = model = quoting(ROOMS[MIDDLE])
    ask(api, collection, retrieve_only=False, context_tokens=300)
    assert model.reserved[-2:] == [300, 0]


def test_extracts_are_the_same_with_them(api, collection):
    plain, joined = (ask(api, collection, retrieve_only=False, context_tokens=tokens) for tokens in (0, 1_000))
    assert joined["metadata"]["generator"] == "extractive"
    assert joined["answer"] == plain["answer"]
    assert [one["excerpt"] for one in joined["citations"]] == [one["excerpt"] for one in plain["citations"]]
    assert len(texts(joined)) == 4


def test_all_parts_cite_their_own_neighbours(api, collection, services):
    services.generator = Model(
        lambda prompt: next(
            f"“{one.text}” [{at}]"
            for at, one in enumerate(prompt.passages, start=1)
            if one.text in (ROOMS[1], ROOMS[3])
        )
    )
    found = ask(
        api,
        collection,
        f"{QUESTION} Who counted the ropes in the cellar?",
        retrieve_only=False,
        cot_enabled=True,
        top_k=2,
        top_k_rerank=2,
        context_tokens=200,
    )
    marks = {one["mark"]: one["excerpt"] for one in found["citations"]}
    assert marks
    for mark, excerpt in marks.items():
        assert f"“{excerpt}” [{mark}]" in found["answer"]


def test_a_result_is_kept_for_its_number_of_tokens_alone(api, collection):
    assert texts(ask(api, collection)) == []
    first, again = (ask(api, collection, context_tokens=200) for _ in range(2))
    assert (first["metadata"]["cached"], again["metadata"]["cached"]) == (False, True)
    assert texts(first) == texts(again) == [ROOMS[1], ROOMS[3]]
    assert texts(ask(api, collection)) == []


def test_a_store_that_does_not_answer_is_named_and_the_result_not_kept(api, collection, services):
    vectors = services.vectors

    class Failing:
        def chunks_at(self, spaces, numbers):
            raise Unavailable("The vector store does not answer.", dependency="milvus")

        def __getattr__(self, name):
            return getattr(vectors, name)

    services.vectors = Failing()
    found = ask(api, collection, context_tokens=200)
    assert (texts(found), found["metadata"]["degraded"]) == ([], ["neighbors"])
    services.vectors = vectors
    whole = ask(api, collection, context_tokens=200)
    assert (texts(whole), whole["metadata"]["degraded"]) == ([ROOMS[1], ROOMS[3]], [])


def test_those_of_a_replaced_generation_and_of_others_never_join(api, collection):
    """Every other collection and the former generation have chunks of the same numbers, with other texts."""
    secret = [one.replace(" the ", " the secret ") for one in ROOMS]
    filled(api, "other", secret)
    filled(as_user("bob"), "his", secret)
    new = [one.replace(" the ", " the newest ") for one in ROOMS]
    assert ingest(api, collection, api.upload(collection, "\n\n".join(new), "house.txt")) == []
    found = ask(api, collection, context_tokens=1_000)
    assert texts(found) == [new[0], new[1], new[3], new[4]]
    assert {one["chunk"]["collection_id"] for one in found["query_results"]} == {collection}


def test_a_neighbour_meets_the_filter_as_its_passage_does(api):
    made = api.create_collection("pages", chunking={"max_tokens": 32, "overlap_tokens": 0})
    text = "\n\n".join(f"# Part {at}\n\n{room}" for at, room in enumerate(ROOMS))
    assert ingest(api, made, api.upload(made, text, "house.md")) == []
    assert texts(ask(api, made, context_tokens=1_000)) == [ROOMS[0], ROOMS[1], ROOMS[3], ROOMS[4]]
    found = ask(api, made, context_tokens=1_000, filters={"heading": ["Part 2", "Part 3"]})
    assert texts(found) == [ROOMS[3]]


def test_a_collection_says_so_on_every_door(api):
    made = filled(api, "told", context_tokens=200)
    assert texts(ask(api, made)) == [ROOMS[1], ROOMS[3]]
    assert texts(ask(api, made, context_tokens=0)) == []
    body = {"query": QUESTION, "max_num_results": 1}
    [result] = api("POST", f"/v1/vector_stores/{made}/search", json=body).json["data"]
    assert [one["text"] for one in result["content"]] == ROOMS[1:4]


@pytest.mark.parametrize("value", [-1, 10_001, "many", 1.5])
def test_what_is_no_number_of_tokens_is_refused(api, collection, value):
    body = {"question": QUESTION, "collection_id": collection, "config_metadata": {"context_tokens": value}}
    reply = api("POST", "/search", json=body)
    assert reply.status == 422
    assert [error["field"] for error in reply.json["errors"]] == ["config_metadata.context_tokens"]
