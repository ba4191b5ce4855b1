"""Formats that cannot be read: what a file in one is called, and what to save it as."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from modulo.domain.errors import UnsupportedFile

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The signature of old Office documents, of Outlook messages and of encrypted documents."""


@dataclass(frozen=True, slots=True)
class ForeignFormat:
    """A format by its name with an article, and what to do, as far as that is known."""

    name: str
    advice: str = ""

    def refusal(self) -> UnsupportedFile:
        """The error that says so."""
        return UnsupportedFile(f"The file is {self.name}, which cannot be read{': ' * bool(self.advice)}{self.advice}.")


def _saved(name: str, better: str) -> ForeignFormat:
    return ForeignFormat(name, f"save it as {better} and upload that")


def _unpacked(name: str) -> ForeignFormat:
    return ForeignFormat(name, "unpack it and upload the files, or a zip archive of them")


_EPUB = _saved("an EPUB book", "PDF")
_ODT, _ODS, _ODP = (
    _saved(f"an OpenDocument {kind}", better)
    for kind, better in (("text", "DOCX"), ("spreadsheet", "XLSX"), ("presentation", "PPTX"))
)
_ODG = _saved("an OpenDocument drawing", "PDF")
_DOC, _XLS, _PPT = (
    _saved(f"an old {kind}", better)
    for kind, better in (("Word document", "DOCX"), ("Excel workbook", "XLSX"), ("PowerPoint presentation", "PPTX"))
)
_MSG = _saved("an Outlook message", "EML")
_RTF = _saved("an RTF document", "DOCX")
_POSTSCRIPT = _saved("a PostScript document", "PDF")

_BY_EXTENSION: Mapping[str, ForeignFormat] = {
    "epub": _EPUB,
    **dict.fromkeys(("mobi", "azw", "azw3"), _saved("a Kindle book", "PDF")),
    **dict.fromkeys(("odt", "ott", "fodt"), _ODT),
    **dict.fromkeys(("ods", "ots", "fods"), _ODS),
    **dict.fromkeys(("odp", "otp", "fodp"), _ODP),
    "odg": _ODG,
    **dict.fromkeys(("doc", "dot"), _DOC),
    **dict.fromkeys(("xls", "xlt"), _XLS),
    "xlsb": _saved("a binary Excel workbook", "XLSX"),
    **dict.fromkeys(("ppt", "pps", "pot"), _PPT),
    "msg": _MSG,
    "pst": _saved("an Outlook data file", "EML, each message by itself,"),
    "rtf": _RTF,
    "pages": _saved("a Pages document", "DOCX"),
    "numbers": _saved("a Numbers spreadsheet", "XLSX"),
    "key": _saved("a Keynote presentation", "PPTX"),
    "wpd": _saved("a WordPerfect document", "DOCX"),
    **dict.fromkeys(("vsd", "vsdx"), _saved("a Visio drawing", "PDF")),
    "pub": _saved("a Publisher document", "PDF"),
    "one": _saved("a OneNote section", "PDF"),
    "xps": _saved("an XPS document", "PDF"),
    "djvu": _saved("a DjVu document", "PDF"),
    **dict.fromkeys(("ps", "eps"), _POSTSCRIPT),
}
_IN_OLE = frozenset({"doc", "dot", "xls", "xlt", "ppt", "pps", "pot", "msg", "vsd", "pub"})
_OLE_STREAMS = (  # the names of the streams inside, in UTF-16
    ("__substg1.0_", _MSG),
    ("__properties_version1.0", _MSG),
    ("WordDocument", _DOC),
    ("Workbook", _XLS),
    ("PowerPoint Document", _PPT),
)
_OLD_OFFICE = ForeignFormat(
    "an old Office document or an Outlook message", "save it as DOCX, XLSX, PPTX or EML and upload that"
)
_MIMETYPE = re.compile(rb"PK\x03\x04.{26}mimetypeapplication/([\w.+-]{1,80})", re.DOTALL)
_BY_MIMETYPE = (
    (b"epub+zip", _EPUB),
    (b"vnd.oasis.opendocument.text", _ODT),
    (b"vnd.oasis.opendocument.spreadsheet", _ODS),
    (b"vnd.oasis.opendocument.presentation", _ODP),
    (b"vnd.oasis.opendocument.graphics", _ODG),
)
_BY_SIGNATURE: Mapping[bytes, ForeignFormat] = {
    b"\x89PNG\r\n": ForeignFormat("a PNG image"),
    b"\xff\xd8\xff": ForeignFormat("a JPEG image"),
    b"GIF8": ForeignFormat("a GIF image"),
    b"II*\x00": ForeignFormat("a TIFF image"),
    b"MM\x00*": ForeignFormat("a TIFF image"),
    b"\x1f\x8b": _unpacked("a gzip archive"),
    b"BZh": _unpacked("a bzip2 archive"),
    b"\xfd7zXZ": _unpacked("an xz archive"),
    b"7z\xbc\xaf": _unpacked("a 7-Zip archive"),
    b"Rar!": _unpacked("a RAR archive"),
    b"MZ": ForeignFormat("a Windows program"),
    b"\x7fELF": ForeignFormat("a program"),
    b"\xca\xfe\xba\xbe": ForeignFormat("a program"),
    b"{\\rtf": _RTF,
    b"%!PS": _POSTSCRIPT,
    b"SQLite format 3\0": ForeignFormat("an SQLite database", "export its tables as CSV and upload those"),
    b"PAR1": ForeignFormat("a Parquet file", "export it as CSV and upload that"),
    b"ID3": ForeignFormat("an audio recording"),
    b"OggS": ForeignFormat("an audio recording"),
    b"RIFF": ForeignFormat("an image, or an audio or video recording"),
}
_ISO_MEDIA = (b"ftyp", ForeignFormat("an image, or an audio or video recording"))
_TAR = (b"ustar", _unpacked("a tar archive"))


def format_named(extension: str) -> ForeignFormat | None:
    """The format of which files with this extension are, if it is one that cannot be read."""
    return _BY_EXTENSION.get(extension)


def format_in_zip(head: bytes) -> ForeignFormat | None:
    """The format of a file that begins like a zip archive, by the type that stands first in it."""
    found = _MIMETYPE.match(head)
    return next((known for kind, known in _BY_MIMETYPE if found[1].startswith(kind)), None) if found else None


def format_of(head: bytes, extension: str) -> ForeignFormat | None:
    """The format of other bytes, as they begin; None where nothing speaks for one that cannot be read."""
    if head.startswith(OLE):
        return _in_ole(head, extension)
    for magic, known in _BY_SIGNATURE.items():
        if head.startswith(magic):
            return known
    for at, (magic, known) in ((4, _ISO_MEDIA), (257, _TAR)):
        if head.startswith(magic, at) and b"\0" in head:
            return known
    return None


def _in_ole(head: bytes, extension: str) -> ForeignFormat:
    for stream, known in _OLE_STREAMS:
        if stream.encode("utf-16-le") in head:
            return known
    return _BY_EXTENSION[extension] if extension in _IN_OLE else _OLD_OFFICE
