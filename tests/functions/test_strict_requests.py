"""What a request holds is used or refused, never ignored; broken Unicode is nobody's server error."""

import json
from http.client import HTTPConnection

import pytest
from pydantic import TypeAdapter

from modulo.domain.request_model import RequestModel
from modulo.runtime.openai.door import V1_PREFIX, is_of_v1
from modulo.runtime.strict_route import FORM as FORM_TYPE
from modulo.runtime.strict_route import body_type, header_parameters, query_parameters
from modulo.runtime.worker import function, function_names
from tests.functions.conftest import as_user
from tests.functions.served import served

BOOLEAN = {"type": "boolean"}
SURROGATE = "\\ud83d"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "multipart/form-data; boundary=b"}
FILE = '--b\r\nContent-Disposition: form-data; name="{0}"; filename="{0}.txt"\r\n\r\nSnow fell.\r\n'
BODIES = {
    "ask_conversation": {"question": "When?"},
    "create_conversation": {"title": "papers", "metadata": {"a": "b"}},
    "rate_answer": {"rating": "up", "comment": "Right."},
    "update_conversation": {"title": "papers", "metadata": {"a": "b"}},
    "v1_create_chat_completion": {"model": "papers", "messages": [{"role": "user", "content": "When?"}]},
    "v1_create_conversation": {"metadata": {"a": "b"}, "items": [{"role": "user", "content": "When?"}]},
    "v1_create_conversation_items": {"items": [{"role": "user", "content": "When?"}]},
    "v1_create_embedding": {"model": "bge-small-en-v1.5", "input": ["a"]},
    "v1_create_response": {"model": "papers", "input": "When?"},
    "v1_create_vector_store": {"name": "papers", "metadata": {"a": "b"}},
    "v1_create_upload": {"filename": "x.txt", "purpose": "assistants", "bytes": 1, "mime_type": "text/plain"},
    "v1_complete_upload": {"part_ids": ["x"]},
    "v1_create_file_batch": {"files": [{"file_id": "x", "attributes": {"a": "b"}}]},
    "v1_create_vector_store_file": {"file_id": "x"},
    "v1_search_vector_store": {"query": ["When?"]},
    "v1_update_conversation": {"metadata": {"a": "b"}},
    "v1_update_vector_store_file": {"attributes": {"a": "b"}},
    "v1_update_vector_store": {"name": "papers"},
    "add_document": {"name": "x.txt", "text": "y", "attributes": {"a": "b"}},
    "add_documents": {"documents": [{"name": "x.txt", "text": "y"}]},
    "add_url": {"url": "https://example.org/x", "name": "x.txt"},
    "create_collection": {"name": "papers"},
    "create_upload": {"name": "x.txt", "size_bytes": 1},
    "roll_back_reembedding": {},
    "search": {
        "question": "When?",
        "config_metadata": {"filters": {"title": {"contains": "x"}, "source": ["a", "b"]}},
    },
    "set_member": {"role": "viewer"},
    "start_reembedding": {"embedding_model": "x"},
    "stream_conversation": {"question": "When?"},
    "stream_search": {"question": "When?"},
    "switch_reembedding": {},
    "update_collection": {"name": "papers"},
    "update_file": {"attributes": {"a": ["b"]}},
}

CHAT = {"model": "modulo/papers", "messages": [{"role": "user", "content": "When?"}]}


def routes():
    """Every operation with its method and path."""
    for name in function_names():
        for route in getattr(getattr(function(name), "router", None), "routes", ()):
            yield name, next(iter(route.methods)), route


def problem_of(name, reply):
    """The code and the text of a refusal, in the form of the operation's door."""
    if is_of_v1(name):
        return reply.json["error"]["type"], f"{reply.json['error']['message']} {reply.json['error']['param']}"
    assert reply.json["type"].startswith("urn:modulo:problem:")
    return reply.json["type"], reply.json["detail"]


ROUTES = list(routes())


def path_of(name, route, collection):
    path = (V1_PREFIX if is_of_v1(name) else "") + route.path
    path = path.replace("{vector_store_id}", collection)
    path = path.replace("{collection_id}", collection).replace("{alias}", "x.txt")
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + "00000000-0000-0000-0000-000000000001" + rest.partition("}")[2]
    return path


