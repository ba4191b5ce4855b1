"""The OpenAPI document as clients are generated from it.

FastAPI describes paths, parameters and bodies. This adds what it does not know: credentials, the problems that any
operation may answer with, summaries, examples, and that answers leave out what is null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fastapi.routing import APIRoute

from modulo.cli.openapi_examples import example_of
from modulo.cli.problems import visible_errors
from modulo.domain.errors import (
    Forbidden,
    InternalError,
    InvalidRequest,
    ModuloError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    explanation,
)
from modulo.runtime.auth import AUTHENTICATORS
from modulo.runtime.problem_details import TYPE
from modulo.runtime.problems import MEDIA_TYPE, PROBLEMS, MalformedRequest, Problem
from modulo.runtime.strict_route import FORM, body_type
from modulo.runtime.worker import function, function_names

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.dependencies.models import Dependant

    Json = dict[str, Any]

PREFIX: Final = "/api"
SCHEMAS: Final = "#/components/schemas/"
EVERY: Final = (InvalidRequest, InternalError, Unavailable)
"""What any operation may answer with."""
WITH_CREDENTIAL: Final = (Unauthenticated, Forbidden)
WITH_BODY: Final = (MalformedRequest, TooLarge, UnsupportedMediaType)
TAGS: Final = {
    "account": "What the caller is and may use.",
    "collections": "Collections of documents, the unit of sharing and of searching.",
    "conversations": "Questions that follow from one another, private to who asks them.",
    "dead-letters": "Messages whose every delivery failed, to be retried or discarded.",
    "deletions": "Receipts of deletions: what was removed, and the proof that nothing is left.",
    "files": "Documents of a collection: upload, progress, download, deletion.",
    "health": "Whether the service answers.",
    "members": "Who may read and change a collection.",
    "openai": "OpenAI's API: set an OpenAI client's base address to `/v1`.",
    "re-embedding": "Moving a collection to another embedding model while it is searched.",
    "search": "Answers with checked citations.",
}
SECURITY: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a token of the OpenID issuer."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
}
SERVERS: Final = [
    {"url": "/", "description": "The server that this document is from"},
    {
        "url": "https://{host}",
        "description": "A server of your own",
        "variables": {"host": {"default": "localhost:8000", "description": "Its host and port"}},
    },
]


def openapi_document(app: FastAPI) -> Json:
    """The document of an application with the routers of all functions."""
    document = app.openapi()
    document["info"]["license"] = {"name": "Apache 2.0", "identifier": "Apache-2.0"}
    document["servers"] = SERVERS
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    components = document.setdefault("components", {})
    components["securitySchemes"] = SECURITY
    components["responses"] = {}
    schemas = components["schemas"]
    _add_problem(schemas)
    described = {route.operation_id: route for route in _routes()}
    for operation, own in _with_door(document):
        route = described[operation["operationId"]]
        _describe(operation, route)
        if own:
            _add_problems(operation, route, components["responses"])
        else:
            operation.setdefault("tags", ["openai"])
            if "422" in operation["responses"]:
                operation["responses"].pop("422")  # FastAPI's own form, which no door answers in
            _add_statuses(operation, route)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _close_forms(document, schemas)
    _complete_types(document)
    _leave_out_nulls(document, schemas)
    _add_examples(document, schemas)
    return document


def _routes() -> Iterator[APIRoute]:
    for name in function_names():
        for route in getattr(getattr(function(name), "router", None), "routes", ()):
            if isinstance(route, APIRoute):
                yield route


def _with_door(document: Json) -> Iterator[tuple[Json, bool]]:
    """Each operation, and whether it answers with problems; other doors have errors of their own."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            yield operation, path.startswith(f"{PREFIX}/")


def _operations(document: Json) -> Iterator[Json]:
    for operations in document["paths"].values():
        yield from operations.values()


def _describe(operation: Json, route: APIRoute) -> None:
    """The first paragraph of an endpoint's docstring is the summary, the whole of it the description."""
    operation["summary"] = " ".join(route.description.split("\n\n")[0].split()).removesuffix(".")
    operation["security"] = [{name: []} for name in SECURITY] if _needs_credential(route.dependant) else []


def _needs_credential(dependant: Dependant) -> bool:
    return dependant.call in AUTHENTICATORS or any(_needs_credential(inner) for inner in dependant.dependencies)


def _add_problem(schemas: Json) -> None:
    schema = Problem.model_json_schema(ref_template=SCHEMAS + "{model}")
    schemas.update(schema.pop("$defs"))
    schemas["Problem"] = schema


