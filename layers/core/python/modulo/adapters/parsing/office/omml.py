"""Writes the formulas of Office in one line: 3/4, x^(n+1), √(a+b), ∑_(i=1)^n x."""

import re

from lxml import etree

from modulo.adapters.parsing import linear_notation
from modulo.adapters.parsing.linear_notation import fraction
from modulo.adapters.parsing.office.elements import attribute, child, is_on, local

_MAX_DEPTH = 60
_OPEN_SCRIPT = re.compile(r"[_^]\w{1,39}$")
_LONGEST_SCRIPT = 40
_SCRIPTED = re.compile(r"\w{1,40}[⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉\u2032\u2033]{1,40}")
_PROPERTIES = frozenset({"rPr", "ctrlPr", "del", "moveFrom"})
_ROOTS = {"3": "∛", "4": "∜"}


def formula(element: etree._Element) -> str:
    """A formula in one line."""
    return _inside(element, 0).strip()


def _inside(element: etree._Element | None, depth: int) -> str:
    if element is None or depth > _MAX_DEPTH:
        return ""
    shown = ""
    for part in element:
        text = _part(part, depth + 1)
        apart = text[:1].isalnum() and _OPEN_SCRIPT.search(shown[-_LONGEST_SCRIPT:])
        shown += f" {text}" if apart else text
    return shown


def _part(part: etree._Element, depth: int) -> str:
    name = local(part)
    if name == "t":
        return part.text or ""
    if name in _PROPERTIES or (name.endswith("Pr") and name != "sPr"):
        return ""
    write = _PARTS.get(name)
    return write(part, depth) if write else _inside(part, depth)


def _of(element: etree._Element, name: str, depth: int) -> str:
    """The text of a child."""
    return _inside(child(element, name), depth)


def _property(element: etree._Element, name: str, default: str) -> str:
    """A property such as a sign; the default if it is not stated."""
    properties = child(element, f"{local(element)}Pr", name)
    return default if properties is None else attribute(properties, "val")


def _superscript(text: str) -> str:
    """A superscript; unlike in prose, letters and signs are powers too."""
    shown = linear_notation.superscript(text)
    return f"^{_grouped(text)}" if shown == text and text.strip() else shown


def _subscript(text: str) -> str:
    shown = linear_notation.subscript(text)
    return f"_{_grouped(text)}" if shown == text and text.strip() else shown


def _fraction(element: etree._Element, depth: int) -> str:
    above, below = _of(element, "num", depth), _of(element, "den", depth)
    if _property(element, "type", "bar") == "noBar":
        return f"({above} over {below})"
    return fraction(above, below)


def _raised(element: etree._Element, depth: int) -> str:
    return _grouped(_of(element, "e", depth)) + _superscript(_of(element, "sup", depth))


def _lowered(element: etree._Element, depth: int) -> str:
    return _grouped(_of(element, "e", depth)) + _subscript(_of(element, "sub", depth))


def _both(element: etree._Element, depth: int) -> str:
    scripts = _subscript(_of(element, "sub", depth)) + _superscript(_of(element, "sup", depth))
    base = _grouped(_of(element, "e", depth))
    return scripts + base if local(element) == "sPre" else base + scripts


def _root(element: etree._Element, depth: int) -> str:
    degree = _of(element, "deg", depth).strip()
    base = _grouped(_of(element, "e", depth))
    return f"{_ROOTS.get(degree) or _superscript(degree) + '√'}{base}"


def _operator(element: etree._Element, depth: int) -> str:
    sign = _property(element, "chr", "∫")
    scripts = _subscript(_of(element, "sub", depth)) + _superscript(_of(element, "sup", depth))
    return f"{sign}{scripts} {_of(element, 'e', depth)}"


def _brackets(element: etree._Element, depth: int) -> str:
    first, last = _property(element, "begChr", "("), _property(element, "endChr", ")")
    parts = [_inside(part, depth) for part in element if local(part) == "e"]
    return first + _property(element, "sepChr", "|").join(parts) + last


def _function(element: etree._Element, depth: int) -> str:
    argument = _of(element, "e", depth)
    return f"{_of(element, 'fName', depth)}{'' if argument.startswith('(') else ' '}{argument}"


def _limit(element: etree._Element, depth: int) -> str:
    write = _subscript if local(element) == "limLow" else _superscript
    return _of(element, "e", depth) + write(_of(element, "lim", depth))


def _rows(element: etree._Element, depth: int) -> str:
    """The lines of an array of equations, or the rows of a matrix."""
    lines = []
    for row in element:
        if local(row) == "e":
            lines.append(_inside(row, depth).replace("&", ""))
        elif local(row) == "mr":
            lines.append(", ".join(_inside(cell, depth + 1) for cell in row if local(cell) == "e"))
    return "; ".join(lines)


def _phantom(element: etree._Element, depth: int) -> str:
    shown = child(element, "phantPr", "show")
    return _of(element, "e", depth) if shown is None or is_on(shown) else ""


def _grouped(text: str) -> str:
    """A text in brackets, unless it is one name or number or stands in brackets already."""
    text = text.strip()
    if not text or text.isalnum() or len(text) == 1 or _SCRIPTED.fullmatch(text):
        return text
    open_brackets = 0
    for number, letter in enumerate(text if text[0] in "([{" else ""):
        open_brackets += (letter in "([{") - (letter in ")]}")
        if not open_brackets:
            return text if number == len(text) - 1 else f"({text})"
    return f"({text})"


_PARTS = {
    "f": _fraction,
    "sSup": _raised,
    "sSub": _lowered,
    "sSubSup": _both,
    "sPre": _both,
    "rad": _root,
    "nary": _operator,
    "d": _brackets,
    "func": _function,
    "limLow": _limit,
    "limUpp": _limit,
    "m": _rows,
    "eqArr": _rows,
    "phant": _phantom,
}