def broken(value, ending="SURROGATE"):
    """Each body that the value becomes when one text in it, a name or a value, gets this ending."""
    if isinstance(value, str):
        yield value + ending
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield {**{k: v for k, v in value.items() if k != key}, key + ending: inner}
            for each in broken(inner, ending):
                yield {**value, key: each}
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            for each in broken(inner, ending):
                yield [*value[:at], each, *value[at + 1 :]]


def test_every_body_is_tried():
    assert {name for name, _, route in ROUTES if route.body_field and name != "upload_file"} == set(BODIES)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_an_unpaired_surrogate_anywhere_in_a_body_is_refused(api, name):
    collection = api.create_collection("papers")
    ((method, route),) = [(method, route) for operation, method, route in ROUTES if operation == name]
    body = {**BODIES[name], **({"collection_id": collection} if name in ("search", "stream_search") else {})}
    for each in broken(body or {"x": "y"}):
        sent = json.dumps(each).replace("SURROGATE", SURROGATE)
        reply = api(method, path_of(name, route, collection), body=sent, headers=JSON)
        assert 400 <= reply.status < 500, (sent, reply.text)
        assert problem_of(name, reply)


HIDING = ("", "\u2800", "\u200b", "\u3164", "a\u202etxt.md", "\ufeffa.txt", "a\u00adb.txt", "\u2066a\u2069.txt")
NAMED = {
    "create_collection": "name",
    "create_conversation": "title",
    "update_collection": "name",
    "update_conversation": "title",
    "v1_create_vector_store": "name",
    "v1_update_vector_store": "name",
    "add_document": "name",
    "add_url": "name",
    "create_upload": "name",
    "v1_create_upload": "filename",
}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_name_that_does_not_show_all_it_holds_is_refused(api, name):
    field = NAMED[name]
    collection, conversation = api.create_collection("other"), api("POST", "/conversations", json={}).json["id"]
    ((method, route),) = [(method, route) for operation, method, route in ROUTES if operation == name]
    path = path_of(name, route, collection).replace("00000000-0000-0000-0000-000000000001", conversation)
    for given in HIDING:
        reply = api(method, path, json={**BODIES[name], field: given})
        if name == "v1_create_vector_store" and not given:
            assert reply.status == 200, "a store without a name gets one"
            continue
        assert reply.status == (400 if is_of_v1(name) else 422), (given, reply.text)
        told = reply.json["error"]["param"] if is_of_v1(name) else reply.json["errors"][0]["field"]
        assert told == field, (given, reply.text)
    shown = {**BODIES[name], field: "\u2139\ufe0f \u0646\u0627\u0645\u0647\u200c\u0647\u0627.txt"}
    assert api(method, path, json=shown).status in (200, 201, 202)


STORED = {
    **{name: BODIES[name] for name in BODIES if "conversation" in name or name == "rate_answer"},
    "create_collection": {"name": "papers", "description": "x", "metadata": {"a": "b"}},
    "v1_create_response": {"input": "When?", "instructions": "x", "metadata": {"a": "b"}},
    "v1_create_vector_store": {"name": "papers", "description": "x", "metadata": {"a": "b"}},
}
"""Bodies whose texts are told again later."""


@pytest.mark.parametrize("name", sorted(STORED))
def test_a_text_that_would_be_stored_otherwise_than_it_was_sent_is_refused(api, name):
    collection = api.create_collection("papers")
    ((method, route),) = [(method, route) for operation, method, route in ROUTES if operation == name]
    for each in broken(STORED[name], "\0"):
        reply = api(method, path_of(name, route, collection), json=each)
        assert reply.status == (400 if is_of_v1(name) else 422), (each, reply.text)


@pytest.mark.parametrize(("name", "method", "route"), ROUTES, ids=[name for name, _, _ in ROUTES])
@pytest.mark.parametrize("query", [{"limits": "5"}, {"verbose": ""}], ids=["misspelt", "empty"])
def test_an_unknown_query_parameter_is_named(api, name, method, route, query):
    collection = api.create_collection("papers")
    reply = api(method, path_of(name, route, collection), query=query)
    assert reply.status == (400 if is_of_v1(name) else 422), reply.text
    assert next(iter(query)) in problem_of(name, reply)[1]


