"""The names of the files in a zip archive, which may be in the code page of the computer that wrote it."""

import re
import struct
import zlib
from collections.abc import Sequence
from zipfile import ZipInfo

from modulo.adapters.parsing.text_encoding import encoding_of

_IS_UTF_8 = 0x800
_UNICODE_PATH = 0x7075
"""The extra field that holds a name in UTF-8 behind a version and the checksum of the other name (PKWARE, 4.6.9)."""
_FIELD = struct.Struct("<HH")
_CODE_PAGE = "cp437"
_CODE_PAGES = frozenset(
    {"utf-8", "cp866", "cp1251", "koi8-r", "koi8-u", "gb18030", "big5hkscs", "cp932", "cp949", "euc_kr"}
)
"""The names are in one of these where they look so; else in the code page that the format prescribes."""
_FRAMES = re.compile("[\u2500-\u259f]")  # no names have them: those are in the code page of Windows


def member_names(infos: Sequence[ZipInfo]) -> list[str]:
    """The name of each file; names without a mark of Unicode share one encoding, which they tell together."""
    raw = [_raw_name(info) for info in infos]
    together = b"\n".join(name for name in raw if name)
    encoding = encoding_of(together) if not together.isascii() else _CODE_PAGE
    if encoding not in _CODE_PAGES:
        encoding = "cp1252" if _FRAMES.search(together.decode(_CODE_PAGE)) else _CODE_PAGE
    return [
        _unicode_path(info) or (name.decode(encoding, "replace") if name else info.filename)
        for info, name in zip(infos, raw, strict=True)
    ]


def _unicode_path(info: ZipInfo) -> str:
    """The name in the extra field, if it belongs to the name that the archive shows; else an empty text."""
    extra = info.extra
    while len(extra) >= _FIELD.size:
        kind, length = _FIELD.unpack_from(extra)
        content = extra[_FIELD.size : _FIELD.size + length]
        if kind == _UNICODE_PATH and content[:1] == b"\x01" and length > 5:
            belongs = struct.unpack_from("<I", content, 1)[0] == zlib.crc32(_raw_name(info))
            return content[5:].decode("utf-8", "replace") if belongs else ""
        extra = extra[_FIELD.size + length :]
    return ""


def _raw_name(info: ZipInfo) -> bytes:
    """The bytes of a name that is not marked as Unicode, with slashes as `zipfile` has them."""
    if info.flag_bits & _IS_UTF_8:
        return b""
    return info.filename.encode(_CODE_PAGE, "replace")
