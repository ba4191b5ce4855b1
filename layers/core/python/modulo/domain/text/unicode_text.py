"""The one rule on Unicode: texts hold no unpaired surrogates, and names hold nothing that cannot be seen."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_SURROGATE = re.compile("[\ud800-\udfff]")
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point, as far as the category Cf does not hold it already (Unicode, DerivedCoreProperties)."""
_NOT_SHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_ZWNJ, _ZWJ, _EMOJI_STYLE = "\u200c", "\u200d", "\ufe0f"
_VIRAMA = 9
_NO_DOTS = "\u2800"
HIDDEN: Final = "must not hold control characters or others that show nothing"
"""What is wrong with a name that has `hidden_positions`."""
_SIGNS = "\u203c\u2049\u2139\u2194\u25fb\u25fc\u25fd\u25fe\u2934\u2935\u3030\u303d"
"""Emoji that are of other categories than symbols are (Unicode, emoji-variation-sequences)."""


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


def without_hidden(text: str) -> str:
    """The text without its `hidden_positions`."""
    hidden = set(hidden_positions(text))
    return "".join(character for at, character in enumerate(text) if at not in hidden)


def is_blank(text: str) -> bool:
    """Whether it is made of white space and empty Braille cells, and so shows nothing."""
    return not text.replace(_NO_DOTS, "").strip()


def visible_name(name: str) -> str:
    """The name, if everything in it can be seen.

    Raises:
        ValueError: it shows nothing, or holds something that shows nothing or reorders the rest.
    """
    if is_blank(name):
        raise ValueError("must not be empty")
    if next(hidden_positions(name), None) is not None:
        raise ValueError(HIDDEN)
    return name


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
    """Whether it may be part of an emoji: a symbol, a modifier of the skin's colour, or one of the older signs."""
    return bool(character) and (unicodedata.category(character) in ("So", "Sk") or character in _SIGNS)
