"""Opens Office documents, which are zip packages of XML parts, and refuses zip bombs and XML entities first."""

import posixpath
import re
from collections.abc import Iterator
from typing import IO, BinaryIO, NamedTuple

from lxml import etree

from modulo.adapters.parsing.office.elements import local
from modulo.adapters.parsing.text_decoding import one_line
from modulo.adapters.parsing.untrusted_xml import OVERLAP_BYTES, declares_entities, xml_events, xml_parser
from modulo.adapters.parsing.zip_archive import DAMAGE, MAX_RATIO, expands_suspiciously, open_archive
from modulo.domain.errors import CorruptFile, EmptyFile, EncryptedFile, OversizedFile, UnsupportedFile
from modulo.domain.files.file import DocumentInfo
from modulo.domain.text.language import language_named

MAX_UNPACKED_BYTES = 512 * 1024**2
MAX_PARTS = 10_000
LONGEST_MATCH = 500
_CHUNK_BYTES = 1024**2
_SMALL_BYTES = 64 * 1024
_MAX_KEPT_BYTES = 16 * 1024**2
_OLE_SIGNATURE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


class Relation(NamedTuple):
    """A relationship from one part to another; `kind` is the last segment of its type."""

    kind: str
    target: str


class Package:
    """An opened Office document: its parts by name."""

    def __init__(self, content: BinaryIO) -> None:
        """Open and check a document.

        Raises:
            EmptyFile, EncryptedFile, CorruptFile, UnsupportedFile: the file is no Office document that can be read.
            OversizedFile: it unpacks to more than `MAX_UNPACKED_BYTES` bytes or `MAX_RATIO` times its size.
        """
        _check_head(content)
        self._zip = open_archive(content, zip64=True)
        self._parts = {part.filename.replace("\\", "/"): part for part in self._zip.infolist()}
        self._small: dict[str, bytes] = {}  # the content of small parts, which are read more than once
        self._check_sizes()
        self._check_parts()

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def names(self) -> list[str]:
        """The names of all parts."""
        return list(self._parts)

    def open(self, name: str) -> IO[bytes]:
        """A part's bytes.

        Raises:
            CorruptFile: there is no such part.
        """
        try:
            return self._zip.open(self._parts[name])
        except DAMAGE as error:
            raise CorruptFile from error

    def read(self, name: str, limit: int) -> bytes:
        """A part's bytes as a whole.

        Raises:
            CorruptFile: there is no such part, or it is damaged.
            OversizedFile: it has more than `limit` bytes.
        """
        try:
            with self.open(name) as part:
                content = part.read(limit + 1)
        except DAMAGE as error:
            raise CorruptFile from error
        if len(content) > limit:
            raise OversizedFile(f"A document inside the file has more than {limit // 1024**2} MB.")
        return content

    def tree(self, name: str) -> etree._Element:
        """A part's root element.

        Raises:
            CorruptFile: there is no such part, or it is not XML.
        """
        try:
            small = self._small.get(name)
            if small is not None:
                return etree.fromstring(small, xml_parser())
            with self.open(name) as part:
                return etree.parse(part, xml_parser()).getroot()
        except (etree.XMLSyntaxError, *DAMAGE) as error:
            raise CorruptFile from error

    def tree_or_none(self, name: str) -> etree._Element | None:
        """A part's root element; None if it is missing or damaged: for parts that a document can be read without."""
        try:
            return self.tree(name)
        except CorruptFile:
            return None

    def found(self, name: str, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
        """Where a pattern that matches at most `LONGEST_MATCH` bytes occurs in a part, which is not parsed.

        Raises:
            CorruptFile: there is no such part, or it is damaged.
        """
        rest = b""
        try:
            with self.open(name) as part:
                while chunk := part.read(_CHUNK_BYTES):
                    whole, end = rest + chunk, 0
                    for match in pattern.finditer(whole):
                        end = match.end()
                        yield match
                    rest = whole[max(end, len(whole) - LONGEST_MATCH) :]
        except DAMAGE as error:
            raise CorruptFile from error

    def elements(self, name: str, *tags: str) -> Iterator[etree._Element]:
        """The outermost elements of a part that have one of the local names, each read on demand.

        Raises:
            CorruptFile: there is no such part, or it is not XML.
        """
        wanted = [f"{{*}}{tag}" for tag in tags]
        depth = 0
        try:
            with self.open(name) as part:
                for event, element in xml_events(part, ("start", "end"), wanted):
                    depth += 1 if event == "start" else -1
                    if event == "end" and not depth:
                        yield element
                        _forget(element)
        except (etree.XMLSyntaxError, *DAMAGE) as error:
            raise CorruptFile from error

    def relations(self, name: str) -> dict[str, Relation]:
        """The relationships of a part to other parts, by id; an empty name stands for the package itself."""
        folder, file = posixpath.split(name)
        links = posixpath.join(folder, "_rels", f"{file}.rels")
        if links not in self:
            return {}
        found = {}
        for link in self.tree(links):
            if link.get("TargetMode") == "External" or not link.get("Id"):
                continue
            target = link.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found[link.get("Id", "")] = Relation(link.get("Type", "").rpartition("/")[2], path)
        return found

    def main(self) -> str:
        """The name of the main part, which holds the document itself.

        Raises:
            CorruptFile: there is none.
        """
        for relation in self.relations("").values():
            if relation.kind == "officeDocument" and relation.target in self:
                return relation.target
        raise CorruptFile("The file is a zip archive but no Office document.")

    def info(self, total_pages: int | None) -> DocumentInfo:
        """The document's properties."""
        properties: dict[str, str] = {}
        for relation in self.relations("").values():
            if relation.kind in {"core-properties", "extended-properties"} and relation.target in self:
                root = self.tree_or_none(relation.target)
                for item in root if root is not None else ():
                    properties.setdefault(local(item), one_line(item.text or ""))
        return DocumentInfo(
            title=properties.get("title") or None,
            author=properties.get("creator") or None,
            subject=properties.get("subject") or None,
            keywords=properties.get("keywords") or None,
            creator=properties.get("Application") or None,
            creation_date=properties.get("created") or None,
            mod_date=properties.get("modified") or None,
            total_pages=total_pages,
            language=language_named(properties.get("language", "")),
        )

    def _check_sizes(self) -> None:
        parts = self._zip.infolist()
        unpacked = sum(part.file_size for part in parts)
        packed = sum(part.compress_size for part in parts)
        if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES:
            raise OversizedFile(
                f"The file unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MB or {MAX_PARTS} parts."
            )
        if expands_suspiciously(unpacked, packed):
            raise OversizedFile(f"The file unpacks to more than {MAX_RATIO} times its size.")
        if any(part.flag_bits & 1 for part in parts):
            raise EncryptedFile

    def _check_parts(self) -> None:
        """Read every XML part once; refuse parts that are damaged or declare entities."""
        kept = 0
        for name, part in self._parts.items():
            if not name.endswith((".xml", ".rels")):
                continue
            try:
                if part.file_size <= _SMALL_BYTES and kept < _MAX_KEPT_BYTES:
                    self._small[name] = content = self._zip.read(part)
                    kept += len(content)
                    _check_declarations(content)
                    continue
                with self._zip.open(part) as stream:
                    tail = b""
                    while chunk := stream.read(_CHUNK_BYTES):
                        _check_declarations(tail + chunk)
                        tail = (tail + chunk)[-OVERLAP_BYTES:]
            except DAMAGE as error:
                raise CorruptFile from error


def _check_declarations(content: bytes) -> None:
    if declares_entities(content):
        raise CorruptFile("The file declares XML entities, which no Office document does.")


def _forget(element: etree._Element) -> None:
    """Free the memory of an element that has been read, and of those before it."""
    element.clear()
    while element.getprevious() is not None:
        parent = element.getparent()
        if parent is None:
            break
        del parent[0]


def _check_head(content: BinaryIO) -> None:
    content.seek(0)
    head = content.read(8)
    if not head:
        raise EmptyFile
    if head.startswith(_OLE_SIGNATURE):
        tail = b""
        while chunk := content.read(_CHUNK_BYTES):
            if _ENCRYPTED_PACKAGE in tail + chunk:
                raise EncryptedFile
            tail = chunk[-64:]
        raise UnsupportedFile("The file is an old Office document: save it as DOCX, XLSX or PPTX.")
    if not head.startswith(b"PK"):
        raise CorruptFile("The file does not begin like an Office document: it is damaged or of another type.")
    content.seek(0)