def _add_problems(operation: Json, route: APIRoute, shared: Json) -> None:
    """Every status that the operation may answer with, as a response that operations share."""
    classes = {error.code(): error for error in visible_errors()}
    found: dict[int, list[type[ModuloError]]] = {}
    for status, response in list(operation["responses"].items()):
        if PROBLEMS in response:
            found[int(status)] = [classes[code] for code in response[PROBLEMS]]
    general: list[type[ModuloError]] = [*EVERY]
    if operation["security"]:
        general += WITH_CREDENTIAL
    if body_type(route) is not None:
        general += WITH_BODY
    for error in general:
        there = found.setdefault(error.status, [])
        if error not in there:
            there.append(error)
    for status, errors in sorted(found.items()):
        name = "Or".join(sorted(error.__name__ for error in errors))
        shared[name] = _response(errors)
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{name}"}
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _add_statuses(operation: Json, route: APIRoute) -> None:
    """The statuses that any operation of another door may answer with, in the form of its errors."""
    told = operation["responses"]
    general = [*EVERY, *WITH_CREDENTIAL, *(WITH_BODY if body_type(route) is not None else ())]
    content = told[str(Unauthenticated.status)]["content"]
    for error in general:
        if error is not InvalidRequest:  # 400 there, which each says of itself
            told.setdefault(str(error.status), {"description": error.title, "content": content})
    operation["responses"] = dict(sorted(told.items()))


def _response(errors: list[type[ModuloError]]) -> Json:
    headers: Json = {"X-Request-Id": {"schema": {"type": "string"}, "description": "The same as `request_id`"}}
    if {error.status for error in errors} & {429, 503}:
        headers["Retry-After"] = {"schema": {"type": "integer"}, "description": "Seconds, where waiting helps"}
    return {
        "description": "; ".join(sorted({error.title for error in errors})),
        "headers": headers,
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": SCHEMAS + "Problem"},
                "examples": {error.code(): {"value": _example(error)} for error in errors},
            }
        },
    }


def _example(error: type[ModuloError]) -> Json:
    return {
        "type": TYPE + error.code(),
        "title": error.title,
        "status": error.status,
        "detail": explanation(error),
        "request_id": "5b0c8d0e-0f0a-4a7e-9a55-3a3f6f1f2c11",
    }


def _close_forms(document: Json, schemas: Json) -> None:
    """No form takes parts that it does not name, as no body in JSON takes members."""
    for operation in _operations(document):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if media_type == FORM:
                schema = content["schema"]
                schemas.get(schema.get("$ref", "").removeprefix(SCHEMAS), schema)["additionalProperties"] = False


def _complete_types(node: Any) -> None:
    """Say what generators of clients understand, where FastAPI says the same in another way.

    Files are `format: binary`, arrays have items, and the only value of a number or a boolean is an enumeration of one.
    """
    if isinstance(node, Mapping):
        if isinstance(node.get("const"), int):
            node["enum"] = [node.pop("const")]  # type: ignore[index, attr-defined] # a dict of the document
        if node.get("type") == "array" and "prefixItems" not in node:
            node.setdefault("items", {})  # type: ignore[attr-defined] # a dict of the document
        if node.get("contentMediaType") == "application/octet-stream":
            node["format"] = "binary"  # type: ignore[index] # a dict of the document
            node.pop("contentMediaType")  # type: ignore[attr-defined]
        for inner in list(node.values()):
            _complete_types(inner)
    elif isinstance(node, list):
        for inner in node:
            _complete_types(inner)


def _leave_out_nulls(document: Json, schemas: Json) -> None:
    """In what only operations of our own answer, a member that may be null may be absent, and is never null."""
    operations = list(_with_door(document))
    sent = set(_reachable([operation.get("requestBody") for operation, _ in operations], schemas))
    answered, stated = (
        set(_reachable([operation["responses"] for operation, own in operations if own is door], schemas))
        for door in (True, False)
    )
    for name in answered - sent - stated:
        properties = schemas[name].get("properties", {})
        for key, value in properties.items():
            options = value.get("anyOf", [])
            rest = [option for option in options if option != {"type": "null"}]
            if len(rest) == len(options):
                continue
            schemas[name]["required"] = [each for each in schemas[name].get("required", ()) if each != key]
            if value.get("default", ...) is None:
                value.pop("default")
            value.pop("anyOf")
            value.update(rest[0] if len(rest) == 1 else {"anyOf": rest})
        if not schemas[name].get("required", True):
            schemas[name].pop("required")


def _reachable(node: Any, schemas: Json, seen: set[str] | None = None) -> Iterator[str]:
    """The names of the schemas that a part of the document refers to, directly or not."""
    seen = set() if seen is None else seen
    if isinstance(node, Mapping):
        target = node.get("$ref", "")
        if (
            isinstance(target, str)
            and target.startswith(SCHEMAS)
            and (name := target.removeprefix(SCHEMAS)) not in seen
        ):
            seen.add(name)
            yield name
            yield from _reachable(schemas[name], schemas, seen)
        for inner in node.values():
            yield from _reachable(inner, schemas, seen)
    elif isinstance(node, list):
        for inner in node:
            yield from _reachable(inner, schemas, seen)


def _add_examples(document: Json, schemas: Json) -> None:
    for operation in _operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media_type, content in [pair for body in bodies for pair in body.get("content", {}).items()]:
            if media_type == "application/json" and "schema" in content and "example" not in content:
                content["example"] = example_of(content["schema"], schemas)
        for parameter in operation.get("parameters", ()):
            if parameter["required"]:
                parameter["example"] = example_of(parameter["schema"], schemas, parameter["name"])
