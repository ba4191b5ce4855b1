"""Reads zip archives member by member; nothing is written to disk, whatever the archive's names say."""

import stat
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from modulo.domain.archive import ArchivedFile, ArchiveLimits, is_litter
from modulo.domain.errors import CorruptFile, EncryptedFile, FileRejected, OversizedFile, UnsupportedFile
from modulo.domain.media import HEAD_BYTES, ZIP, media_type_of

MAX_RATIO = 200
MAX_DIRECTORY = 8 * 1024**2
"""Bytes of an archive's table of contents, which is read as a whole."""
_SMALL = 4 * 1024**2  # what may shrink to any size
_MB = 1024**2
_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_ZIP64 = b"PK\x06\x07"
_LOCATOR = 20
_LONGEST_COMMENT = 65_535
_DAMAGE = (BadZipFile, zlib.error, EOFError, KeyError, ValueError, NotImplementedError, OSError, RuntimeError)


class ZipUnpacker:
    """A reader of zip archives, within limits that hold for an archive and all those in it together."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits

    def unpack(self, content: BinaryIO) -> Iterator[ArchivedFile]:
        """The files of an archive and of those in it, in order, each read when asked for.

        Raises:
            CorruptFile, OversizedFile, UnsupportedFile: it is no archive that can be read.
        """
        return _Unpacking(self._limits).unpack(content, "", 1)


class _Unpacking:
    """What was unpacked of one archive so far."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._files = self._bytes = 0

    def unpack(self, content: BinaryIO, folder: str, depth: int) -> Iterator[ArchivedFile]:
        """The files of an archive at a path."""
        with _opened(content) as archive:
            for info in archive.infolist():
                if info.filename.endswith("/") or is_litter(info.filename):  # `is_dir` fails on an empty name
                    continue
                if self._files >= self._limits.files:
                    problem = OversizedFile(f"At most {self._limits.files} files of an archive are read.")
                    yield ArchivedFile(f"{folder}{info.filename}", b"", problem)
                    return
                self._files += 1
                yield from self._unpacked(archive, info, f"{folder}{info.filename}", depth)

    def _unpacked(self, archive: ZipFile, info: ZipInfo, path: str, depth: int) -> Iterator[ArchivedFile]:
        try:
            self._check(info)
            content = self._read(archive, info)
            if not _is_archive(info.filename, content):
                yield ArchivedFile(path, content)
                return
            if depth >= self._limits.depth:
                raise OversizedFile(f"Archives are nested more than {self._limits.depth} deep.")
            yield from self.unpack(BytesIO(content), f"{path}/", depth + 1)
        except FileRejected as error:
            yield ArchivedFile(path, b"", error)

    def _check(self, info: ZipInfo) -> None:
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UnsupportedFile("It is a link to another file.")
        if info.flag_bits & 1:
            raise EncryptedFile
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise UnsupportedFile("It is packed in a way that is not read: pack the archive as ordinary zip.")
        if info.file_size > self._limits.file_bytes:
            raise OversizedFile(f"It has more than {self._limits.file_bytes // _MB} MB.")
        if info.file_size > _SMALL and info.file_size > MAX_RATIO * info.compress_size:
            raise OversizedFile(f"It unpacks to more than {MAX_RATIO} times its size.")
        if self._bytes + info.file_size > self._limits.total_bytes:
            raise OversizedFile(f"The archive unpacks to more than {self._limits.total_bytes // _MB} MB.")

    def _read(self, archive: ZipFile, info: ZipInfo) -> bytes:
        """The content, of which the archive yields no more than the size it names."""
        self._bytes += info.file_size
        try:
            return archive.read(info)
        except _DAMAGE as error:
            raise CorruptFile from error


def _opened(content: BinaryIO) -> ZipFile:
    """The archive, once its table of contents is known to be small enough to read."""
    size = content.seek(0, 2)
    start = max(0, size - _LOCATOR - _END.size - _LONGEST_COMMENT)
    content.seek(start)
    tail = content.read()
    place = tail.rfind(_END_MAGIC)
    if place < 0 or len(tail) - place < _END.size:
        raise CorruptFile("The end of the archive is missing: upload it again.")
    if tail[max(0, place - _LOCATOR) : place].startswith(_ZIP64):
        raise UnsupportedFile("The archive is of the form that only those of more than 4 GB need.")
    directory = _END.unpack_from(tail, place)[5]
    if directory > MAX_DIRECTORY:
        raise OversizedFile("The archive holds too many files.")
    try:
        return ZipFile(content)
    except _DAMAGE as error:
        raise CorruptFile from error


def _is_archive(name: str, content: bytes) -> bool:
    try:
        return media_type_of(name, content[:HEAD_BYTES]) == ZIP
    except UnsupportedFile:
        return False
