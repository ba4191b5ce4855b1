"""Formulas in MathML as one line of text: x = (a+b)/2, √(x), 10⁶."""

from collections.abc import Callable, Mapping, Sequence

from lxml import etree

from modulo.adapters.parsing.linear_notation import fraction, subscript, superscript

_MAX_DEPTH = 60
_LEAVES = frozenset({"mi", "mn", "mo", "mtext", "ms"})
_SKIPPED = frozenset({"annotation", "annotation-xml", "none", "mprescripts", "mphantom"})
_SPACED = frozenset("=<>+-\u2212\u00b1\u2264\u2265\u2260\u2248\u2192\u21d2\u2208")


def math_text(element: etree._Element) -> str:
    """The formula in an element `math`."""
    return " ".join(_text(element, 0).split())


def _text(element: etree._Element, depth: int) -> str:
    tag = str(element.tag).rpartition("}")[2].rpartition(":")[2]
    if tag in _SKIPPED or depth > _MAX_DEPTH:
        return ""
    if tag in _LEAVES:
        return _leaf(tag, "".join(str(part) for part in element.itertext()).strip())
    parts = [_text(child, depth + 1) for child in element if isinstance(child.tag, str)]
    if tag == "semantics":
        return parts[0] if parts else ""
    if tag in _WRITTEN and len(parts) >= _WRITTEN[tag][0]:
        return _WRITTEN[tag][1](parts)
    separator = {"mtr": ", ", "mtable": "; ", "mfenced": ", "}.get(tag, "")
    joined = separator.join(parts)
    if tag == "mfenced":
        return f"{element.get('open', '(')}{joined}{element.get('close', ')')}"
    return f"{element.text or ''}{joined}"


def _leaf(tag: str, text: str) -> str:
    if tag == "mo" and text in _SPACED:
        return f" {text} "
    return "" if text in {"\u2061", "\u2062", "\u2063", "\u2064"} else text  # operators that are not seen


def _grouped(text: str) -> str:
    """The text in brackets, unless it is a single name or number."""
    text = text.strip()
    return text if text.isalnum() else f"({text})"


_WRITTEN: Mapping[str, tuple[int, Callable[[Sequence[str]], str]]] = {
    "mfrac": (2, lambda parts: fraction(parts[0], parts[1])),
    "msup": (2, lambda parts: parts[0].strip() + superscript(parts[1].strip())),
    "msub": (2, lambda parts: parts[0].strip() + subscript(parts[1].strip())),
    "msubsup": (3, lambda parts: parts[0].strip() + subscript(parts[1].strip()) + superscript(parts[2].strip())),
    "mover": (2, lambda parts: parts[0].strip() + superscript(parts[1].strip())),
    "munder": (2, lambda parts: parts[0].strip() + subscript(parts[1].strip())),
    "munderover": (3, lambda parts: parts[0].strip() + subscript(parts[1].strip()) + superscript(parts[2].strip())),
    "msqrt": (1, lambda parts: f"\u221a{_grouped(''.join(parts))}"),
    "mroot": (2, lambda parts: f"{superscript(parts[1].strip())}\u221a{_grouped(parts[0])}"),
}
"""How many parts each needs, and how they are written."""
