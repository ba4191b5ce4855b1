"""The headers of an e-mail as text: raw bytes beyond ASCII, and encoded words (RFC 2047)."""

import binascii
import quopri
import re
from base64 import b64decode
from email.message import Message
from email.policy import Compat32

from modulo.adapters.parsing.text_decoding import one_line
from modulo.adapters.parsing.text_encoding import encoding_of

MAX_LENGTH = 2_000
_ENCODED_WORD = re.compile(r"=\?([\w.:+-]{1,60})(?:\*[\w-]{0,20})?\?([bq])\?([^?\n]{0,2000})\?=", re.IGNORECASE)


class RawHeaders(Compat32):
    """Headers with bytes beyond ASCII as the text that they are, in UTF-8 (RFC 6532) or an older encoding."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 - the interface
        """The value of a header, whose bytes beyond ASCII the library keeps as surrogates."""
        if value.isascii():
            return value
        found = value.encode("utf-8", "surrogateescape")
        return found.decode(encoding_of(found), "replace")


def header(message: Message, name: str) -> str:
    """The text of a header on one line; an empty text if there is none."""
    return one_line(decoded(str(message.get(name, ""))[:MAX_LENGTH]))


def decoded(value: str) -> str:
    """The text with its encoded words decoded; characters may be divided between words of one encoding."""
    text, end = "", 0
    charset, found = "", b""  # of the words in a row that are not decoded yet
    for word in _ENCODED_WORD.finditer(value):
        between = value[end : word.start()]
        if found and (between.strip() or word[1].lower() != charset):
            text, found = text + _text(found, charset), b""
        if between.strip() or not end:
            text += between
        charset, found, end = word[1].lower(), found + _bytes_of(word), word.end()
    return text + _text(found, charset) + value[end:]


def _text(found: bytes, charset: str) -> str:
    return found.decode(encoding_of(found, charset), "replace")


def _bytes_of(word: re.Match[str]) -> bytes:
    content = word[3].encode("ascii", "ignore")
    if word[2].lower() == "q":
        return quopri.decodestring(content.replace(b" ", b"_"), header=True)
    try:
        return b64decode(content + b"==")
    except binascii.Error:
        return content
