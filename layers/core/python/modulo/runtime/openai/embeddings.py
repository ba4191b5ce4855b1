"""Embeddings of `/v1`."""

import base64
import struct
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from modulo.domain.request_model import RequestModel
from modulo.usecases.embed_texts import Embedded

MAX_TEXTS: Final = 2_048
MAX_CHARACTERS: Final = 100_000


def _no_tokens(value: Any) -> Any:
    """Numbers stand for tokens of a vocabulary that only OpenAI's models have."""
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, int | list):
        raise ValueError("must be a text or a list of texts: tokens of OpenAI's vocabularies mean nothing here")
    return [value] if isinstance(value, str) else value


_Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS)]
_Texts = Annotated[list[_Text], Field(min_length=1, max_length=MAX_TEXTS)]


class CreateEmbedding(RequestModel):
    """Texts to embed."""

    input: Annotated[_Texts, BeforeValidator(_no_tokens, json_schema_input_type=_Text | _Texts)]
    model: str = Field(min_length=1, max_length=200)
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(default=None, ge=1)


class Embedding(BaseModel):
    """The vector of one text: numbers, or their 32 bits each, little-endian, in base64."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(BaseModel):
    """Estimated tokens."""

    prompt_tokens: int
    total_tokens: int


class Embeddings(BaseModel):
    """The vectors, in the order of the texts."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


def embeddings_answer(found: Embedded, encoding_format: str) -> Embeddings:
    """Vectors in the shape of the door."""
    encode = _base64 if encoding_format == "base64" else list
    return Embeddings(
        data=[Embedding(index=number, embedding=encode(vector)) for number, vector in enumerate(found.vectors)],
        model=found.model.name,
        usage=EmbeddingUsage(prompt_tokens=found.tokens, total_tokens=found.tokens),
    )


def _base64(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
