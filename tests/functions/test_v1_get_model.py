import pytest


@pytest.mark.parametrize("form", ["modulo/{name}", "modulo/{id}", "{id}", "modulo%2F{name}"])
def test_a_model_is_found_by_name_and_by_id(api, form):
    collection = api.create_collection("papers")
    reply = api("GET", "/v1/models/" + form.format(name="papers", id=collection))
    assert reply.status == 200, reply.text
    assert reply.json["object"] == "model"


@pytest.mark.parametrize("model", ["papers", "modulo/other", "gpt-5", "modulo/", "modulo/a%00b"])
def test_what_is_no_model_is_named(api, model):
    api.create_collection("papers")
    reply = api("GET", f"/v1/models/{model}")
    assert reply.status == 404
    assert reply.json["error"]["code"] == "not_found"
