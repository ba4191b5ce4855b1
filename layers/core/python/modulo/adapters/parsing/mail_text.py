"""The text of a part of an e-mail: undoes base64 without a label and flowed lines, and tells stubs."""

import binascii
import re
from base64 import b64decode
from email.message import Message
from itertools import groupby

from modulo.adapters.parsing.text_encoding import encoding_of

_BASE64_LINES = re.compile(rb"\s*(?:[A-Za-z0-9+/]{60,76}\r?\n){2,}[A-Za-z0-9+/]{0,76}={0,2}\s*")
_TEXT = re.compile(r"[^\x00-\x08\x0e-\x1f\ufffd]*")
_WORD = re.compile(r"\w+")
_FEW_WORDS = 5
_MAX_STUB_WORDS = 40
_COVERED = 0.5  # of the distinct words of the page that the plain text has, unless it is a stub
_SIGNATURE = "-- "


def payload_of(part: Message) -> bytes:
    """The decoded content of a part that is no multipart."""
    encoding = str(part.get("content-transfer-encoding", "")).strip(" ;\t\"'").lower()
    if "content-transfer-encoding" in part:
        part.replace_header("content-transfer-encoding", encoding)  # the library takes no other spelling
    payload = part.get_payload(decode=True)
    found = payload if isinstance(payload, bytes) else b""
    return _without_base64(found) if encoding not in {"base64", "quoted-printable"} else found


def _without_base64(found: bytes) -> bytes:
    """The text in base64 whose part does not say so; other bytes as they are."""
    if not _BASE64_LINES.fullmatch(found):
        return found
    try:
        content = b64decode(found + b"==")  # more padding than is needed does no harm
    except binascii.Error:
        return found
    text = content.decode(encoding_of(content), "replace")
    return content if _TEXT.fullmatch(text) else found


def unflowed(text: str, *, delete_spaces: bool) -> str:
    """The text with the lines joined that a program broke (format=flowed, RFC 3676)."""
    lines = [_quoted(line) for line in text.replace("\r\n", "\n").split("\n")]
    joined: list[str] = []
    for depth, group in groupby(lines, lambda line: line[0]):
        paragraph = ""
        for _, line in group:
            flows = line.endswith(" ") and line != _SIGNATURE
            paragraph += line[:-1] if flows and delete_spaces else line
            if not flows:
                joined.append("> " * depth + paragraph)
                paragraph = ""
        if paragraph:
            joined.append("> " * depth + paragraph)
    return "\n".join(joined)


def _quoted(line: str) -> tuple[int, str]:
    """How deep a line is quoted, and the line without the marks and without the space that protects it."""
    bare = line.lstrip(">")
    return len(line) - len(bare), bare.removeprefix(" ")


def is_stub(plain: str, page: str) -> bool:
    """Whether the plain text stands in for a page without saying what that says."""
    said, shown = (set(_WORD.findall(text.lower())) for text in (plain, page))
    if len(shown) < _FEW_WORDS or len(said) > max(len(shown), _MAX_STUB_WORDS):
        return False
    return len(said & shown) < _COVERED * len(shown)
