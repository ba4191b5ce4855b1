"""Embeddings from the Titan and Cohere models of Amazon Bedrock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modulo.adapters.aws.clients import CONNECTIONS
from modulo.adapters.models.bedrock_api import BedrockApi
from modulo.adapters.models.vectors import read_vectors
from modulo.domain.errors import BadModelAnswer
from modulo.ports.context_threads import ContextThreads

if TYPE_CHECKING:
    from modulo.domain.collections.collection import EmbeddingModel

MAX_TITAN_CHARACTERS = 50_000
MAX_COHERE_TEXTS = 96
MAX_COHERE_CHARACTERS = 2_048


class BedrockEmbedder:
    """An embedder whose model names are Bedrock ids.

    Cohere's models embed questions and documents differently. Give such a model a `query_prefix`: texts that start with
    it are embedded as questions, without the prefix.
    """

    def __init__(self, *, timeout: float) -> None:
        self._api = BedrockApi(timeout=timeout, dependency="embedder")

    def embed(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        """The vectors; texts longer than a call accepts are cut."""
        if "titan-embed" in model.name:
            batches = [[text] for text in texts]
            embed_batch = self._embed_titan
        elif "cohere.embed" in model.name:
            batches = [
                list(texts[start : start + MAX_COHERE_TEXTS]) for start in range(0, len(texts), MAX_COHERE_TEXTS)
            ]
            embed_batch = self._embed_cohere
        else:
            raise BadModelAnswer(f"{model.name} is no embedding model of Bedrock that this service supports.")
        if len(batches) < 2:
            return [vector for batch in batches for vector in embed_batch(model, batch)]
        with ContextThreads(CONNECTIONS) as threads:
            return [
                vector
                for vectors in threads.map(lambda batch: embed_batch(model, batch), batches)
                for vector in vectors
            ]

    def ping(self) -> None:
        """Make a call to Bedrock that costs nothing."""
        self._api.ping()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _embed_titan(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        (text,) = texts
        body: dict[str, Any] = {"inputText": text[:MAX_TITAN_CHARACTERS] or " "}
        if "embed-text-v2" in model.name:
            body |= {"dimensions": model.dimensions, "normalize": True}
        return read_vectors([_field(self._invoke(model, body), "embedding")], 1, model)

    def _embed_cohere(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        is_query = bool(model.query_prefix) and all(text.startswith(model.query_prefix) for text in texts)
        inputs = [text.removeprefix(model.query_prefix) if is_query else text for text in texts]
        body: dict[str, Any] = {
            "texts": [text[:MAX_COHERE_CHARACTERS] or " " for text in inputs],
            "input_type": "search_query" if is_query else "search_document",
            "truncate": "END",
            "embedding_types": ["float"],
        }
        if "embed-v4" in model.name:
            body["output_dimension"] = model.dimensions
        found = _field(self._invoke(model, body), "embeddings")
        return read_vectors(_field(found, "float") if isinstance(found, dict) else found, len(texts), model)

    def _invoke(self, model: EmbeddingModel, body: dict[str, Any]) -> Any:
        content = self._api.call(
            lambda client: client.invoke_model(
                modelId=model.name, body=json.dumps(body), contentType="application/json", accept="application/json"
            )["body"].read()
        )
        try:
            return json.loads(content)
        except ValueError:
            raise BadModelAnswer("The embedder did not answer with JSON.") from None


def _field(answer: Any, name: str) -> Any:
    try:
        return answer[name]
    except (LookupError, TypeError):
        raise BadModelAnswer("The embedder's answer is not in the format of embeddings.") from None
