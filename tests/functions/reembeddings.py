"""A collection with two files that is embedded anew."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from modulo.domain.collections.collection import EmbeddingModel, Space
from modulo.runtime.worker import function
from tests.functions.conftest import Api, deliver_queued, ingest, principal_of

MODELS = {
    "embedding_models": (EmbeddingModel(name="small", dimensions=16), EmbeddingModel(name="large", dimensions=64)),
    "reembedding_keep_seconds": 3_600,
}
TEXTS = {"vault.txt": "The vault opens at noon.", "bakery.txt": "The bakery opens at six."}


def collection_of(api: Api) -> str:
    collection = api.create_collection(embedding_model="small")
    for name, text in TEXTS.items():
        assert ingest(api, collection, api.upload(collection, text, name)) == []
    return collection


def path(collection: str, then: str = "") -> str:
    return f"/collections/{collection}/reembedding{then}"


def start(api: Api, collection: str, **how: Any) -> dict[str, Any]:
    reply = api("POST", path(collection), json={"embedding_model": "large", "auto_switch": False, **how})
    assert reply.status == 202, reply.text
    found: dict[str, Any] = reply.json
    return found


def built(api: Api, services: Any, collection: str, **how: Any) -> None:
    start(api, collection, **how)
    deliver_queued(services)


def sweep(services: Any, clock: Any, *, after: timedelta = timedelta(minutes=2)) -> None:
    clock.advance(after)
    function("sweep").handler({}, None)
    deliver_queued(services)


def answers(api: Api, collection: str) -> tuple[int, str, list[str]]:
    """The version and model a search saw, and the names of what it found."""
    body = {"question": "When does the vault open?", "collection_id": collection}
    reply = api("POST", "/search", json=body)
    assert reply.status == 200, reply.text
    seen, found = reply.json["metadata"], reply.json["query_results"]
    return seen["collection_version"], seen["embedding_model"], [one["chunk"]["metadata"]["source"] for one in found]


def space_of(services: Any, model: str | None) -> Space:
    """Where the only collection's vectors are, or would be by a model."""
    ada = principal_of("ada")
    (collection,) = services.collections.list_collections(ada, after=None, limit=2, name=None).items
    space = services.grants.grant(ada, collection.id).space
    return replace(space, model=services.settings.embedding_model(model)) if model else space
