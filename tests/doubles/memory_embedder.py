"""An embedder without a model."""

from collections.abc import Sequence

from benchmarks.hash_embedder import hashed_vector
from modulo.domain.collections.collection import EmbeddingModel


class MemoryEmbedder:
    """Texts that share words come near each other; it knows nothing of meaning."""

    def embed(self, model: EmbeddingModel, texts: Sequence[str], *, whole: bool = False) -> list[list[float]]:
        """Vectors of length 1, the same in every process."""
        return [hashed_vector(text, model.dimensions) for text in texts]

    def ping(self) -> None:
        """Nothing to ask."""
