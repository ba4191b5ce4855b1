"""Office documents as packages of XML parts, opened only once they are known to be harmless."""

import posixpath
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, NamedTuple
from zipfile import BadZipFile, ZipFile

from lxml import etree

from modulo.adapters.decoding import one_line
from modulo.domain.errors import CorruptFile, EmptyFile, EncryptedFile, OversizedFile, UnsupportedFile
from modulo.domain.file import DocumentInfo
from modulo.domain.language import language_named

MAX_UNPACKED = 512 * 1024**2
MAX_RATIO = 200
MAX_PARTS = 10_000
_SMALL = 4 * 1024**2  # what may shrink to any size
_STEP = 1024**2
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_DECLARATIONS = tuple(mark.encode(code) for mark in ("<!DOCTYPE", "<!ENTITY") for code in ("ascii", "utf-16-le"))
_DAMAGE = (BadZipFile, zlib.error, EOFError, KeyError, ValueError, NotImplementedError, OSError, RuntimeError)


class Relation(NamedTuple):
    """A link from one part to another; `kind` is the last word of its type."""

    kind: str
    target: str


class Package:
    """An Office document's parts."""

    def __init__(self, content: BinaryIO) -> None:
        """Open it.

        Raises:
            EmptyFile, EncryptedFile, CorruptFile, UnsupportedFile: it is no Office document that can be read.
            OversizedFile: it unpacks to more than `MAX_UNPACKED` bytes or `MAX_RATIO` times its size.
        """
        _check_head(content)
        try:
            self._zip = ZipFile(content)
        except _DAMAGE as error:
            raise CorruptFile from error
        self._check_sizes()
        self._check_parts()

    def __contains__(self, name: str) -> bool:
        return name in self._zip.NameToInfo

    def open(self, name: str) -> IO[bytes]:
        """A part's bytes.

        Raises:
            CorruptFile: there is no such part.
        """
        try:
            return self._zip.open(name)
        except _DAMAGE as error:
            raise CorruptFile from error

    def tree(self, name: str) -> etree._Element:
        """A part's root element.

        Raises:
            CorruptFile: there is no such part, or it is not XML.
        """
        try:
            with self.open(name) as part:
                return etree.parse(part, _parser()).getroot()
        except (etree.XMLSyntaxError, *_DAMAGE) as error:
            raise CorruptFile from error

    def elements(self, name: str, *tags: str) -> Iterator[etree._Element]:
        """A part's elements of the given local names that stand in no other such one, each read when asked for.

        Raises:
            CorruptFile: there is no such part, or it is not XML.
        """
        wanted = [f"{{*}}{tag}" for tag in tags]
        inside = 0
        try:
            with self.open(name) as part:
                events = etree.iterparse(
                    part, events=("start", "end"), tag=wanted, resolve_entities=False, no_network=True, load_dtd=False
                )
                for event, element in events:
                    inside += 1 if event == "start" else -1
                    if event == "end" and not inside:
                        yield element
                        _forget(element)
        except (etree.XMLSyntaxError, *_DAMAGE) as error:
            raise CorruptFile from error

    def relations(self, name: str) -> dict[str, Relation]:
        """A part's links to other parts of the document, by id; those of the whole document for an empty name."""
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
        """The name of the part that holds the document itself.

        Raises:
            CorruptFile: none does.
        """
        for relation in self.relations("").values():
            if relation.kind == "officeDocument" and relation.target in self:
                return relation.target
        raise CorruptFile("The file is a zip archive but no Office document.")

    def info(self, total_pages: int | None) -> DocumentInfo:
        """What the document's properties say."""
        said: dict[str, str] = {}
        for relation in self.relations("").values():
            if relation.kind in {"core-properties", "extended-properties"} and relation.target in self:
                for item in self.tree(relation.target):
                    said.setdefault(local(item), one_line(item.text or ""))
        return DocumentInfo(
            title=said.get("title") or None,
            author=said.get("creator") or None,
            subject=said.get("subject") or None,
            keywords=said.get("keywords") or None,
            creator=said.get("Application") or None,
            creation_date=said.get("created") or None,
            mod_date=said.get("modified") or None,
            total_pages=total_pages,
            language=language_named(said.get("language", "")),
        )

    def _check_sizes(self) -> None:
        parts = self._zip.infolist()
        unpacked = sum(part.file_size for part in parts)
        packed = sum(part.compress_size for part in parts)
        if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED:
            raise OversizedFile(f"The file unpacks to more than {MAX_UNPACKED // 1024**2} MB or {MAX_PARTS} parts.")
        if unpacked > _SMALL and unpacked > MAX_RATIO * packed:
            raise OversizedFile(f"The file unpacks to more than {MAX_RATIO} times its size.")
        if any(part.flag_bits & 1 for part in parts):
            raise EncryptedFile

    def _check_parts(self) -> None:
        """Read every XML part once: it must be whole and declare no entities."""
        for part in self._zip.infolist():
            if part.filename.endswith((".xml", ".rels")):
                try:
                    with self._zip.open(part) as stream:
                        tail = b""
                        while step := stream.read(_STEP):
                            if any(mark in tail + step for mark in _DECLARATIONS):
                                raise CorruptFile("The file declares XML entities, which no Office document does.")
                            tail = step[-32:]
                except _DAMAGE as error:
                    raise CorruptFile from error


def local(element: etree._Element) -> str:
    """An element's name without its namespace, of which there are two for each kind of part."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: etree._Element, name: str) -> str:
    """The attribute of that local name, or an empty text."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return ""


def child(element: etree._Element, *path: str) -> etree._Element | None:
    """The first child of that local name, and so on along the path."""
    found: etree._Element | None = element
    for name in path:
        found = next((item for item in found if local(item) == name), None) if found is not None else None
    return found


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _forget(element: etree._Element) -> None:
    """Free an element that has been read, and those before it."""
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
    if head.startswith(_OLE):
        tail = b""
        while step := content.read(_STEP):
            if _ENCRYPTED_PACKAGE in tail + step:
                raise EncryptedFile
            tail = step[-64:]
        raise UnsupportedFile("The file is an old Office document: save it as DOCX, XLSX or PPTX.")
    if not head.startswith(b"PK"):
        raise CorruptFile("The file does not begin like an Office document: it is damaged or of another type.")
    content.seek(0)
