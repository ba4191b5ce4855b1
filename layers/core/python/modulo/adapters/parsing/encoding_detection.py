"""Finds the encoding of a text that is neither in Unicode nor labelled.

The detector knows how often letters follow each other in many languages. It needs some text for that, so its answers
are taken only where the text then has words as people write them, and a few accents are read as Western European.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

import chardet

from modulo.domain.text.language import language_of

FALLBACK = "cp1252"
_FEW_BYTES = 12  # beyond ASCII: hardly enough to tell Western from Central European
_TOO_FEW_BYTES = 3
_ENOUGH_WORDS = 4  # to tell the language by
_MODERN = (
    *("windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255", "windows-1256"),
    *("windows-1257", "windows-1258", "cp874", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-6", "koi8-r", "koi8-u"),
    *("gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949", "cp866", "iso2022_jp_2"),
)
_OLD = (
    *(
        FALLBACK,
        "cp437",
        "cp850",
        "cp852",
        "cp855",
        "cp857",
        "cp862",
        "mac-roman",
        "mac-cyrillic",
        "mac-greek",
        "mac-latin2",
    ),
    *("mac-turkish", "cp737", "cp720", "iso8859-8", "iso8859-4", "iso8859-13", "iso8859-10", "johab"),
)
_BY_LANGUAGE = {
    FALLBACK: {"en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi"},
    "cp1254": {"tr"},
    "cp1250": {"pl", "cs", "sk", "hu", "ro"},
}
_WESTERN_LEAD = 1.1
_WESTERN_LEAD_OF_FEW = 1.6
"""How much likelier than Western European another encoding must be, the latter with `_FEW_BYTES` beyond ASCII."""
_LOOKED_AT = 8 * 1024
_BAD_SHARE = 0.1  # of the characters beyond ASCII that may be oddities
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_OTHER_ALPHABETS = "\u0370-\u058f\u0590-\u06ff\u0e00-\u0e7f"
_ODDITIES = re.compile(
    "\ufffd|[\x80-\x9f]"
    # Letters of two alphabets in one word, or East Asian ones in the middle of a Latin one.
    rf"|[{_LATIN}][{_OTHER_ALPHABETS}]|[{_OTHER_ALPHABETS}][{_LATIN}]|[a-z][\u3400-\ud7a3]+[a-z]"
    r"|(?<!\w)[\uac00-\ud7a3][a-z]{2,}"
    # A sign within a word, other than apostrophes and dashes; one before an accented letter; several in a row.
    r"|(?<=[^\W\d_])[^\w\s\x00-\x7f\u00b7\u2010-\u2019\u2026\u0300-\u036f\u0e00-\u0e7f\u3000-\u30ff\uff00-\uff65](?=[^\W\d_])"
    "|[\u00a2-\u00a9\u00ac-\u00b1\u00b4\u00b6\u00b8\u00bb-\u00be][\u00c0-\u00ff]|[\u00a1-\u00bf]{2,}"
    # A word without a plain letter: no language in Latin letters has many.
    r"|(?<!\w)[\u00c0-\u024f]{3,}(?!\w)"
    # Signs that files of today do not hold.
    "|[\u2500-\u259f\u0600-\u0605\ue000-\uf8ff]"
)


def detected_encoding(sample: bytes) -> str:
    """The name of Python's codec that fits the bytes best, `FALLBACK` if none does."""
    beyond = sum(byte > 127 for byte in sample)
    if beyond <= _FEW_BYTES and len(sample.split()) >= _ENOUGH_WORDS:
        for codec, languages in _BY_LANGUAGE.items():
            if language_of(sample.decode(codec, "replace")) in languages and _is_written(sample, codec):
                return codec
    if beyond <= _TOO_FEW_BYTES and _is_written(sample, FALLBACK):
        return FALLBACK
    lead = _WESTERN_LEAD_OF_FEW if beyond <= _FEW_BYTES else _WESTERN_LEAD
    return next((codec for codec in _candidates(sample, lead) if _is_written(sample, codec)), FALLBACK)


def _candidates(sample: bytes, lead: float) -> Iterator[str]:
    """Codecs in the order in which the detector prefers them: those of today's files first."""
    for names in (_MODERN, _OLD):
        found = chardet.detect_all(sample, ignore_threshold=True, include_encodings=names, compat_names=False)
        likely = [(each["confidence"], each["encoding"]) for each in found if each["encoding"]]
        best = max(likely, default=(0.0, ""))[0]
        western = [codec for confidence, codec in likely if codec == FALLBACK and confidence * lead >= best]
        yield from (*western, *(codec for _, codec in likely if codec))


def _is_written(sample: bytes, codec: str) -> bool:
    """Whether the words are such as people write."""
    text = sample[:_LOOKED_AT].decode(codec, "replace")
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    odd = len(_ODDITIES.findall(text))
    odd += sum(a.islower() and b.isupper() and not (a.isascii() and b.isascii()) for a, b in pairwise(text))
    return odd <= _BAD_SHARE * beyond