PAGED = [
    (name, method, route)
    for name, method, route in ROUTES
    if not is_of_v1(name) and "after" in {field.alias for field in route.dependant.query_params}
]


@pytest.mark.parametrize(("name", "method", "route"), PAGED, ids=[name for name, _, _ in PAGED])
@pytest.mark.parametrize("after", ["", "x", "1-2", "0.0"])
def test_a_cursor_that_is_none_is_named(api, name, method, route, after):
    reply = api(method, path_of(name, route, api.create_collection("papers")), query={"after": after})
    assert reply.status == 422, reply.text
    assert reply.json["errors"][0]["field"] == "after"


SIZED = [(name, method, route) for name, method, route in ROUTES if "limit" in query_parameters(route.dependant)]


@pytest.mark.parametrize(("name", "method", "route"), SIZED, ids=[name for name, _, _ in SIZED])
def test_an_integer_in_a_query_is_written_as_one(api, collection, name, method, route):
    for given in ("1_0", "+1", " 1", "1.0", "1e1", "\u0663", "9" * 5_000):
        reply = api(method, path_of(name, route, collection), query={"limit": given})
        assert reply.status == (400 if is_of_v1(name) else 422), (given, reply.text)
        assert "limit: must be a whole number" in problem_of(name, reply)[1]


V1_PAGED = {
    name: set(query_parameters(route.dependant))
    for name, _, route in ROUTES
    if is_of_v1(name) and "after" in query_parameters(route.dependant)
}


def test_a_page_that_begins_at_nothing_is_refused_as_it_would_look_like_the_last(api, collection):
    theirs = as_user("bob").keep_file("text")
    batch = api("POST", f"/v1/vector_stores/{collection}/file_batches", json={"file_ids": [api.keep_file("text")]})
    conversation = api("POST", "/v1/conversations", json={"items": [{"role": "user", "content": "When?"}]})
    response = api("POST", "/v1/responses", json={"model": f"modulo/{collection}", "input": "When?"})
    paths = {
        "v1_list_batch_files": f"vector_stores/{collection}/file_batches/{batch.json['id']}/files",
        "v1_list_conversation_items": f"conversations/{conversation.json['id']}/items",
        "v1_list_files": "files",
        "v1_list_response_input_items": f"responses/{response.json['id']}/input_items",
        "v1_list_vector_store_files": f"vector_stores/{collection}/files",
        "v1_list_vector_stores": "vector_stores",
    }
    assert set(paths) == set(V1_PAGED)
    for name, path in paths.items():
        for parameter in ("after", "before"):
            for given in (theirs, "00000000-0000-0000-0000-000000000001"):
                reply = api("GET", f"/v1/{path}", query={parameter: given})
                assert (reply.status, reply.json["error"]["param"]) == (400, parameter), (name, reply.text)
        if "before" in V1_PAGED[name]:
            reply = api("GET", f"/v1/{path}", query={"after": theirs, "before": theirs})
            assert (reply.status, reply.json["error"]["param"]) == (400, "before")


def test_a_parameter_given_twice_is_named(api):
    reply = api("GET", "/collections", query={"limit": ["1", "2"]})
    assert reply.status == 422
    assert "limit" in reply.json["detail"]


FLAGS = [
    (name, field.alias)
    for name, _, route in ROUTES
    for field in route.dependant.query_params
    if TypeAdapter(field.field_info.annotation).json_schema() in (BOOLEAN, {"anyOf": [BOOLEAN, {"type": "null"}]})
]


@pytest.mark.parametrize(("name", "parameter"), FLAGS, ids=[name for name, _ in FLAGS])
def test_a_boolean_in_a_query_is_written_as_in_json(api, name, parameter):
    ((method, route),) = [(method, route) for operation, method, route in ROUTES if operation == name]
    path = path_of(name, route, api.create_collection("papers"))
    for given in ("yes", "on", "1", "0", "t", "True", "FALSE", " true", ""):
        reply = api(method, path, query={parameter: given})
        assert reply.status == 422, (given, reply.text)
        assert reply.json["errors"] == [{"field": parameter, "message": "must be true or false"}]
    for given in ("true", "false"):
        assert api(method, path, query={parameter: given}).status in (200, 404)


HEADED = [(name, header) for name, _, route in ROUTES for header in sorted(set(header_parameters(route.dependant)))]


