"""Opens zip archives, those of Office documents too, and says what is damaged or suspicious about one."""

import struct
import zlib
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from modulo.adapters.parsing.zip_tail import END_RECORD, END_SIGNATURE, MAX_COMMENT_BYTES, without_padding
from modulo.domain.errors import CorruptFile, OversizedFile, UnsupportedFile

DAMAGE = (BadZipFile, zlib.error, EOFError, KeyError, ValueError, NotImplementedError, OSError, RuntimeError)
"""What `zipfile` raises where an archive or a member is damaged."""
MAX_DIRECTORY_BYTES = 8 * 1024**2
"""Of an archive's central directory, which is read as a whole."""
MAX_RATIO = 200
_RATIO_EXEMPT_BYTES = 4 * 1024**2
_ZIP64_SIGNATURE = b"PK\x06\x07"
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_ZIP64_END_RECORD = struct.Struct("<4sQ2H2L4Q")


def open_archive(content: BinaryIO, *, zip64: bool) -> ZipFile:
    """The archive; refuses it before its central directory is read, if that is too large.

    Raises:
        CorruptFile: it is no archive, or damaged.
        OversizedFile: its central directory is too large.
        UnsupportedFile: it is in ZIP64 format, unless `zip64` allows it.
    """
    content = without_padding(content)
    size = content.seek(0, 2)
    start = max(0, size - _ZIP64_LOCATOR.size - END_RECORD.size - MAX_COMMENT_BYTES)
    content.seek(start)
    tail = content.read()
    end_record = tail.rfind(END_SIGNATURE)
    if end_record < 0 or len(tail) - end_record < END_RECORD.size:
        raise CorruptFile("The end of the archive is missing: upload it again.")
    directory = END_RECORD.unpack_from(tail, end_record)[5]
    locator = tail[max(0, end_record - _ZIP64_LOCATOR.size) : end_record]
    if locator.startswith(_ZIP64_SIGNATURE):
        if not zip64:
            raise UnsupportedFile(
                "The archive is in ZIP64 format, which only those of more than 4 GB need: create it as zip."
            )
        directory = _zip64_directory(content, _ZIP64_LOCATOR.unpack(locator)[2])
    if directory > MAX_DIRECTORY_BYTES:
        raise OversizedFile("The archive holds too many files.")
    try:
        return ZipFile(content)
    except DAMAGE as error:
        raise CorruptFile from error


def expands_suspiciously(unpacked: int, packed: int) -> bool:
    """Whether so many bytes unpacked from so many packed ones are no ordinary data; small ones may be anything."""
    return unpacked > _RATIO_EXEMPT_BYTES and unpacked > MAX_RATIO * packed


def _zip64_directory(content: BinaryIO, offset: int) -> int:
    """The size of the central directory that the ZIP64 end record states.

    Raises:
        CorruptFile: there is no such record.
    """
    try:
        content.seek(offset)
        record = content.read(_ZIP64_END_RECORD.size)
        return int(_ZIP64_END_RECORD.unpack(record)[8])
    except (*DAMAGE, struct.error, OverflowError) as error:
        raise CorruptFile from error
