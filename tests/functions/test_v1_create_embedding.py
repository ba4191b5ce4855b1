import base64
import struct

import pytest

from modulo.domain.errors import RefusedByModel

MODEL = "bge-small-en-v1.5"


def embed(api, **body):
    return api("POST", "/v1/embeddings", json={"model": MODEL, **body})


def test_texts_are_embedded_in_order_and_charged(api):
    reply = embed(api, input=["The sea is deep.", "The hill is high."])
    assert reply.status == 200, reply.text
    found = reply.json
    assert (found["object"], found["model"]) == ("list", MODEL)
    assert [(one["object"], one["index"], len(one["embedding"])) for one in found["data"]] == [
        ("embedding", 0, 384),
        ("embedding", 1, 384),
    ]
    tokens = found["usage"]["prompt_tokens"]
    assert tokens == found["usage"]["total_tokens"] > 0
    usage = api("GET", "/usage").json
    assert (usage["tokens_used"], usage["tokens_reserved"]) == (tokens, 0)


def test_what_takes_no_tokens_reserves_none(api):
    assert embed(api, input=" ").json["usage"]["total_tokens"] == 0
    usage = api("GET", "/usage").json
    assert (usage["tokens_used"], usage["tokens_reserved"]) == (0, 0)


def test_base64_holds_the_same_numbers(api):
    plain = embed(api, input="sea", dimensions=384).json["data"][0]["embedding"]
    packed = base64.b64decode(embed(api, input="sea", encoding_format="base64").json["data"][0]["embedding"])
    assert struct.unpack("<384f", packed) == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("settings", [{"quotas": {"tokens_per_day": 3}}], indirect=True)
def test_without_tokens_nothing_is_embedded(api):
    reply = embed(api, input="more words than there are tokens left today")
    assert (reply.status, reply.json["error"]["code"]) == (429, "insufficient_quota")
    assert "retry-after" in reply.headers
    assert api("GET", "/usage").json["tokens_used"] == 0
    assert embed(api, input="sea").status == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [1, 2]}, "input"),
        ({"input": [[1, 2]]}, "input"),
        ({"input": ["x"] * 2_049}, "input"),
        ({"input": "x", "dimensions": 100}, "dimensions"),
        ({"input": "x", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "x", "user": "ada"}, "user"),
    ],
)
def test_what_cannot_be_embedded_is_named(api, body, param):
    reply = embed(api, **body)
    assert reply.status == 400, reply.text
    assert reply.json["error"]["param"].startswith(param)


def test_an_unknown_model_is_not_found(api):
    reply = embed(api, input="x", model="text-embedding-3-small")
    assert reply.status == 404
    assert "the default one is 'bge-small-en-v1.5'" in reply.json["error"]["message"]


def test_a_text_that_the_model_refuses_is_the_callers_and_costs_nothing(api, services, monkeypatch):
    def refuse(model, texts, *, whole):
        assert whole, "what is cut would be another text"
        raise RefusedByModel("too long")

    monkeypatch.setattr(services.embedder, "embed", refuse)
    reply = embed(api, input="x")
    assert (reply.status, reply.json["error"]["param"]) == (400, "input")
    assert api("GET", "/usage").json["tokens_used"] == 0