@pytest.mark.parametrize(("name", "header"), HEADED, ids=[name for name, _ in HEADED])
def test_a_header_given_twice_is_named(api, name, header):
    ((method, route),) = [(method, route) for operation, method, route in ROUTES if operation == name]
    path, body = path_of(name, route, api.create_collection("papers")), BODIES.get(name)
    for values in (["a", "b"], ["a", "a"]):
        reply = api(method, path, json=body, headers={header: values})
        assert reply.status == 422, reply.text
        assert reply.json["errors"] == [{"field": header, "message": "must be given once"}]


def test_a_header_given_twice_is_named_by_a_server_too(api):
    with served() as address:
        connection = HTTPConnection(address.removeprefix("http://"))
        connection.putrequest("POST", "/api/conversations")
        for name, value in (*api.headers.items(), ("Idempotency-Key", "a"), ("idempotency-key", "b")):
            connection.putheader(name, value)
        connection.endheaders()
        reply = connection.getresponse()
        refused = json.loads(reply.read())
        connection.close()
    assert (reply.status, refused["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_two_files_in_one_form_are_refused_and_nothing_is_stored(api, services):
    collection = api.create_collection("papers")
    for parts in (["file", "file"], ["file", "other"], ["file", "file", "file"]):
        form = "".join(FILE.format(part) for part in parts) + "--b--\r\n"
        reply = api("POST", f"/collections/{collection}/files", body=form, headers=FORM)
        assert reply.status == 422, reply.text
        assert ("file" if "other" not in parts else "other") in reply.json["detail"]
    assert api("GET", f"/collections/{collection}/files").json["items"] == []


FORMS = [(name, method, route) for name, method, route in ROUTES if body_type(route) == FORM_TYPE]


@pytest.mark.parametrize(("name", "method", "route"), FORMS, ids=[name for name, _, _ in FORMS])
def test_a_form_that_is_cut_off_is_refused_as_its_last_part_would_be_lost(api, name, method, route):
    field = "data" if name == "v1_add_upload_part" else "file"
    form = FILE.format(field) + '--b\r\nContent-Disposition: form-data; name="attributes"\r\n\r\n{"a": "b"}'
    reply = api(method, path_of(name, route, api.create_collection("papers")), body=form, headers=FORM)
    assert reply.status == 400, reply.text
    assert "cut off" in reply.text


def test_the_errors_of_a_bad_request_are_few_and_short(api):
    body = {f"{'x' * 500}{number}": number for number in range(2_000)}
    reply = api("POST", "/collections", body=json.dumps(body), headers=JSON)
    assert reply.status == 422
    assert len(reply.text) < 16_384
    assert len(reply.json["errors"]) == 20
    assert "more" in reply.json["detail"]


def models(schema):
    """The classes of models anywhere in a schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "model":
            yield schema["cls"]
        for name, inner in schema.items():
            if name not in ("metadata", "default"):
                yield from models(inner)
    elif isinstance(schema, list | tuple):
        for inner in schema:
            yield from models(inner)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_every_model_of_a_body_keeps_types(name):
    [route] = [route for operation, _, route in ROUTES if operation == name]
    found = set(models(TypeAdapter(route.body_field.field_info.annotation).core_schema))
    assert found
    assert {one for one in found if not issubclass(one, RequestModel)} == set()


@pytest.mark.parametrize("given", [0, 1, "true", "1"])
def test_no_value_is_taken_for_a_boolean(api, given):
    collection = api.create_collection("papers")
    body = {"question": "When?", "collection_id": collection, "options": {"retrieve_only": given}}
    reply = api("POST", "/search", json=body)
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "options.retrieve_only")
    reply = api("POST", f"{V1_PREFIX}/chat/completions", json=CHAT | {"stream": given})
    assert (reply.status, reply.json["error"]["param"]) == (400, "stream")


@pytest.mark.parametrize("given", [True, "1", 1.5])
def test_no_value_is_taken_for_a_number(api, given):
    for field in ("n", "max_tokens"):
        reply = api("POST", f"{V1_PREFIX}/chat/completions", json=CHAT | {field: given})
        assert (reply.status, reply.json["error"]["param"]) == (400, field)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"metadata": {}, "metadata": {"a": "b"}}', "'metadata' more than once."),
        ('{"metadata": {"a": NaN}}', "NaN is no number of JSON."),
        ('{"metadata": "\\ud83d"}', "unpaired surrogate"),
        (b'{"metadata": "\xff"}', "The body is not UTF-8."),
        ('{"metadata": ' + "9" * 5_000 + "}", "too many digits."),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_with_the_reason(api, body, said):
    reply = api("POST", f"{V1_PREFIX}/conversations", body=body, headers=JSON)
    assert (reply.status, reply.json["error"]["code"]) == (400, "malformed_request")
    assert said in reply.json["error"]["message"]
    assert ".." not in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("vector_stores", {"name": " "}, "name"),
        ("vector_stores", {"metadata": {"k" * 65: "v"}}, f"metadata.{'k' * 60}"),
        ("vector_stores", {"chunking_strategy": {"type": "x"}}, "chunking_strategy.type"),
        ("vector_stores", {"chunking_strategy": {"type": "auto", "static": {}}}, "chunking_strategy.static"),
        ("embeddings", {"model": "x", "input": ""}, "input"),
        (
            "vector_stores/COLLECTION/file_batches",
            {"files": [{"file_id": "x", "chunking_strategy": {"type": "static"}}]},
            "files.0.file_id",
        ),
        (
            "vector_stores/COLLECTION/files",
            {"file_id": "FILE", "chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 9}}},
            "chunking_strategy.static.max_chunk_size_tokens",
        ),
    ],
)
def test_a_wrong_field_is_named_as_the_client_wrote_it(api, collection, path, body, param):
    sent = json.dumps(body).replace("FILE", "00000000-0000-0000-0000-000000000001")
    path = path.replace("COLLECTION", collection)
    reply = api("POST", f"{V1_PREFIX}/{path}", body=sent, headers=JSON)
    assert (reply.status, reply.json["error"]["param"]) == (400, param), reply.text
    assert "uple" not in reply.text


NOBODYS = "00000000-0000-0000-0000-000000000001"
ASKED = [{"role": "user", "content": "When?"}]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/search", {"question": "When?", "collection_id": "ID"}, "collection_id"),
        ("/search", {"question": "When?", "collection_ids": ["OWN", "ID"]}, "collection_ids.1"),
        ("/search/stream", {"question": "When?", "collection_id": "ID"}, "collection_id"),
        ("/conversations/TALK/messages", {"question": "When?", "collection_id": "ID"}, "collection_id"),
        ("/conversations/TALK/messages/stream", {"question": "When?", "collection_ids": ["ID"]}, "collection_ids.0"),
        ("/v1/chat/completions", {"model": "modulo/ID", "messages": ASKED}, "model"),
        ("/v1/chat/completions", {"model": "x", "messages": ASKED, "vector_store_ids": ["ID"]}, "vector_store_ids.0"),
        ("/v1/responses", {"model": "OWN", "input": "When?", "previous_response_id": "ID"}, "previous_response_id"),
        ("/v1/responses", {"model": "OWN", "input": "When?", "conversation": {"id": "ID"}}, "conversation.id"),
        ("/v1/vector_stores", {"name": "x", "file_ids": ["ID"]}, "file_ids.0"),
        ("/v1/vector_stores/OWN/files", {"file_id": "ID"}, "file_id"),
        ("/v1/vector_stores/OWN/file_batches", {"files": [{"file_id": "ID"}]}, "files.0.file_id"),
    ],
)
def test_an_id_that_names_nothing_is_told_by_its_field(api, collection, path, body, field):
    talk = api("POST", "/conversations", json={}).json["id"]
    sent = json.dumps(body).replace("ID", NOBODYS).replace("OWN", collection)
    reply = api("POST", path.replace("OWN", collection).replace("TALK", talk), body=sent, headers=JSON)
    assert reply.status == 404, reply.text
    if path.startswith(V1_PREFIX):
        assert reply.json["error"]["param"] == field
    else:
        assert [error["field"] for error in reply.json["errors"]] == [field]
        assert reply.json["detail"].startswith(f"{field}: ")


def test_an_id_in_a_path_that_names_nothing_has_no_field(api):
    reply = api("GET", f"/conversations/{NOBODYS}")
    assert (reply.status, "errors" in reply.json) == (404, False)
