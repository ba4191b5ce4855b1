"""Superscripts, subscripts and fractions in one line of text: 10⁶, H₂O, 3/4, x^(n+1)."""

import re

_SIGNS = "0123456789+-=()"
_HIGH = str.maketrans(_SIGNS + "\u2212ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾⁻ⁿⁱ")  # these are the signs themselves
_LOW = str.maketrans(_SIGNS + "\u2212", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎₋")
_HAS_HIGH = re.compile(r"[\d+=()\u2212n i-]+", re.ASCII)
_HAS_LOW = re.compile(r"[\d+=()\u2212 -]+", re.ASCII)
_WORDS = frozenset(
    {"st", "nd", "rd", "th", "er", "re", "e", "o", "a", "tm", "sm", "\u00ae", "\u2122", "\u00ba", "\u00aa"}
)
_MARKS = re.compile(r"[\W_]+")
_ATOM = re.compile(r"\w+(?:[.,]\w+)*")
_BUILT = re.compile(
    r"(?:(?<=(\d))\s?)?([⁰¹²³⁴-⁹]{1,4})\s?[/\u2044\u2215]\s?([₀-₉]{1,4})"
    r"|(?<![^\s(])([⁰¹²³⁴-⁹]{1,4})[/\u2044\u2215](\d{1,4})"
)
_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")


def superscript(text: str) -> str:
    """The text as a superscript; ordinals (1st) and trade marks stay as they are."""
    if text.lower() in _WORDS or not text.strip():
        return text
    if _HAS_HIGH.fullmatch(text):
        return text.translate(_HIGH)
    return text if _MARKS.fullmatch(text) else f"^{_grouped(text)}"


def subscript(text: str) -> str:
    """The text as a subscript."""
    if not text.strip():
        return text
    if _HAS_LOW.fullmatch(text):
        return text.translate(_LOW)
    return text if _MARKS.fullmatch(text) else f"_{_grouped(text)}"


def fraction(numerator: str, denominator: str) -> str:
    """A fraction with a slash; parts that are more than a number or a name stand in brackets."""
    return f"{_grouped(numerator)}/{_grouped(denominator)}"


def built_fractions(text: str) -> str:
    """The text with fractions that are built of superscript and subscript digits as plain ones: 1³/₄ is 1 3/4."""
    if "/" not in text and "\u2044" not in text and "\u2215" not in text:
        return text
    return _BUILT.sub(_plain_fraction, text)


def _plain_fraction(found: re.Match[str]) -> str:
    apart = " " if found[1] else ""
    return apart + f"{found[2] or found[4]}/{found[3] or found[5]}".translate(_PLAIN)


def _grouped(text: str) -> str:
    text = text.strip()
    return text if _ATOM.fullmatch(text) or (text.startswith("(") and text.endswith(")")) else f"({text})"
