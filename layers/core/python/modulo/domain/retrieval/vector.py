"""The encoding of cached vectors: 32-bit floats, as in vector stores, and a checksum."""

import math
import struct
from collections.abc import Sequence
from zlib import crc32


def encode_vector(vector: Sequence[float]) -> bytes:
    """The vector as little-endian 32-bit floats, followed by their CRC-32.

    Raises:
        OverflowError: a value is too large for 32 bits.
    """
    content = struct.pack(f"<{len(vector)}f", *vector)
    return content + struct.pack("<I", crc32(content))


def decode_vector(stored: bytes, dimensions: int) -> list[float] | None:
    """The encoded vector; None where the bytes are corrupt or encode another number of dimensions."""
    if len(stored) != 4 * dimensions + 4:
        return None
    *vector, checksum = struct.unpack(f"<{dimensions}fI", stored)
    return vector if checksum == crc32(stored[:-4]) and all(map(math.isfinite, vector)) else None
