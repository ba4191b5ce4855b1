"""Each field of a request of `/v1` is honoured or refused by its name."""

import pytest
from pydantic import ValidationError

from modulo.domain.errors import InvalidRequest
from modulo.runtime.openai.chat_request import UNSUPPORTED, CreateChatCompletion
from modulo.runtime.openai.embeddings import CreateEmbedding
from modulo.runtime.openai.response_request import UNSUPPORTED as NOT_IN_RESPONSES
from modulo.runtime.openai.response_request import CreateResponse
from modulo.runtime.openai.store_search import SearchStore

ID = "00000000-0000-0000-0000-000000000001"
ASK = {"role": "user", "content": "When?"}
CHAT = {"model": "modulo/papers", "messages": [ASK]}
RESPONSE = {"model": "modulo/papers", "input": "When?"}
TOOL = {"type": "file_search", "vector_store_ids": [ID]}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
WRONG = (True, 7, 1.5, "x", [], ["x"], {}, {"x": 1}, [[]])
"""Values of every type."""


def refused(kind, body):
    """The fields by which a body is refused."""
    try:
        asked = kind.model_validate(body)
        if hasattr(asked, "asked"):
            asked.asked()
    except ValidationError as error:
        return {str(one["loc"][0]) for one in error.errors()}
    except InvalidRequest as error:
        return {error.extra["errors"][0]["field"].partition(".")[0]}
    return set()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *(({"n": given}, "n") for given in (0, 2, True, "1")),
        *(({"logprobs": given}, "logprobs") for given in (True, 0, "false")),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, IMAGE]}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "?", "more": 1}]}]}, "messages"),
        ({"messages": [ASK | {"name": "ada"}]}, "messages"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"modalities": []}, "modalities"),
        ({"tools": [{"type": "function", "function": {"name": "x"}}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"store": True}, "store"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": False, "stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"more": True}}, "stream_options"),
        ({"model": ""}, "model"),
        ({"invented": 1}, "invented"),
    ],
)
def test_a_chat_completion_is_refused_by_the_field(change, field):
    assert refused(CreateChatCompletion, CHAT | change) == {field}


@pytest.mark.parametrize("field", sorted(UNSUPPORTED))
def test_what_a_chat_completion_cannot_do_is_refused_unless_it_is_null(field):
    assert refused(CreateChatCompletion, CHAT | {field: None}) == set()
    assert refused(CreateChatCompletion, CHAT | {field: "x"}) == {field}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"input": ""}, "input"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input"),
        ({"tools": [TOOL, TOOL]}, "tools"),
        ({"tools": [TOOL | {"vector_store_ids": []}]}, "tools"),
        ({"tools": [TOOL | {"max_num_results": 51}]}, "tools"),
        ({"tools": [TOOL | {"ranking_options": {"ranker": "best"}}]}, "tools"),
        ({"text": {"format": {"type": "json_schema"}}}, "text"),
        ({"text": {"verbosity": "low"}}, "text"),
        ({"metadata": dict.fromkeys(map(str, range(17)), "x")}, "metadata"),
        ({"conversation": {"id": ID, "more": 1}}, "conversation"),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options"),
        ({"store": "no"}, "store"),
        ({"invented": 1}, "invented"),
    ],
)
def test_a_response_is_refused_by_the_field(change, field):
    assert refused(CreateResponse, RESPONSE | change) == {field}


@pytest.mark.parametrize("field", sorted(NOT_IN_RESPONSES))
def test_what_a_response_cannot_do_is_refused_unless_it_is_null(field):
    assert refused(CreateResponse, RESPONSE | {field: None}) == set()
    assert refused(CreateResponse, RESPONSE | {field: "x"}) == {field}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"query": []}, "query"),
        ({"query": ["a"] * 9}, "query"),
        ({"max_num_results": 0}, "max_num_results"),
        ({"rewrite_query": True}, "rewrite_query"),
        ({"rewrite_query": 0}, "rewrite_query"),
        ({"ranking_options": {"hybrid_search": {"embedding_weight": 0, "text_weight": 0}}}, "ranking_options"),
        ({"ranking_options": {"hybrid_search": {"embedding_weight": 1}}}, "ranking_options"),
        ({"ranking_options": {"score_threshold": 2}}, "ranking_options"),
    ],
)
def test_a_search_of_a_vector_store_is_refused_by_the_field(change, field):
    assert refused(SearchStore, {"query": "When?"} | change) == {field}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"input": []}, "input"),
        ({"input": [1, 2]}, "input"),
        ({"input": [[1, 2]]}, "input"),
        ({"input": ""}, "input"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"user": "ada"}, "user"),
    ],
)
def test_an_embedding_is_refused_by_the_field(change, field):
    assert refused(CreateEmbedding, {"model": "e", "input": "x"} | change) == {field}


@pytest.mark.parametrize(
    ("kind", "body"),
    [(CreateChatCompletion, CHAT), (CreateResponse, RESPONSE), (SearchStore, {"query": "x"}), (CreateEmbedding, {})],
)
def test_values_of_every_type_are_taken_or_refused_by_their_field(kind, body):
    assert refused(kind, {"model": "e", "input": "x"} if kind is CreateEmbedding else body) == set()
    full = {"model": "e", "input": "x"} if kind is CreateEmbedding else body
    for field in kind.model_fields:
        for given in WRONG:
            found = refused(kind, full | {field: given})
            assert found <= {field, "stream_options"}, (field, given)
