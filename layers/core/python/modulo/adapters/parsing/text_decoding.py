"""Decodes bytes to text, and normalises text to a form that every store takes."""

import re
import unicodedata
from typing import BinaryIO

from modulo.adapters.parsing.text_encoding import encoding_of
from modulo.domain.errors import EmptyFile, OversizedFile, UnsupportedFile

MAX_TEXT_BYTES = 64 * 1024**2

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    "\ufffe\uffff\ud800-\udfff]"
)
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\x80-\x84\x86-\x9f\ufffd]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_TERMINAL_CODES = re.compile(
    "\x1b(?:\\[[0-?]{0,60}[ -/]{0,8}[@-~]|\\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\\\)|[()*+][0-9A-Za-z]|[=>78cDEHMNOZ])"
)
"""Colours, cursor movements and window titles (ECMA-48), as terminals and build logs hold them."""
_OVERSTRUCK = re.compile("[^\n]\x08")  # bold and underlined text as printed manuals have it
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_WIDE_GAP = " " * 8
_MANY_SPACES = re.compile(r"[^\S\n]{9,}")
_SAMPLE_LENGTH = 1_000_000


def clean(text: str) -> str:
    """The text in composed Unicode (NFC), with plain spaces and line feeds, without invisible characters.

    Codes that set colours and move the cursor of a terminal are removed too.
    """
    if text.isprintable():  # most text is, and needs no more than this
        text = text if text.isascii() else unicodedata.normalize("NFC", text)
        return _MANY_SPACES.sub(_WIDE_GAP, text) if _WIDE_GAP in text else text
    if "\x1b" in text or "\x08" in text:
        text = _OVERSTRUCK.sub("", _TERMINAL_CODES.sub("", text))
    if not text.isascii():
        text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    return _MANY_SPACES.sub(_WIDE_GAP, text)


def one_line(text: str) -> str:
    """The cleaned text on one line, with single spaces."""
    return " ".join(clean(text).split())


def read_whole(content: BinaryIO, limit: int = MAX_TEXT_BYTES) -> bytes:
    """All bytes of a file, from its start.

    Raises:
        OversizedFile: it has more than `limit` bytes.
        EmptyFile: it has none.
    """
    content.seek(0)
    found = content.read(limit + 1)
    if len(found) > limit:
        raise OversizedFile(f"A file of this type may have at most {limit} bytes.")
    if not found:
        raise EmptyFile
    return found


def decode(found: bytes, declared: str | None = None) -> str:
    """The text in the encoding that `text_encoding` finds; `declared` is the label that the bytes carry.

    Raises:
        UnsupportedFile: the bytes are not text.
    """
    return decode_as(found, encoding_of(found, declared))


def decode_as(found: bytes, encoding: str) -> str:
    """The text in an encoding, with U+FFFD for each damaged character.

    Raises:
        UnsupportedFile: the bytes are not text.
    """
    text = found.decode(encoding, "replace").removeprefix("\ufeff").rstrip("\0\x1a")  # the filling of a last block
    sample = text[:_SAMPLE_LENGTH]
    if len(_BINARY.findall(sample)) * 50 > len(sample):
        raise UnsupportedFile("The file holds binary data, not text.")
    return text


def is_divisible(encoding: str) -> bool:
    """Whether a text in the encoding can be divided at each byte 10."""
    return not encoding.startswith(("utf-16", "utf-32", "iso2022"))
