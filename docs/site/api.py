"""The reference of the API, made from `infra/openapi.json`: every operation, by what it is about."""

import json
from collections.abc import Iterator
from typing import Any

from docs.site.repository import ROOT

HEAD = """\
# API

Made from the API's description, which a running server gives at `/api/openapi.json`, and shows at `/api/docs`, where
requests can be tried. Every operation but `health` needs a [credential](../docs/guides/credentials.md). Any may also
answer 401, 429, 500 or 503 with one of the [problems](problems.md).

"""
COMMON = {"401", "429", "500", "503"}
METHODS = ("get", "post", "put", "patch", "delete")


def api_page() -> str:
    """The whole page."""
    document = json.loads((ROOT / "infra" / "openapi.json").read_text())
    parts = [HEAD]
    for tag in document["tags"]:
        parts.append(f"## {tag['name'].capitalize()}\n\n{tag['description']}\n\n")
        parts += [operation for name, operation in operations(document) if name == tag["name"]]
    return "".join(parts)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each operation's tag, and its section."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                operation, shared = methods[method], methods.get("parameters", [])
                yield operation["tags"][0], section(document, f"{method.upper()} {path}", operation, shared)


def section(document: dict[str, Any], route: str, operation: dict[str, Any], shared: list[dict[str, Any]]) -> str:
    """What an operation does, takes and answers."""
    parts = [f"### {operation['operationId']}\n\n`{route}`\n\n{operation['description']}\n\n"]
    given = [resolve(document, each) for each in [*shared, *operation.get("parameters", [])]]
    if given:
        parts.append("| parameter | in | type | meaning |\n|---|---|---|---|\n")
        parts += [
            f"| `{each['name']}`{'' if each.get('required') else ' (optional)'} | {each['in']} "
            f"| {kind(each.get('schema', {}))} | {one_line(each.get('description', ''))} |\n"
            for each in given
        ]
        parts.append("\n")
    body = resolve(document, operation.get("requestBody", {}))
    for media, content in body.get("content", {}).items():
        parts.append(f"Body, `{media}`: {kind(content.get('schema', {}))}\n\n")
        parts.append(fields(document, content.get("schema", {})))
    answers = [
        f"| {status} | {one_line(resolve(document, answer).get('description', ''))} |\n"
        for status, answer in operation["responses"].items()
        if status not in COMMON
    ]
    return "".join([*parts, "| status | |\n|---|---|\n", *answers, "\n"])


def fields(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """The fields of a body that is an object."""
    schema = resolve(document, schema)
    required = schema.get("required", [])
    rows = [
        f"| `{name}`{'' if name in required else ' (optional)'} | {kind(each)} "
        f"| {one_line(each.get('description', ''))} |\n"
        for name, each in schema.get("properties", {}).items()
    ]
    return "".join(["| field | type | meaning |\n|---|---|---|\n", *rows, "\n"]) if rows else ""


def resolve(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """A part of the document, or what it refers to."""
    while "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def kind(schema: dict[str, Any]) -> str:
    """A type in one word or a few."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    several = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if several:
        return " or ".join(dict.fromkeys(kind(each) for each in several))
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    named = schema.get("format") or schema.get("type", "any")
    limits = [f"{word} {schema[name]:,}" for name, word in (("minimum", "from"), ("maximum", "to")) if name in schema]
    return " ".join([str(named), *limits])


def one_line(text: str) -> str:
    """A text as it fits into a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")
