"""Where a zip archive ends: programs that copy files in blocks fill the last one, which is no part of the archive."""

import io
import struct
from typing import BinaryIO

END_SIGNATURE = b"PK\x05\x06"
END_RECORD = struct.Struct("<4s4H2LH")
MAX_COMMENT_BYTES = 65_535
_PADDING = b"\0 \r\n\t\x1a"
_BLOCK_BYTES = 64 * 1024
_MAX_PADDING_BYTES = 64 * 1024**2


def without_padding(content: BinaryIO) -> BinaryIO:
    """The archive without the zero bytes or blanks behind it; the same file where `zipfile` finds its end anyway."""
    size = end = content.seek(0, io.SEEK_END)
    while end and size - end < _MAX_PADDING_BYTES:
        start = max(0, end - _BLOCK_BYTES)
        content.seek(start)
        block = content.read(end - start)
        end = start + len(block.rstrip(_PADDING))
        if end > start:
            break
    if size - end < _BLOCK_BYTES // 2:
        return content
    start = max(0, end - END_RECORD.size - MAX_COMMENT_BYTES)
    content.seek(start)
    tail = content.read(end - start + END_RECORD.size)
    found = tail.rfind(END_SIGNATURE)
    if found < 0 or len(tail) - found < END_RECORD.size:
        return content
    comment = END_RECORD.unpack_from(tail, found)[-1]
    return io.BufferedReader(_Beginning(content, min(size, start + found + END_RECORD.size + comment)))


class _Beginning(io.RawIOBase):
    """The first bytes of a file, as a file."""

    def __init__(self, content: BinaryIO, size: int) -> None:
        self._content = content
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place between the first byte and the last."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # all that is passed
        """Read on, up to the end."""
        self._content.seek(self._at)
        found = self._content.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
