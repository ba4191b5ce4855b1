"""Embeddings from any OpenAI-compatible API."""

import base64
import binascii
import math
import struct
from collections.abc import Sequence
from typing import Any

from modulo.adapters.model_http import ModelApi
from modulo.domain.collection import EmbeddingModel
from modulo.domain.errors import BadModelAnswer


class OpenAIEmbedder:
    """POST {url}/embeddings, `batch_size` texts a call."""

    def __init__(self, url: str, *, api_key: str | None, batch_size: int, timeout: float) -> None:
        self._api = ModelApi(url, api_key=api_key, timeout=timeout, dependency="embedder")
        self._batch_size = batch_size

    def embed(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        """The vectors as the model gives them; an empty text, which such APIs refuse, is sent as a space."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), self._batch_size):
            batch = [text or " " for text in texts[start : start + self._batch_size]]
            # Servers that do not know base64, which is a quarter of the size, answer with numbers.
            body = {"model": model.name, "input": batch, "encoding_format": "base64"}
            vectors += read_vectors(_ordered(self._api.post("/embeddings", body)), len(batch), model)
        return vectors

    def ping(self) -> None:
        """Ask for the list of models."""
        self._api.ping()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def read_vectors(found: Any, count: int, model: EmbeddingModel) -> list[list[float]]:
    """A provider's vectors, as numbers or in base64, once they are what the port promises.

    Raises:
        BadModelAnswer: their number, their dimensions or their values are wrong.
    """
    if not isinstance(found, list) or len(found) != count:
        given = len(found) if isinstance(found, list) else "no"
        raise BadModelAnswer(f"The embedder gave {given} vectors for {count} texts.")
    vectors = [_vector(value) for value in found]
    for vector in vectors:
        if len(vector) != model.dimensions:
            raise BadModelAnswer(
                f"The embedder gave {len(vector)} dimensions; the model {model.name} is configured with"
                f" {model.dimensions}."
            )
        if not all(map(math.isfinite, vector)):
            raise BadModelAnswer("The embedder gave a vector with values that are no numbers.")
    return vectors


def _ordered(answer: Any) -> list[Any]:
    try:
        found = {entry["index"]: entry["embedding"] for entry in answer["data"]}
        return [found[index] for index in range(len(answer["data"]))]
    except (LookupError, TypeError):
        raise BadModelAnswer("The embedder's answer does not have the form of embeddings.") from None


def _vector(value: Any) -> list[float]:
    try:
        if isinstance(value, str):
            content = base64.b64decode(value, validate=True)
            return list(struct.unpack(f"<{len(content) // 4}f", content))
        return [float(number) for number in value]
    except (binascii.Error, struct.error, TypeError, ValueError, OverflowError):
        raise BadModelAnswer("The embedder's vectors cannot be read.") from None
