"""Vectors as caches keep them: 32-bit floats, which is what vector stores hold, and a checksum."""

import math
import struct
from collections.abc import Sequence
from zlib import crc32


def packed(vector: Sequence[float]) -> bytes:
    """The vector in little-endian order, and the CRC-32 of that.

    Raises:
        OverflowError: a value is too large for 32 bits.
    """
    content = struct.pack(f"<{len(vector)}f", *vector)
    return content + struct.pack("<I", crc32(content))


def unpacked(stored: bytes, dimensions: int) -> list[float] | None:
    """The vector that was packed, or None where this is none of so many finite numbers."""
    if len(stored) != 4 * dimensions + 4:
        return None
    *vector, checksum = struct.unpack(f"<{dimensions}fI", stored)
    return vector if checksum == crc32(stored[:-4]) and all(map(math.isfinite, vector)) else None
