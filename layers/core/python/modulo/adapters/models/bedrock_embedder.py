"""Embeddings from the Titan and Cohere models of Amazon Bedrock."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from modulo.adapters.aws.clients import CONNECTIONS
from modulo.adapters.models.bedrock_api import BedrockApi
from modulo.adapters.models.vectors import read_vectors
from modulo.domain.errors import BadModelAnswer, RefusedByModel
from modulo.ports.context_threads import ContextThreads

if TYPE_CHECKING:
    from modulo.domain.collections.collection import EmbeddingModel

MAX_TITAN_CHARACTERS = 50_000
MAX_COHERE_TEXTS = 96
MAX_COHERE_CHARACTERS = 2_048
"""Of the versions before the fourth, which reads 128,000 tokens."""


class BedrockEmbedder:
    """An embedder whose model names are Bedrock ids.

    Cohere's models embed questions and documents differently. Give such a model a `query_prefix`: texts that start with
    it are embedded as questions, without the prefix.
    """

    def __init__(self, *, timeout: float) -> None:
        self._api = BedrockApi(timeout=timeout, dependency="embedder")

    def embed(self, model: EmbeddingModel, texts: Sequence[str], *, whole: bool = False) -> list[list[float]]:
        """The vectors; texts longer than a call accepts are cut, or refused where they are to be embedded whole."""
        embed_batch: Callable[[EmbeddingModel, Sequence[str]], list[list[float]]]
        if "titan-embed" in model.name:
            size, embed_batch = 1, self._embed_titan
        elif "cohere.embed" in model.name:
            size, embed_batch = MAX_COHERE_TEXTS, partial(self._embed_cohere, whole=whole)
        else:
            raise BadModelAnswer(f"{model.name} is no embedding model of Bedrock that this service supports.")
        if whole:
            _require_whole(model, texts)
        batches = [list(texts[start : start + size]) for start in range(0, len(texts), size)]
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
        body: dict[str, Any] = {"inputText": text[: _longest(model)] or " "}
        if "embed-text-v2" in model.name:
            body |= {"dimensions": model.dimensions, "normalize": True}
        return read_vectors([_field(self._invoke(model, body), "embedding")], 1, model)

    def _embed_cohere(self, model: EmbeddingModel, texts: Sequence[str], *, whole: bool) -> list[list[float]]:
        is_query = bool(model.query_prefix) and all(text.startswith(model.query_prefix) for text in texts)
        inputs = [text.removeprefix(model.query_prefix) if is_query else text for text in texts]
        body: dict[str, Any] = {
            "texts": [text[: _longest(model)] or " " for text in inputs],
            "input_type": "search_query" if is_query else "search_document",
            "truncate": "NONE" if whole else "RIGHT" if _is_fourth(model) else "END",
            "embedding_types": ["float"],
        }
        if _is_fourth(model):
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


def _is_fourth(model: EmbeddingModel) -> bool:
    """Whether it is the fourth version of Cohere's models, whose calls differ."""
    return "embed-v4" in model.name


def _longest(model: EmbeddingModel) -> int | None:
    """How many characters of a text a call accepts; None where only tokens are counted, by the model."""
    if "titan-embed" in model.name:
        return MAX_TITAN_CHARACTERS
    return None if _is_fourth(model) else MAX_COHERE_CHARACTERS


def _require_whole(model: EmbeddingModel, texts: Sequence[str]) -> None:
    longest = _longest(model)
    for number, text in enumerate(texts):
        if longest is not None and len(text) > longest:
            raise RefusedByModel(f"Text {number} has {len(text)} characters, and {model.name} reads at most {longest}.")


def _field(answer: Any, name: str) -> Any:
    try:
        return answer[name]
    except (LookupError, TypeError):
        raise BadModelAnswer("The embedder's answer is not in the format of embeddings.") from None
