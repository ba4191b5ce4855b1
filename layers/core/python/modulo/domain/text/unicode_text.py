"""The one rule on Unicode: texts hold no unpaired surrogates, and names hold nothing that cannot be seen."""

import re
import unicodedata
from collections.abc import Iterator

_SURROGATE = re.compile("[\ud800-\udfff]")
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point, as far as the category Cf does not hold it already (Unicode, DerivedCoreProperties)."""
_NOT_SHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_ZWNJ, _ZWJ, _EMOJI_STYLE = "\u200c", "\u200d", "\ufe0f"
_VIRAMA = 9
_SIGNS = "\u2194\u2195\u2640\u2642"
"""Signs of other categories that emoji are joined with."""


def is_well_formed(text: str) -> bool:
    """Whether a text can be encoded: it holds no unpaired surrogate."""
    return text.isascii() or _SURROGATE.search(text) is None


def repair(text: str) -> str:
    """The text with U+FFFD in place of each unpaired surrogate."""
    return text if is_well_formed(text) else _SURROGATE.sub("\ufffd", text)


def hidden_positions(name: str) -> Iterator[int]:
    """Where a name holds characters that show nothing or reorder others.

    Joiners stay where they show: between the parts of an emoji, and in scripts that write with them (RFC 5892,
    appendix A: behind a virama, and for U+200C between Arabic letters).
    """
    for at, character in enumerate(name):
        suspicious = unicodedata.category(character) in _NOT_SHOWN or _IGNORABLE.match(character)
        if suspicious and not _shows(character, name[at - 1] if at else "", name[at + 1 : at + 2]):
            yield at


def _shows(character: str, before: str, after: str) -> bool:
    if not before:
        return False
    if character == _EMOJI_STYLE:
        return _is_emoji(before) or before in "0123456789#*"
    if character == _ZWJ and _is_emoji(after):
        return _is_emoji(before) or before == _EMOJI_STYLE
    if character in (_ZWJ, _ZWNJ) and unicodedata.combining(before) == _VIRAMA:
        return True
    arabic = [unicodedata.bidirectional(neighbour) == "AL" for neighbour in (before, after) if neighbour]
    return character == _ZWNJ and len(arabic) == 2 and all(arabic)


def _is_emoji(character: str) -> bool:
    """Whether it may be part of an emoji: a symbol, a modifier of the skin's colour, or one of two older signs."""
    return bool(character) and (
        unicodedata.category(character) in ("So", "Sk") or character in "\u2194\u2195\u2640\u2642"
    )
