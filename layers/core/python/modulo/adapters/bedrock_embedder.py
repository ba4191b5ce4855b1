"""Embeddings by the Titan and Cohere models of Amazon Bedrock."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from modulo.adapters.aws_clients import CONNECTIONS
from modulo.adapters.bedrock_api import BedrockApi
from modulo.adapters.openai_embedder import read_vectors
from modulo.domain.collection import EmbeddingModel
from modulo.domain.errors import BadModelAnswer

TITAN_CHARACTERS = 50_000
COHERE_TEXTS = 96
COHERE_CHARACTERS = 2_048


class BedrockEmbedder:
    """The model's name is its Bedrock id.

    Cohere's models read questions and documents differently: give such a model a `query_prefix`, by
    which questions are told here; the prefix itself is not sent.
    """

    def __init__(self, *, timeout: float) -> None:
        self._api = BedrockApi(timeout=timeout, dependency="embedder")

    def embed(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        """The vectors; texts longer than a call takes are cut."""
        if "titan-embed" in model.name:
            batches = [[text] for text in texts]
            ask = self._titan
        elif "cohere.embed" in model.name:
            batches = [list(texts[start : start + COHERE_TEXTS]) for start in range(0, len(texts), COHERE_TEXTS)]
            ask = self._cohere
        else:
            raise BadModelAnswer(f"{model.name} is no embedding model of Bedrock that this service can ask.")
        if len(batches) < 2:
            return [vector for batch in batches for vector in ask(model, batch)]
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            return [vector for vectors in threads.map(lambda batch: ask(model, batch), batches) for vector in vectors]

    def ping(self) -> None:
        """Ask Bedrock for something that costs nothing."""
        self._api.ping()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _titan(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        (text,) = texts
        body: dict[str, Any] = {"inputText": text[:TITAN_CHARACTERS] or " "}
        if "embed-text-v2" in model.name:
            body |= {"dimensions": model.dimensions, "normalize": True}
        return read_vectors([_field(self._invoke(model, body), "embedding")], 1, model)

    def _cohere(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        asked = bool(model.query_prefix) and all(text.startswith(model.query_prefix) for text in texts)
        read = [text.removeprefix(model.query_prefix) if asked else text for text in texts]
        body: dict[str, Any] = {
            "texts": [text[:COHERE_CHARACTERS] or " " for text in read],
            "input_type": "search_query" if asked else "search_document",
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
        raise BadModelAnswer("The embedder's answer does not have the form of embeddings.") from None
