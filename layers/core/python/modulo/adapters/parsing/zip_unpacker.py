"""Reads zip archives member by member, in memory: no path in an archive can reach the disk."""

import stat
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from modulo.adapters.parsing.zip_archive import DAMAGE, MAX_RATIO, expands_suspiciously, open_archive
from modulo.adapters.parsing.zip_names import member_names
from modulo.domain.errors import CorruptFile, EncryptedFile, FileRejected, OversizedFile, UnsupportedFile
from modulo.domain.files.archive import ArchivedFile, ArchiveLimits, is_system_file
from modulo.domain.files.media import HEAD_BYTES, ZIP, media_type_of

_MB = 1024**2


class ZipUnpacker:
    """An unpacker of zip archives; the limits hold for an archive together with all archives nested in it."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits

    def unpack(self, content: BinaryIO) -> Iterator[ArchivedFile]:
        """The files of an archive and of the archives nested in it, in order, each read on demand.

        Raises:
            CorruptFile, OversizedFile, UnsupportedFile: the archive cannot be read.
        """
        return _Unpacking(self._limits).unpack(content, "", 1)


class _Unpacking:
    """Counts the files and bytes unpacked so far of one archive and those nested in it."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._files = self._bytes = 0

    def unpack(self, content: BinaryIO, folder: str, depth: int) -> Iterator[ArchivedFile]:
        """The files of an archive, whose paths start with `folder`."""
        with open_archive(content, zip64=False) as archive:
            infos = archive.infolist()
            for info, name in zip(infos, member_names(infos), strict=True):
                if name.endswith("/") or is_system_file(name):  # `is_dir` fails on an empty name
                    continue
                if self._files >= self._limits.files:
                    problem = OversizedFile(f"At most {self._limits.files} files of an archive are read.")
                    yield ArchivedFile(f"{folder}{name}", b"", problem)
                    return
                self._files += 1
                yield from self._unpack_member(archive, info, f"{folder}{name}", depth)

    def _unpack_member(self, archive: ZipFile, info: ZipInfo, path: str, depth: int) -> Iterator[ArchivedFile]:
        """The member at a path, or the files in it if it is an archive; one that is refused comes with its error."""
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
            raise UnsupportedFile("Its compression method is not supported: create the archive as an ordinary zip.")
        if info.file_size > self._limits.file_bytes:
            raise OversizedFile(f"It has more than {self._limits.file_bytes // _MB} MB.")
        if expands_suspiciously(info.file_size, info.compress_size):
            raise OversizedFile(f"It unpacks to more than {MAX_RATIO} times its size.")
        if self._bytes + info.file_size > self._limits.total_bytes:
            raise OversizedFile(f"The archive unpacks to more than {self._limits.total_bytes // _MB} MB.")

    def _read(self, archive: ZipFile, info: ZipInfo) -> bytes:
        """The member's content; `zipfile` reads no more than the size that the archive states."""
        self._bytes += info.file_size
        try:
            return archive.read(info)
        except DAMAGE as error:
            raise CorruptFile from error


def _is_archive(name: str, content: bytes) -> bool:
    try:
        return media_type_of(name, content[:HEAD_BYTES]) == ZIP
    except UnsupportedFile:
        return False
