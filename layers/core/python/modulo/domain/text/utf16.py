"""UTF-16 without a byte order mark: told by control bytes that no other text has, and by letters of one script."""

import unicodedata
from collections import Counter

_SAMPLE_BYTES = 4_096
_CONTROL_SHARE = 0.02  # of the bytes: other text has fewer
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1b")
_WRITTEN_SHARE = 0.98  # of the characters: letters, marks, digits, punctuation, symbols and white space
_SCRIPT_SHARE = 0.8  # of the letters beyond ASCII
_WHITE_SPACE = "\t\n\v\f\r"


def unmarked_utf16(head: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` where the bytes are text in it, None for other bytes."""
    sample = head[: min(len(head), _SAMPLE_BYTES) // 2 * 2]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if not controls or controls < _CONTROL_SHARE * len(sample):
        return None
    found = {codec: _likeness(sample, codec) for codec in ("utf-16-le", "utf-16-be")}
    best = max(found, key=found.__getitem__)
    return best if found[best] else None


def _likeness(sample: bytes, codec: str) -> float:
    """How much the text in this encoding looks written by somebody, from 0 to 1; 0 for what is none."""
    text = sample.decode(codec, "replace").rstrip("\ufffd")  # the sample may end inside a surrogate pair
    written = sum(1 for character in text if character in _WHITE_SPACE or unicodedata.category(character)[0] not in "C")
    written -= text.count("\ufffd")
    if not text or written < _WRITTEN_SHARE * len(text):
        return 0
    ascii_share = sum(map(str.isascii, text)) / len(text)
    scripts = Counter(_script(character) for character in text if character.isalpha() and not character.isascii())
    largest = max(scripts.values(), default=0)
    if largest < _SCRIPT_SHARE * scripts.total():
        return 0
    return written / len(text) + ascii_share


def _script(character: str) -> str:
    """A name shared by the letters of one script; Chinese characters and kana count as one."""
    name = unicodedata.name(character, "").split(" ", maxsplit=1)[0]
    return "CJK" if name in {"HIRAGANA", "KATAKANA", "IDEOGRAPHIC"} else name
