"""Archives of backups as ZIP files: rows compressed, objects as they are, the manifest last.

A reader believes nothing: every entry is known by its name, of a size that was announced, stored or deflated, and there
once. Nothing is ever unpacked to a path.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import copyfileobj
from types import TracebackType
from typing import IO, BinaryIO, Self, TypeVar

from pydantic import BaseModel, ValidationError

from modulo.domain.errors import Conflict, InvalidRequest
from modulo.domain.field_messages import messages_of
from modulo.domain.operations.backup import MAX_ROW_CHARACTERS, ArchivedObject, Manifest

MANIFEST, OBJECTS = "manifest.json", "objects.jsonl"
MAX_MANIFEST_BYTES = 64 * 1024**2
MAX_LISTING_CHARACTERS = 2_000
"""Of one object in the listing."""
_BLOCK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What `zipfile` raises of an archive that is damaged or encrypted, or uses what nobody needs."""


M = TypeVar("M", bound=BaseModel)


class ZipArchiveWriter:
    """A ZIP file that appears at its path once it is complete; only its owner may read it."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise Conflict(f"{path} exists: name another file.")
        self._path, self._partial = path, path.with_name(f"{path.name}.partial")
        self._file = os.fdopen(os.open(self._partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self._table: tuple[str, IO[bytes]] | None = None
        self._listing: list[str] = []
        self._rows: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing behind where it was not finished."""
        if not self._file.closed:
            self._end_table()
            self._zip.close()
            self._file.close()
            self._partial.unlink(missing_ok=True)

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows were added of each table."""
        return self._rows

    def add_rows(self, table: str, lines: Sequence[str]) -> None:
        """Add to the entry of the table, which begins with its first rows."""
        if self._table is None or self._table[0] != table:
            self._end_table()
            self._table = table, self._zip.open(_table_entry(table), "w", force_zip64=True)
        self._rows[table] += len(lines)
        self._table[1].write("".join(f"{line}\n" for line in lines).encode())

    def add_object(self, key: str, content: BinaryIO, *, media_type: str) -> int:
        """Add an entry that is not compressed: most formats are already."""
        self._end_table()
        entry = zipfile.ZipInfo(_object_entry(key))
        with self._zip.open(entry, "w", force_zip64=True) as target:
            copyfileobj(content, target, _BLOCK)
        listed = ArchivedObject(key=key, media_type=media_type, size_bytes=entry.file_size)
        self._listing.append(listed.model_dump_json())
        return entry.file_size

    def finish(self, manifest: Manifest) -> None:
        """Write the listing and the manifest, have all of it on the disk, and give it its name."""
        self._end_table()
        self._zip.writestr(OBJECTS, "".join(f"{line}\n" for line in self._listing))
        self._zip.writestr(MANIFEST, manifest.model_dump_json(indent=2))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.rename(self._path)

    def _end_table(self) -> None:
        if self._table is not None:
            self._table[1].close()
            self._table = None


class ZipArchiveReader:
    """A ZIP file that may hold anything."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise InvalidRequest(f"{path} cannot be read: {error.strerror or error}.") from error
        except _DAMAGED as error:
            raise InvalidRequest(f"{path} is no archive of Modulo's, or only a part of one.") from error
        try:
            self._entries = self._checked_entries()
            self._manifest = self._read_manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        return self._manifest

    def rows(self, table: str) -> Iterator[str]:
        """The lines of a table; none where it had no rows."""
        if _table_entry(table) in self._entries:
            yield from self._lines(_table_entry(table), MAX_ROW_CHARACTERS)

    def objects(self) -> Iterator[ArchivedObject]:
        """What the listing names, each of which is there."""
        for line in self._lines(OBJECTS, MAX_LISTING_CHARACTERS):
            found = _parsed(ArchivedObject, line, "the listing of objects")
            entry = self._entries.get(_object_entry(found.key))
            if entry is None or entry.file_size != found.size_bytes:
                raise InvalidRequest(f"The archive lacks the object {found.key[:200]!r}, or holds another one.")
            yield found

    def read_object(self, found: ArchivedObject) -> bytes:
        """The bytes, whose checksum `zipfile` compares."""
        try:
            with self._zip.open(self._entries[_object_entry(found.key)]) as source:
                content = source.read(found.size_bytes + 1)
        except _DAMAGED as error:
            raise InvalidRequest(f"The archive's object {found.key} is damaged.") from error
        if len(content) != found.size_bytes:
            raise InvalidRequest(f"The archive's object {found.key} has another size than it says.")
        return content

    def _checked_entries(self) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            if entry.filename in entries or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InvalidRequest(
                    f"The archive's entry {entry.filename[:200]!r} is there twice, or compressed in an unknown way."
                )
            entries[entry.filename] = entry
        if not {MANIFEST, OBJECTS} <= set(entries):
            raise InvalidRequest("This is no archive of Modulo's: it lacks a manifest or a listing of objects.")
        return entries

    def _read_manifest(self) -> Manifest:
        if self._entries[MANIFEST].file_size > MAX_MANIFEST_BYTES:
            raise InvalidRequest("The archive's manifest is too long.")
        return _parsed(Manifest, "".join(self._lines(MANIFEST, MAX_MANIFEST_BYTES)), "the manifest")

    def _lines(self, name: str, longest: int) -> Iterator[str]:
        try:
            with self._zip.open(self._entries[name]) as source:
                while line := source.readline(longest + 1):
                    if len(line) > longest:
                        raise InvalidRequest(f"A line of the archive's entry {name} exceeds {longest} characters.")
                    yield line.decode().rstrip("\n")
        except _DAMAGED as error:
            raise InvalidRequest(f"The archive's entry {name} is damaged.") from error
        except UnicodeDecodeError as error:
            raise InvalidRequest(f"The archive's entry {name} is no text.") from error


def _parsed(model: type[M], line: str, what: str) -> M:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        told = messages_of(error.errors()[:1])
        raise InvalidRequest(f"The archive is refused: {what} cannot be read: {told}.") from error


def _table_entry(table: str) -> str:
    return f"tables/{table}.jsonl"


def _object_entry(key: str) -> str:
    return f"objects/{key}"
