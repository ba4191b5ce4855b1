"""The client's models, held to the API's description."""

import json
from pathlib import Path
from typing import Any

import pytest

from modulo_client import models
from modulo_client.models import Model

ROOT = Path(__file__).parents[3]
SCHEMAS: dict[str, Any] = json.loads((ROOT / "infra" / "openapi.json").read_text())["components"]["schemas"]
NAMES = {
    "CollectionInfo": "Collection",
    "ConversationInfo": "Conversation",
    "Answer": "SearchOutput",
    "Part": "Dependency",
    "Worker": "WorkerStatus",
    "AnswerMetadata": "SearchMetadata",
    "Passage": "FoundChunk",
    "PassageMetadata": "ChunkMetadata",
    "Result": "QueryResult",
    "Document": "FoundDocument",
}
"""Where the API's name differs."""
MODELS = sorted(
    name for name, one in vars(models).items() if isinstance(one, type) and issubclass(one, Model) and one is not Model
)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_asks_for_nothing_that_the_server_may_leave_out(name: str) -> None:
    schema = SCHEMAS[NAMES.get(name, name)]
    fields = getattr(models, name).model_fields
    assert set(fields) <= set(schema["properties"])
    assert {key for key, field in fields.items() if field.is_required()} <= set(schema.get("required", []))


@pytest.mark.parametrize("name", [name for name in MODELS if "url" in SCHEMAS[NAMES.get(name, name)]["properties"]])
def test_a_model_tells_the_address_that_the_server_does(name: str) -> None:
    assert "url" in getattr(models, name).model_fields
