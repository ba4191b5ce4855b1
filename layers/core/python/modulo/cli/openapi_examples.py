"""Examples of the API's values, made from their schemas: by a property's name where it says more than its type."""

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]
SCHEMAS: Final = "#/components/schemas/"
MAX_DEPTH: Final = 6
ID: Final = "7f1a6c1e-2f0e-4c52-9a58-0d6c1d9b8a10"
NAMED: Final[Json] = {
    "alias": "handbook-2026.pdf",
    "answer": "The notice period is six weeks [1].",
    "author": "Ada Lovelace",
    "checksum_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "code": "corrupt-file",
    "collection_version": 3,
    "confidence_score": 0.87,
    "description": "Contracts and policies",
    "detail": "The file is damaged: save it again and upload that.",
    "document_name": "handbook.pdf",
    "embedding_model": "bge-small-en-v1.5",
    "excerpt": "The notice period is six weeks.",
    "execution_time": 0.21,
    "language": "en",
    "media_type": "application/pdf",
    "name": "handbook.pdf",
    "path": "contracts/lease.pdf",
    "question": "How long is the notice period?",
    "relevance_score": 0.87,
    "score": 0.87,
    "size_bytes": 48_213,
    "source": "handbook.pdf",
    "source_url": "https://docs.example.org/handbook.pdf",
    "text": "The notice period is six weeks.",
    "title": "Employee handbook",
    "url": "https://docs.example.org/handbook.pdf",
    "version": "0.1.0",
}
"""Values of properties that have a usual one; used where the schema allows it."""
NAME_OF: Final[Mapping[str, str]] = {
    "Collection": "policies",
    "CollectionChange": "policies",
    "CreateVectorStore": "policies",
    "Dependency": "postgres",
    "Member": "ada",
    "NewCollection": "policies",
    "UpdateVectorStore": "policies",
    "VectorStore": "policies",
    "tenant": "acme",
    "user": "ada",
}
"""What `name` is in a schema, or in a property, that is no file."""
FORMATS: Final = {
    "uuid": ID,
    "date-time": "2026-03-14T09:30:00Z",
    "date": "2026-03-14",
    "uri": "https://docs.example.org/handbook.pdf",
    "binary": "(the file's bytes)",
}
TYPES: Final[Mapping[str, Any]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


def example_of(schema: Json, schemas: Json, name: str = "", depth: int = 0) -> Any:
    """A value that the schema allows, as a client would see or send it."""
    given = [*schema.get("examples", ()), *([schema["const"]] if "const" in schema else ()), *schema.get("enum", ())]
    if given:
        return given[0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(SCHEMAS)], schemas, name, depth)
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if options:
        return example_of(next(each for each in options if each != {"type": "null"}), schemas, name, depth)
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, schemas, name, depth)
    if kind == "array":
        return _array(schema, schemas, name, depth)
    return _scalar(schema, name)


def _object(schema: Json, schemas: Json, called: str, depth: int) -> Json:
    if depth > MAX_DEPTH:
        return {}
    required = set(schema.get("required", ()))
    made = {
        name: example_of(inner, schemas, name, depth + 1)
        for name, inner in schema.get("properties", {}).items()
        if name in required or "const" in inner or (depth < 2 and name in NAMED)
    }
    named = NAME_OF.get(called) or NAME_OF.get(schema.get("title", ""))
    return {**made, "name": named} if named and made.get("name") == NAMED["name"] else made


def _array(schema: Json, schemas: Json, name: str, depth: int) -> list[Any]:
    if depth > MAX_DEPTH:
        return []
    if "prefixItems" in schema:
        return [example_of(inner, schemas, name, depth + 1) for inner in schema["prefixItems"]]
    return [example_of(schema.get("items", {}), schemas, name.removesuffix("s"), depth + 1)]


def _scalar(schema: Json, name: str) -> Any:
    kind = schema.get("type", "string")
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    usual = NAMED.get(name)
    if isinstance(usual, TYPES.get(kind, ())) and not isinstance(usual, bool):
        return usual
    if schema.get("default") is not None:
        return schema["default"]
    number = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    return {"string": "text", "integer": number, "number": float(number), "boolean": True, "null": None}[kind]
