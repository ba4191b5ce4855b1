"""Bytes into text, and text into a form that every store takes."""

import re
import unicodedata
from typing import BinaryIO

from modulo.domain.errors import EmptyFile, OversizedFile, UnsupportedFile

MAX_TEXT_BYTES = 64 * 1024**2

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_MEANINGLESS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    "\ufffe\uffff\ud800-\udfff]"
)
_STRANGE = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\x80-\x84\x86-\x9f\ufffd]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_MANY_SPACES = re.compile(r"[^\S\n]{9,}")
_SAMPLE = 1_000_000


def clean(text: str) -> str:
    """The text in Unicode's composed form, with plain spaces and line ends, without characters that show nothing."""
    if not text.isascii():
        text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    text = _MEANINGLESS.sub("", _LINE_ENDS.sub("\n", text))
    return _MANY_SPACES.sub(" " * 8, text)


def one_line(text: str) -> str:
    """The cleaned text with single spaces."""
    return " ".join(clean(text).split())


def read_whole(content: BinaryIO, limit: int = MAX_TEXT_BYTES) -> bytes:
    """All bytes from the start.

    Raises:
        OversizedFile: there are more than `limit`.
        EmptyFile: there are none.
    """
    content.seek(0)
    found = content.read(limit + 1)
    if len(found) > limit:
        raise OversizedFile(f"A file of this type may have at most {limit} bytes.")
    if not found:
        raise EmptyFile
    return found


def decode(found: bytes, declared: str | None = None) -> str:
    """The text in the encoding that its first bytes, `declared`, or else the bytes themselves tell.

    Raises:
        UnsupportedFile: it is not text.
    """
    for mark, marked in _BYTE_ORDER_MARKS:
        if found.startswith(mark):
            return _text(found[len(mark) :].decode(marked, errors="replace"))
    for encoding in filter(None, (declared, "utf-8", _utf_16(found))):
        try:
            return _text(found.decode(encoding))
        except (ValueError, LookupError):  # the declared name may be no name at all
            continue
    text = found.decode("cp1252", errors="replace")
    return _text(text if "\ufffd" not in text else found.decode("latin-1"))


def is_divisible(head: bytes) -> bool:
    """Whether every byte of value 10 ends a line, as in all encodings but those of two or four bytes a character."""
    wide = any(head.startswith(mark) for mark, encoding in _BYTE_ORDER_MARKS if encoding != "utf-8")
    return not wide and _utf_16(head) is None


def _utf_16(found: bytes) -> str | None:
    """The byte order of text whose every second byte is mostly zero."""
    sample = found[:4096]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 5 < len(sample) or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _text(text: str) -> str:
    """The text, unless it holds what no text does."""
    sample = text[:_SAMPLE]
    if len(_STRANGE.findall(sample)) * 50 > len(sample):
        raise UnsupportedFile("The file holds binary data, not text.")
    return text
