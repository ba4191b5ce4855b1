"""The OpenAPI document says of every operation what a client needs: a new route is held to it without a line more."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from modulo.cli.openapi_document import MEDIA_TYPE, SECURITY, TAGS
from tests.architecture.sources import HTTP_METHODS, ROOT

DOCUMENT: dict[str, Any] = json.loads((ROOT / "infra" / "openapi.json").read_text())
OPEN = {"health"}
"""Operations that ask for no credential."""
OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if method in HTTP_METHODS and path.startswith("/api/")
}
EACH = pytest.mark.parametrize("name", sorted(OPERATIONS))


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    found: Any = DOCUMENT
    for part in node.get("$ref", "").split("/")[1:]:
        found = found[part]
    return found if "$ref" in node else node


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for body in [operation.get("requestBody", {}), *map(resolved, operation["responses"].values())]:
        yield from body.get("content", {}).items()


@EACH
def test_an_operation_has_a_summary_and_a_known_tag(name: str) -> None:
    operation = OPERATIONS[name][2]
    assert operation["summary"] != "Endpoint", "its endpoint has a docstring"
    assert "\n" not in operation["summary"]
    assert len(operation["summary"]) <= 140, "the first paragraph of its docstring is short"
    [tag] = operation["tags"]
    assert tag in TAGS, "modulo.cli.openapi_document describes every tag"


@EACH
def test_an_operation_says_who_may_use_it(name: str) -> None:
    operation = OPERATIONS[name][2]
    assert operation["security"] == ([] if name in OPEN else [{scheme: []} for scheme in SECURITY])
    assert "401" in operation["responses"], "what needs no credential is refused with a wrong one"


@EACH
def test_an_operation_tells_every_status(name: str) -> None:
    path, _, operation = OPERATIONS[name]
    responses = operation["responses"]
    expected = {"422", "500", "503"}
    if "requestBody" in operation:
        expected |= {"400", "413", "415"}
    if "_id}" in path:
        expected |= {"404"}
    assert expected <= set(responses)
    assert [status for status in responses if status.startswith(("2", "3"))]
    for status, response in responses.items():
        assert resolved(response)["description"]
        if int(status) >= 400 and name not in OPEN:
            [content] = resolved(response)["content"].items()
            assert content[0] == MEDIA_TYPE
            assert content[1]["schema"] == {"$ref": "#/components/schemas/Problem"}


@EACH
def test_bodies_have_examples_that_their_schemas_allow(name: str) -> None:
    for media_type, content in contents(OPERATIONS[name][2]):
        if media_type == "application/json":
            validator = Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]})
            validator.validate(content["example"])


def test_nothing_answered_is_null() -> None:
    answered = [
        content["example"] for _, _, op in OPERATIONS.values() for _, content in contents(op) if "example" in content
    ]
    assert answered
    assert "null" not in json.dumps(answered)


def test_files_are_binary() -> None:
    text = json.dumps(DOCUMENT)
    assert "contentMediaType" not in text
    assert '"format": "binary"' in text


def test_forms_take_no_other_parts() -> None:
    forms = [
        resolved(content["schema"])
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
        if media_type == "multipart/form-data"
    ]
    assert len(forms) >= 3
    assert all(form["additionalProperties"] is False for form in forms)


BOUNDS = {
    "string": {"minLength", "maxLength", "pattern"},
    "array": {"minItems", "maxItems", "uniqueItems"},
    "object": {"minProperties", "maxProperties", "propertyNames"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
}


def schemas_in(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield node
        for inner in node.values():
            yield from schemas_in(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from schemas_in(inner)


def test_bounds_are_of_their_type() -> None:
    """A validator around a list turns its bounds into those of a text, which say nothing of it."""
    found = list(schemas_in(DOCUMENT))
    assert len(found) > 100
    for schema in found:
        kind = {"integer": "number"}.get(schema["type"], schema["type"])
        foreign = {bound for other, bounds in BOUNDS.items() if other != kind for bound in bounds}
        assert not foreign & set(schema), schema


TEXT = {"type": "input_text", "text": "Why?"}
ANSWER = {"type": "output_text", "text": "So.", "annotations": []}
STORE = "7f1a6c1e-2f0e-4c52-9a58-0d6c1d9b8a10"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("CreateChatCompletion", {"messages": [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}]}),
        ("CreateEmbedding", {"input": "Why?"}),
        ("CreateEmbedding", {"input": ["Why?"]}),
        ("CreateResponse", {"input": "Why?", "tool_choice": {"type": "file_search"}, "conversation": {"id": STORE}}),
        ("CreateResponse", {"input": [{"role": "user", "content": [TEXT]}]}),
        (
            "CreateResponse",
            {"input": [{"role": "assistant", "content": [ANSWER]}, {"role": "user", "content": "Why?"}]},
        ),
        ("CreateResponse", {"input": [{"type": "file_search_call", "id": "a"}, {"role": "user", "content": "Why?"}]}),
        ("SearchStore", {"query": "Why?"}),
        ("SearchStore", {"query": ["Why?"]}),
    ],
)
def test_what_may_come_in_several_forms_is_described_in_each(name: str, body: dict[str, Any]) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate({"model": "papers", **body} if "Search" not in name else body)


def test_ids_are_named_id() -> None:
    for name in (
        "Collection",
        "File",
        "UploadReceipt",
        "UploadTicket",
        "Member",
        "Deletion",
        "DeadLetter",
        "FoundChunk",
    ):
        assert "id" in DOCUMENT["components"]["schemas"][name]["properties"], name


def test_every_reference_leads_somewhere() -> None:
    for target in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT))):
        assert resolved({"$ref": target})


def test_other_doors_tell_every_status_and_state_their_nulls() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values() if not path.startswith("/api/") else ():
            expected = {"400", "401", "403", "500", "503"} | ({"413"} if "requestBody" in operation else set())
            assert expected <= set(operation["responses"]), operation["operationId"]
    error = DOCUMENT["components"]["schemas"]["OpenAIError"]
    assert error["properties"]["param"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert "param" in error["required"]
