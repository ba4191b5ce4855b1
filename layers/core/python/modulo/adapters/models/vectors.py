"""The vectors in providers' answers."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from typing import TYPE_CHECKING, Any

from modulo.domain.errors import BadModelAnswer

if TYPE_CHECKING:
    from modulo.domain.collections.collection import EmbeddingModel


def read_vectors(found: Any, count: int, model: EmbeddingModel) -> list[list[float]]:
    """Decode and check a provider's vectors, which are lists of numbers or base64.

    Raises:
        BadModelAnswer: there are not `count`, or the dimensions or values of one are wrong.
    """
    if not isinstance(found, list) or len(found) != count:
        given = len(found) if isinstance(found, list) else "no"
        raise BadModelAnswer(f"The embedder returned {given} vectors for {count} texts.")
    vectors = [_vector(value) for value in found]
    for vector in vectors:
        if len(vector) != model.dimensions:
            raise BadModelAnswer(
                f"The embedder returned {len(vector)} dimensions; the model {model.name} is configured with"
                f" {model.dimensions}."
            )
        if not all(map(math.isfinite, vector)):
            raise BadModelAnswer("The embedder returned a vector with values that are not finite numbers.")
    return vectors


def _vector(value: Any) -> list[float]:
    try:
        if isinstance(value, str):
            content = base64.b64decode(value, validate=True)
            return list(struct.unpack(f"<{len(content) // 4}f", content))
        return [float(number) for number in value]
    except (binascii.Error, struct.error, TypeError, ValueError, OverflowError):
        raise BadModelAnswer("The embedder's vectors cannot be read.") from None
