"""In which encoding the bytes of a text are.

In this order: its byte order mark; UTF-8, where the bytes are valid or nearly so; UTF-16 without a mark; the encoding
that its label names, as web browsers understand it; the one that a detector finds.
"""

import codecs
import re
from contextlib import suppress

from modulo.domain.text.utf16 import unmarked_utf16

BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_SAMPLE_BYTES = 64 * 1024
_MAX_BAD_SHARE = 0.02  # of the bytes beyond ASCII that a label's encoding may leave undecoded
_ASCII = bytes(range(128))
# What the WHATWG encoding standard makes of a label: mostly the larger set that programs really write.
_WIDER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "utf-16": "utf-16-le",
}
_LABELS = {
    "unicode-1-1-utf-8": "utf-8",
    "x-unicode20utf8": "utf-8",
    "ansi_x3.4-1968": "cp1252",
    "x-cp1252": "cp1252",
    "x-ansi": "cp1252",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-gbk": "gb18030",
    "csgb2312": "gb18030",
    "x-sjis": "cp932",
    "x-ms-cp932": "cp932",
    "x-euc-jp": "euc_jp",
    "x-euc-kr": "cp949",
    "ks_c_5601-1989": "cp949",
    "windows-949": "cp949",
    "cn-big5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "windows-874": "cp874",
    "dos-874": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "x-mac-roman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "ucs-2": "utf-16-le",
    "unicode": "utf-16-le",
}
_NO_CHARSETS = re.compile("idna|punycode|unicode.escape|undefined|mbcs|oem|palmos")
_SEVEN_BITS = re.compile("iso2022|hz|utf-7")  # their bytes are all ASCII
_SHIFT = b"\x1b$"  # begins text in ISO-2022-JP, which is rarely labelled


def encoding_of(found: bytes, declared: str | None = None) -> str:
    """The name of Python's codec for the bytes, which may be a part of a text; `declared` is the label it carries."""
    for mark, marked in BYTE_ORDER_MARKS:
        if found.startswith(mark):
            return marked
    if wide := unmarked_utf16(found):
        return wide
    labelled = labelled_encoding(declared)
    if found.isascii():
        return _seven_bit_encoding(found, labelled)
    if _is_nearly_utf_8(found):
        return "utf-8"
    if labelled and labelled != "utf-8" and _fits(found, labelled):
        return labelled
    from modulo.adapters.parsing.encoding_detection import detected_encoding  # noqa: PLC0415 - 40 MB, rarely needed

    return detected_encoding(sample_of(found))


def labelled_encoding(label: str | None) -> str | None:
    """Python's codec for a label of HTML or mail; None for unknown labels."""
    name = (label or "").strip().strip("\"'").lower()
    if name in _LABELS:
        return _LABELS[name]
    with suppress(LookupError, ValueError):
        codec = codecs.lookup(name)
        "".encode(codec.name)  # fails for codecs that are no character sets, such as rot13
        return None if _NO_CHARSETS.match(codec.name) else _WIDER.get(codec.name, codec.name)
    return None


def sample_of(found: bytes, limit: int = _SAMPLE_BYTES) -> bytes:
    """The part of the bytes that a detector needs to see: lines around the first byte beyond ASCII."""
    if len(found) <= limit:
        return found
    first = _first_beyond_ascii(found)
    start = found.rfind(b"\n", max(0, first - limit // 2), first) + 1 or max(0, first - 80)
    end = found.rfind(b"\n", start, start + limit)
    return found[start : end if end > first else start + limit]


def _first_beyond_ascii(found: bytes) -> int:
    for start in range(0, len(found), _SAMPLE_BYTES):
        block = found[start : start + _SAMPLE_BYTES]
        if not block.isascii():
            return start + len(block) - len(block.lstrip(_ASCII))
    return 0


def _seven_bit_encoding(found: bytes, labelled: str | None) -> str:
    if labelled and _SEVEN_BITS.match(labelled):
        return labelled
    return "iso2022_jp" if _SHIFT in found and _decodes(found, "iso2022_jp") else "utf-8"


def _is_nearly_utf_8(found: bytes) -> bool:
    """Whether the bytes are UTF-8, but for a damaged character here and there."""
    try:
        found.decode()
    except UnicodeDecodeError:
        text = found.decode(errors="replace")
        beyond = len(text) - len(text.encode("ascii", "ignore"))
        bad = text.count("\ufffd") - found.count(b"\xef\xbf\xbd")
        return beyond - bad >= 2 * bad
    return True


def _fits(found: bytes, encoding: str) -> bool:
    """Whether nearly all bytes beyond ASCII mean something in the encoding."""
    sample = sample_of(found)
    beyond = len(sample) - len(sample.decode("ascii", "ignore"))
    return sample.decode(encoding, "replace").count("\ufffd") <= max(1, _MAX_BAD_SHARE * beyond)


def _decodes(found: bytes, encoding: str) -> bool:
    try:
        found.decode(encoding)
    except ValueError:
        return False
    return True
