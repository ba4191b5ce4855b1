"""Embeddings from any OpenAI-compatible API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modulo.adapters.models.http_api import ModelApi
from modulo.adapters.models.vectors import read_vectors
from modulo.domain.errors import BadModelAnswer

if TYPE_CHECKING:
    from modulo.domain.collections.collection import EmbeddingModel
    from modulo.ports.secrets import Secret


class OpenAIEmbedder:
    """An embedder behind POST {url}/embeddings, `batch_size` texts a call."""

    def __init__(self, url: str, *, api_key: str | Secret | None, batch_size: int, timeout: float) -> None:
        self._api = ModelApi(url, api_key=api_key, timeout=timeout, dependency="embedder")
        self._batch_size = batch_size

    def embed(self, model: EmbeddingModel, texts: Sequence[str], *, whole: bool = False) -> list[list[float]]:  # noqa: ARG002 - texts are sent whole
        """The vectors as the model returns them; an empty text is sent as a space, because such APIs refuse it."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), self._batch_size):
            batch = [text or " " for text in texts[start : start + self._batch_size]]
            # Base64 is a quarter of the size; servers that do not know it answer with numbers.
            body = {"model": model.name, "input": batch, "encoding_format": "base64"}
            vectors += read_vectors(_ordered(self._api.post("/embeddings", body)), len(batch), model)
        return vectors

    def ping(self) -> None:
        """Request the list of models."""
        self._api.ping()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def _ordered(answer: Any) -> list[Any]:
    try:
        found = {entry["index"]: entry["embedding"] for entry in answer["data"]}
        return [found[index] for index in range(len(answer["data"]))]
    except (LookupError, TypeError):
        raise BadModelAnswer("The embedder's answer is not in the format of embeddings.") from None
